"""Signals over the time of a clip, thinned while they come.

Promises bounded memory however long the clip is, and that a peak is never lost: what falls
together keeps its greatest value.
"""

from collections.abc import Mapping

MOST = 1200  # spans kept; a plot is thinned further
FIRST_US = 50_000  # length of a span at first; doubled whenever there are too many

Series = tuple[tuple[float, float], ...]
"""(seconds since the clip's first frame, value), in order of time."""


class Signals:
    """Values by name, each at its time."""

    def __init__(self, most: int = MOST) -> None:
        """`most`: as many spans of time are told apart, at least two."""
        self._most = most
        self._long_us = FIRST_US
        self._peaks: dict[int, dict[str, tuple[int, float]]] = {}

    def add(self, t_us: int, values: Mapping[str, float]) -> None:
        """Take in `values` at `t_us` since the clip's first frame; a name may be absent."""
        while t_us // self._long_us >= self._most:
            self._halve()
        _take(self._peaks.setdefault(t_us // self._long_us, {}), t_us, values)

    def _halve(self) -> None:
        self._long_us *= 2
        peaks, self._peaks = self._peaks, {}
        for place, named in peaks.items():
            kept = self._peaks.setdefault(place // 2, {})
            for name, (t_us, value) in named.items():
                _take(kept, t_us, {name: value})

    def series(self) -> dict[str, Series]:
        """What was taken in, by name."""
        found: dict[str, list[tuple[float, float]]] = {}
        for place in sorted(self._peaks):
            for name, (t_us, value) in self._peaks[place].items():
                found.setdefault(name, []).append((t_us / 1e6, value))
        return {name: tuple(points) for name, points in found.items()}


def _take(kept: dict[str, tuple[int, float]], t_us: int, values: Mapping[str, float]) -> None:
    for name, value in values.items():
        if name not in kept or value > kept[name][1]:
            kept[name] = (t_us, value)
