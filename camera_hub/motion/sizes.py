"""What the packets between keyframes weigh while nothing moves, and when they weigh more.

Promises: the same sizes at the same times give the same answers; what is learned is of the last
minute and a half in which nothing moved. A packet is compared with others at its place after
the keyframe, for encoders give the places of a GOP different shares; what is over is added up
over half a second, where a large mover shows, and over two, where a small one rises out of the
noise. Rates are in bytes per second, which for one mover are about the same at 10 and at 25
packets a second. Relies on being told when it is quiet.

Whether sizes can tell at all is judged in two ways: here by what the smallest mover that matters
costs at least, and in trials.py by whether they have foretold what was found.
"""

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

US = 1_000_000
WINDOWS_US = (US // 2, 2 * US)
LEAST_OF_MOVER = (2.0, 0.8)  # times the smallest mover; what is over by less, in these windows, is nothing
CAUTION, CAUTION_MOST = 1.25, 1.5  # times that, after each false alarm ...
OF_MARGIN_MOST = 1.15  # ... and times what the sizes vary by
CAPPED_TO, CAPPED = 1.5, 2.0  # of the first two, at most, where sizes vary by less than that many movers
LIGHT_US = 1_500_000  # lighter for so long: a lull of the noise is over sooner
LEARN_US = 10 * US  # of quiet, before anything is said
LEAST_SAMPLES = 40
REMEMBERED_US = 90 * US
FIT_US, FIT_EARLY_US, EARLY_US = 20 * US, 4 * US, 30 * US  # fitted anew so often; ... while less was learned
DOUBTED_US = 2 * US  # of quiet, before something is seen, that are not learned from
SHIFTED_US = 6 * US  # off the level for so long while nothing moves: it is another level (night, rain)
PLACES = 256  # after the keyframe; what comes later shares the last one
ENOUGH = 6  # sizes of a place, from which on it has a level of its own
SPREADS = 4.0  # that an excess must be above its quiet level
TAIL, TAIL_TIMES = 0.97, 1.3  # ... and by how much above what all but a few quiet ones reach
LEAST_SHARE = 0.08  # of the usual rate; less is nothing, however even they are

KEYFRAMES = 4  # whose smallest tells how fine the encoder is
# A person 8 px tall at 320 px width who walks costs at least MOVER bytes a second for each byte that
# a macroblock of the keyframe has, at 320 px; and as much more as the picture is wider, to the power
# of 1.5. Measured with x264 and x265 at 320 to 1280 px, QP 20 to 38, 10 and 25 fps, on five real
# grounds, tones of 18 and 35: twice as much is the middle, and a tenth is below.
MOVER = 2.0
WIDTH, POWER = 320, 1.5
MACROBLOCK = 256  # px

MAD = 1.4826  # median deviation to standard deviation, of normal noise

Ints = NDArray[np.int64]


class Sizes:
    """The usual sizes of one stream's packets."""

    def __init__(self, picture: tuple[int, int] = (0, 0)) -> None:
        """`picture`: (width, height) px; without it nothing is known of what a mover costs."""
        self._blocks = picture[0] * picture[1] / MACROBLOCK
        self._scale = MOVER * (picture[0] / WIDTH) ** POWER
        self._keyframes: deque[int] = deque(maxlen=KEYFRAMES)
        self._windows = tuple(map(_Window, WINDOWS_US, LEAST_OF_MOVER))
        self._caution = 1.0
        self.mover = 0.0
        """What the smallest mover costs at least, bytes/s; 0 where that is not known."""
        self.forget()

    def forget(self) -> None:
        """What was usual is so no more."""
        self.known = False
        """Whether there is a level to compare with."""
        self.heavy = False
        """Whether packets weigh clearly more now than they do when it is quiet."""
        self.light = False
        """Whether they weigh clearly less: the picture stands still, or is encoded in another way."""
        self.margin = math.inf
        """What must be over, bytes/s, to be noticed."""
        self._now_us = 0  # of quiet
        self._new: list[tuple[int, int, int]] = []  # (when, place, bytes), not yet fitted
        self._old: Ints = np.empty((0, 3), np.int64)
        self._fit_us = LEARN_US
        self._usual = [0] * PLACES
        self._off_us = 0
        self._light_us = 0
        for window in self._windows:
            window.clear()

    @property
    def excess(self) -> float:
        """The excess now as a share of what makes packets heavy: from 1 on they are."""
        return max(window.share for window in self._windows)

    def keyframe(self, size: int) -> None:
        """A GOP begins, with a keyframe of `size` bytes."""
        self._keyframes.append(size)
        if self._blocks:
            self.mover = self._scale * min(self._keyframes) / self._blocks

    def packet(self, size: int, place: int, t_us: int, dt_us: int, quiet: bool) -> None:
        """A packet of `size` bytes, the `place`-th after its keyframe, `dt_us` after the one before."""
        if place >= PLACES:
            place = PLACES - 1
        if self.known:
            over = size - self._usual[place]
            short, long = self._windows
            short.add(t_us, over)
            long.add(t_us, over)
            self.heavy = short.rate > short.limit or long.rate > long.limit
            self._light_us = self._light_us + dt_us if long.rate < long.low else 0
            self.light = self._light_us > LIGHT_US
        if quiet:
            self._now_us += min(dt_us, US)
            self._new.append((self._now_us, place, size))
            if self._now_us >= self._fit_us:
                self._fit()
            self._watch_shift(dt_us)

    def doubt(self) -> None:
        """Something was seen: what went just before may have been it already."""
        while self._new and self._new[-1][0] > self._now_us - DOUBTED_US:
            self._new.pop()

    def false_alarm(self) -> None:
        """Packets were heavy, and nothing was seen."""
        self._caution = min(self._caution * CAUTION, CAUTION_MOST)
        for window in self._windows:
            window.set_limit(self.mover, self._caution)

    def _watch_shift(self, dt_us: int) -> None:
        long = self._windows[1]
        if not self.known or long.low < long.rate < long.limit:
            self._off_us = 0
            return
        self._off_us += dt_us
        if self._off_us > SHIFTED_US:
            self.forget()

    def _fit(self) -> None:
        """Learn levels and limits anew."""
        self._old = np.concatenate([self._old, np.array(self._new, np.int64).reshape(-1, 3)])
        self._old = self._old[self._old[:, 0] > self._now_us - REMEMBERED_US]
        self._new.clear()
        self._fit_us = self._now_us + (FIT_EARLY_US if self._now_us < EARLY_US else FIT_US)
        if len(self._old) < LEAST_SAMPLES:
            return
        when, place, size = self._old.T
        usual = _levels(place, size)
        over = np.concatenate([[0], np.cumsum(size - usual[place])])
        usual_rate = float(size.sum()) * US / max(int(when[-1] - when[0]), US)
        for window in self._windows:
            since = np.searchsorted(when, when - window.length_us, side="right")
            whole = when - when[0] >= window.length_us
            window.fit((over[1:] - over[since])[whole], LEAST_SHARE * usual_rate, self.mover, self._caution)
        self._usual = usual.tolist()
        self.margin = min(window.margin for window in self._windows)
        self.known = True


class _Window:
    """What is over the usual, added up over `length_us`."""

    def __init__(self, length_us: int, of_mover: float) -> None:
        self.length_us = length_us
        self._of_mover = of_mover
        self._per_s = US / length_us
        self.clear()

    def clear(self) -> None:
        self._overs: deque[tuple[int, int]] = deque()
        self._total = 0
        self._middle = 0.0
        self.rate = 0.0  # bytes/s, now
        self.limit = math.inf
        self.low = -math.inf
        self.margin = math.inf

    @property
    def share(self) -> float:
        over = self.limit - self._middle
        return (self.rate - self._middle) / over if over > 0 else 0.0

    def add(self, t_us: int, over: int) -> None:
        overs = self._overs
        overs.append((t_us, over))
        total = self._total + over
        while not 0 <= t_us - overs[0][0] < self.length_us:
            total -= overs.popleft()[1]
        self._total = total
        self.rate = total * self._per_s

    def fit(self, totals: Ints, least: float, mover: float, caution: float) -> None:
        """`totals`: of all windows in which it was quiet; `least`: bytes/s that say nothing; `mover`:
        what the smallest one costs; `caution`: see `set_limit`."""
        rates = np.sort(totals) * self._per_s
        middle = float(rates[rates.size // 2])
        spread = MAD * float(np.median(np.abs(rates - middle)))
        tail = float(rates[int(TAIL * (rates.size - 1))]) - middle
        self._middle = middle
        self.margin = max(SPREADS * spread, TAIL_TIMES * tail, least)
        self.set_limit(mover, caution)

    def set_limit(self, mover: float, caution: float) -> None:
        """`caution`: a factor from 1 on, the more false alarms there were."""
        over = max(self.margin * min(caution, OF_MARGIN_MOST), self._of_mover * mover * caution)
        self.low = self._middle - over
        if self.margin <= CAPPED * mover:  # better heavy too often than a mover missed: a peek costs little
            over = min(over, CAPPED_TO * self._of_mover * mover)
        self.limit = self._middle + over


def _levels(place: Ints, size: Ints) -> Ints:
    """The median size of every place; of all together where a place has been seen too seldom."""
    order = np.lexsort((size, place))
    ends = np.searchsorted(place[order], np.arange(PLACES + 1))
    count = np.diff(ends)
    middle = size[order][np.minimum(ends[:-1] + count // 2, size.size - 1)]
    whole = np.partition(size, size.size // 2)[size.size // 2]
    levels: Ints = np.where(count >= ENOUGH, middle, whole)
    return levels
