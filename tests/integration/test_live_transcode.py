"""A stream that browsers do not play is encoded anew, once for all its viewers; no process is left behind."""

import asyncio
import contextlib
import io
import itertools
import random
import signal
import subprocess
from collections.abc import AsyncIterator
from types import SimpleNamespace

import av
import httpx
import msgspec
import pytest
from fastapi import Depends, FastAPI

from camera_hub.live import transcode
from camera_hub.live.channel import Opened, Paused, Viewer
from camera_hub.live.feed import NotLiveError
from camera_hub.live.limits import Limits
from camera_hub.live.transcode import AGAIN, Transcodes
from camera_hub.live.transcode_wire import Begin, Coded, Shape, framed, read
from camera_hub.live.whep import WhepSessions
from camera_hub.model import NotLive, Packet, StreamName
from camera_hub.server import problems
from camera_hub.server.commune import Watchable
from camera_hub.server.live import live_router
from tests.support.h265 import film
from tests.support.live import Camera, Encoded, brightness, camera
from tests.support.transcodes import transcoding
from tests.support.waiting import until
from tests.support.webrtc import receiver

LANE: tuple[str, StreamName] = ("here.lane", "main")


@contextlib.asynccontextmanager
async def hub(
    encoded: Encoded,
    most: int = 1,
    linger_s: float = 0.2,
) -> AsyncIterator[tuple[Camera, Transcodes]]:
    """A camera whose hub transcodes, and no process left afterwards."""
    transcodes = Transcodes(most, linger_s=linger_s)
    async with camera(encoded, transcodes=transcodes) as practice:
        yield practice, transcodes
    assert transcoding() == []


async def packets(viewer: Viewer, count: int) -> list[Packet]:
    got: list[Packet] = []
    async with asyncio.timeout(30):
        async for item in viewer:
            if isinstance(item, Packet):
                got.append(item)
            if len(got) == count:
                return got
    raise AssertionError(f"it ended: {viewer.reason}")


def decoded(got: list[Packet]) -> list[list[int]]:
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    frames = [frame for packet in got for frame in codec.decode(av.Packet(packet.data))]
    return [brightness(frame) for frame in [*frames, *codec.decode(None)]]


def close(one: list[int], other: list[int]) -> bool:
    """Whether two fingerprints are of one picture, that was encoded twice."""
    return max(abs(a - b) for a, b in zip(one, other, strict=True)) < 60


@pytest.mark.parametrize(("h265", "b_frames"), [(True, 0), (True, 2), (False, 2)])
async def test_the_right_pictures_come_at_their_own_times(h265: bool, b_frames: int) -> None:
    made = film(h265=h265, b_frames=b_frames, gop=10)
    async with hub(made.encoded) as (practice, _):
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            got = await packets(viewer, 40)
            info = practice.hub.transcoded(*LANE).info
            assert info is not None
            assert (info.codec, info.width, info.height) == ("h264", 320, 240)
        assert all(packet.pts_us == packet.dts_us for packet in got)
        assert got[0].keyframe
        keyframes = [packet.pts_us for packet in got if packet.keyframe]
        steps_us = [b - a for a, b in itertools.pairwise(keyframes)]
        assert steps_us
        assert all(2_000_000 <= step_us < 2_500_000 for step_us in steps_us)
        for packet, shown in zip(got, decoded(got), strict=True):
            assert close(shown, made.shows(packet)), packet.pts_us
            assert packet.wall_us == packet.pts_us, "the clock is that of another picture"
        await until(lambda: not transcoding())


