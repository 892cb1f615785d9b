"""Worker's and server's end over a real WebSocket: nothing lost or doubled, and told in words."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import msgspec
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from camera_hub.link import enrolment, handshake
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
    Ack,
    CamerasChanged,
    Challenge,
    ClipOffer,
    ClipPiece,
    Configure,
    Configured,
    Durable,
    Enrol,
    Enrolled,
    EventNews,
    EventPicture,
    Health,
    Hello,
    LiveOpened,
    LivePackets,
    LiveSound,
    NotTaken,
    Refused,
    Skill,
    Still,
    StillRequest,
    TimeAsked,
    TimeTold,
    Watch,
    Welcome,
    decode_from_server,
    decode_from_worker,
    encode,
)
from camera_hub.link.server import taking
from camera_hub.link.server.end import ServerEnd
from camera_hub.link.server.flood import LIMITS, Limit, Limits
from camera_hub.link.worker import end as worker_end
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.link.worker.protocols import Recordings
from camera_hub.model import (
    Answer,
    CameraInfo,
    Event,
    EventKind,
    HubError,
    Packet,
    SoundPacket,
    StreamInfo,
    StreamName,
    Wish,
    WishOutcome,
)
from tests.support.memory_outbox import Box
from tests.support.no_recordings import NoRecordings
from tests.support.waiting import free_port, until

INFO = StreamInfo(codec="h264", width=640, height=360, fps=10.0, extradata=b"")


class Hamlet:
    """A worker's inside that remembers what it was asked."""

    recordings: Recordings = NoRecordings()

    def __init__(self) -> None:
        self.watched: set[tuple[str, StreamName]] = set()
        self.heard: set[tuple[str, StreamName]] = set()
        self.infos: tuple[CameraInfo, ...] = (CameraInfo(id="gate", name="Cổng"),)
        self.wanted: list[Wish] = []

    def cameras(self) -> tuple[CameraInfo, ...]:
        return self.infos

    def health(self) -> Health:
        return Health(
            at_us=1, cameras=(), outbox_depth=0, disk_free_bytes=1, disk_total_bytes=2, recorded_bytes=0
        )

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        self.watched.add((camera, stream)) if on else self.watched.discard((camera, stream))

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        self.heard.add((camera, stream)) if on else self.heard.discard((camera, stream))

    def unwatch_all(self, server: str) -> None:
        self.watched.clear()

    async def still(self, request: StillRequest) -> Still:
        return Still(request=request.request, jpeg=b"jpeg", at_us=7)

    async def configure(self, server: str, wanted: Configure) -> Configured:
        self.wanted += wanted.wishes
        return Configured(
            tuple(Answer(one.camera, one.key, one.version, WishOutcome.APPLIED) for one in wanted.wishes)
        )


