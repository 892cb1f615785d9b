"""Promises of MSE: the camera's own pictures, muxed once for all viewers; a slow one harms nobody."""

import asyncio
import contextlib
import io
import itertools
import json
import socket
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import av
import pytest
import uvicorn
from fastapi import Depends, FastAPI
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from camera_hub.live import mse
from camera_hub.live.limits import Limits
from camera_hub.live.mse import MseStreams
from camera_hub.model import NotLive
from camera_hub.server import problems
from camera_hub.server.commune import AWAY, Watchable
from camera_hub.server.edge import CsrfGuard
from camera_hub.server.live_mse import mse_router
from camera_hub.server.problems import Problem
from camera_hub.server.wire import SharedFrames
from tests.support import recorded
from tests.support.live import Camera, Encoded, brightness, camera, encode, fat, pictures_of
from tests.support.waiting import until

LANE = "here.lane"


class Site:
    """A camera and a real server for it."""

    def __init__(self, practice: Camera, streams: MseStreams, port: int) -> None:
        self.camera = practice
        self.streams = streams
        self.port = port
        self.signed_in = True

    def url(self, camera_id: str = LANE, stream: str = "sub") -> str:
        return f"ws://127.0.0.1:{self.port}/api/cameras/{camera_id}/live.ws?stream={stream}"

    def watch(self, camera_id: str = LANE, **more: Any) -> connect:
        return connect(self.url(camera_id), compression=None, max_size=None, **more)


@contextlib.asynccontextmanager
async def site(encoded: Encoded, limit: int = 100, ready_s: float = 6.0) -> AsyncIterator[Site]:
    async with camera(encoded) as practice:
        streams = MseStreams(Limits(limit), ready_s=ready_s)
        app = FastAPI()
        problems.install(app)
        app.add_middleware(CsrfGuard)

        def whoever() -> Any:
            if not here.signed_in:
                raise Problem(401, "Sign in first.")
            return SimpleNamespace(user=SimpleNamespace(name="viewer"))

        async def still_good(session: Any) -> bool:
            return here.signed_in

        cameras = {
            LANE: Watchable(("sub",)),
            "away.lane": Watchable(("sub",), AWAY, NotLive.AWAY),
        }
        app.include_router(mse_router(practice.hub, streams, cameras.get, Depends(whoever), still_good))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            config = uvicorn.Config(app, log_config=None, ws=SharedFrames, ws_per_message_deflate=False)
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            here = Site(practice, streams, listening.getsockname()[1])
            try:
                yield here
            finally:
                streams.close()
                server.should_exit = True
                await serving


async def told(viewer: ClientConnection) -> dict[str, Any]:
    message = await asyncio.wait_for(viewer.recv(), 10)
    assert isinstance(message, str), message[:40]
    found: dict[str, Any] = json.loads(message)
    return found


async def fragments(viewer: ClientConnection, count: int) -> list[bytes]:
    """The next messages, all binary."""
    got = []
    for _ in range(count):
        message = await asyncio.wait_for(viewer.recv(), 10)
        assert isinstance(message, bytes), message
        got.append(message)
    return got


def decoded(parts: list[bytes]) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(b"".join(parts)), "r", format="mp4") as container:
        return list(container.decode(video=0))


@pytest.mark.parametrize(
    ("profile", "b_frames", "codec"), [("baseline", 0, "avc1.42c0"), ("high", 2, "avc1.6400")]
)
async def test_the_cameras_own_pictures_arrive(profile: str, b_frames: int, codec: str) -> None:
    encoded = encode(profile=profile, b_frames=b_frames, fps=25, gop=25)
    sent = pictures_of(encoded)
    async with site(encoded) as here, here.watch() as viewer:
        opened = await told(viewer)
        assert (opened["type"], opened["stream"]) == ("opened", "sub")
        assert (opened["width"], opened["height"]) == (320, 240)
        assert opened["codec"].startswith(codec)
        frames = decoded(await fragments(viewer, 61))
        got = [brightness(frame) for frame in frames]
        first = sent.index(got[0])
        count = len(got)
        assert count >= 58
        assert got == [sent[(first + number) % len(sent)] for number in range(count)]
        times = [frame.time for frame in frames]
        steps = [b - a for a, b in itertools.pairwise(times)]
        assert all(step == pytest.approx(0.04, abs=0.002) for step in steps), steps
        async with here.watch() as later:  # it is known only once some have come
            assert (await told(later))["reordered"] == bool(b_frames)


async def test_h265_goes_as_hvc1() -> None:
    info, packets = recorded.stream("hevc", seconds=2)
    encoded = Encoded(info.extradata, list(packets), 10)
    encoded.info = info
    async with site(encoded) as here, here.watch() as viewer:
        opened = await told(viewer)
        assert opened["codec"].startswith("hvc1.1.6.L")
        parts = await fragments(viewer, 6)
        assert b"hvc1" in parts[0]
        assert len(decoded(parts)) >= 4


async def test_a_late_viewer_gets_the_cached_group_at_once_in_the_same_bytes() -> None:
    async with site(encode(fps=10, gop=100)) as here, here.watch() as early:
        await told(early)
        first = await fragments(early, 31)
        async with here.watch() as late:
            await told(late)
            second = await fragments(late, 31)
            assert here.camera.sent < 100
            assert second == first
            assert len(here.streams) == 2
        assert [ask[0] for ask in here.camera.asks] == ["start"]


