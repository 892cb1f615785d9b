"""Ranges of recordings over the link: in their lane, within their window, stopped at once, ended in words."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, time

import pytest

from camera_hub.link.messages import (
    SERVER_SKILLS,
    WINDOW_BYTES,
    ClipOffer,
    EventClip,
    EventNews,
    LinkError,
    LivePackets,
    NotRecordedError,
    RangeBegins,
    RangeEnded,
    RangeMore,
    RangePiece,
    RangeStop,
    RangeWanted,
    ServerMessage,
    Spans,
    SpansWanted,
    WorkerMessage,
    decode_from_worker,
)
from camera_hub.link.server import ranges as ranges_in
from camera_hub.link.server.ranges import RangeIn, RangesIn
from camera_hub.link.worker.budget import Budget, Limits
from camera_hub.link.worker.outgoing import LiveBuffer
from camera_hub.link.worker.ranges import AHEAD_BYTES, MOST, RangesOut
from camera_hub.link.worker.sending import Sending
from camera_hub.model import NotRecorded, Packet
from tests.support.clocks import HandClock
from tests.support.memory_outbox import Box
from tests.support.no_recordings import NoRecordings
from tests.support.server import event, ulid
from tests.support.waiting import until

LARGE = 2_000_000


class Source:
    """A range that is read: bytes of a size, then its end, or what is in the way."""

    start_us, codec, width, height = 7, "avc1.42001f", 640, 360

    def __init__(self, size: int, error: Exception | None = None) -> None:
        self.size: int | None = size
        self.left = size
        self.error = error
        self.is_closed = False

    def read(self, most: int) -> bytes:
        assert not self.is_closed
        count = min(most, self.left)
        self.left -= count
        if not count and self.error is not None:
            raise self.error
        return b"v" * count

    def close(self) -> None:
        self.is_closed = True


class Recorded(NoRecordings):
    """A worker's recordings."""

    def __init__(self, *sources: Source) -> None:
        self.sources = list(sources)
        self.opened = 0

    async def open_range(self, asked: RangeWanted) -> Source:
        self.opened += 1
        if self.opened > len(self.sources):
            raise NotRecordedError("nothing is recorded then", NotRecorded.NOTHING_THERE)
        return self.sources[self.opened - 1]


class Out:
    """A worker's side of a connection."""

    def __init__(self, *sources: Source, limits: Limits | None = None, box: Box | None = None) -> None:
        self.clock = HandClock()
        self.live: list[LiveBuffer] = []
        self.budget = Budget(limits or Limits(), UTC, self.clock)
        self.ranges = RangesOut(Recorded(*sources), self.budget, lambda: None)
        outbox = box or Box([])
        self.sending = Sending("s", outbox, 0, SERVER_SKILLS, self.budget, lambda: self.live, self.ranges)

    async def next(self) -> WorkerMessage | None:
        step = await self.sending.next(lambda: 0, None)
        return None if step.data is None else decode_from_worker(step.data)

    async def all(self) -> list[WorkerMessage]:
        """All that can be sent, until nothing more comes."""
        found = []
        for _ in range(3):
            while (message := await self.next()) is not None:
                found.append(message)
            await _settle()
        return found


def wanted(request: int = 1, window: int = WINDOW_BYTES, file: bool = False) -> RangeWanted:
    return RangeWanted(request, "cong-lang", "sub", 0, 10, window, file)


def size_of(messages: list[WorkerMessage]) -> int:
    return sum(len(one.data) for one in messages if isinstance(one, RangePiece))


async def _settle() -> None:
    """Until what is read in threads has been read."""
    for _ in range(5):
        await asyncio.to_thread(lambda: None)
        await asyncio.sleep(0.01)


# -- the worker's side ---------------------------------------------------------------------


async def test_a_range_begins_comes_whole_and_ends() -> None:
    out = Out(source := Source(300_000))
    assert out.ranges.hear(wanted(window=LARGE)) is None
    await _settle()
    sent = await out.all()
    assert sent[0] == RangeBegins(1, 7, "avc1.42001f", 640, 360, 300_000)
    assert size_of(sent) == 300_000
    assert sent[-1] == RangeEnded(1)
    assert source.is_closed


async def test_no_more_is_read_or_sent_than_was_asked_for() -> None:
    out = Out(source := Source(LARGE))
    out.ranges.hear(wanted(window=100_000))
    await _settle()
    assert size_of(await out.all()) == 100_000
    assert source.left == LARGE - 100_000
    out.ranges.hear(RangeMore(1, 150_000))
    await _settle()
    assert size_of(await out.all()) == 50_000
    out.ranges.hear(RangeMore(1, LARGE))
    await _settle()
    assert LARGE - 150_000 - source.left <= AHEAD_BYTES  # a little ahead of a line that takes nothing now