class Commune:
    """A server's inside that keeps all in lists; `broken` makes it fail to keep."""

    def __init__(self, key: SiteKey, *sites: str) -> None:
        self.public = key.public_text()
        self.sites = sites or ("khe-coc",)
        self.may_keep = asyncio.Event()
        self.may_keep.set()
        self.bar: Refused | None = None
        self.copies = 0
        self.hello: Hello | None = None
        self.broken = False
        self.delivered: list[str] = []
        self.clips: dict[str, bytearray] = {}
        self.health_seen = 0
        self.live: list[LiveOpened | LivePackets | LiveSound] = []
        self.gone = 0
        self.floods: list[tuple[str, bool]] = []
        self.listens = 0
        self.told: list[Configured | CamerasChanged] = []

    def site_key(self, site: str) -> str | None:
        return self.public if site in self.sites else None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nothing is kept meanwhile."""
        self.may_keep.clear()
        yield
        self.may_keep.set()

    def barred(self, site: str) -> Refused | None:
        return self.bar

    async def enrol(self, asked: Challenge, told: Enrol, address: str) -> Enrolled | Refused:
        return enrolment.wrong_code()

    async def new_key(self, site: str, key: bytes) -> bool:
        self.public = base64.b64encode(key).decode()
        return True

    async def copy_noticed(self, site: str, addresses: tuple[str, str]) -> None:
        self.copies += 1

    async def site_connected(self, hello: Hello) -> None:
        self.hello = hello

    async def site_gone(self, site: str) -> None:
        self.gone += 1

    def flooding(self, site: str, on: bool) -> None:
        self.floods.append((site, on))

    async def site_listens(self, site: str) -> None:
        self.listens += 1

    async def configured(self, site: str, message: Configured) -> None:
        self.told.append(message)

    async def cameras_changed(self, site: str, message: CamerasChanged) -> None:
        self.told.append(message)

    async def health(self, site: str, health: Health) -> None:
        self.health_seen += 1

    async def deliver(self, site: str, message: Durable) -> None:
        if self.broken:
            raise HubError("the disk is full")
        self.delivered.append(message.id)

    async def deliver_events(self, site: str, told: Sequence[EventNews]) -> None:
        await self.may_keep.wait()
        for message in told:
            await self.deliver(site, message)

    async def clip_offered(self, site: str, offer: ClipOffer) -> int | None:
        return len(self.clips.setdefault(offer.id, bytearray()))

    async def clip_piece(self, site: str, offer: ClipOffer, piece: ClipPiece) -> int | None:
        there = self.clips[offer.id]
        there[piece.at :] = piece.data
        if len(there) < offer.size:
            return len(there)
        self.delivered.append(offer.id)
        return None

    def live_opened(self, site: str, message: LiveOpened) -> None:
        self.live.append(message)

    def live_packets(self, site: str, message: LivePackets) -> None:
        self.live.append(message)

    def live_sound(self, site: str, message: LiveSound) -> None:
        self.live.append(message)


class Socket:
    """A websockets connection as the server's end wants it."""

    def __init__(self, connection: ServerConnection) -> None:
        self._connection = connection

    async def receive(self) -> bytes:
        try:
            data = await self._connection.recv()
        except ConnectionClosed as exc:
            raise EOFError from exc
        assert isinstance(data, bytes)
        return data

    async def send(self, data: bytes) -> None:
        try:
            await self._connection.send(data)
        except ConnectionClosed as exc:
            raise EOFError from exc

    async def close(self) -> None:
        await self._connection.close()


@asynccontextmanager
async def listening(commune: Commune, port: int, limits: Limits = LIMITS) -> AsyncIterator[ServerEnd]:
    end = ServerEnd(commune, limits=limits)
    async with serve(lambda c: end.serve(Socket(c)), "127.0.0.1", port, max_size=None):
        yield end


@asynccontextmanager
async def dialling(
    port: int, key: SiteKey, box: Box, hamlet: Hamlet, key_file: Path | None = None
) -> AsyncIterator[WorkerEnd]:
    url = f"ws://127.0.0.1:{port}/api/link"
    end = WorkerEnd("commune", url, key, "khe-coc", "Khe Cốc", "1", hamlet, box, key_file=key_file)
    task = asyncio.create_task(end.run())
    try:
        yield end
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def news(count: int) -> list[Durable]:
    return [
        EventNews(
            id=f"M{n:03}",
            event=Event(
                id=f"E{n:03}", camera="gate", kind=EventKind.MOTION, start_us=n, end_us=None, revision=1
            ),
        )
        for n in range(count)
    ]


async def test_events_arrive_in_order_and_are_acknowledged() -> None:
    key, box, port = SiteKey.make(), Box(news(100)), free_port()
    commune = Commune(key)
    async with listening(commune, port), dialling(port, key, box, Hamlet()) as end:
        await until(lambda: not box.waiting)
        assert commune.delivered == [f"M{n:03}" for n in range(100)]
        assert end.connected
        assert commune.health_seen >= 1


async def test_a_server_that_cannot_keep_does_not_acknowledge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_end, "BACKOFF_S", (0.05,))
    key, box, port = SiteKey.make(), Box(news(3)), free_port()
    commune = Commune(key)
    commune.broken = True
    async with listening(commune, port), dialling(port, key, box, Hamlet()):
        await until(lambda: commune.gone >= 2)
        assert len(box.waiting) == 3
        commune.broken = False
        await until(lambda: not box.waiting)
        assert commune.delivered == ["M000", "M001", "M002"]


