"""What the tests of live views share: small encoded streams, and a camera that sends one in real time."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray

from camera_hub.annexb import joined
from camera_hub.live.hub import LiveHub
from camera_hub.live.transcode import Transcodes
from camera_hub.model import Packet, StreamInfo, StreamName
from tests.support.recorded import bare, sets_of


def info(codec: str = "h264", extradata: bytes = b"", fps: float = 10.0) -> StreamInfo:
    return StreamInfo(codec=codec, width=320, height=240, fps=fps, extradata=extradata)


def fake_packet(number: int, *, keyframe: bool = False, size: int = 100, step_us: int = 100_000) -> Packet:
    """A packet that no decoder would take, the `number`th of its stream."""
    head = joined([b"\x67\x42\xe0\x1f", b"\x68\x01", b"\x65"] if keyframe else [b"\x41"])
    at = number * step_us
    return Packet(
        data=head + b"\x11" * (size - len(head)), pts_us=at, dts_us=at, wall_us=at, keyframe=keyframe
    )


class Encoded:
    """A short H.264 stream, as packets in Annex B with the parameter sets in `extradata` alone."""

    def __init__(self, extradata: bytes, packets: list[Packet], fps: int) -> None:
        self.info = StreamInfo(codec="h264", width=320, height=240, fps=fps, extradata=extradata)
        self.packets = packets
        self.fps = fps
        self.duration_us = len(packets) * 1_000_000 // fps


def encode(
    *,
    frames: int = 100,
    fps: int = 10,
    gop: int = 20,
    profile: str = "baseline",
    b_frames: int = 0,
    slices: int = 1,
    delimiters: bool = False,
) -> Encoded:
    """A square that moves over noise: pictures differ and have their numbers, every packet says something."""
    codec = av.CodecContext.create("libx264", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = 320, 240, "yuv420p"
    codec.time_base = Fraction(1, fps)
    codec.framerate = Fraction(fps)
    codec.gop_size = gop
    codec.options = {
        "preset": "veryfast",
        "tune": "zerolatency" if not b_frames else "animation",
        "profile": profile,
        "bf": str(b_frames),
        "x264-params": f"scenecut=0:keyint={gop}:slices={slices}:aud={int(delimiters)}:sliced-threads=0",
        "crf": "28",
    }
    noise = np.random.default_rng(1).integers(96, 128, (240, 320, 3), dtype=np.uint8)
    encoded: list[Packet] = []
    extradata = b""
    for number in range(frames + 1):
        picture = noise.copy()
        left = number * 7 % 280
        picture[100:140, left : left + 40] = 250
        _write_number(picture, number)
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        frame.pts = number
        for packet in codec.encode(frame if number < frames else None):
            data = bytes(packet)
            if packet.is_keyframe:
                extradata = extradata or sets_of("h264", data)
                data = bare("h264", data)
            assert packet.pts is not None
            pts_us = packet.pts * 1_000_000 // fps
            dts_us = (packet.dts if packet.dts is not None else packet.pts) * 1_000_000 // fps
            encoded.append(
                Packet(data=data, pts_us=pts_us, dts_us=dts_us, wall_us=pts_us, keyframe=packet.is_keyframe)
            )
    return Encoded(extradata, encoded, fps)


def _write_number(picture: NDArray[np.uint8], number: int) -> None:
    """Into the picture's upper edge: blocks, white for the bits that are set, the lowest first.

    The last of them always is: a picture that is not there yet is black.
    """
    for bit in range(16):
        picture[:16, 20 * bit : 20 * bit + 20] = 235 if (number | 1 << 15) >> bit & 1 else 16


def number_of(frame: av.VideoFrame) -> int:
    """Which picture of its stream it is, as `encode` wrote it into it."""
    row = frame.to_ndarray(format="gray")[8, 10::20]
    assert row[15] > 128, "this is no picture of `encode`"
    return sum(1 << bit for bit, value in enumerate(row[:15]) if value > 128)


def fat(encoded: Encoded, size: int) -> Encoded:
    """The same, each packet filled up to `size` bytes by a NAL unit that decoders skip."""
    filler = b"\x00\x00\x00\x01\x0c" + b"\xff" * size + b"\x80"
    packets = [Packet(p.data + filler, p.pts_us, p.dts_us, p.wall_us, p.keyframe) for p in encoded.packets]
    made = Encoded(encoded.info.extradata, packets, encoded.fps)
    made.info = encoded.info
    return made


def brightness(frame: av.VideoFrame) -> list[int]:
    """A small fingerprint of a picture, to tell which one it is."""
    luma = frame.to_ndarray(format="gray")
    return [int(value) for value in luma[110:130:10, ::16].mean(axis=0)]


def pictures_of(encoded: Encoded) -> list[list[int]]:
    """All its pictures, as fingerprints."""
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.extradata = encoded.info.extradata
    frames = [frame for packet in encoded.packets for frame in codec.decode(av.Packet(packet.data))]
    frames += codec.decode(None)
    return [brightness(frame) for frame in frames]


class Camera:
    """A site with one camera that sends its streams in real time while they are watched, over and over.

    `sub` is sent for the small stream; without it both streams are `encoded`.
    """

    def __init__(
        self, encoded: Encoded, sub: Encoded | None = None, transcodes: Transcodes | None = None
    ) -> None:
        self.encoded = encoded
        self.sub = sub
        self.hub = LiveHub(self._start, self._stop, linger_s=0.2, transcodes=transcodes)
        self.asks: list[tuple[str, str, str]] = []
        self.sent = 0
        self._tasks: dict[StreamName, asyncio.Task[None]] = {}

    async def _start(self, camera: str, stream: StreamName) -> None:
        self.asks.append(("start", camera, stream))
        await self.come_back(camera, stream)

    async def come_back(self, camera: str, stream: StreamName) -> None:
        """Begin to send, as a site does when it is asked or linked again."""
        encoded = self.sub if self.sub is not None and stream == "sub" else self.encoded
        self.hub.opened(camera, stream, encoded.info)
        self._tasks[stream] = asyncio.create_task(self._send(camera, stream, encoded))

    async def _stop(self, camera: str, stream: StreamName) -> None:
        self.asks.append(("stop", camera, stream))
        await self._silence(stream)

    async def silence(self) -> None:
        for stream in tuple(self._tasks):
            await self._silence(stream)

    async def _silence(self, stream: StreamName) -> None:
        task = self._tasks.pop(stream, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _send(self, camera: str, stream: StreamName, encoded: Encoded) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        count = len(encoded.packets)
        for number in range(10**9):
            shift = number // count * encoded.duration_us
            packet = encoded.packets[number % count]
            await asyncio.sleep(max(0.0, began + number / encoded.fps - loop.time()))
            self.hub.feed(
                camera,
                stream,
                [
                    Packet(
                        data=packet.data,
                        pts_us=packet.pts_us + shift,
                        dts_us=packet.dts_us + shift,
                        wall_us=packet.wall_us + shift,
                        keyframe=packet.keyframe,
                    )
                ],
            )
            self.sent += 1


@contextlib.asynccontextmanager
async def camera(
    encoded: Encoded, sub: Encoded | None = None, transcodes: Transcodes | None = None
) -> AsyncIterator[Camera]:
    """A camera, and nothing of it left afterwards."""
    practice = Camera(encoded, sub, transcodes)
    try:
        yield practice
    finally:
        await practice.hub.close()
        await practice.silence()