async def test_nothing_is_left_when_the_viewers_have_gone() -> None:
    async with site(encode()) as here:
        async with here.watch() as viewer:
            await told(viewer)
        await until(lambda: len(here.streams) == 0)
        await until(lambda: [ask[0] for ask in here.camera.asks] == ["start", "stop"])
        assert not here.streams._streams


async def test_a_camera_that_goes_and_comes_back_is_told() -> None:
    async with site(encode()) as here, here.watch() as viewer:
        await told(viewer)
        await fragments(viewer, 3)
        await here.camera.silence()
        here.camera.hub.site_gone("here", AWAY)
        message = await next_told(viewer)
        assert message == {"type": "paused", "reason": AWAY}
        await here.camera.come_back(LANE, "sub")
        assert (await told(viewer))["type"] == "opened"
        assert len(decoded(await fragments(viewer, 8))) >= 6


async def next_told(viewer: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(20):
        async for message in viewer:
            if isinstance(message, str):
                found: dict[str, Any] = json.loads(message)
                return found
    raise AssertionError("the connection ended")


async def read_slowly(port: int, path: str) -> socket.socket:
    """A viewer by hand, whose socket takes little: it reads the handshake's answer and no more."""
    loop = asyncio.get_running_loop()
    viewer = socket.socket()
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 * 1024)
    viewer.setblocking(False)
    await loop.sock_connect(viewer, ("127.0.0.1", port))
    ask = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    await loop.sock_sendall(viewer, ask.encode())
    answer = await loop.sock_recv(viewer, 12)
    assert answer == b"HTTP/1.1 101"
    return viewer


async def test_one_who_does_not_read_is_dropped_and_delays_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mse, "STUCK_US", 500_000)
    async with site(fat(encode(fps=25, gop=25), 20_000)) as here, here.watch() as good:
        await told(good)
        bad = await read_slowly(here.port, f"/api/cameras/{LANE}/live.ws")
        with contextlib.closing(bad):
            await until(lambda: len(here.streams) == 2)
            (stream,) = here.streams._streams.values()
            most = 0
            for _ in range(100):
                before = here.camera.sent
                await fragments(good, 1)
                assert here.camera.sent - before <= 3
                most = max(most, *(v.wire.waiting_bytes for v in stream._viewers), 0)
                if len(here.streams) == 1:
                    break
            assert len(here.streams) == 1, "the viewer who reads nothing is still there"
            # what one viewer may hold: the socket's mark, and the picture that went over it
            assert most < 64 * 1024 + 64 * 1024


async def test_one_who_fell_behind_goes_on_at_a_newer_keyframe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mse, "SLOW_US", 300_000)
    encoded = fat(encode(fps=25, gop=25), 40_000)
    async with site(encoded) as here, here.watch(max_queue=1) as viewer:
        await told(viewer)
        await fragments(viewer, 2)
        # `max_queue` has the client's library stop reading, so that TCP fills up.
        (stream,) = here.streams._streams.values()
        (watching,) = stream._viewers
        await until(lambda: not watching.wire.can_write(), 60)
        sent = here.camera.sent
        await until(lambda: here.camera.sent > sent + 60)
        seen: list[str | bytes] = []
        async with asyncio.timeout(30):
            while not watching.skips or len(seen) < 20:
                message = await viewer.recv()
                seen.append(message)
        assert watching.skips >= 1
        assert all(isinstance(message, bytes) for message in seen)


async def test_refusals_are_told_in_the_connection() -> None:
    async with site(encode(), limit=1) as here, here.watch() as viewer:
        await told(viewer)
        for camera_id, code in ((LANE, "too-many"), ("away.lane", "away"), ("no.such", None)):
            async with here.watch(camera_id) as refused:
                message = await told(refused)
                assert (message["type"], message["code"]) == ("ended", code), message
                with pytest.raises(ConnectionClosed) as closed:
                    await asyncio.wait_for(refused.recv(), 5)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == (1008 if code is None else 1013)


async def test_a_camera_that_sends_nothing_is_told_in_time() -> None:
    encoded = encode()
    encoded.packets = [p for p in encoded.packets if not p.keyframe]
    async with site(encoded, ready_s=0.3) as here, here.watch() as viewer:
        message = await told(viewer)
        assert (message["type"], message["code"]) == ("ended", "no-picture")


async def test_a_viewer_is_told_what_time_it_is() -> None:
    async with site(encode()) as here, here.watch() as viewer:
        await told(viewer)
        await viewer.send("nonsense")
        await viewer.send('{"type":"clock","sent":12.5}')
        message = await next_told(viewer)
        assert (message["type"], message["sent"]) == ("clock", 12.5)
        assert message["now_us"] > 1_600_000_000_000_000


async def test_only_who_may_is_let_in_and_from_our_own_pages_alone() -> None:
    async with site(encode()) as here:
        with pytest.raises(InvalidStatus) as foreign:
            async with here.watch(origin="http://elsewhere.example"):
                pass
        assert foreign.value.response.status_code == 403
        here.signed_in = False
        with pytest.raises(InvalidStatus) as nobody:
            async with here.watch():
                pass
        assert nobody.value.response.status_code == 401


async def test_a_session_that_is_over_ends_the_view(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camera_hub.server.live_mse.STILL_GOOD_EVERY_S", 0.2)
    async with site(encode()) as here, here.watch() as viewer:
        await told(viewer)
        here.signed_in = False
        assert (await next_told(viewer))["type"] == "ended"
