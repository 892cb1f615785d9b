"""Plates: empty stretches of the real clips, as stills and as moving pictures.

Relies on the folder of labelled clips. Places in a plate are fractions of the source picture.
Promises: the same clip gives the same plate; what is read is kept for the process's life.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Span = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in fractions."""

WIDEST = 960  # px; clips are read no larger than this


@dataclass(frozen=True)
class PlateSpec:
    """What is known of a plate, by looking at it."""

    name: str
    clip: str
    still: tuple[Span, ...]  # seconds in which nobody is there
    light: str  # day, dusk, night, indoor
    crop: Box = (0, 0, 1, 1)
    far: tuple[float, float] = (
        0.5,
        0.1,
    )  # where the feet of the farthest mover are, and how tall a person is there
    near: tuple[float, float] = (0.98, 0.5)
    lane: Span = (0.0, 1.0)  # where people may stand
    moving: Span | None = None  # a stretch that moves by itself
    loop: bool = False  # it cannot run backwards (rain)
    busy: bool = False  # always full of movers: the still is the median of all
    sharp: bool = False  # the median would blur what sways: take one frame
    green: tuple[Box, ...] = ()  # what sways in the wind
    lamps: tuple[tuple[float, float], ...] = ()
    fronts: tuple[Box, ...] = ()  # what stands before the movers: foot line = its bottom
    movers: tuple[str, ...] = ("walk",)


PLATES = {
    spec.name: spec
    for spec in (
        PlateSpec(
            "car-park",
            "dusk-car-park",
            ((0, 1.0), (6.7, 8.0)),
            "dusk",
            far=(0.58, 0.085),
            near=(0.97, 0.5),
            lamps=((0.49, 0.04), (0.78, 0.45)),
            green=((0.05, 0.1, 0.33, 0.5), (0.83, 0.2, 1.0, 0.5)),
            movers=("walk", "bike", "stand"),
        ),
        PlateSpec(
            "rain-yard",
            "heavy-rain",
            ((0, 12.6),),
            "day",
            crop=(0, 0.16, 1, 0.62),
            far=(0.40, 0.13),
            near=(0.62, 0.26),
            lane=(0.0, 0.85),
            moving=(0, 12.0),
            loop=True,
            green=((0.1, 0.15, 0.9, 0.4),),
            lamps=((0.12, 0.2),),
            movers=("walk", "bike", "stand"),
        ),
        PlateSpec(
            "lane",
            "lane-motorbikes",
            ((5, 8), (15, 17.6), (20.7, 23), (26.2, 28.8)),
            "day",
            crop=(0, 0.055, 1, 0.945),
            far=(0.34, 0.24),
            near=(0.93, 0.36),
            moving=(15.0, 17.5),
            green=((0, 0.15, 0.13, 0.5),),
            lamps=((0.9, 0.1),),
            movers=("walk", "bike", "car", "stand"),
        ),
        PlateSpec(
            "bend",
            "motorway-bend",
            ((0, 29.5),),
            "day",
            crop=(0, 0.17, 1, 1),
            busy=True,
            far=(0.30, 0.055),
            near=(0.98, 0.34),
            lane=(0.1, 0.95),
            green=((0, 0.17, 0.5, 0.35),),
            lamps=((0.75, 0.2),),
            movers=("walk", "bike", "car"),
        ),
        PlateSpec(
            "fields",
            "motorway",
            ((0, 23),),
            "day",
            busy=True,
            far=(0.46, 0.06),
            near=(0.98, 0.42),
            green=((0, 0.2, 0.35, 0.4), (0.6, 0.22, 1, 0.38)),
            lamps=((0.84, 0.27),),
            movers=("walk", "bike", "car"),
        ),
        PlateSpec(
            "yard",
            "night-yard",
            ((8.6, 11.8),),
            "night",
            far=(0.66, 0.27),
            near=(0.99, 0.46),
            lane=(0.05, 0.75),
            moving=(8.6, 11.8),
            green=((0, 0.1, 0.3, 0.7), (0.27, 0.08, 0.82, 0.5)),
            lamps=((0.54, 0.31),),
            fronts=((0.56, 0.66, 0.9, 1.0),),
            movers=("walk", "night", "stand"),
        ),
        PlateSpec(
            "asphalt",
            "road-from-above",
            ((0, 20),),
            "dusk",
            busy=True,
            far=(0.3, 0.24),
            near=(0.99, 0.3),
            lamps=((0.1, 0.1), (0.9, 0.5)),
            movers=("walk", "bike", "car"),
        ),
        PlateSpec(
            "street",
            "street-cloud-light",
            ((0, 4.9),),
            "day",
            crop=(0, 0.2, 1, 0.76),
            moving=(0, 4.9),
            far=(0.44, 0.045),
            near=(0.8, 0.32),
            lane=(0.3, 0.95),
            green=((0, 0.2, 0.55, 0.6), (0.78, 0.3, 1, 0.75)),
            lamps=((0.28, 0.52), (0.6, 0.35)),
            movers=("walk", "bike", "stand"),
        ),
        PlateSpec(
            "foliage",
            "turned-foliage",
            ((0, 11.8),),
            "dusk",
            crop=(0.18, 0.12, 0.98, 0.46),
            sharp=True,
            moving=(0, 11.8),
            far=(0.45, 0.16),
            near=(0.5, 0.26),
            green=((0.2, 0.1, 1, 0.5),),
            lamps=((0.26, 0.13),),
            movers=("walk",),
        ),
        PlateSpec(
            "steps",
            "turned-foliage",
            ((0, 11.8),),
            "dusk",
            crop=(0.0, 0.4, 0.95, 0.84),
            moving=(0, 11.8),
            far=(0.66, 0.2),
            near=(0.84, 0.34),
            lane=(0.15, 0.9),
            green=((0.3, 0.35, 1, 0.85),),
            movers=("walk", "stand"),
        ),
        PlateSpec(
            "under-roof",
            "turned-foliage",
            ((15.5, 18.3),),
            "day",
            crop=(0, 0.3, 1, 0.86),
            sharp=True,
            far=(0.78, 0.2),
            near=(0.88, 0.34),
            green=((0.3, 0.3, 1, 0.75),),
            movers=("walk",),
        ),
        PlateSpec(
            "room",
            "visitors-one-by-one",
            ((0, 5.5), (46, 50), (71, 74), (88, 91.5)),
            "indoor",
            moving=(0, 5.5),
            far=(0.74, 0.6),
            near=(0.99, 0.86),
            lamps=((0.3, 0.2), (0.7, 0.1)),
            movers=("walk", "stand"),
        ),
        PlateSpec(
            "tree",
            "waving-tree",
            ((0, 47.5),),
            "day",
            sharp=True,
            moving=(0, 47.5),
            far=(0.96, 0.16),
            near=(1.02, 0.72),
            crop=(0, 0.02, 1, 1),
            green=((0.25, 0, 1, 1),),
            movers=("walk", "bust"),
        ),
        PlateSpec(
            "winter",
            "winter-garden",
            ((0, 0.9),),
            "day",
            far=(0.74, 0.42),
            near=(1.0, 0.78),
            green=((0, 0.05, 0.4, 0.6), (0.5, 0, 1, 0.45)),
            fronts=((0.675, 0.3, 0.73, 0.8),),
            movers=("walk", "stand"),
        ),
    )
}


