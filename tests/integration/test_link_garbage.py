"""Whatever a site's worker says, the server stays well: nothing breaks, and every page answers."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest

from camera_hub.link import handshake
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
    Ack,
    CamerasChanged,
    Challenge,
    ClipOffer,
    ClipPiece,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Lane,
    LinkHealth,
    LiveOpened,
    LivePackets,
    LiveSize,
    LiveSound,
    NewKey,
    NotTaken,
    Part,
    RangeBegins,
    RangeEnded,
    RangePiece,
    RecordedSpan,
    Refused,
    Shed,
    ShedCause,
    Spans,
    Still,
    StreamSpans,
    TimeAsked,
    decode_from_server,
    encode,
)
from camera_hub.link.server.end import ServerEnd
from camera_hub.live.hub import LiveHub
from camera_hub.model import (
    CameraHealth,
    CameraState,
    Packet,
    SoundPacket,
    StreamHealth,
    StreamInfo,
    StreamName,
)
from camera_hub.server.commune import Commune
from tests.support.server import CAMERAS, JPEG, SITE, START_US, Server, event, running_app, ulid

STREAM = StreamHealth("main", "h264", 640, 360, 10.0, 900.0, 2.0, START_US, 0)
SHED = Shed(Lane.VIDEO, ShedCause.OLD, 1, 1, START_US, START_US)
SAID: tuple[Any, ...] = (
    Health(
        START_US,
        (CameraHealth("cong-lang", CameraState.ONLINE, START_US, streams=(STREAM,), decoded_share=0.5),),
        3,
        1,
        2,
        0,
        LinkHealth(3, LiveSize.SUB, 1, 2, 4000, 4000, (SHED,), 5),
    ),
    EventNews("m1", event(1, zones=("Lòng đường",), end_us=START_US + 1)),
    EventPicture("p1", ulid(1), "cong-lang", START_US, JPEG),
    EventClip("c1", ulid(1), "cong-lang", START_US, 1, b"mp4", short=True),
    ClipOffer("c2", ulid(1), "cong-lang", START_US, 1, 4, "0" * 64),
    ClipPiece("c2", 0, b"1234"),
    Part(Lane.CLIP, b"x", last=True),
    LiveOpened("cong-lang", "sub", StreamInfo("h264", 640, 360, 10.0, b"")),
    LivePackets("cong-lang", "sub", (Packet(b"x", 0, 0, 0, keyframe=True),)),
    LiveSound("cong-lang", "sub", (SoundPacket(b"x", 0),)),
    Still(1, JPEG, START_US),
    TimeAsked(1),
    CamerasChanged(CAMERAS),
    Spans(1, START_US, (StreamSpans("sub", 500.0, (RecordedSpan(0, 1, "h264", 640, 360),)),)),
    RangeBegins(1, START_US, "avc1.64001f", 640, 360),
    RangePiece(1, b"x"),
    RangeEnded(1),
    NewKey(b"k" * 32, b"s" * 64, b"s" * 64),
    NotTaken("x", "y"),
    Refused("x", "y"),
)
LAST = EventNews("last", event(9))
PAGES = ("/api/sites", "/api/cameras", "/api/events", "/api/alerts", "/api/cap", "/metrics")


EVERY = 9  # of all that can be otherwise; all of it, which is 1, takes minutes


def _odd(value: object) -> list[Any]:
    """What stands in the place of a value: of its kind, but not to be used; and of another kind."""
    match value:
        case bool():
            return [7]
        case int():
            return [-1, 10**18, 2**64 - 1, "x"]
        case float():
            return [math.nan, math.inf, -1e300, None]
        case str():
            return ["", "\x00", "../..", "x" * 3000, 5]
        case bytes():
            return [b"", b"<script>", 5]
        case list():
            return [[], [{}], [None] * 2000, value * 2000]
        case dict():
            return [{}, []]
        case _:
            return ["x", 10**18]


def _changed(value: Any) -> Iterator[Any]:
    """The value with one thing in it that is otherwise, in every place and way."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        if key == "type":
            continue
        for other in (*_odd(inner), *_changed(inner)):
            copied = value.copy()
            copied[key] = other
            yield copied


def _plain(message: object) -> Any:
    return msgspec.msgpack.decode(msgspec.msgpack.encode(message))


class Socket:
    """A worker that lets itself in, says what it has to say, and goes when the last of it was taken."""

    def __init__(self, key: SiteKey, said: list[bytes], hello: dict[str, Any] | None = None) -> None:
        self._key = key
        self._said = [*said, encode(LAST)]
        self._hello = hello
        self._over = asyncio.Event()

    async def receive(self) -> bytes:
        if self._over.is_set() or not self._said:
            await self._over.wait()
            raise EOFError
        return self._said.pop(0)

    async def send(self, data: bytes) -> None:
        message = decode_from_server(data)
        if isinstance(message, Challenge):
            hello = handshake.hello(message, self._key, SITE, "Xóm Khe Cốc", "9", CAMERAS)
            told = msgspec.msgpack.decode(msgspec.msgpack.encode(hello)) | (self._hello or {})
            self._said.insert(0, msgspec.msgpack.encode(told))
        elif isinstance(message, Ack) and LAST.id in message.ids:
            self._over.set()

    async def close(self) -> None:
        self._over.set()


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.sign_in()
        yield running


async def _nothing(camera: str, stream: StreamName) -> None: ...


def _end(server: Server, key: SiteKey) -> ServerEnd:
    server.state._keys[SITE] = key.public_text()
    return ServerEnd(Commune(server.state, LiveHub(_nothing, _nothing)), server.clock)


async def _well(server: Server) -> None:
    await server.app.state.parts.desk.work()
    for page in PAGES:
        answer = await server.client.get(page)
        assert answer.status_code == 200, (page, answer.text)


async def test_nothing_that_a_linked_site_says_breaks_anything(server: Server) -> None:
    key = SiteKey.make()
    end = _end(server, key)
    for number, said in enumerate(SAID):
        for changed in islice(_changed(_plain(said)), number % EVERY, None, EVERY):
            await end.serve(Socket(key, [msgspec.msgpack.encode(changed)]))
        await _well(server)


async def test_nothing_that_a_site_says_of_its_cameras_breaks_anything(server: Server) -> None:
    key = SiteKey.make()
    end = _end(server, key)
    hellos = [{"cameras": cameras} for cameras in _changed(_plain(CAMERAS[:1]))]
    others: tuple[object, ...] = ("", "\x00", "x" * 3000, 10**18, None, [])
    names = ("name", "software", "speaks", "version", "site", "can", "run", "signature")
    hellos += [{name: value} for name in names for value in others]
    for hello in islice(hellos, 0, None, EVERY):
        await end.serve(Socket(key, [], hello))
        await _well(server)
