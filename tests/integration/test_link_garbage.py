"""Whatever a site's worker says, the server stays well: nothing breaks, and every page answers."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from anyio import from_thread, to_thread
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camera_hub.link import handshake
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
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
    Refused,
    Shed,
    ShedCause,
    Still,
    TimeAsked,
    decode_from_server,
)
from camera_hub.link.server_end import ServerEnd
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
    NewKey(b"k" * 32, b"s" * 64, b"s" * 64),
    NotTaken("x", "y"),
    Refused("x", "y"),
)
PAGES = ("/api/sites", "/api/cameras", "/api/events", "/api/alerts", "/api/cap", "/metrics")

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    st.sampled_from(["\x00", "../..", "x" * 3000, "\ud7ff", "<script>", 10**18, -1, [[]], [{}] * 200, {}]),
)


@st.composite
def changed(draw: st.DrawFn) -> bytes:
    """Something that a worker says, with one thing in it that is otherwise."""
    whole = msgspec.msgpack.decode(msgspec.msgpack.encode(draw(st.sampled_from(SAID))))
    here: Any = whole
    while True:
        keys = list(here) if isinstance(here, dict) else list(range(len(here)))
        key = draw(st.sampled_from(keys))
        inner = here[key]
        if isinstance(inner, dict | list) and inner and draw(st.booleans()):
            here = inner
            continue
        here[key] = draw(odd)
        data = msgspec.msgpack.encode(whole)
        if draw(st.integers(0, 9)) == 0:
            at = draw(st.integers(0, len(data) - 1))
            data = data[:at] + draw(st.binary(max_size=4)) + data[at + 1 :]
        return data


class Socket:
    """A worker that lets itself in, says what it has to say, and goes."""

    def __init__(self, key: SiteKey, said: list[bytes], hello: dict[str, Any] | None = None) -> None:
        self._key = key
        self._said = list(said)
        self._hello = hello
        self.open = True

    async def receive(self) -> bytes:
        if not self._said or not self.open:
            raise EOFError
        return self._said.pop(0)

    async def send(self, data: bytes) -> None:
        message = decode_from_server(data)
        if isinstance(message, Challenge):
            hello = handshake.hello(message, self._key, SITE, "Xóm Khe Cốc", "9", CAMERAS)
            told = msgspec.msgpack.decode(msgspec.msgpack.encode(hello)) | (self._hello or {})
            self._said.insert(0, msgspec.msgpack.encode(told))

    async def close(self) -> None:
        self.open = False


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


FEW = settings(
    max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


async def test_nothing_that_a_linked_site_says_breaks_anything(server: Server) -> None:
    key = SiteKey.make()
    end = _end(server, key)

    @FEW
    @given(st.lists(changed(), min_size=1, max_size=12))
    def one(said: list[bytes]) -> None:
        from_thread.run(end.serve, Socket(key, said))
        from_thread.run(_well, server)

    await to_thread.run_sync(one)  # hypothesis calls plain functions; what they do runs on this loop


async def test_nothing_that_a_site_says_of_its_cameras_breaks_anything(server: Server) -> None:
    key = SiteKey.make()
    end = _end(server, key)
    cameras = msgspec.msgpack.decode(msgspec.msgpack.encode(CAMERAS))

    @FEW
    @given(st.data())
    def one(data: st.DataObject) -> None:
        hello: dict[str, Any] = {"cameras": [dict(camera) for camera in cameras]}
        if data.draw(st.booleans()):
            camera = hello["cameras"][0]
            camera[data.draw(st.sampled_from(sorted(camera)))] = data.draw(odd)
        else:
            hello[data.draw(st.sampled_from(["name", "software", "cameras", "speaks", "can", "run"]))] = (
                data.draw(odd)
            )
        with contextlib.suppress(TypeError):  # what msgpack cannot carry at all
            from_thread.run(end.serve, Socket(key, [], hello))
        from_thread.run(_well, server)

    await to_thread.run_sync(one)  # hypothesis calls plain functions; what they do runs on this loop
