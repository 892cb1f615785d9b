"""How far a worker's clock is before its server's, from the time that a question and its answer took. No I/O.

As NTP does it (RFC 5905, section 10): an answer is off by half its round trip at most, so of the last few
the quickest counts. What waits in a queue (a backlog, a full line) makes an answer slow, and a clock never
look wrong. A clock that was set meanwhile is noticed: then two answers cannot both be right.
"""

from collections import deque
from typing import NamedTuple

SAMPLES = 8


class _Sample(NamedTuple):
    offset_us: int
    error_us: int  # at most so far from the truth


class Apart:
    """One connection's."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)

    @property
    def offset_us(self) -> int | None:
        """None before the first answer."""
        return min(self._samples, key=lambda one: one.error_us).offset_us if self._samples else None

    def answered(self, server_time_us: int, wall_us: int, took_us: int) -> None:
        """The server's time came, at `wall_us` by our clock, so long after it was asked for."""
        error_us = (max(took_us, 0) + 1) // 2
        new = _Sample(wall_us - error_us - server_time_us, error_us)
        if any(abs(new.offset_us - one.offset_us) > new.error_us + one.error_us for one in self._samples):
            self._samples.clear()
        self._samples.append(new)
