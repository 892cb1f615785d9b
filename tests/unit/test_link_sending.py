"""The lanes, strictly in order and in pieces, for new servers and old ones."""

from datetime import UTC

import pytest

from camera_hub.link.messages import (
    SERVER_SKILLS,
    ClipOffer,
    ClipPiece,
    ClipWanted,
    Durable,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Lane,
    LinkError,
    LivePackets,
    Part,
    WorkerMessage,
    decode_from_worker,
    encode,
)
from camera_hub.link.server.taking import Taking
from camera_hub.link.worker.budget import MOST_PIECE, Budget, Limits
from camera_hub.link.worker.outgoing import BAD_CLIPS, MAX_LIVE_AGE_US, LiveBuffer
from camera_hub.link.worker.sending import WINDOW, Sending
from camera_hub.model import Packet
from tests.support.clocks import HandClock
from tests.support.memory_outbox import Box
from tests.support.server import event, ulid

NARROW_KBIT = 1000  # pieces of 12.5 kB


def news(number: int) -> EventNews:
    return EventNews(f"m{number}", event(number))


def picture(number: int, size: int = 100) -> EventPicture:
    return EventPicture(f"p{number}", ulid(number), "cong-lang", 0, b"j" * size)


def clip(number: int, size: int = 100, short: bool = True) -> EventClip:
    return EventClip(f"c{number}", ulid(number), "cong-lang", 0, 1, b"m" * size, short)


def packet(number: int, size: int = 100, keyframe: bool = True) -> Packet:
    return Packet(b"v" * size, number, number, number, keyframe)


HEALTH = Health(0, (), 0, 1, 2, 0)


class Link:
    """A worker's side of a connection, and what it says next."""

    def __init__(self, box: Box, can: frozenset[str] = SERVER_SKILLS, limits: Limits | None = None) -> None:
        self.clock = HandClock()
        self.box = box
        self.live: list[LiveBuffer] = []
        budget = Budget(limits or Limits(), UTC, self.clock)
        newest = len(box.waiting)
        self.sending = Sending("s", box, newest, can, budget, lambda: self.live)
        self.line_kbit: float | None = None
        self.shut_us = 0

    def put(self, *messages: Durable) -> None:
        self.box.put(*messages)
        self.sending.outbox_changed()

    async def next(self) -> WorkerMessage | None:
        step = await self.sending.next(lambda: self.shut_us, self.line_kbit)
        return None if step.data is None else decode_from_worker(step.data)

    async def all(self) -> list[WorkerMessage]:
        found = []
        while (message := await self.next()) is not None:
            found.append(message)
            if isinstance(message, ClipOffer):
                self.sending.wanted(ClipWanted(message.id, 0))
        return found


async def test_the_lanes_in_their_order() -> None:
    link = Link(Box([clip(1, short=False), clip(2), picture(1), news(1)]))
    buffer = LiveBuffer("cong-lang", "sub")
    buffer.add([packet(1)], 0)
    link.live = [buffer]
    link.sending.control.append(HEALTH)
    kinds = [type(message) for message in await link.all()]
    assert kinds == [
        Health,
        EventNews,
        EventPicture,
        ClipOffer,
        ClipPiece,
        LivePackets,
        ClipOffer,
        ClipPiece,
    ]


async def test_a_fresh_event_goes_between_the_pieces_of_whatever_is_under_way() -> None:
    link = Link(Box([picture(1, 100_000)]))
    link.line_kbit = NARROW_KBIT
    assert isinstance(await link.next(), Part)
    link.put(news(1))
    assert isinstance(await link.next(), EventNews)
    assert isinstance(await link.next(), Part)


async def test_new_ones_go_before_those_that_waited_each_in_order() -> None:
    link = Link(Box([news(1), news(2), news(3)]))
    first = await link.next()
    link.put(news(4), news(5))
    assert [first, *await link.all()] == [news(1), news(4), news(5), news(2), news(3)]