@dataclass
class Footage:
    """Reads stretches of the clips in `folder`, each once."""

    folder: Path
    _kept: dict[tuple[str, float, float], tuple[Array, float]] = field(default_factory=dict)
    _stills: dict[str, Array] = field(default_factory=dict)

    def stretch(self, clip: str, start_s: float, end_s: float, every: int = 1) -> tuple[Array, float]:
        """Frames as (n, height, width, 3) uint8 BGR, and how many of them a second has."""
        key = (f"{clip}/{every}", start_s, end_s)
        if key not in self._kept:
            self._kept[key] = self._read(clip, start_s, end_s, every)
        return self._kept[key]

    def _read(self, clip: str, start_s: float, end_s: float, every: int) -> tuple[Array, float]:
        video = cv2.VideoCapture(str(self.folder / f"{clip}.mp4"))
        fps = float(video.get(cv2.CAP_PROP_FPS))
        frames, number = [], 0
        while number / fps < end_s and video.grab():
            if number / fps >= start_s and number % every == 0:
                frame = video.retrieve()[1]
                scale = WIDEST / frame.shape[1]
                frames.append(
                    frame if scale >= 1 else cv2.resize(frame, None, fx=scale, fy=scale, interpolation=3)
                )
            number += 1
        video.release()
        if not frames:
            raise FileNotFoundError(f"{self.folder / clip}.mp4 has no frame from {start_s} to {end_s} s")
        return np.array(frames), fps / every

    def still(self, spec: PlateSpec) -> Array:
        """The empty scene as one uint8 BGR picture."""
        if spec.name not in self._stills:
            every = 8 if spec.busy or sum(end - start for start, end in spec.still) > 8 else 2
            parts = [self._read(spec.clip, *span, every)[0] for span in spec.still]
            frames = np.concatenate(parts)
            middle = (
                frames[len(frames) // 2] if spec.sharp else np.median(frames[:90], axis=0).astype(np.uint8)
            )
            self._stills[spec.name] = np.ascontiguousarray(middle)
        return self._stills[spec.name]
