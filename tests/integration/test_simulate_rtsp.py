"""The practice cameras over RTSP: TCP and UDP, loop after loop, ready one by one, refused in words."""

import asyncio
import itertools
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import av
import pytest

from camera_hub.model import HubError
from camera_hub.simulate.clips import ClipFiles
from camera_hub.simulate.hamlet import render_clip
from camera_hub.simulate.practice import address, practice
from camera_hub.simulate.rtsp import PracticeServer, served
from tests.support import waiting

CAMERA = "san-bong"
CLIP_S = 3.0
HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipFiles:
    return render_clip(CAMERA, 5, tmp_path_factory.mktemp("hamlet"), duration_s=CLIP_S)


@pytest.fixture
async def server() -> AsyncIterator[PracticeServer]:
    async with served(HOST, waiting.free_port()) as server:
        yield server


@dataclass
class Watched:
    """What a watcher got: its packets' timestamps in seconds, and how many packets, frames, pixels across."""

    times: list[float]
    packets: int = 0
    frames: int = 0
    width: int = 0


def watch(url: str, transport: str, seconds: float) -> Watched:
    """Watch a stream for so long, in its own time."""
    got = Watched([])
    with av.open(url, options={"rtsp_transport": transport}, timeout=20) as container:
        video = container.streams.video[0]
        got.width = video.width
        for packet in container.demux(video):
            got.packets += 1
            got.frames += len(packet.decode())
            if packet.pts is None or packet.time_base is None:
                continue  # FFmpeg gives the first packet of an RTSP stream no time, whoever serves it
            got.times.append(float(packet.pts * packet.time_base))
            if got.times[-1] >= seconds:
                return got
    raise AssertionError("the stream ended")


async def test_streams_play_on_over_the_loop_with_times_that_go_on(
    server: PracticeServer, clip: ClipFiles
) -> None:
    """Main and sub, over TCP and UDP, all at once."""
    server.publish(CAMERA, clip)
    streams = [("main", 1280, 15), ("sub", 640, 10)]
    watchers = [
        asyncio.to_thread(watch, address(server.port, CAMERA, name), transport, 2.2 * CLIP_S)
        for transport in ("tcp", "udp")
        for name, _, _ in streams
    ]
    for got, (_, width, fps) in zip(await asyncio.gather(*watchers), streams * 2, strict=True):
        assert got.width == width
        steps = [b - a for a, b in itertools.pairwise(got.times)]
        assert all(step == pytest.approx(1 / fps, abs=0.002) for step in steps)
        assert got.frames == got.packets >= 2.2 * CLIP_S * fps


async def test_many_watch_at_once_and_one_that_goes_harms_nobody(
    server: PracticeServer, clip: ClipFiles
) -> None:
    server.publish(CAMERA, clip)
    url = address(server.port, CAMERA, "sub")
    long = [asyncio.create_task(asyncio.to_thread(watch, url, "tcp", 4.0)) for _ in range(3)]
    await asyncio.to_thread(watch, url, "tcp", 0.5)
    for got in await asyncio.gather(*long):
        assert got.times == sorted(got.times)
        assert got.frames == got.packets
    await waiting.until(lambda: not server.sessions)


async def test_a_watcher_begins_with_parameter_sets_and_a_keyframe(
    server: PracticeServer, clip: ClipFiles
) -> None:
    server.publish(CAMERA, clip)

    def first() -> tuple[bool, bytes]:
        with av.open(address(server.port, CAMERA, "main"), options={"rtsp_transport": "tcp"}) as container:
            packet = next(p for p in container.demux(video=0) if p.size)
            return packet.is_keyframe, bytes(container.streams.video[0].codec_context.extradata or b"")

    keyframe, extradata = await asyncio.to_thread(first)
    assert keyframe
    assert extradata


async def test_a_camera_that_is_not_ready_answers_404_and_then_plays(
    server: PracticeServer, clip: ClipFiles
) -> None:
    url = address(server.port, CAMERA, "sub")
    with pytest.raises(av.error.HTTPNotFoundError):
        await asyncio.to_thread(watch, url, "tcp", 0.2)
    server.publish(CAMERA, clip)
    assert (await asyncio.to_thread(watch, url, "tcp", 0.5)).frames


@pytest.mark.parametrize("path", ["nobody/main", f"{CAMERA}/third", CAMERA, "../secrets/main", ""])
async def test_what_does_not_exist_answers_404(server: PracticeServer, clip: ClipFiles, path: str) -> None:
    server.publish(CAMERA, clip)
    with pytest.raises(av.error.HTTPNotFoundError):
        await asyncio.to_thread(watch, f"rtsp://{HOST}:{server.port}/{path}", "tcp", 0.2)


async def test_a_watcher_that_does_not_read_is_left_behind_and_others_go_on(
    server: PracticeServer, clip: ClipFiles
) -> None:
    server.publish(CAMERA, clip)
    url = address(server.port, CAMERA, "main")
    reader, writer = await asyncio.open_connection(HOST, server.port)
    session = ""
    for number, (method, at, more) in enumerate(
        [
            ("DESCRIBE", url, "Accept: application/sdp\r\n"),
            ("SETUP", url + "/track1", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n"),
            ("PLAY", url, ""),
        ]
    ):
        writer.write(f"{method} {at} RTSP/1.0\r\nCSeq: {number}\r\n{session}{more}\r\n".encode())
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
        assert answer.startswith("RTSP/1.0 200")
        words = dict(line.split(": ", 1) for line in answer.splitlines() if ": " in line)
        session = f"Session: {words['Session']}\r\n" if "Session" in words else session
        await reader.readexactly(int(words.get("Content-Length", "0")))
    got = await asyncio.to_thread(watch, url, "tcp", 4.0)
    assert got.frames == got.packets >= 55
    writer.transport.abort()


async def test_a_port_that_is_taken_is_said_in_words(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(HubError, match=rf"port {port}.*another port under practice"):
            await practice(1, port, tmp_path, lambda scene_id, share: None)


async def test_without_the_toolkit_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "aio_rtsp_toolkit", None)
    monkeypatch.delitem(sys.modules, "camera_hub.simulate.rtsp")
    with pytest.raises(HubError, match=r"pip install 'camera-hub\[demo\]'"):
        await practice(1, waiting.free_port(), tmp_path, lambda scene_id, share: None)


async def test_the_whole_practice_serves_what_it_rendered_and_ends_when_cancelled(clip: ClipFiles) -> None:
    port = waiting.free_port()
    shares: list[tuple[str, float]] = []
    running = asyncio.create_task(
        practice(
            5,
            port,
            clip.main.parent,
            lambda scene_id, share: shares.append((scene_id, share)),
            duration_s=CLIP_S,
            scenes=(CAMERA,),
        )
    )
    await waiting.until(lambda: shares == [(CAMERA, 1.0)])

    async def plays() -> bool:
        try:
            return bool(await asyncio.to_thread(watch, address(port, CAMERA, "sub"), "tcp", 0.5))
        except OSError:
            return False

    await waiting.until_async(plays)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)
