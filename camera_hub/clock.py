"""Time as a thing that one passes in, so that tests bring their own.

The wall clock says when something happened and may jump; the monotonic clock says how long
something took and never does. The two are never mixed.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from."""

    def wall_us(self) -> int:
        """Microseconds since the Unix epoch, UTC."""

    def monotonic_us(self) -> int:
        """Microseconds since some moment; never goes back."""


class SystemClock:
    """The machine's own clocks."""

    def wall_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_us(self) -> int:
        return time.monotonic_ns() // 1000


SYSTEM_CLOCK: Clock = SystemClock()
