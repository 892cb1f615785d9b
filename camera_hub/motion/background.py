"""What each pixel usually is, and what differs from it now.

Promises: slow light, sensor noise and the same swaying leaf again and again become usual; a
change of light over the picture is estimated and taken out before anything is called different;
all rates are per second of stream time, so that 5 and 30 frames per second learn alike.
Relies on tones (see frame.py). Float arithmetic is elementwise numpy or sums of small whole
numbers, so that results do not depend on the order in which threads finish.
"""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from camera_hub.motion.exact import Exact
from camera_hub.motion.frame import CELL, cell_share

MEAN_S = 4.0  # time constant of the mean where nothing differs
UNPROVEN_S = 6.0  # ... where something differs that has not been believed
HELD_S = 90.0  # ... where a mover is
SPREAD_AT = 0.8  # the spread is the deviation that this share of the time stays within
SPREAD_UP = 0.7  # a second; the spread's growth while it is exceeded
LEAST_SPREAD, MOST_SPREAD = 0.7, 40.0  # tones
LIGHT_S = 0.4  # the mean follows a change of light this fast
LOCAL_LIGHT = 40  # tones by which the light of a part may differ from that of the whole
LIGHT_CELLS = 11  # cells over which local light is the same
RECENT_US = 400_000  # "a moment ago": long enough for a slow mover to show, short for a still one to rest
START_S = 1.0  # first look at a scene: the mean is a plain average

Grid = NDArray[np.uint8]  # one number 0..255 a cell


@dataclass(frozen=True)
class Difference:
    """How the picture differs from its background, by cells (each a share 0..255 of the cell's pixels)."""

    different: Grid  # pixels that differ
    structured: Grid  # pixels where the difference has an edge: a thing, not light
    moving: Grid  # pixels that also differ from a moment ago
    strength: Grid  # difference in tones, at the cell's middle
    light: NDArray[np.int16]  # the light taken out, in tones