async def test_when_nobody_looks_any_more_it_stops_at_once() -> None:
    out = Out(source := Source(LARGE))
    out.ranges.hear(wanted(window=LARGE))
    await _settle()
    assert isinstance(await out.next(), RangeBegins)
    assert isinstance(await out.next(), RangePiece)
    out.ranges.hear(RangeStop(1))
    assert await out.next() is None
    await until(lambda: source.is_closed)


async def test_when_the_link_is_lost_all_is_let_go() -> None:
    out = Out(*(sources := [Source(LARGE), Source(LARGE)]))
    for request in (1, 2):
        out.ranges.hear(wanted(request, window=LARGE))
    await _settle()
    out.ranges.clear()
    await until(lambda: all(source.is_closed for source in sources))
    assert await out.next() is None


async def test_facts_and_what_is_watched_live_go_before_it() -> None:
    out = Out(Source(LARGE), box=(box := Box([])))
    out.ranges.hear(wanted(window=LARGE))
    await _settle()
    assert isinstance(await out.next(), RangeBegins)
    buffer = LiveBuffer("cong-lang", "sub")
    buffer.add([Packet(b"v", 1, 1, 1, True)], 0)
    out.live = [buffer]
    box.put(EventNews("m1", event(1)))
    out.sending.outbox_changed()
    assert [type(await out.next()) for _ in range(3)] == [EventNews, LivePackets, RangePiece]


async def test_what_is_kept_goes_after_short_clips_and_before_long_ones() -> None:
    def clip(number: int, short: bool) -> EventClip:
        return EventClip(f"c{number}", ulid(number), "cong-lang", 0, 1, b"m", short)

    out = Out(Source(10), box=Box([clip(1, short=False), clip(2, short=True)]))
    out.ranges.hear(wanted(file=True))
    await _settle()
    kinds = [type(await out.next()) for _ in range(5)]
    assert kinds == [ClipOffer, RangeBegins, RangePiece, RangeEnded, ClipOffer]


async def test_two_take_turns() -> None:
    out = Out(Source(LARGE), Source(LARGE))
    for request in (1, 2):
        out.ranges.hear(wanted(request))
    await _settle()
    turns = [message.request for message in [await out.next() for _ in range(6)] if message]  # type: ignore[union-attr]
    assert turns == [1, 2, 1, 2, 1, 2]


async def test_too_many_at_once_are_refused_in_words() -> None:
    out = Out(*(Source(LARGE) for _ in range(MOST + 1)))
    for request in range(MOST):
        assert out.ranges.hear(wanted(request)) is None
    refused = out.ranges.hear(wanted(99))
    assert refused is not None
    assert (refused.request, refused.code) == (99, NotRecorded.TOO_MANY_LOOK)
    out.ranges.hear(RangeStop(0))
    assert out.ranges.hear(wanted(100)) is None
    out.ranges.clear()


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), EOFError()])
async def test_what_cannot_be_read_ends_in_words_after_what_could(error: Exception) -> None:
    out = Out(Source(1000, error))
    out.ranges.hear(wanted())
    await _settle()
    sent = await out.all()
    assert size_of(sent) == 1000
    ended = sent[-1]
    assert isinstance(ended, RangeEnded)
    assert ended.code is NotRecorded.UNREADABLE
    assert "damaged" in ended.error


async def test_where_nothing_is_recorded_that_is_said() -> None:
    out = Out()
    out.ranges.hear(wanted())
    await _settle()
    (ended,) = await out.all()
    assert isinstance(ended, RangeEnded)
    assert ended.code is NotRecorded.NOTHING_THERE


async def test_a_line_that_has_used_up_its_day_says_so_also_in_the_middle() -> None:
    out = Out(source := Source(LARGE), limits=Limits(day_bytes=200_000))
    out.ranges.hear(wanted(window=LARGE))
    await _settle()
    await out.all()
    assert LARGE - source.left < 500_000
    (ended,) = out.ranges.shut()
    assert ended.code is NotRecorded.LINE_SPENT
    refused = out.ranges.hear(wanted(2))
    assert refused is not None
    assert refused.code is NotRecorded.LINE_SPENT
    await until(lambda: source.is_closed)


async def test_out_of_the_hours_for_long_video_one_may_play_and_not_keep() -> None:
    out = Out(Source(10), limits=Limits(hours=(time(1), time(2))))  # the clock is at midnight
    refused = out.ranges.hear(wanted(file=True))
    assert refused is not None
    assert refused.code is NotRecorded.LINE_HOURS
    assert "01:00" in refused.error
    assert out.ranges.hear(wanted()) is None
    out.ranges.clear()


