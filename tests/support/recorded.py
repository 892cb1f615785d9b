"""Streams to record, handed over as a camera's reader does; and ways to look at what was recorded."""

import io
from fractions import Fraction
from functools import cache
from itertools import pairwise
from pathlib import Path

import av
import msgspec
import numpy as np

from camera_hub.annexb import joined, nal_type, nal_units
from camera_hub.model import Packet, StreamInfo

START_US = 1_700_000_000_123_456  # wall: 2023-11-14 22:13:20 UTC
SETS = {"h264": [7, 8], "hevc": [32, 33, 34]}  # NAL unit types of parameter sets, in their order
_ENCODERS = {"h264": "libx264", "hevc": "libx265"}
_TIME_BASE = Fraction(1, 90_000)


@cache
def stream(
    codec: str = "h264",
    *,
    seconds: int = 6,
    fps: int = 10,
    gop_s: float = 2,
    size: tuple[int, int] = (160, 120),
    b_frames: int = 0,
    pixels: str = "yuv420p",
    kbit_s: int = 200,
) -> tuple[StreamInfo, tuple[Packet, ...]]:
    """(what the stream says of itself, its packets): noise that moves, its parameter sets in the keyframes.

    The packets' wall times are START_US plus their decoding times.
    """
    encoder = av.VideoCodecContext.create(_ENCODERS[codec], "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = *size, pixels
    encoder.time_base, encoder.framerate, encoder.bit_rate = _TIME_BASE, Fraction(fps), kbit_s * 1000
    gop = round(gop_s * fps)
    settings = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:repeat-headers=1:open-gop=0"
    settings += ":log-level=none" if codec == "hevc" else ":rc-lookahead=0"
    encoder.options = {"preset": "ultrafast", "threads": "1", f"{_ENCODERS[codec][3:]}-params": settings}
    texture = np.random.default_rng(7).integers(0, 255, (size[1], size[0]), dtype=np.uint8)
    encoded = []
    for number in range(seconds * fps):
        picture = av.VideoFrame(*size, pixels)
        for plane in picture.planes:
            rows = np.roll(texture, number, axis=1)[: plane.height, : plane.width]
            padded = np.zeros((plane.height, plane.line_size), dtype=np.uint8)
            padded[:, : plane.width] = rows
            plane.update(padded.tobytes())
        picture.pts, picture.time_base = number * 90_000 // fps, _TIME_BASE
        encoded += encoder.encode(picture)
    encoded += encoder.encode(None)
    first = encoded[0].dts
    assert first is not None
    packets = tuple(
        Packet(
            bytes(one),
            _us(one.pts),
            _us(one.dts),
            START_US + _us(one.dts) - _us(first),
            one.is_keyframe,
        )
        for one in encoded
    )
    return StreamInfo(codec, *size, float(fps), b""), packets


def sets_of(codec: str, data: bytes) -> bytes:
    """The parameter sets of an access unit, in Annex B."""
    return joined(unit for unit in nal_units(data) if nal_type(codec, unit) in SETS[codec])


def bare(codec: str, data: bytes) -> bytes:
    """The access unit without its parameter sets."""
    return joined(unit for unit in nal_units(data) if nal_type(codec, unit) not in SETS[codec])


def decoded_size(codec: str, keyframe: bytes) -> tuple[int, int]:
    """(width, height) of a keyframe that nothing came before, by FFmpeg."""
    decoder = av.CodecContext.create(codec, "r")
    assert isinstance(decoder, av.VideoCodecContext)
    frames = [*decoder.decode(av.Packet(keyframe)), *decoder.decode(None)]
    return frames[0].width, frames[0].height


def _us(ticks: int | None) -> int:
    assert ticks is not None
    return ticks * 100 // 9


def later(packets: tuple[Packet, ...], by_us: int, wall_by_us: int | None = None) -> tuple[Packet, ...]:
    """The same packets again, on both clocks (or with the wall clock apart)."""
    wall_by_us = by_us if wall_by_us is None else wall_by_us
    return tuple(
        msgspec.structs.replace(
            one, pts_us=one.pts_us + by_us, dts_us=one.dts_us + by_us, wall_us=one.wall_us + wall_by_us
        )
        for one in packets
    )


def repeated(packets: tuple[Packet, ...], times: int) -> tuple[Packet, ...]:
    """The packets several times over, without a seam."""
    step_us = packets[-1].dts_us - packets[0].dts_us + (packets[1].dts_us - packets[0].dts_us)
    return tuple(one for n in range(times) for one in later(packets, n * step_us))


def shown_us(video: Path | bytes) -> list[int]:
    """Decode every picture by FFmpeg; when each is shown, in µs. Fails on anything that does not decode."""
    with av.open(io.BytesIO(video) if isinstance(video, bytes) else str(video), "r") as container:
        track = container.streams.video[0]
        track.codec_context.thread_count = 1
        shown = []
        for picture in container.decode(track):
            assert not picture.is_corrupt
            assert picture.pts is not None
            assert picture.time_base is not None
            shown.append(round(picture.pts * picture.time_base * 1_000_000))
    assert all(a < b for a, b in pairwise(shown))
    return shown


def length_us(video: Path | bytes) -> int:
    """How long players say that it is, by FFmpeg."""
    with av.open(io.BytesIO(video) if isinstance(video, bytes) else str(video), "r") as container:
        track = container.streams.video[0]
        assert track.duration is not None
        assert track.time_base is not None
        return round(track.duration * track.time_base * 1_000_000)
