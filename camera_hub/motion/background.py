"""What each pixel usually is, and what differs from it now.

Promises: slow light, sensor noise and the same swaying leaf again and again become usual; a
change of light over the picture is estimated and taken out before anything is called different;
all rates are per second of stream time, so that 5 and 30 frames per second learn alike.
Relies on tones (see frame.py). Every pass over the pixels is of whole numbers, or of fractions that
a float holds exactly, so that results are the same on any processor and number of threads.

A hub looks at many cameras with a small processor, and each frame finds the caches cold. Hence
bytes wherever they suffice, buffers that are kept, and as few passes as possible: most frames
show nothing and end after the first three.
"""

import math
from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from camera_hub.motion.exact import Exact
from camera_hub.motion.frame import CELL, cell_share
from camera_hub.motion.spread import START_S, Picture, Spread

MEAN_S = 4.0  # time constant of the mean where nothing differs
UNPROVEN_S = 6.0  # ... where something differs that has not been believed
HELD_S = 90.0  # ... where a mover is
LIGHT_S = 0.4  # the mean follows a change of light this fast
LOCAL_LIGHT = 40  # tones by which the light of a part may differ from that of the whole
LIGHT_CELLS = 11  # cells over which local light is the same
LEAST_KNOWN = 20  # cells without edges among them; with fewer, light is that of the whole picture
LEAST_LIGHT = 2  # tones; a smaller change of light is left to the mean
RECENT_US = 400_000  # "a moment ago": long enough for a slow mover to show, short for a still one to rest

LEAST_CONTRAST = 8  # tones; less has no edge to speak of
LEAST_TEXTURE = 6  # cells; over fewer, two textures are alike by chance
THINNEST = 0.1  # px², the variance across a line
LEAST_EDGE = 6  # px; with fewer nothing can be said

ACTIVE = 64  # of 255: a cell counts when a quarter of it differs

Grid = NDArray[np.uint8]  # one number 0..255 a cell
Mean = NDArray[np.int16]  # tones in units of 1 / PARTS
PARTS = 128

_AROUND = np.ones((3, 3), np.uint8)
_IN_PARTS = (np.arange(256) * PARTS).astype(np.int16)


class Pace:
    """A time constant in steps of 1/2, 1/4, 1/8 …: what is then over is owed to the next time.

    Only such a share of a 16-bit number is exact in a float, and so the same everywhere.
    """

    MOST_HALVINGS = 9
    ROUNDS = 2

    def __init__(self, constant_s: float) -> None:
        self._constant_s = constant_s
        self._owed_s = 0.0

    def shares(self, dt_s: float, start: float = 0.0) -> list[float]:
        """By which shares to go towards the target now, one after the other, for `dt_s` seconds.

        At least about `start`, for a scene that is new.
        """
        self._owed_s = min(self._owed_s + dt_s, self._constant_s)
        if start > 0 and start > 1 - math.exp(-self._owed_s / self._constant_s):
            self._owed_s = 0.0
            return [0.5 ** round(-math.log2(start))]
        shares: list[float] = []
        while len(shares) < self.ROUNDS:
            share = 1 - math.exp(-self._owed_s / self._constant_s)
            halvings = math.ceil(-math.log2(share)) if share > 0 else self.MOST_HALVINGS + 1
            if halvings > self.MOST_HALVINGS:
                break
            shares.append(0.5**halvings)
            self._owed_s -= -self._constant_s * math.log1p(-(0.5**halvings))
        return shares


@dataclass(frozen=True)
class Difference:
    """How the picture differs from its background, by cells (each a share 0..255 of the cell's pixels)."""

    different: Grid  # pixels that differ
    structured: Grid  # pixels where the difference has an edge: a thing, not light
    moving: Grid  # pixels that also differ from a moment ago
    strength: Grid  # difference in tones, at the cell's middle
    light: NDArray[np.int16] | None  # the light taken out, in tones; None where there is none
    gap: Picture  # what each pixel differs by, in tones, without the light; good until the next comparison
    quiet: bool = False  # too little differs to be anything


