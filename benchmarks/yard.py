"""A yard to film for as long as one likes, quiet or busy, as cameras of all makes would encode it.

What the sensor's noise is after a camera's noise reduction, is made as cameras make it: each
picture is mixed with the ones before. Promises that the same call gives the same clip.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Luma = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Visit:
    """Somebody crosses the yard, from left to right."""

    start_s: float
    seconds: float
    tall: float  # of the picture's width; 8 of 320 px is the smallest that matters
    foot: float = 0.7  # where, of the picture's height
    way: tuple[float, float] = (0.1, 0.9)  # from and to, of the picture's width
    contrast: float = 45  # tones


@dataclass(frozen=True)
class Yard:
    """What is to be seen."""

    seconds: float
    size: tuple[int, int] = (640, 360)
    fps: int = 10
    noise: float = 2.0  # tones, of the sensor
    kept: float = 0.85  # of the pictures before, by the noise reduction; 0: there is none
    visits: Sequence[Visit] = ()
    night_s: float | None = None  # from then on it is darker, with three times the noise
    frozen_s: float | None = None  # from then on the camera repeats its last picture
    seed: int = 1


@dataclass(frozen=True)
class Encoding:
    """How it is encoded. Options are those of libx264 (or `codec`)."""

    gop_s: float = 2.0
    codec: str = "libx264"
    options: Mapping[str, str] = field(default_factory=lambda: {"crf": "28"})
    keyframes_s: Sequence[float] | None = None  # where they are instead of every `gop_s`


def pictures(yard: Yard) -> Iterator[Luma]:
    """The brightness of one picture after the other."""
    random = np.random.default_rng(yard.seed)
    ground = _ground(random, yard.size)
    reduced = np.zeros_like(ground)
    pool = [random.normal(0, 1, ground.shape).astype(np.float32) for _ in range(12)]
    luma: Luma | None = None
    for number in range(round(yard.seconds * yard.fps)):
        t_s = number / yard.fps
        if luma is not None and yard.frozen_s is not None and t_s >= yard.frozen_s:
            yield luma
            continue
        picture, noise = ground.copy(), yard.noise
        for visit in yard.visits:
            if visit.start_s <= t_s < visit.start_s + visit.seconds:
                _draw(picture, visit, t_s)
        if yard.night_s is not None and t_s >= yard.night_s:
            picture, noise = picture * 0.5, noise * 3
        raw = np.roll(pool[int(random.integers(len(pool)))], tuple(random.integers(0, 200, 2)), (0, 1))
        reduced = yard.kept * reduced + (1 - yard.kept) * noise * raw
        luma = np.clip(picture + reduced + 0.5, 0, 255).astype(np.uint8)
        yield luma


def film(path: Path, yard: Yard, encoding: Encoding) -> Path:
    """The yard as a clip."""
    width, height = yard.size
    grey = np.full((height // 2, width), 128, np.uint8)
    marks = None if encoding.keyframes_s is None else {round(t * yard.fps) for t in encoding.keyframes_s}
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(encoding.codec, rate=yard.fps)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        gop = round(encoding.gop_s * yard.fps) if marks is None else 10**5
        stream.codec_context.gop_size = gop
        params = {"libx264": "x264-params", "libx265": "x265-params"}[encoding.codec]
        own = encoding.options.get(params, "")
        base = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:rc-lookahead=0:threads=1"
        if encoding.codec == "libx265":
            base = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:log-level=error"
        stream.options = {
            "preset": "veryfast",
            "threads": "1",
            **encoding.options,
            params: f"{base}:{own}" if own else base,
        }
        for number, luma in enumerate(pictures(yard)):
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")
            if marks is not None and number in marks:
                frame.pict_type = av.video.frame.PictureType.I
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _ground(random: np.random.Generator, size: tuple[int, int]) -> Floats:
    """Walls, a path, and rough ground: grain of several sizes."""
    width, height = size
    ground = np.full((height, width), 110, np.float32)
    for cell, strength in ((80, 25.0), (20, 10.0), (6, 7.0), (2, 5.0)):
        coarse = random.normal(0, strength, (height // cell + 2, width // cell + 2)).astype(np.float32)
        ground += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(8):
        left, top = int(random.integers(0, width)), int(random.integers(0, height // 2))
        cv2.rectangle(
            ground,
            (left, top),
            (left + width // 9, top + height // 6),
            float(random.integers(50, 190)),
            -1,
        )
    return np.clip(ground, 20, 230).astype(np.float32)


def _draw(picture: Floats, visit: Visit, t_s: float) -> None:
    """A figure: head, body, and two legs that swing. Drawn to a sixteenth of a pixel."""
    height, width = picture.shape
    tall = visit.tall * width
    way = (t_s - visit.start_s) / visit.seconds
    x, foot = (visit.way[0] + way * (visit.way[1] - visit.way[0])) * width, visit.foot * height
    here = float(picture[min(int(foot - tall / 2), height - 1), min(max(int(x), 0), width - 1)])
    tone = here - visit.contrast if here > 115 else here + visit.contrast
    swing = np.sin(t_s * 7) * tall * 0.17

    def at(px: float, py: float) -> tuple[int, int]:
        return round(px * 16), round(py * 16)

    thick = max(round(tall / 9), 1)
    for leg in (-swing, swing):
        cv2.line(
            picture, at(x, foot - tall * 0.5), at(x + leg, foot), tone, thick, lineType=cv2.LINE_8, shift=4
        )
    cv2.ellipse(
        picture,
        at(x, foot - tall * 0.65),
        at(max(tall * 0.14, 1), tall * 0.25),
        0,
        0,
        360,
        tone,
        -1,
        shift=4,
    )
    cv2.circle(picture, at(x, foot - tall * 0.93), round(max(tall * 0.09, 0.8) * 16), tone + 25, -1, shift=4)
