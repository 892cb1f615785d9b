"""A walk through a quiet scene, as a clip of every kind that cameras and people make, and damaged ones."""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.unit.motion_scenes import film, square

Luma = NDArray[np.uint8]
FPS = 10
SIZE = (320, 180)
WALK = (4.0, 8.0)  # s; when somebody walks through `walker`

_ENCODERS = {
    "h264": "libx264",
    "hevc": "libx265",
    "vp9": "libvpx-vp9",
    "prores": "prores_ks",
    "yuv4": "wrapped_avframe",
}
_PIXELS = {"mjpeg": "yuvj420p", "prores": "yuv422p10le", "rawvideo": "bgr24", "gif": "rgb8", "png": "rgb24"}


def walker(
    seconds: float = 14,
    walks: Sequence[tuple[float, float]] = (WALK,),
    *,
    fps: float = FPS,
    size: tuple[int, int] = SIZE,
) -> list[Luma]:
    """Frames of a quiet scene through which a figure walks from left to right, once in each span."""

    def paint(picture: NDArray[np.float64], t_s: float) -> None:
        for start, end in walks:
            if start <= t_s < end:
                square(picture, size[0] * (t_s - start) / (end - start), size[1] * 0.7)

    return [luma for luma, _ in film(seconds, paint, fps=fps, size=size)]


def encode(
    path: Path,
    frames: Iterable[Luma],
    *,
    codec: str = "h264",
    fps: int = FPS,
    gop: int = 10,
    b_frames: int = 0,
    pts: Sequence[int] | None = None,
) -> Path:
    """Write the frames; `pts` are their times, counted in frames, where they are not 0, 1, 2, …"""
    with av.open(str(path), "w") as container:
        stream: VideoStream | None = None
        for number, luma in enumerate(frames):
            if stream is None:
                stream = _stream(container, codec, fps, gop, b_frames, luma)
            frame = av.VideoFrame.from_ndarray(luma, "gray").reformat(format=stream.pix_fmt)
            frame.pts, frame.time_base = (pts[number] if pts else number), Fraction(1, fps)
            container.mux(stream.encode(frame))
        assert stream is not None
        container.mux(stream.encode(None))
    return path


def _stream(
    container: av.container.OutputContainer, codec: str, fps: int, gop: int, b_frames: int, luma: Luma
) -> VideoStream:
    options = {}
    if codec in ("h264", "hevc"):
        settings = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:open-gop=0"
        quiet = ":log-level=none" if codec == "hevc" else ""
        options = {"preset": "ultrafast", f"{_ENCODERS[codec][3:]}-params": settings + quiet}
    elif codec == "vp9":
        options = {"deadline": "realtime", "cpu-used": "8", "b": "1M"}
    elif codec in ("mpeg4", "mpeg2video"):
        options = {"g": str(gop), "qscale": "3", "bf": str(b_frames)}
    stream = container.add_stream(_ENCODERS.get(codec, codec), rate=fps, options=options)
    assert isinstance(stream, VideoStream)
    stream.height, stream.width = luma.shape
    stream.pix_fmt = _PIXELS.get(codec, "yuv420p")
    stream.codec_context.thread_count = 1
    return stream


def spoil(clip: Path, numbers: Iterable[int]) -> Path:
    """Overwrite these packets, counted from 0, in place."""
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        spans = [(packets[n].pos, packets[n].size) for n in numbers]
    data = bytearray(clip.read_bytes())
    for position, size in spans:
        assert position is not None
        data[position : position + size] = bytes((7 * n + 129) % 256 for n in range(size))
    clip.write_bytes(data)
    return clip


def without(clip: Path, to: Path, numbers: Iterable[int]) -> Path:
    """A copy without these packets, counted from 0."""
    left_out = set(numbers)
    with av.open(str(clip)) as source, av.open(str(to), "w") as sink:
        stream = sink.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(packet for packet in source.demux(video=0) if packet.size):
            if number not in left_out:
                packet.stream = stream
                sink.mux(packet)
    return to


def one_after_the_other(parts: Iterable[Path], to: Path) -> Path:
    """The packets of several clips as one stream, whatever their sizes."""
    with av.open(str(to), "w") as sink:
        stream: VideoStream | None = None
        number = 0
        for part in parts:
            with av.open(str(part)) as source:
                given = source.streams.video[0]
                if stream is None:
                    stream = sink.add_stream_from_template(given)
                for packet in source.demux(given):
                    if packet.size:
                        packet.stream = stream
                        packet.time_base = Fraction(1, FPS)
                        packet.pts = packet.dts = number
                        packet.duration = 1
                        number += 1
                        sink.mux(packet)
    return to


def shown_later(clip: Path, to: Path, frames: int) -> Path:
    """A copy that says not to show the first frames, as editors cut without encoding anew."""
    with av.open(str(clip)) as source, av.open(str(to), "w") as sink:
        stream = sink.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None and packet.time_base:
                by = round(frames / FPS / packet.time_base)
                packet.pts, packet.dts, packet.stream = packet.pts - by, packet.dts - by, stream
                sink.mux(packet)
    return to