async def test_what_comes_in_parts_is_whole_on_the_other_side() -> None:
    link = Link(Box([picture(1, 100_000), clip(1, 50_000)]))
    link.line_kbit = NARROW_KBIT
    buffer = LiveBuffer("cong-lang", "main")
    buffer.add([packet(1, 200_000), packet(2, 10, keyframe=False)], 0)
    link.live = [buffer]
    heard: list[WorkerMessage] = []

    async def hear(message: WorkerMessage) -> None:
        heard.append(message)

    class Keeps:
        def live_packets(self, site: str, message: LivePackets) -> None:
            heard.append(message)

    async def send(_: object) -> None: ...

    taking = Taking("khe-coc", Keeps(), send, hear, unknown=hear)  # type: ignore[arg-type]
    for _ in range(100):
        step = await link.sending.next(lambda: 0, link.line_kbit)
        if step.data is None:
            break
        assert len(step.data) < 12_500 + 200
        await taking.take(step.data)
    assert [type(one) for one in heard] == [LivePackets, LivePackets]
    assert [len(one.packets[0].data) for one in heard if isinstance(one, LivePackets)] == [200_000, 10]
    assert [type(message) for message, _ in taking._waiting] == [EventPicture, ClipOffer]
    assert taking._waiting[0][0] == picture(1, 100_000)


async def test_an_old_server_gets_everything_whole() -> None:
    link = Link(Box([picture(1, 300_000), clip(1, 500_000)]), can=frozenset())
    link.line_kbit = NARROW_KBIT
    assert await link.all() == [picture(1, 300_000), clip(1, 500_000)]


async def test_a_clip_goes_on_from_the_byte_that_is_wanted() -> None:
    link = Link(Box([clip(1, 30_000)]))
    link.line_kbit = NARROW_KBIT
    offer = await link.next()
    assert isinstance(offer, ClipOffer)
    assert await link.next() is None
    link.sending.wanted(ClipWanted(offer.id, 20_000))
    (piece,) = await link.all()
    assert isinstance(piece, ClipPiece)
    assert (piece.at, len(piece.data)) == (20_000, 10_000)


async def test_a_clip_that_always_comes_otherwise_is_given_up_for_this_connection() -> None:
    link = Link(Box([clip(1, 10), clip(2, 10), clip(3, 10)]))
    await link.all()
    for _ in range(BAD_CLIPS + 3):
        link.sending.wanted(ClipWanted("c1", 0))
        await link.all()
    assert await link.all() == []
    link.sending.acknowledged(["c2"])
    assert isinstance(await link.next(), ClipOffer)


async def test_no_more_than_a_window_is_on_the_line() -> None:
    link = Link(Box([picture(number) for number in range(100)]))
    sent = await link.all()
    assert len(sent) == WINDOW[Lane.PICTURE]
    link.sending.acknowledged([message.id for message in sent[:3] if isinstance(message, EventPicture)])
    assert len(await link.all()) == 3


async def test_a_fresh_event_does_not_wait_for_answers_to_those_before_it() -> None:
    link = Link(Box([news(number) for number in range(1000)]))
    assert len(await link.all()) == WINDOW[Lane.EVENT]
    link.put(news(1000))
    assert await link.all() == [news(1000)]


async def test_a_shut_line_and_an_empty_bucket_hold_all_but_fresh_facts() -> None:
    link = Link(Box([news(1), picture(1)]), limits=Limits(kbit=1000))
    link.shut_us = 5_000
    assert (await link.sending.next(lambda: link.shut_us, None)).wait_us == 5_000
    link.put(news(2))
    assert await link.next() == news(2)
    link.shut_us = 0
    link.sending._budget.spend("s", 100_000)
    step = await link.sending.next(lambda: 0, None)
    assert step.data is None
    assert step.wait_us is not None
    link.clock.now_us += step.wait_us
    assert await link.next() == news(1)