async def test_a_server_that_was_away_gets_what_happened_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_end, "BACKOFF_S", (0.05,))
    key, box, port, hamlet = SiteKey.make(), Box([]), free_port(), Hamlet()
    commune = Commune(key)
    async with dialling(port, key, box, hamlet) as end:
        await until(lambda: "nothing listens" in end.error)
        async with listening(commune, port) as server:
            await until(lambda: server.connected("khe-coc"))
            await server.watch("khe-coc", "gate", "sub", on=True)
            await until(lambda: hamlet.watched)
        await until(lambda: not end.connected)
        assert not hamlet.watched  # nobody watches, nothing flows
        box.put(*news(5))
        async with listening(commune, port) as server:
            await until(lambda: not box.waiting)
        assert len(commune.delivered) == 5


async def test_a_wrong_key_is_refused_in_words() -> None:
    port, box = free_port(), Box(news(1))
    commune = Commune(SiteKey.make())
    async with listening(commune, port) as server, dialling(port, SiteKey.make(), box, Hamlet()) as end:
        await until(lambda: end.error)
        assert "camera-hub key" in end.error
        assert not server.connected("khe-coc")
        assert commune.delivered == []


async def test_live_flows_only_while_watched() -> None:
    key, port, hamlet = SiteKey.make(), free_port(), Hamlet()
    commune = Commune(key)
    packet = Packet(data=b"k", pts_us=0, dts_us=0, wall_us=0, keyframe=True)
    async with listening(commune, port) as server, dialling(port, key, Box([]), hamlet) as end:
        await until(lambda: server.connected("khe-coc"))
        end.live_packets(LivePackets(camera="gate", stream="sub", packets=(packet,)))
        await server.watch("khe-coc", "gate", "sub", on=True)
        await until(lambda: hamlet.watched == {("gate", "sub")})
        end.live_opened(LiveOpened(camera="gate", stream="sub", info=INFO))
        end.live_packets(LivePackets(camera="gate", stream="sub", packets=(packet,)))
        await until(lambda: len(commune.live) == 2)
        assert isinstance(commune.live[0], LiveOpened)
        await server.watch("khe-coc", "gate", "sub", on=False)
        await until(lambda: not hamlet.watched)


async def test_a_picture_can_be_asked_for_and_its_lack_is_told() -> None:
    key, port = SiteKey.make(), free_port()
    async with listening(Commune(key), port) as server:
        assert "not connected" in (await server.still("khe-coc", "gate", None)).error
        async with dialling(port, key, Box([]), Hamlet()):
            await until(lambda: server.connected("khe-coc"))
            assert (await server.still("khe-coc", "gate", 360)).jpeg == b"jpeg"


async def test_what_is_wanted_is_answered_and_changed_cameras_are_told_while_linked() -> None:
    key, port, hamlet = SiteKey.make(), free_port(), Hamlet()
    commune = Commune(key)
    wish = Wish("gate", "detect", "false", 3, 7)
    async with listening(commune, port) as server:
        await server.configure("khe-coc", [wish])  # who is away is told when it is back, by `site_listens`
        async with dialling(port, key, Box([]), hamlet) as end:
            await until(lambda: end.connected and commune.listens == 1)
            await server.configure("khe-coc", [wish])
            await until(lambda: commune.told)
            assert hamlet.wanted == [wish]
            assert commune.told.pop() == Configured((Answer("gate", "detect", 3, WishOutcome.APPLIED),))
            end.cameras_changed()  # they are what the Hello said
            hamlet.infos = (CameraInfo(id="gate", name="Cổng mới"),)
            end.cameras_changed()
            end.cameras_changed()
            overruled = Configured((Answer("gate", "detect", 3, WishOutcome.OVERRULED, None, "xa"),))
            end.wishes_answered(overruled)
            await until(lambda: len(commune.told) == 2)
            assert commune.told == [CamerasChanged(hamlet.infos), overruled]


async def test_an_older_end_is_not_told_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handshake, "WORKER_SKILLS", frozenset({Skill.NOT_TAKEN}))
    monkeypatch.setattr(handshake, "SERVER_SKILLS", frozenset({Skill.NOT_TAKEN}))
    key, port, hamlet = SiteKey.make(), free_port(), Hamlet()
    commune = Commune(key)
    async with listening(commune, port) as server, dialling(port, key, Box([]), hamlet) as end:
        await until(lambda: end.connected and commune.listens == 1)
        await server.configure("khe-coc", [Wish("gate", "detect", "false", 1, 7)])
        hamlet.infos = ()
        end.cameras_changed()
        assert (await server.still("khe-coc", "gate", None)).jpeg == b"jpeg"  # which came after both
        assert (hamlet.wanted, commune.told) == ([], [])


