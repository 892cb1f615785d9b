"""Clips made on the spot: a bright square that walks over a grey ground, once across per second."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

_ENCODERS = {"h264": "libx264", "hevc": "libx265", "mpeg4": "mpeg4", "mjpeg": "mjpeg"}


def make_clip(
    path: Path,
    *,
    codec: str = "h264",
    size: tuple[int, int] = (320, 240),
    fps: int = 10,
    seconds: float = 4,
    gop: int = 10,
    b_frames: int = 0,
    sound: bool = False,
) -> Path:
    """Write a clip, in the container that the path's ending names, with its index at the front."""
    options = {"movflags": "faststart"} if path.suffix == ".mp4" else {}
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(_ENCODERS[codec], rate=fps, options=_options(codec, gop, b_frames))
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = size
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.thread_count = 1
        if sound:
            _add_silence(container, seconds)
        for index in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(picture(size, index, fps), "gray").reformat(
                format=stream.pix_fmt
            )
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def picture(size: tuple[int, int], index: int, fps: int) -> NDArray[np.uint8]:
    """Picture `index`, in brightness."""
    width, height = size
    side = height // 4
    left = round((width - side) * (index % fps) / fps)
    pixels = np.full((height, width), 90, np.uint8)
    pixels[side : 2 * side, left : left + side] = 220
    return pixels


def _options(codec: str, gop: int, b_frames: int) -> dict[str, str]:
    if codec == "mjpeg":
        return {}
    if codec == "mpeg4":
        return {"g": str(gop)}
    settings = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:open-gop=0"
    quiet = ":log-level=none" if codec == "hevc" else ""
    return {"preset": "ultrafast", f"{_ENCODERS[codec][3:]}-params": settings + quiet}


def _add_silence(container: av.container.OutputContainer, seconds: float) -> None:
    stream = container.add_stream("aac", rate=8000)
    stream.codec_context.layout = "mono"
    silence = av.AudioFrame.from_ndarray(np.zeros((1, round(8000 * seconds)), np.float32), "fltp", "mono")
    silence.sample_rate, silence.pts, silence.time_base = 8000, 0, Fraction(1, 8000)
    container.mux(stream.encode(silence))
    container.mux(stream.encode(None))
