"""When to try a camera again, and whether a stream gets on: decisions only, no clock, no threads."""

import random

FIRST_S, LONGEST_S = 1.0, 30.0
REFUSED_FIRST_S, REFUSED_LONGEST_S = 30.0, 300.0  # a camera locks out who tries passwords quickly
JITTER = 0.2  # of the delay, either way, so that seven cameras do not come back in step
WELL_AFTER_S = 30.0  # a stream that ran so long had recovered

NEW_US = 1_000  # timestamps that step by less stand still


class Retry:
    """How long to wait after each failure: 1 s, 2 s, 4 s … 30 s, for ever."""

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()  # noqa: S311 - jitter, no secret
        self._next_s = FIRST_S
        self._next_refused_s = REFUSED_FIRST_S

    def failed(self, *, unauthorised: bool, ran_s: float) -> float:
        """The delay (s) after a failure of a stream that had run well for `ran_s` before it."""
        if ran_s >= WELL_AFTER_S:
            self._next_s = FIRST_S
        if ran_s > 0:
            self._next_refused_s = REFUSED_FIRST_S
        if unauthorised:
            delay_s = self._next_refused_s
            self._next_refused_s = min(delay_s * 2, REFUSED_LONGEST_S)
        else:
            delay_s = self._next_s
            self._next_s = min(delay_s * 2, LONGEST_S)
        return delay_s * self._rng.uniform(1 - JITTER, 1 + JITTER)


class Progress:
    """Whether a stream gets on, which it does with new timestamps, not with mere packets."""

    def __init__(self, now_us: int, stalled_after_s: float) -> None:
        self._stalled_after_us = round(stalled_after_s * 1e6)
        self._since_us = now_us
        self._dts_us: int | None = None

    def packet(self, dts_us: int, now_us: int) -> bool:
        """Take note of a packet; False when nothing new has come for too long (`now_us` is monotonic)."""
        new = self._dts_us is None or dts_us - self._dts_us >= NEW_US
        self._dts_us = dts_us
        if new:
            self._since_us = now_us
        return now_us - self._since_us < self._stalled_after_us