async def test_one_process_serves_all_viewers_and_a_late_one_begins_at_once() -> None:
    async with hub(film(gop=100).encoded) as (practice, transcodes):
        async with practice.hub.transcoded(*LANE).subscribe() as early:
            await packets(early, 25)
            (process,) = transcoding()
            assert process.nice() >= 10
            async with practice.hub.transcoded(*LANE).subscribe() as late:
                assert late.waiting > 1
                assert (await packets(late, 1))[0].keyframe
                assert [one.pid for one in transcoding()] == [process.pid]
            assert len(transcodes) == 1
        assert transcodes.numbers.cpu_us > 0
        # One who comes back soon finds it running.
        async with practice.hub.transcoded(*LANE).subscribe() as again:
            await packets(again, 1)
            assert [one.pid for one in transcoding()] == [process.pid]
        await until(lambda: not transcoding())
        assert len(transcodes) == 0
        await until(lambda: practice.asks[-1] == ("stop", *LANE))


async def test_who_comes_in_the_midst_of_a_long_group_is_soon_at_the_live_edge() -> None:
    async with hub(film(gop=100).encoded) as (practice, _), practice.hub.channel(*LANE).subscribe():
        await until(lambda: practice.sent >= 60)
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            while (await packets(viewer, 1))[0].pts_us < 100_000 * (practice.sent - 2):
                assert practice.sent < 100, "it waited for the next keyframe"


async def test_a_process_that_is_killed_or_hangs_is_begun_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcode, "HUNG_S", 3.0)
    monkeypatch.setattr(transcode, "PAUSES_S", (0.05,))
    async with (
        hub(film(gop=10).encoded) as (practice, transcodes),
        practice.hub.transcoded(*LANE).subscribe() as viewer,
    ):
        killed = []
        for sign in (signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP):
            await packets(viewer, 5)
            (process,) = transcoding()
            killed.append(process.pid)
            process.send_signal(sign)
            async with asyncio.timeout(20):
                async for item in viewer:
                    if isinstance(item, Paused):
                        assert item.reason == AGAIN
                    if isinstance(item, Opened):
                        break
        got = await packets(viewer, 10)
        assert got[0].keyframe
        assert len(decoded(got)) == 10
        assert transcodes.numbers.restarts == 3
        assert not {process.pid for process in transcoding()} & set(killed)


