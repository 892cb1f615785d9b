"""Who listens by MSE gets pictures and sound; who does not has no part in it, and pays nothing for it."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator

import av
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.live.channel import LiveChannel
from camera_hub.live.limits import Limits
from camera_hub.live.mse import MseStreams
from camera_hub.live.voice import Encoder
from camera_hub.model import SoundInfo
from tests.support import sound
from tests.support.waiting import until

INFO, PICTURES = sound.pictures()


class Wire:
    """Takes all that is written."""

    waiting_bytes = 0

    def __init__(self) -> None:
        self.frames: list[bytes] = []

    def can_write(self) -> bool:
        return True

    def write(self, frames: bytes) -> None:
        self.frames.append(frames)

    def abort(self) -> None:
        raise AssertionError("a viewer was cut off")

    def told(self) -> list[dict[str, object]]:
        """The text messages. The head comes in one piece with its `opened`."""
        return [json.loads(payload(one)[0]) for one in self.frames if one[0] == 0x81]

    def stream(self) -> bytes:
        """What a browser appends, from the newest `opened` on."""
        data = b""
        for one in self.frames:
            text, rest = payload(one)
            if one[0] == 0x81:
                data = payload(rest)[0] if rest else b""
            else:
                data += text
        return data


def payload(frame: bytes) -> tuple[bytes, bytes]:
    """A server's WebSocket frame's, and what comes behind it (RFC 6455, 5.2)."""
    size, at = frame[1], 2
    if size > 125:
        at = 4 if size == 126 else 10
        size = int.from_bytes(frame[2:at])
    return frame[at : at + size], frame[at + size :]


@contextlib.asynccontextmanager
async def channel(codec: str, rate: int = 8000) -> AsyncIterator[tuple[LiveChannel, MseStreams]]:
    made, streams = LiveChannel("a.lane", "main"), MseStreams(Limits())
    made.opened(msgspec.structs.replace(INFO, sound=sound.sound(codec, rate)[0]))
    yield made, streams
    streams.close()
    await asyncio.sleep(0)


async def play(made: LiveChannel, codec: str, rate: int = 8000, only_pictures: bool = False) -> None:
    """Four seconds, as quickly as they are taken."""
    waiting = [] if only_pictures else sound.sound(codec, rate)[1]
    for picture in PICTURES:
        while waiting and waiting[0].pts_us <= picture.pts_us:
            made.feed_sound((waiting.pop(0),))
        await asyncio.sleep(0.005)  # the encoder's thread
        made.feed([picture])


def samples(data: bytes) -> NDArray[np.float32]:
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


async def test_those_who_listen_get_sound_and_the_others_what_they_got_before() -> None:
    async with channel("pcm_alaw") as (made, streams):
        mute, first, second = Wire(), Wire(), Wire()
        streams.watch(made, mute, "a", lambda: None)
        await asyncio.sleep(0)
        assert not made.heard
        streams.watch(made, first, "a", lambda: None, sound=True)
        streams.watch(made, second, "b", lambda: None, sound=True)
        await until(lambda: made.heard)
        await play(made, "pcm_alaw")
        await until(lambda: len(first.frames) == len(mute.frames) == len(PICTURES) + 1)
        assert first.told()[0]["codec"] == f"{mute.told()[0]['codec']},mp4a.40.2"
        assert np.abs(samples(first.stream())).max() > 0.1
        assert all(one is other for one, other in zip(first.frames, second.frames, strict=True))
        assert b"mp4a" not in mute.stream()
        with av.open(io.BytesIO(mute.stream()), "r", format="mp4") as container:
            assert len(container.streams) == 1
            assert sum(1 for _ in container.decode(video=0)) == len(PICTURES)


async def test_nothing_is_heard_or_encoded_once_nobody_listens() -> None:
    async with channel("pcm_mulaw") as (made, streams):
        viewer = streams.watch(made, Wire(), "a", lambda: None, sound=True)
        await until(lambda: made.heard)
        viewer.leave()
        assert not made.heard
        await asyncio.sleep(0.01)
        assert [task for task in asyncio.all_tasks() if "Listening" in repr(task)] == []


async def test_a_camera_without_sound_is_seen_as_before() -> None:
    async with channel("aac", 16000) as (made, streams):
        for about in (None, SoundInfo("g726le", 8000, 1), SoundInfo("pcm_alaw", 0, 0)):
            made.opened(msgspec.structs.replace(INFO, sound=about))
            wire = Wire()
            viewer = streams.watch(made, wire, "a", lambda: None, sound=True)
            await play(made, "aac", 16000, only_pictures=True)
            await until(lambda wire=wire: len(wire.frames) == len(PICTURES) + 1)  # type: ignore[misc]
            assert "mp4a" not in str(wire.told()[0]["codec"])
            assert not made.heard
            viewer.leave()


async def test_sound_that_never_comes_holds_up_no_picture() -> None:
    async with channel("aac", 16000) as (made, streams):
        wire = Wire()
        streams.watch(made, wire, "a", lambda: None, sound=True)
        await until(lambda: made.heard)
        await play(made, "aac", 16000, only_pictures=True)
        await until(lambda: len(wire.frames) == len(PICTURES) + 1)
        assert len(samples(wire.stream())) / 16000 > 3.5
        assert not np.any(samples(wire.stream()))


async def test_an_encoder_that_fails_costs_the_sound_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Encoder, packets: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(Encoder, "take", broken)
    async with channel("pcm_alaw") as (made, streams):
        wire = Wire()
        streams.watch(made, wire, "a", lambda: None, sound=True)
        await until(lambda: made.heard)
        await play(made, "pcm_alaw")
        await until(lambda: len(wire.frames) == len(PICTURES) + 1)
        assert not np.any(samples(wire.stream()))
        assert not made.heard
