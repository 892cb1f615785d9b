"""The scenes of tests as clips with labels: ground, noise, and squares that walk where they are told to."""

import json
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from tests.unit.motion_scenes import FPS, SIZE, film, square

Walk = tuple[float, float]
"""(start, end) in seconds of one who crosses the picture."""


def scene(
    path: Path,
    seconds: float,
    walks: Sequence[Walk],
    *,
    labels: Iterable[Walk] | None = None,
    size_px: tuple[float, float] = (14, 30),
    tones: float | None = None,
    seed: int = 1,
    conditions: Sequence[str] = (),
) -> Path:
    """Write a clip and its labels (those of `walks` unless others are given).

    `size_px` is (width, height) of who walks, in a picture of 320 x 180; `tones` how much brighter
    than the ground he is, where he is not dark with a light stripe.
    """

    def paint(picture: NDArray[np.float64], t_s: float) -> None:
        for start, end in walks:
            if start <= t_s < end:
                x = 20 + (SIZE[0] - 40) * (t_s - start) / (end - start)
                if tones is None:
                    square(picture, x, 120, *size_px)
                else:
                    left, top = round(x - size_px[0] / 2), round(120 - size_px[1])
                    picture[top:120, left : left + round(size_px[0])] += tones

    write(path, film(seconds, paint, seed=seed), FPS)
    known = walks if labels is None else labels
    spans = [{"start_s": start, "end_s": end, "what": "square"} for start, end in known]
    document = {"events": spans, "maybe": [], "tamper": [], "conditions": list(conditions)}
    path.with_name(f"{path.stem}.events.json").write_text(json.dumps(document))
    return path


def write(path: Path, frames: Iterable[tuple[NDArray[np.uint8], int]], fps: int) -> None:
    """Frames of brightness as H.264 with a keyframe every two seconds."""
    options = {"preset": "ultrafast", "crf": "16", "x264-params": f"keyint={2 * fps}:scenecut=0:bframes=0"}
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps, options=options)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        for n, (luma, _) in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(luma, "gray").reformat(format="yuv420p")
            frame.pts, frame.time_base = n, Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