class Background:
    """Mean and spread of every pixel."""

    def __init__(self, tone: NDArray[np.uint8], t_us: int, exact: Exact, visible: NDArray[np.bool_]) -> None:
        """Starts with `tone` as all that is known; `visible` says which cells no mask hides."""
        self._visible = visible
        self._exact = exact
        height, width = tone.shape
        self.grid = (height // CELL, width // CELL)
        self._mean = tone.astype(np.float32)
        self._spread = np.full(tone.shape, 2.0, np.float32)
        self._zero = np.zeros(tone.shape, np.int16)
        self._nothing = np.zeros(self.grid, np.uint8)
        self._no_light = np.zeros(self.grid, np.int16)
        self._learned_s = 0.0
        self._recent: list[tuple[int, NDArray[np.uint8]]] = [(t_us, tone)]
        self._cache()

    def _cache(self) -> None:
        self._mean8 = np.rint(self._mean).astype(np.int16)
        limit = self._exact.least_tones + self._exact.spreads * self._spread
        self._limit = np.minimum(limit, 255.0).astype(np.int16)
        self._limit8 = self._limit.astype(np.uint8)

    def compare(self, tone: NDArray[np.uint8]) -> Difference:
        """What differs now; teaches nothing."""
        signed = cv2.subtract(tone.astype(np.int16), self._mean8)
        if self._quiet(signed):
            return Difference(*(self._nothing,) * 4, light=self._no_light)
        edges = cv2.morphologyEx(signed, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
        structured = cv2.compare(edges, self._limit, cv2.CMP_GT)
        structure_cells = cell_share(structured)
        light = self._light(signed, structure_cells)
        size = (tone.shape[1], tone.shape[0])
        if np.abs(light).max() > 1:
            signed = cv2.subtract(signed, cv2.resize(light, size, interpolation=cv2.INTER_LINEAR))
        gap = cv2.absdiff(signed, self._zero)
        different = cv2.compare(gap, self._limit, cv2.CMP_GT)
        moved = cv2.compare(cv2.absdiff(tone, self._recent[0][1]), self._limit8, cv2.CMP_GT)
        moved = cv2.bitwise_and(moved, different)
        return Difference(
            different=cell_share(different),
            structured=cell_share(cv2.bitwise_and(structured, different)),
            moving=cell_share(moved),
            strength=np.minimum(gap[CELL // 2 :: CELL, CELL // 2 :: CELL], 255).astype(np.uint8),
            light=light,
        )

    def _quiet(self, signed: MatLike) -> bool:
        """Whether too little differs to be anything: most frames of most nights end here."""
        gap = cv2.absdiff(signed, self._zero)
        return cv2.countNonZero(cv2.compare(gap, self._limit, cv2.CMP_GT)) < self._exact.least_area

    def _light(self, signed: MatLike, structured: Grid) -> NDArray[np.int16]:
        """The change of light by cells: smooth, the same over a neighbourhood, without edges."""
        rows, columns = self.grid
        shift = cv2.resize(signed, (columns, rows), interpolation=cv2.INTER_AREA)
        open_ = np.sort(shift[self._visible])
        whole = int(open_[open_.size // 2]) if open_.size else 0
        plain = ((structured == 0) & self._visible).astype(np.float32)
        window = (LIGHT_CELLS, LIGHT_CELLS)
        known = cv2.boxFilter(plain, -1, window, normalize=False, borderType=cv2.BORDER_REFLECT)
        total = cv2.boxFilter(plain * shift, -1, window, normalize=False, borderType=cv2.BORDER_REFLECT)
        local = np.where(known >= 20, total / np.maximum(known, 1), whole)
        light: NDArray[np.int16] = np.rint(np.clip(local, whole - LOCAL_LIGHT, whole + LOCAL_LIGHT)).astype(
            np.int16
        )
        return light

    def learn(
        self, tone: NDArray[np.uint8], t_us: int, dt_s: float, seen: Difference, held: NDArray[np.bool_]
    ) -> None:
        """Move towards `tone`, by `dt_s` seconds' worth.

        `held` says by cells where believed movers are: there the background waits.
        """
        self._learned_s += dt_s
        start = dt_s / self._learned_s if self._learned_s < START_S else 0.0
        free = max(1 - np.exp(-dt_s / MEAN_S), start)
        unproven = max(1 - np.exp(-dt_s / UNPROVEN_S), start)
        keep = 1 - np.exp(-dt_s / HELD_S)
        away = tone - self._mean
        if seen.different is self._nothing and not held.any():
            self._learn_spread(np.abs(away), None, dt_s)
            away *= np.float32(free)
        else:
            differs = seen.different >= 64
            rate = np.where(held, keep, np.where(differs, unproven, free)).astype(np.float32)
            light = _pixels(seen.light.astype(np.float32))
            unlike = held | (differs & (seen.structured < seen.different // 8))
            self._learn_spread(np.abs(away - light), unlike, dt_s)
            # Never past the pixel's own difference: neighbours' light alone would let the mean run off.
            plain = np.clip(light, np.minimum(away, 0), np.maximum(away, 0))
            plain *= np.float32(1 - np.exp(-dt_s / LIGHT_S))
            away *= _pixels(rate)
            away += plain
        self._mean += away
        self._cache()
        self._recent.append((t_us, tone))
        while len(self._recent) > 2 and self._recent[1][0] <= t_us - RECENT_US:
            self._recent.pop(0)

    def _learn_spread(self, rough: NDArray[np.float32], held: NDArray[np.bool_] | None, dt_s: float) -> None:
        """Follow the deviation that is exceeded a fifth of the time.

        It goes up and down by factors, not by how far a pixel strayed: a mover or a lamp that
        passes teaches little, a leaf that comes again and again teaches all.
        """
        hurry = 1 + 3 * START_S / (START_S + self._learned_s)
        up = np.float32(np.exp(SPREAD_UP * dt_s * hurry))
        down = np.float32(np.exp(-SPREAD_UP * dt_s * hurry * (1 - SPREAD_AT) / SPREAD_AT))
        factor = np.where(rough > self._spread, up, down)
        if held is not None:
            factor[_pixels(held)] = np.float32(1)
        self._spread *= factor
        np.clip(self._spread, np.float32(LEAST_SPREAD), np.float32(MOST_SPREAD), out=self._spread)

    def absorb(self, tone: NDArray[np.uint8], cells: NDArray[np.bool_]) -> None:
        """What is in `cells` now is background from now on."""
        pixels = _pixels(cells)
        self._mean[pixels] = tone[pixels]
        self._cache()

    def restart(self, tone: NDArray[np.uint8]) -> None:
        """The scene has changed as a whole: `tone` is the background; what its noise is, is kept."""
        self._mean = tone.astype(np.float32)
        self._learned_s = min(self._learned_s, START_S / 2)
        self._cache()

    def edge_gain(self, tone: NDArray[np.uint8], cells: NDArray[np.bool_]) -> float:
        """How much more edge the picture has around the rim of `cells` than the background, -1..1.

        A thing that is there brings edges (> 0); the hole that a thing has left lost them (< 0).
        """
        inner = cells.astype(np.uint8)
        kernel = np.ones((3, 3), np.uint8)
        rim = cv2.dilate(inner, kernel) - cv2.erode(
            inner, kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        pixels = _pixels(rim.astype(bool))
        now = cv2.morphologyEx(tone, cv2.MORPH_GRADIENT, kernel)[pixels].astype(np.int64).sum()
        then = cv2.morphologyEx(self._mean8, cv2.MORPH_GRADIENT, kernel)[pixels].astype(np.int64).sum()
        return float(now - then) / float(max(1, now + then))


Number = TypeVar("Number", bound=np.generic)


def _pixels(cells: NDArray[Number]) -> NDArray[Number]:
    """A grid of cells as an array of pixels."""
    return cells.repeat(CELL, axis=1).repeat(CELL, axis=0)
