"""What the packets between keyframes weigh while nothing moves, and when they weigh more.

Promises: the same sizes at the same times give the same answers; what is learned is of the last
minute or two in which nothing moved. A packet is compared with others at its place after the
keyframe, for encoders give the places of a GOP different shares. Relies on being told when it
is quiet. Whether the answers mean anything is for others to find out: see gate.py.
"""

import math

import numpy as np
from numpy.typing import NDArray

PLACES = 256  # after the keyframe; what comes later shares the last one
GOPS = 48  # remembered
ENOUGH = 4  # sizes of a place, from which on it has a level of its own
EXCESSES = 512  # remembered, at most one each EXCESS_EVERY_US
EXCESS_EVERY_US = 200_000
SMOOTH_S = 0.3  # one packet is chance; a mover makes several heavier
SPREADS = 4.0  # that the excess must be above its quiet level
LEAST_EXCESS = 0.08  # natural logarithm; less than a twelfth more is nothing, however even they are
EMPTY = 100  # bytes; between packets that are much smaller there is no difference worth a thought

MAD = 1.4826  # median deviation to standard deviation, of normal noise


class Sizes:
    """The usual sizes of one stream's packets."""

    def __init__(self) -> None:
        self.heavy = False
        """Whether packets weigh clearly more now than they do when it is quiet."""
        self._row = np.full(PLACES, np.nan, np.float32)
        self._rows = np.full((GOPS, PLACES), np.nan, np.float32)
        self._filled = 0
        self._usual: NDArray[np.float32] = np.zeros(PLACES, np.float32)
        self._excesses = np.zeros(EXCESSES, np.float32)
        self._excess_count = 0
        self._excess_us = -EXCESS_EVERY_US
        self._excess = 0.0
        self._limit = math.inf

    @property
    def known(self) -> bool:
        """Whether there is a level to compare with."""
        return math.isfinite(self._limit)

    @property
    def excess(self) -> float | None:
        """By how much packets are heavier than usual now (natural logarithm); None without a level."""
        return self._excess if self.known else None

    @property
    def limit(self) -> float | None:
        """The excess from which on they are heavy; None without a level."""
        return self._limit if self.known else None

    def keyframe(self) -> None:
        """A GOP begins: what the last one taught counts from now on."""
        if np.isnan(self._row).all():
            return
        self._rows[self._filled % GOPS] = self._row
        self._filled += 1
        self._row.fill(np.nan)
        self._usual = _levels(self._rows)
        if self._filled < ENOUGH:
            return
        values = self._excesses[: min(self._excess_count, EXCESSES)]
        if values.size >= 8:
            middle = float(np.median(values))
            spread = MAD * float(np.median(np.abs(values - np.float32(middle))))
            self._limit = middle + max(SPREADS * spread, LEAST_EXCESS)

    def packet(self, size: int, place: int, t_us: int, dt_s: float, quiet: bool) -> None:
        """A packet of `size` bytes, the `place`-th after its keyframe, `dt_s` after the one before."""
        place = min(place, PLACES - 1)
        weight = math.log(size + EMPTY)
        if self._filled:
            share = 1 - math.exp(-dt_s / SMOOTH_S)
            self._excess += share * (weight - float(self._usual[place]) - self._excess)
        self.heavy = self._excess > self._limit
        if not quiet:
            return
        self._row[place] = weight
        if self._filled >= ENOUGH and abs(t_us - self._excess_us) >= EXCESS_EVERY_US:
            self._excesses[self._excess_count % EXCESSES] = self._excess
            self._excess_count += 1
            self._excess_us = t_us


def _levels(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """The median of every place; of all together where a place has been seen too seldom."""
    count = np.count_nonzero(~np.isnan(rows), axis=0)
    middle = np.sort(rows, axis=0)[np.maximum(count - 1, 0) // 2, np.arange(PLACES)]  # NaN sorts last
    known = rows[~np.isnan(rows)]
    return np.where(count >= ENOUGH, middle, np.median(known)).astype(np.float32)