# -- the server's side ---------------------------------------------------------------------


class In:
    """A server's side of a site's connection."""

    def __init__(self) -> None:
        self.sent: list[ServerMessage] = []
        self.gone = False
        self.ranges = RangesIn(self._send)

    async def _send(self, message: ServerMessage) -> None:
        if self.gone:
            raise EOFError
        self.sent.append(message)

    def asked(self) -> int:
        """The number of what was asked last."""
        return [one.request for one in self.sent if isinstance(one, RangeWanted | SpansWanted)][-1]

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[RangeIn]:
        opening = self.ranges.open("cong-lang", "sub", 0, 10)
        entering = asyncio.ensure_future(opening.__aenter__())
        await asyncio.sleep(0)
        self.ranges.hear(RangeBegins(self.asked(), 7, "avc1", 1, 1))
        yield await entering
        await opening.__aexit__(None, None, None)


async def test_it_is_asked_for_as_it_is_read_and_no_more() -> None:
    site = In()
    async with site.open() as coming:
        piece = WINDOW_BYTES // 8
        for _ in range(8):
            site.ranges.hear(RangePiece(site.asked(), b"v" * piece))
        assert not [one for one in site.sent if isinstance(one, RangeMore)]
        for _ in range(4):
            await coming.read()
        assert site.sent[-1] == RangeMore(site.asked(), WINDOW_BYTES // 2 + WINDOW_BYTES)


async def test_a_site_that_sends_more_than_it_was_asked_for_is_refused() -> None:
    site = In()
    async with site.open():
        site.ranges.hear(RangePiece(site.asked(), b"v" * WINDOW_BYTES))
        with pytest.raises(LinkError, match="more of a recording"):
            site.ranges.hear(RangePiece(site.asked(), b"v"))


async def test_the_site_is_told_to_stop_when_the_reader_leaves_unless_it_has_ended() -> None:
    site = In()
    async with site.open() as coming:
        assert not coming.has_ended
    assert site.sent[-1] == RangeStop(site.asked())
    async with site.open() as coming:
        site.ranges.hear(RangePiece(site.asked(), b"v"))
        site.ranges.hear(RangeEnded(site.asked()))
        assert [await coming.read(), await coming.read()] == [b"v", b""]
    assert [type(one) for one in site.sent].count(RangeStop) == 1
    site.ranges.hear(RangePiece(site.asked(), b"late"))  # nobody waits for it


async def test_a_lost_link_is_told_after_what_had_come() -> None:
    site = In()
    async with site.open() as coming:
        site.ranges.hear(RangePiece(site.asked(), b"v"))
        site.gone = True
        site.ranges.close()
        assert await coming.read() == b"v"
        with pytest.raises(NotRecordedError) as told:
            await coming.read()
        assert told.value.code is NotRecorded.SITE_AWAY
    with pytest.raises(NotRecordedError):
        await site.ranges.spans("cong-lang", 0, 10)


async def test_a_refusal_is_told_in_the_sites_words() -> None:
    site = In()
    opening = site.ranges.open("cong-lang", "sub", 0, 10)
    entering = asyncio.ensure_future(opening.__aenter__())
    await asyncio.sleep(0)
    site.ranges.hear(RangeEnded(site.asked(), "nothing then", NotRecorded.NOTHING_THERE))
    with pytest.raises(NotRecordedError, match="nothing then"):
        await entering


async def test_silence_is_told_and_never_a_hang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges_in, "SILENT_S", 0.02)
    monkeypatch.setattr(ranges_in, "ANSWER_S", 0.02)
    site = In()
    async with site.open() as coming:
        with pytest.raises(NotRecordedError) as told:
            await coming.read()
        assert told.value.code is NotRecorded.LINE_SILENT
    with pytest.raises(NotRecordedError, match="did not answer"):
        await site.ranges.spans("cong-lang", 0, 10)


async def test_what_is_recorded_is_answered_or_said_why_not() -> None:
    site = In()
    asking = asyncio.ensure_future(site.ranges.spans("cong-lang", 0, 10))
    await asyncio.sleep(0)
    site.ranges.hear(Spans(site.asked(), 10))
    assert (await asking).to_us == 10
    asking = asyncio.ensure_future(site.ranges.spans("cong-lang", 0, 10))
    await asyncio.sleep(0)
    site.ranges.hear(Spans(site.asked(), 10, error="no such camera", code=NotRecorded.NO_SUCH_CAMERA))
    with pytest.raises(NotRecordedError, match="no such camera"):
        await asking
