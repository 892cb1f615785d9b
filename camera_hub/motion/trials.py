"""Whether heavy packets foretold the events: what gives a stream the right to sleep, and takes it.

Promises: one event that the sizes would have missed takes the right away for ten minutes; the
next one for twenty, and so on up to a day. Relies on being told of every packet and every report.
"""

import math
from collections import deque

from camera_hub.model import GateReason
from camera_hub.motion.reports import Closed, Opened, Report

US = 1_000_000
EARLY_US = 500_000  # packets are heavy in time from so long before a mover's start on ...
LATE_US = 1_000_000  # ... until so long after it
OLD_US = 1_500_000  # a start further back than this is that of something that stood there
APART_US = 3 * US  # since the last event; a sooner one is its continuation
PROOFS = 3  # events in a row
CHANCE = 1e-3  # the proofs would come by chance this rarely
CHANCE_S = 40.0  # over which the chance is measured
CHANCE_MOST = 0.4
BAN_US, BAN_MOST_US = 600 * US, 24 * 3600 * US  # without sleep after a miss; each one doubles it
FORGIVEN = 20  # events in a row, after which the next miss counts as the first


class Trials:
    """The events of one stream, and whether its packets were heavy in time."""

    def __init__(self) -> None:
        self._heavy: deque[int] = deque(maxlen=256)  # µs
        self._chance = 1.0  # that packets are heavy within a second and a half in which nothing moves
        self._last_heavy_us: int | None = None
        self._passed = 0
        self._failed = 0  # in a row
        self._misses = 0  # that cost the right to sleep
        self._banned_until_us: int | None = None
        self._now_us = 0
        self._ended_us: int | None = None
        self._woken_us: int | None = None

    @property
    def banned(self) -> bool:
        """Whether sizes have been wrong of late."""
        return self._banned_until_us is not None and self._now_us < self._banned_until_us

    @property
    def proved(self) -> bool:
        """Whether the sizes have foretold enough events in a row."""
        return not self.banned and self._passed >= self._needed()

    @property
    def reason(self) -> GateReason | None:
        """Why the sizes are not to be trusted for what they have foretold; None when they are."""
        if self.banned:
            return GateReason.BLIND
        if self.proved:
            return None
        if self._failed:
            return GateReason.BLIND
        return GateReason.RESTLESS if self._chance > CHANCE_MOST else GateReason.PROVING

    def _needed(self) -> float:
        if self._chance > CHANCE_MOST:
            return math.inf
        return max(PROOFS, math.ceil(math.log(CHANCE) / math.log(max(self._chance, 1e-6))))

    def weighed(self, t_us: int, dt_us: int, heavy: bool, quiet: bool) -> None:
        """A packet was heavy or not."""
        self._now_us = t_us
        if heavy:
            self._last_heavy_us = t_us
            self._heavy.append(t_us)
        if quiet:
            lately = self._last_heavy_us is not None and t_us - self._last_heavy_us < EARLY_US + LATE_US
            self._chance += min(dt_us / US / CHANCE_S, 1.0) * (lately - self._chance)

    def woken_by_keyframe(self, t_us: int) -> None:
        """A keyframe showed something that the sizes before it did not."""
        self._woken_us = t_us

    def told(self, report: Report, t_us: int, trusted: bool) -> None:
        """The detector told something of an event; `trusted`: the stream may sleep as it is."""
        if isinstance(report, Closed):
            self._ended_us = t_us
        if not isinstance(report, Opened) or (not trusted and not math.isfinite(self._needed())):
            return
        start_us = max(report.start_us, t_us - OLD_US)
        if self._ended_us is not None and start_us - self._ended_us < APART_US:
            return
        if any(start_us - EARLY_US <= at_us <= start_us + LATE_US for at_us in self._heavy):
            self._passed += 1
            self._failed = 0
            if self._passed >= FORGIVEN:
                self._misses = 0
        elif self._woken_us is None or not start_us < self._woken_us < start_us + LATE_US:
            # Else the keyframe came before the sizes had had their time.
            self._miss(t_us, trusted)

    def _miss(self, t_us: int, trusted: bool) -> None:
        if trusted or self._passed >= self._needed():
            self._banned_until_us = t_us + min(BAN_US << min(self._misses, 20), BAN_MOST_US)
            self._misses += 1
        self._passed = 0
        self._failed += 1
