"""A clock for tests."""

START_US = 1_780_000_000_000_000  # 2026-05-28T20:26:40Z


class HandClock:
    """A clock that goes when it is told to. Its two times differ, so that who mixes them up is found out."""

    def __init__(self, start_us: int = START_US) -> None:
        """`start_us`: the wall time when `now_us` is 0."""
        self.now_us = 0
        self._start_us = start_us

    def wall_us(self) -> int:
        return self._start_us + self.now_us

    def monotonic_us(self) -> int:
        return self.now_us

    def go(self, seconds: float) -> None:
        self.now_us += round(seconds * 1e6)