async def test_a_used_up_day_holds_clips_and_live_and_lets_pictures_go() -> None:
    link = Link(Box([clip(1), picture(1), news(1)]), limits=Limits(day_bytes=1000))
    buffer = LiveBuffer("cong-lang", "sub")
    buffer.add([packet(1)], 0)
    link.live = [buffer]
    link.sending._budget.spend("s", 2000)
    assert await link.all() == [news(1), picture(1)]
    assert (await link.sending.next(lambda: 0, None)).wait_us is not None
    link.clock.go(86_400)
    assert [type(message) for message in await link.all()] == [ClipOffer, ClipPiece, LivePackets]


async def test_watched_streams_take_turns() -> None:
    link = Link(Box())
    link.live = [LiveBuffer(camera, "sub") for camera in ("a", "b", "c")]
    for number in range(3):
        for buffer in link.live:
            buffer.add([packet(number, MOST_PIECE)], 0)
    sent = [message.camera for message in await link.all() if isinstance(message, LivePackets)]
    link.live[0].add([packet(9)], 0)
    assert sorted(sent[:3]) == sorted(sent[3:6]) == ["a", "b", "c"]


def test_what_waited_too_long_to_be_live_goes_when_a_keyframe_comes() -> None:
    buffer = LiveBuffer("a", "main")
    buffer.add([packet(1), packet(2, keyframe=False)], 0)
    buffer.add([packet(3, keyframe=False)], MAX_LIVE_AGE_US + 1)
    assert buffer.late_us(MAX_LIVE_AGE_US + 1) == MAX_LIVE_AGE_US + 1
    buffer.add([packet(4)], MAX_LIVE_AGE_US + 1)
    message = buffer.take()
    assert isinstance(message, LivePackets)
    assert [one.pts_us for one in message.packets] == [4]
    assert buffer.dropped == 3


async def test_what_is_too_large_for_the_link_stays_here_and_is_in_nobodys_way() -> None:
    window = WINDOW[Lane.PICTURE]
    too_large = [picture(number, 9 * 2**20) for number in range(window)]
    link = Link(Box([*too_large, *(picture(window + number) for number in range(window))]))
    went = [one.id for one in await link.all() if isinstance(one, EventPicture)]
    assert went == [f"p{window + number}" for number in range(window)]


async def test_a_piece_outside_of_its_clip_ends_the_link() -> None:
    async def nothing(_: object) -> None: ...

    class Keeps:
        async def clip_offered(self, site: str, offer: ClipOffer) -> int:
            return 0

    taking = Taking("khe-coc", Keeps(), nothing, nothing, unknown=nothing)  # type: ignore[arg-type]
    await taking._offered(ClipOffer("c", ulid(1), "cong-lang", 0, 1, 10, "0" * 64))
    with pytest.raises(LinkError, match="no place"):
        await taking._piece(ClipPiece("c", 5, b"123456"))


async def test_a_clip_over_the_bound_is_not_asked_for() -> None:
    answers: list[object] = []

    async def send(message: object) -> None:
        answers.append(message)

    taking = Taking("khe-coc", object(), send, send, unknown=send)  # type: ignore[arg-type]
    await taking._offered(ClipOffer("c", ulid(1), "cong-lang", 0, 1, 2**40, "0" * 64))
    assert [type(answer).__name__ for answer in answers] == ["Ack"]


async def test_of_a_site_that_was_cut_off_nothing_that_waits_is_kept() -> None:
    async def nothing(_: object) -> None: ...

    cut = False
    taking = Taking(
        "khe-coc",
        object(),  # type: ignore[arg-type]
        nothing,
        nothing,
        unknown=nothing,
        is_cut=lambda: cut,
    )
    data = encode(EventNews("m1", event(1)))
    await taking.take(data)
    cut = True
    with pytest.raises(EOFError):
        await taking.keep_next()
    with pytest.raises(EOFError):
        await taking.take(data)