class Background:
    """Mean and spread of every pixel."""

    def __init__(self, tone: Picture, t_us: int, exact: Exact, visible: NDArray[np.bool_]) -> None:
        """Starts with `tone` as all that is known; `visible` says which cells no mask hides."""
        self._visible = visible
        self._least_area = exact.least_area
        height, width = tone.shape
        self.grid = (height // CELL, width // CELL)
        self._mean: Mean = _in_parts(tone)
        self._mean8 = tone.copy()
        self._mean_cells: Grid | None = None
        self._spread = Spread(tone.shape, exact)
        self._nothing = np.zeros(self.grid, np.uint8)
        self._learned_s = 0.0
        self._free, self._unproven, self._held, self._follow = (
            Pace(constant_s) for constant_s in (MEAN_S, UNPROVEN_S, HELD_S, LIGHT_S)
        )
        self._recent: list[tuple[int, Picture]] = [(t_us, tone)]
        self._gap, self._above, self._below, self._edges = (np.empty_like(tone) for _ in range(4))
        # One above the other, so that all three are counted by cells at once.
        self._masks = np.empty((3 * height, width), np.uint8)

    def _mean_changed(self) -> None:
        cv2.convertScaleAbs(self._mean, self._mean8, 1 / PARTS)
        self._mean_cells = None

    def compare(self, tone: Picture) -> Difference:
        """What differs now; teaches nothing."""
        height = tone.shape[0]
        different, structured, moving = (self._masks[n * height : (n + 1) * height] for n in range(3))
        limit, gap = self._spread.limit, self._gap
        cv2.absdiff(tone, self._mean8, gap)
        cv2.compare(gap, limit, cv2.CMP_GT, different)
        if cv2.countNonZero(different) < self._least_area or not cv2.countNonZero(
            active(cell_share(different))
        ):
            return Difference(*(self._nothing,) * 4, light=None, gap=gap, quiet=True)
        cv2.compare(self._difference_edges(tone), self._spread.edge_limit, cv2.CMP_GT, structured)
        light = self._light(tone, cell_share(structured))
        if light is not None:
            self._without_light(tone, light)
            cv2.compare(gap, limit, cv2.CMP_GT, different)
        cv2.bitwise_and(structured, different, structured)
        cv2.compare(cv2.absdiff(tone, self._recent[0][1], self._edges), limit, cv2.CMP_GT, moving)
        cv2.bitwise_and(moving, different, moving)
        rows = self.grid[0]
        shares = cell_share(self._masks)
        return Difference(
            different=shares[:rows],
            structured=shares[rows : 2 * rows],
            moving=shares[2 * rows :],
            strength=gap[CELL // 2 :: CELL, CELL // 2 :: CELL].copy(),
            light=light,
            gap=gap,
        )

    def _difference_edges(self, tone: Picture) -> Picture:
        """How much the signed difference varies around each pixel.

        What lies above and below the mean varies apart: where both are near, the steps from and to
        zero add up. So bytes do for a difference of -255..255.
        """
        above, below, edges = self._above, self._below, self._edges
        cv2.morphologyEx(cv2.subtract(tone, self._mean8, above), cv2.MORPH_GRADIENT, _AROUND, edges)
        cv2.morphologyEx(cv2.subtract(self._mean8, tone, above), cv2.MORPH_GRADIENT, _AROUND, below)
        return np.asarray(cv2.add(edges, below, edges), np.uint8)

    def _light(self, tone: Picture, structured: Grid) -> NDArray[np.int16] | None:
        """The change of light by cells: smooth, the same over a neighbourhood, without edges."""
        if self._mean_cells is None:
            self._mean_cells = cell_share(self._mean8)
        shift = cv2.subtract(cell_share(tone), self._mean_cells, dtype=cv2.CV_16S)
        plain = ((structured == 0) & self._visible).astype(np.int16)
        known = np.maximum(_around(plain), 1)
        local = (2 * _around(cv2.multiply(shift, plain)) + known) // (2 * known)
        open_ = np.sort(shift[self._visible])
        whole = int(open_[open_.size // 2]) if open_.size else 0
        local[known < LEAST_KNOWN] = whole
        if np.abs(local).max() < LEAST_LIGHT:
            return None
        light: NDArray[np.int16] = np.clip(local, whole - LOCAL_LIGHT, whole + LOCAL_LIGHT).astype(np.int16)
        return light

    def _without_light(self, tone: Picture, light: NDArray[np.int16]) -> None:
        """Brings `_gap` to what is left of the difference."""
        signed = cv2.subtract(tone, self._mean8, dtype=cv2.CV_16S)
        # As bytes, for which there is a scaling that is the same on every processor.
        least = int(light.min())
        above_least = cv2.subtract(light, np.full_like(light, least), dtype=cv2.CV_8U)
        size = (tone.shape[1], tone.shape[0])
        pixels = cv2.resize(above_least, size, interpolation=cv2.INTER_LINEAR_EXACT)
        cv2.subtract(signed, pixels, signed, dtype=cv2.CV_16S)
        signed -= np.int16(least)
        cv2.convertScaleAbs(signed, self._gap)

    def learn(
        self, tone: Picture, t_us: int, dt_s: float, seen: Difference, held: NDArray[np.bool_] | None
    ) -> None:
        """Move towards `tone`, by `dt_s` seconds' worth; `seen` is the last comparison, of this tone.

        `held` says by cells where believed movers are: there the background waits.
        """
        self._learned_s += dt_s
        start = dt_s / self._learned_s if self._learned_s < START_S else 0.0
        if seen.quiet and held is None:
            self._spread.learn(seen.gap, dt_s, self._learned_s)
            self._mean = _towards(self._mean, _in_parts(tone), self._free.shares(dt_s, start))
        else:
            self._learn_apart(tone, dt_s, seen, held, start)
        self._mean_changed()
        self._recent.append((t_us, tone))
        while len(self._recent) > 2 and self._recent[1][0] <= t_us - RECENT_US:
            self._recent.pop(0)

    def _learn_apart(
        self, tone: Picture, dt_s: float, seen: Difference, held: NDArray[np.bool_] | None, start: float
    ) -> None:
        """Where something differs or is held, each cell learns at its own pace."""
        differs = seen.different >= ACTIVE
        unlike = differs & (seen.structured < seen.different // 8)
        if held is not None:
            unlike |= held
            differs &= ~held
        alike = _pixels((~unlike).view(np.uint8)) if unlike.any() else None
        self._spread.learn(seen.gap, dt_s, self._learned_s, alike)
        follow = self._light_step(tone, dt_s, seen.light)
        mean, target = self._mean, _in_parts(tone)
        changed = _towards(mean, target, self._free.shares(dt_s, start))
        unproven = _towards(mean, target, self._unproven.shares(dt_s, start))
        cv2.copyTo(unproven, _pixels(differs.view(np.uint8)), changed)
        if held is not None:
            cv2.copyTo(_towards(mean, target, self._held.shares(dt_s)), _pixels(held.view(np.uint8)), changed)
        self._mean = changed if follow is None else np.asarray(cv2.add(changed, follow), np.int16)

    def _light_step(self, tone: Picture, dt_s: float, light: NDArray[np.int16] | None) -> Mean | None:
        """By how much the mean follows a change of light.

        Never past the pixel's own difference: neighbours' light alone would let the mean run off.
        """
        shares = self._follow.shares(dt_s)
        if light is None or not shares:
            return None
        more, less = np.maximum(light, 0).astype(np.uint8), np.maximum(-light, 0).astype(np.uint8)
        above, below = self._above, self._below
        cv2.min(cv2.subtract(tone, self._mean8, above), _pixels(more), above)
        cv2.min(cv2.subtract(self._mean8, tone, below), _pixels(less), below)
        share = 1 - math.prod(1 - share for share in shares)
        whole = round(share * PARTS)
        return np.asarray(cv2.subtract(above, below, dtype=cv2.CV_16S), np.int16) * np.int16(whole)

    def absorb(self, tone: Picture, cells: NDArray[np.bool_]) -> None:
        """What is in `cells` now is background from now on."""
        np.copyto(self._mean, _in_parts(tone), where=_pixels(cells))
        self._mean_changed()

    def restart(self, tone: Picture) -> None:
        """The scene has changed as a whole: `tone` is the background; what its noise is, is kept."""
        self._mean = _in_parts(tone)
        self._learned_s = min(self._learned_s, START_S / 2)
        self._mean_changed()

    def contrast(self, tone: Picture, rows: slice, columns: slice) -> tuple[float, float, float]:
        """How sharp what differs in a part of the picture is, the share of it that is brighter, and how
        many times as long as wide it is.

        Sharp is how much of the contrast goes at its edges: about 1 where the edges are as sharp as the
        picture can show, 0.5 and less where it is out of focus or soft light. The contrast is what a
        sixth of its pixels exceed; the edges are as many of the steepest pixels as go once and a half
        along a side.
        """
        signed = cv2.subtract(tone[rows, columns], self._mean8[rows, columns], dtype=cv2.CV_16S)
        steps = cv2.morphologyEx(signed, cv2.MORPH_GRADIENT, _AROUND).ravel()
        gap = np.abs(signed).ravel()
        gap = np.sort(gap[gap > LEAST_CONTRAST])
        if gap.size < LEAST_EDGE:
            return 0.0, 0.0, 1.0
        edge = min(steps.size, int(1.5 * math.sqrt(gap.size)) + 2)
        sharp = float(np.sort(steps)[-edge]) / float(gap[gap.size * 5 // 6])
        brighter = int(np.count_nonzero(signed > LEAST_CONTRAST)) / gap.size
        return sharp, brighter, _slender(np.abs(signed) > LEAST_CONTRAST)

    def shows_through(self, tone: Picture, rows: slice, columns: slice, cells: NDArray[np.bool_]) -> float:
        """How much the background's own texture is still there in `cells`, the grid of that part, -1..1.

        Light leaves the ground's texture where it is; a thing hides it. Near 0 where there is none;
        0 where there is too little to tell.
        """
        if np.count_nonzero(cells) < LEAST_TEXTURE:
            return 0.0
        pixels = _pixels(cells.view(np.uint8)).view(bool)
        now, then = (
            cv2.subtract(part, cv2.blur(part, (7, 7)), dtype=cv2.CV_16S)[pixels].astype(np.int64)
            for part in (tone[rows, columns], self._mean8[rows, columns])
        )
        scale = math.sqrt(float((now * now).sum()) * float((then * then).sum()))
        return float((now * then).sum()) / max(scale, 1.0)

    def edge_gain(self, tone: Picture, cells: NDArray[np.bool_]) -> float:
        """How much more edge the picture has around the rim of `cells` than the background, -1..1.

        A thing that is there brings edges (> 0); the hole that a thing has left lost them (< 0).
        """
        inner = cells.astype(np.uint8)
        left, top, width, height = cv2.boundingRect(inner)
        # With two cells around: one for the rim, one that its edges may look at.
        rows = slice(max(0, top - 2), top + height + 2)
        columns = slice(max(0, left - 2), left + width + 2)
        inner = inner[rows, columns]
        rim = cv2.dilate(inner, _AROUND) - cv2.erode(
            inner, _AROUND, borderType=cv2.BORDER_CONSTANT, borderValue=0
        )
        pixels = _pixels(rim.astype(bool))
        part = (
            slice(rows.start * CELL, rows.stop * CELL),
            slice(columns.start * CELL, columns.stop * CELL),
        )
        now = int(cv2.morphologyEx(tone[part], cv2.MORPH_GRADIENT, _AROUND)[pixels].sum(dtype=np.int64))
        then = int(
            cv2.morphologyEx(self._mean8[part], cv2.MORPH_GRADIENT, _AROUND)[pixels].sum(dtype=np.int64)
        )
        return (now - then) / max(1, now + then)


def _slender(shape: NDArray[np.bool_]) -> float:
    """How many times as long as wide a shape is, at whatever slant: by its second moments, in whole numbers
    as far as they go, so that it is the same everywhere. Two pixels or fewer in width count as one."""
    down, across = np.nonzero(shape)
    count = down.size
    xx = count * int((across * across).sum()) - int(across.sum()) ** 2
    yy = count * int((down * down).sum()) - int(down.sum()) ** 2
    xy = count * int((across * down).sum()) - int(across.sum()) * int(down.sum())
    middle, apart = (xx + yy) / 2, math.sqrt(((xx - yy) / 2) ** 2 + float(xy) ** 2)
    return math.sqrt((middle + apart) / max(middle - apart, THINNEST * count**2))


def active(different: Grid) -> Grid:
    """1 where a cell counts, else 0."""
    return np.asarray(cv2.threshold(different, ACTIVE - 1, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _in_parts(tone: Picture) -> Mean:
    return np.asarray(cv2.LUT(tone, _IN_PARTS), np.int16)


def _towards(mean: Mean, target: Mean, shares: list[float]) -> Mean:
    """`mean` gone by each of `shares` of what is left towards `target`; a new array."""
    if not shares:
        return mean.copy()
    for share in shares:
        mean = np.asarray(cv2.addWeighted(target, share, mean, 1 - share, 0), np.int16)
    return mean


def _around(cells: MatLike) -> NDArray[np.int32]:
    """The sum over the neighbourhood over which light is the same."""
    window = (LIGHT_CELLS, LIGHT_CELLS)
    total = cv2.boxFilter(cells, cv2.CV_32S, window, normalize=False, borderType=cv2.BORDER_REFLECT)
    return np.asarray(total, np.int32)


Number = TypeVar("Number", bound=np.generic)


def _pixels(cells: NDArray[Number]) -> NDArray[Number]:
    """A grid of cells as an array of pixels."""
    return cells.repeat(CELL, axis=1).repeat(CELL, axis=0)