async def test_the_newest_link_of_a_site_wins() -> None:
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    async with listening(commune, port) as server, dialling(port, key, Box([]), Hamlet()) as first:
        await until(lambda: server.connected("khe-coc"))
        async with dialling(port, key, Box(news(1)), Hamlet()) as second:
            await until(lambda: second.connected and not first.connected)
            assert server.connected("khe-coc")


async def test_garbage_from_a_worker_is_refused_by_name() -> None:
    port = free_port()
    async with listening(Commune(SiteKey.make()), port), connect(f"ws://127.0.0.1:{port}/") as socket:
        await socket.recv()
        await socket.send(b"\xff\xff")
        data = await socket.recv()
        assert isinstance(data, bytes)
        refused = decode_from_server(data)
        assert isinstance(refused, Refused)
        assert "not understood" in refused.reason


@asynccontextmanager
async def by_hand(
    port: int, key: SiteKey, site: str = "khe-coc", **changed: object
) -> AsyncIterator[ClientConnection]:
    """A linked worker without an inside, of whatever release."""
    async with connect(f"ws://127.0.0.1:{port}/") as socket:
        asked = decode_from_server(await received(socket))
        assert isinstance(asked, Challenge)
        hello = handshake.hello(asked, key, site, "Khe Cốc", "9", ())
        await socket.send(encode(msgspec.structs.replace(hello, **changed)))
        assert isinstance(decode_from_server(await received(socket)), Welcome)
        yield socket


async def received(socket: ClientConnection) -> bytes:
    data = await asyncio.wait_for(socket.recv(), 20)
    assert isinstance(data, bytes)
    return data


async def test_a_message_of_a_newer_worker_is_refused_by_name_and_the_link_goes_on() -> None:
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    async with listening(commune, port), by_hand(port, key) as socket:
        await socket.send(msgspec.msgpack.encode({"type": "EventHologram", "id": "m7"}))
        assert decode_from_server(await received(socket)) == NotTaken(name="EventHologram", id="m7")
        await socket.send(encode(news(1)[0]))
        assert decode_from_server(await received(socket)) == Ack(ids=("M000",))


async def test_a_version_1_worker_is_served_and_is_sent_nothing_that_it_does_not_know() -> None:
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    async with listening(commune, port) as server, by_hand(port, key, speaks=0, can=(), run="") as socket:
        assert not await server.want_new_key("khe-coc")
        await socket.send(msgspec.msgpack.encode({"type": "Teleport"}))  # named in the log alone
        await socket.send(encode(news(1)[0]))
        assert decode_from_server(await received(socket)) == Ack(ids=("M000",))
        await server.watch("khe-coc", "gate", "sub", on=True)
        assert isinstance(decode_from_server(await received(socket)), Watch)


async def test_a_stranger_with_a_huge_or_endless_name_is_refused() -> None:
    key, port = SiteKey.make(), free_port()
    async with listening(Commune(key), port):
        for site, name in (("k" * 65, ""), ("khe-coc", "x" * 2_000_000)):
            async with connect(f"ws://127.0.0.1:{port}/") as socket:
                asked = decode_from_server(await received(socket))
                assert isinstance(asked, Challenge)
                await socket.send(msgspec.msgpack.encode(handshake.hello(asked, key, site, name, "9", ())))
                refused = decode_from_server(await received(socket))
                assert isinstance(refused, Refused)
                assert refused.code == "not-understood"
                assert len(refused.reason) < 200


