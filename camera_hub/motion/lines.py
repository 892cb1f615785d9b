"""Which movers cross which lines, and to which side.

Promises that a crossing counts once however long a mover's foot dances on the line, that who turns
round on it has not crossed, and that who goes round its end has not either. Relies on being given
each place of a foot in order of time. Plain numbers of Python only, so that every machine agrees.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

from camera_hub.model import Crossing, Hand, Line, Point

CLEAR = 5.0  # px; a foot that is nearer to the line may still be on it: its row is known by cells of 4 px
CLEAR_SHARE = 0.05  # ... of the picture's shorter side, where that is less
BORDER = 0.02  # of the picture; a line that ends nearer to its edge goes on beyond it
HOLD_US = 200_000  # a mover is beyond the line for so long; a region that jumps for a frame or two is not

XY = tuple[float, float]


class Lines:
    """The lines of one camera at one picture size."""

    def __init__(self, lines: tuple[Line, ...], size: tuple[int, int]) -> None:
        """`size` is (width, height) px of the small picture."""
        self.lines = lines
        self.points = [[(x * size[0], y * size[1]) for x, y in _beyond(line.points)] for line in lines]
        self.clear = min(CLEAR, CLEAR_SHARE * min(size))


def _beyond(points: tuple[Point, ...]) -> list[Point]:
    """A line from edge to edge leaves no way round: the feet of who is near are on the edge, or below."""
    return [
        *([_further(points[1], points[0])] if _at_border(points[0]) else []),
        *points,
        *([_further(points[-2], points[-1])] if _at_border(points[-1]) else []),
    ]


def _at_border(point: Point) -> bool:
    return not all(BORDER <= share <= 1 - BORDER for share in point)


def _further(before: Point, end: Point) -> Point:
    """As far again as one picture, the way that leads from `before` to `end`."""
    x, y = end[0] - before[0], end[1] - before[1]
    length = math.hypot(x, y) or 1.0
    return end[0] + x / length, end[1] + y / length


@dataclass
class _Open:
    """A line that a mover is over, and may still come back from."""

    to: Hand
    over_us: int
    clear_us: int | None = None  # since when it has been clear of the line


class Walk:
    """One mover among the lines of its camera."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._last: XY | None = None
        self._open: dict[int, _Open] = {}
        self.crossed: list[Crossing] = []
        """What is certain by now, with stream times; the caller takes it out."""

    def step(self, foot: XY, t_us: int) -> None:
        """The foot is at `foot` (px) now."""
        last, self._last = self._last, foot
        if last is not None and last != foot:
            for number, points in enumerate(self._lines.points):
                self._pass(number, _net(points, last, foot), t_us)
        for number in list(self._open):
            over = self._open[number]
            if _distance(self._lines.points[number], foot) < self._lines.clear:
                over.clear_us = None
            elif over.clear_us is None:
                over.clear_us = t_us
            if over.clear_us is not None and t_us - over.clear_us >= HOLD_US:
                self._certain(number)

    def end(self) -> None:
        """It is gone: what it was clear of counts, though it had no time to stay."""
        for number in list(self._open):
            if self._open[number].clear_us is not None:
                self._certain(number)
        self._open.clear()

    def _pass(self, number: int, net: int, t_us: int) -> None:
        if not net:
            return
        to: Hand = "right" if net > 0 else "left"
        over = self._open.get(number)
        if over is None:
            self._open[number] = _Open(to, t_us)
        elif over.to != to:
            del self._open[number]  # it has come back

    def _certain(self, number: int) -> None:
        line, over = self._lines.lines[number], self._open.pop(number)
        called = line.right_is if over.to == "right" else line.left_is
        self.crossed.append(Crossing(line.name, over.to, over.over_us, called))


def _net(points: list[XY], a: XY, b: XY) -> int:
    """How often the way from `a` to `b` goes over the line to its right, less how often to its left."""
    net = 0
    for p, q in pairwise(points):
        # A point that is exactly on it is on its right: so no way over it is lost or counted twice.
        before, after = _right(p, q, a), _right(p, q, b)
        if before != after and _right(a, b, p) != _right(a, b, q):
            net += 1 if after else -1
    return net


def _right(p: XY, q: XY, at: XY) -> bool:
    """Whether `at` is on the right of one who walks from `p` to `q`, rows counting downward."""
    return (q[0] - p[0]) * (at[1] - p[1]) - (q[1] - p[1]) * (at[0] - p[0]) >= 0


def _distance(points: list[XY], at: XY) -> float:
    return min(_from_segment(p, q, at) for p, q in pairwise(points))


def _from_segment(p: XY, q: XY, at: XY) -> float:
    along = (q[0] - p[0], q[1] - p[1])
    length2 = along[0] ** 2 + along[1] ** 2
    share = 0.0
    if length2 > 0:
        share = ((at[0] - p[0]) * along[0] + (at[1] - p[1]) * along[1]) / length2
        share = min(1.0, max(0.0, share))
    return math.hypot(p[0] + share * along[0] - at[0], p[1] + share * along[1] - at[1])