async def test_what_no_decoder_takes_harms_nobody() -> None:
    made = film(gop=10)
    encoded = made.encoded
    chance = random.Random(3)
    whole = encoded.packets
    encoded.packets = [
        msgspec.structs.replace(
            one, data=one.data[:8] + chance.randbytes(len(one.data)) if 20 <= number < 60 else one.data
        )
        for number, one in enumerate(whole)
    ]
    async with hub(encoded) as (practice, transcodes):
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            got = await packets(viewer, 1)
            while got[-1].pts_us < 7_500_000:
                got += await packets(viewer, 1)
            assert all(close(*pair) for pair in zip(decoded(got), map(made.shows, got), strict=True))
            good = {packet.pts_us // 100_000 for packet in got}
            assert good & set(range(20))
            assert not good & set(range(20, 60))
        assert transcodes.numbers.restarts == 0


async def test_a_camera_that_goes_and_comes_back_is_told_and_plays_on() -> None:
    async with (
        hub(film(gop=10).encoded) as (practice, _),
        practice.hub.transcoded(*LANE).subscribe() as viewer,
    ):
        await packets(viewer, 5)
        (process,) = transcoding()
        await practice.silence()
        practice.hub.site_gone("here", "the site is not connected")
        async with asyncio.timeout(10):
            while await anext(viewer) != Paused("the site is not connected"):
                pass
        await practice.come_back(*LANE)
        assert isinstance(await anext(viewer), Opened)
        assert (await packets(viewer, 5))[0].pts_us < 500_000
        assert [one.pid for one in transcoding()] == [process.pid]


async def test_a_slow_machine_shows_fewer_pictures_and_not_later_ones() -> None:
    """A process that stood still for a while goes on at the newest keyframe."""
    async with hub(film().encoded) as (practice, transcodes):
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            await packets(viewer, 5)
            (process,) = transcoding()
            process.suspend()
            sent = practice.sent
            await until(lambda: practice.sent > sent + 45)  # two groups
            process.resume()
            got = await packets(viewer, 1)
            while practice.sent - got[0].pts_us // 100_000 > 22:
                got = await packets(viewer, 1)
            assert got[0].keyframe
        assert transcodes.numbers.restarts == 0


async def test_there_are_no_more_than_may_be_and_none_where_it_is_off() -> None:
    async with hub(film().encoded, most=0) as (practice, _):
        with pytest.raises(NotLiveError, match=r"live\.transcode\.max") as off:
            practice.hub.transcoded(*LANE)
        assert off.value.code is NotLive.CODEC
    async with hub(film().encoded, linger_s=30) as (practice, transcodes):
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            await packets(viewer, 1)
            with pytest.raises(NotLiveError, match="1 streams are being transcoded") as full:
                practice.hub.transcoded("here.other", "main")
            assert full.value.code is NotLive.TOO_MANY_TRANSCODES
            assert transcodes.numbers.refused == 1
            (first,) = transcoding()
        # Nobody watches it any more: its place is free for another at once.
        async with practice.hub.transcoded("here.other", "main").subscribe() as viewer:
            await packets(viewer, 1)
            assert first.pid not in [process.pid for process in transcoding()]
            assert len(transcoding()) == 1


async def test_no_process_outlives_the_server() -> None:
    transcodes = Transcodes(1, linger_s=30)
    async with camera(film().encoded, transcodes=transcodes) as practice:
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            await packets(viewer, 1)
            before = asyncio.all_tasks()
            await practice.hub.close()
            assert transcoding() == []
            assert "server stops" in viewer.reason
        assert len(transcodes) == 0
        assert asyncio.all_tasks() <= before


def somebody() -> SimpleNamespace:
    return SimpleNamespace(user=SimpleNamespace(name="lan"))


def test_a_process_ends_when_its_server_does() -> None:
    encoded = film(frames=10).encoded
    process = subprocess.Popen(
        [*transcode.COMMAND, msgspec.json.encode(Shape()).decode()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdin is not None
        assert isinstance(process.stdout, io.BufferedReader)
        said = [framed(Begin(1, encoded.info)), *(framed(Coded(one)) for one in encoded.packets)]
        process.stdin.write(b"".join(said[:2]))
        process.stdin.flush()
        while not isinstance(read(process.stdout), Begin):  # it is at work
            pass
        process.stdin.close()
        assert process.wait(20) == 0
        process.stdout.close()
    finally:
        process.kill()
        process.wait()


async def test_browsers_that_do_not_play_h265_get_it_by_whep() -> None:
    lane = film()
    async with hub(lane.encoded) as (practice, _), contextlib.AsyncExitStack() as stack:
        sessions = WhepSessions(Limits(8))
        stack.push_async_callback(sessions.close)
        app = FastAPI()
        problems.install(app)
        cameras = {name: Watchable(("main",)) for name in ("here.lane", "here.other")}
        app.include_router(live_router(practice.hub, sessions, cameras.get, Depends(somebody)))
        http = await stack.enter_async_context(
            httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub")
        )
        viewer = await stack.enter_async_context(receiver())
        sdp = {"Content-Type": "application/sdp"}
        whep = "/api/cameras/here.{}/whep?stream=main"
        plain = await http.post(whep.format("lane"), content=await viewer.offer(), headers=sdp)
        assert (plain.status_code, plain.json()["code"]) == (503, "codec")
        offer = viewer.peer.localDescription.sdp
        made = await http.post(whep.format("lane") + "&transcode=true", content=offer, headers=sdp)
        assert made.status_code == 201
        await viewer.answered(made.text)
        await until(lambda: len(viewer.pictures) >= 30)
        every = lane.pictures
        shown = [next((n for n, one in enumerate(every) if close(one, got)), -1) for got in viewer.pictures]
        assert -1 not in shown
        assert all((b - a) % 100 <= 5 for a, b in itertools.pairwise(shown)), shown
        other = await http.post(whep.format("other") + "&transcode=true", content=offer, headers=sdp)
        assert (other.status_code, other.json()["code"]) == (503, "too-many-transcodes")
        assert (await http.delete(made.headers["location"])).status_code == 204
        await until(lambda: not transcoding())