async def test_a_version_1_server_is_linked_to_and_what_it_sends_later_is_named() -> None:
    """A server as of version 1, by hand; and one that is newer than this worker and says so."""
    for old in (True, False):
        key, told, port = SiteKey.make(), asyncio.Queue[bytes](), free_port()

        async def old_or_new(
            socket: ServerConnection, old: bool = old, told: asyncio.Queue[bytes] = told
        ) -> None:
            newer = Challenge(version=1, nonce=b"n" * 32, speaks=9, can=(*Skill, "teleport"))
            await socket.send(encode(Challenge(version=1, nonce=b"n" * 32) if old else newer))
            await socket.recv()
            await socket.send(encode(Welcome(1)))
            await socket.send(msgspec.msgpack.encode({"type": "Teleport", "to": "x"}))
            await socket.send(encode(Watch(camera="gate", stream="sub", on=True)))
            async for data in socket:
                assert isinstance(data, bytes)
                told.put_nowait(data)

        hamlet = Hamlet()
        async with serve(old_or_new, "127.0.0.1", port), dialling(port, key, Box([]), hamlet) as end:
            await until(lambda hamlet=hamlet: hamlet.watched)  # type: ignore[misc]
            assert end.connected
            first = decode_from_worker(await asyncio.wait_for(told.get(), 20))
            assert isinstance(first, Health)
            if not old:
                assert decode_from_worker(await asyncio.wait_for(told.get(), 20)) == NotTaken(name="Teleport")


async def test_sound_flows_only_while_listened_to() -> None:
    key, port, hamlet = SiteKey.make(), free_port(), Hamlet()
    commune = Commune(key)
    sound = LiveSound(camera="gate", stream="sub", packets=(SoundPacket(b"la", 1),))
    async with listening(commune, port) as server, dialling(port, key, Box([]), hamlet) as end:
        await until(lambda: server.connected("khe-coc"))
        await server.listen("nowhere", "gate", "sub", on=True)
        await server.watch("khe-coc", "gate", "sub", on=True)
        await server.listen("khe-coc", "gate", "sub", on=True)
        await until(lambda: hamlet.heard == {("gate", "sub")})
        end.live_sound(sound)
        await until(lambda: commune.live == [sound])
        await server.listen("khe-coc", "gate", "sub", on=False)
        await until(lambda: not hamlet.heard)


async def test_a_message_that_is_too_large_for_its_kind_is_refused_by_name_and_the_link_goes_on() -> None:
    key, port = SiteKey.make(), free_port()
    async with listening(Commune(key), port), by_hand(port, key) as socket:
        large = EventPicture(id="m7", event_id="E", camera="gate", at_us=0, jpeg=bytes(9 * 2**20))
        await socket.send(msgspec.msgpack.encode(large))
        assert decode_from_server(await received(socket)) == NotTaken(name="EventPicture", id="m7")
        await socket.send(encode(news(1)[0]))
        assert decode_from_server(await received(socket)) == Ack(ids=("M000",))


async def test_the_time_is_told_whatever_waits_to_be_kept() -> None:
    """A backlog must not make a clock look wrong."""
    key, port = SiteKey.make(), free_port()
    commune = Commune(key)
    async with listening(commune, port), by_hand(port, key) as socket:
        with commune.held():
            await socket.send(encode(news(1)[0]))
            await socket.send(encode(TimeAsked(asked_us=7)))
            told = decode_from_server(await received(socket))
            assert isinstance(told, TimeTold)
            assert told.asked_us == 7
            assert commune.delivered == []
        assert decode_from_server(await received(socket)) == Ack(ids=("M000",))


async def test_a_site_that_floods_is_held_back_and_the_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_read = asyncio.Event()

    async def held_back(wait_us: int) -> None:
        await may_read.wait()

    monkeypatch.setattr(taking, "_pause", held_back)
    key, port = SiteKey.make(), free_port()
    commune = Commune(key, "khe-coc", "na-lau")
    few = Limits(facts=Limit(at_once=10, per_s=0.001))
    async with (
        listening(commune, port, few) as server,
        by_hand(port, key) as flooding,
        by_hand(port, key, site="na-lau") as honest,
    ):
        for message in news(200):
            await flooding.send(encode(message))
        await until(lambda: commune.floods == [("khe-coc", True)])
        taken = [f"M{n:03}" for n in range(11)]  # the last one was over the limit
        await until(lambda: commune.delivered == taken)
        for message in news(10):
            await honest.send(encode(message))
        await until(lambda: len(commune.delivered) == 21)
        assert server.connected("khe-coc")  # it is not refused: it waits
        may_read.set()
        await until(lambda: len(commune.delivered) == 210)
        assert commune.delivered[21:] == [f"M{n:03}" for n in range(11, 200)]  # nothing is lost
