"""A stream that browsers do not play is encoded anew, once for all its viewers, and leaves no process behind."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator

import av
import httpx
import msgspec
import psutil
import pytest
from fastapi import Depends, FastAPI

from camera_hub.live import transcode
from camera_hub.live.channel import LiveChannel, Opened, Paused, Viewer
from camera_hub.live.feed import NotLiveError
from camera_hub.live.hub import LiveHub
from camera_hub.live.limits import Limits
from camera_hub.live.transcode import AGAIN, Transcodes
from camera_hub.live.transcode_wire import Shape
from camera_hub.live.whep import WhepSessions
from camera_hub.model import NotLive, Packet, StreamName
from camera_hub.server import problems
from camera_hub.server.commune import Watchable
from camera_hub.server.live import live_router
from tests.integration.test_live_whep import receiver, signed_in
from tests.support.live import Camera, Encoded, brightness, camera, encode, picture
from tests.support.waiting import until

LANE: tuple[str, StreamName] = ("here.lane", "main")


def processes() -> list[psutil.Process]:
    """The transcoding processes of this one that live."""
    return [
        process
        for process in psutil.Process().children()
        if process.status() != psutil.STATUS_ZOMBIE
        and any("transcode_process" in word for word in process.cmdline())
    ]


@contextlib.asynccontextmanager
async def hub(
    encoded: Encoded, most: int = 1, linger_s: float = 0.2, shape: Shape = Shape()
) -> AsyncIterator[tuple[Camera, Transcodes]]:
    """A camera whose hub transcodes, and no process left afterwards."""
    async with camera(encoded) as practice:
        transcodes = Transcodes(most, shape, linger_s)
        practice.hub._transcodes = transcodes
        yield practice, transcodes
    assert processes() == []


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
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) < 8 * len(one)


@pytest.mark.parametrize("b_frames", [0, 2])
async def test_the_right_pictures_come_at_their_own_times(b_frames: int) -> None:
    encoded = encode(h265=True, b_frames=b_frames, gop=10)
    first_us = min(packet.pts_us for packet in encoded.packets)
    async with hub(encoded) as (practice, _):
        async with practice.hub.transcoded(*LANE).subscribe() as viewer:
            got = await packets(viewer, 40)
            info = practice.hub.transcoded(*LANE).info
            assert info is not None
            assert (info.codec, info.width, info.height) == ("h264", 320, 240)
        assert all(packet.pts_us == packet.dts_us for packet in got)
        assert got[0].keyframe
        keyframes = [packet.pts_us for packet in got if packet.keyframe]
        assert [b - a for a, b in zip(keyframes, keyframes[1:], strict=False)] == [2_000_000]
        for packet, shown in zip(got, decoded(got), strict=True):
            number = round((packet.pts_us - first_us) / 100_000)
            assert close(shown, brightness(picture(number))), number
            assert packet.wall_us == packet.pts_us, "the clock is that of another picture"
        await until(lambda: not processes())
