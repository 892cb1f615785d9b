"""A lane to film: a clip on which a walker crosses now and then, made in a moment."""

from collections.abc import Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Crossing = tuple[float, float]
"""(from, to) in seconds: a walker enters at the left and leaves at the right."""


def make_lane(
    path: Path,
    seconds: float = 24,
    crossings: Sequence[Crossing] = ((6, 10), (17, 21)),
    size: tuple[int, int] = (640, 360),
    fps: int = 10,
    gop_s: float = 2,
    seed: int = 1,
) -> Path:
    """An H.264 clip as a camera would send it: fixed GOP, no B-frames, some noise."""
    random = np.random.default_rng(seed)
    width, height = size
    empty = ground(random, width, height)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = round(gop_s * fps)
        stream.options = {"preset": "veryfast", "bf": "0", "sc_threshold": "0", "crf": "26"}
        for number in range(round(seconds * fps)):
            picture = empty.copy()
            for begin, end in crossings:
                if begin <= number / fps < end:
                    walker(picture, (number / fps - begin) / (end - begin), number)
            noisy = picture.astype(np.int16) + random.integers(-2, 3, picture.shape, dtype=np.int16)
            frame = av.VideoFrame.from_ndarray(np.clip(noisy, 0, 255).astype(np.uint8), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def ground(random: np.random.Generator, width: int, height: int) -> NDArray[np.uint8]:
    """The lane without anybody, BGR."""
    coarse = random.integers(70, 140, (height // 12, width // 12, 3), dtype=np.uint8)
    ground: NDArray[np.uint8] = np.asarray(
        cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), dtype=np.uint8
    )
    cv2.fillPoly(
        ground,
        [
            np.array(
                [(width * 0.4, height * 0.3), (width * 0.6, height * 0.3), (width, height), (0, height)], int
            )
        ],
        (128, 130, 132),
    )
    return ground


def walker(picture: NDArray[np.uint8], way: float, number: int) -> None:
    """Draw somebody who has come so far, 0..1, in the picture of that number."""
    height, width = picture.shape[:2]
    tall = height // 4
    x, foot = round(way * (width + tall) - tall / 2), round(height * 0.8)
    swing = round(np.sin(number * 1.3) * tall * 0.15)
    for leg in (-swing, swing):
        cv2.line(picture, (x, foot - tall // 2), (x + leg, foot), (40, 35, 30), tall // 9)
    cv2.ellipse(picture, (x, foot - tall * 2 // 3), (tall // 7, tall // 4), 0, 0, 360, (40, 60, 200), -1)
    cv2.circle(picture, (x, foot - tall), tall // 9, (200, 210, 220), -1)
