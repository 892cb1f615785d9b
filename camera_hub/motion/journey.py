"""The way of one track from its birth on: path, speed, sides, zones and lines.

Promises that what a mover did before it was believed counts as well. Speeds and sides follow the
middle of the mover, which is known to a fraction of a pixel; path, zones and lines follow its foot,
which is where it is in the world. Lengths are in fractions of the picture, times in stream
microseconds. Plain numbers of Python only, so that every machine agrees.
"""

import math
from typing import NamedTuple

from camera_hub.model import Box, Crossing, Side
from camera_hub.motion.lines import Lines, Walk
from camera_hub.motion.reports import PathPoint
from camera_hub.motion.stays import Stays
from camera_hub.motion.tracks import Track

PATH_MOST = 64  # points; then every second one goes
PATH_STEP = 0.01  # of the picture; a point nearer to the last one says nothing
EDGE = 0.04  # of the picture; a box that is nearer to its edge comes from there, or goes there
LEAVES = 0.005  # of the picture; ... if it moves away from there, or towards it, by more than this
PACE_US = 300_000  # speed is measured over so long; a peak is held for twice that


class Mark(NamedTuple):
    """Where its middle was."""

    t_us: int
    x: float
    y: float

    def to(self, other: "Mark") -> float:
        """How far it is."""
        return math.hypot(other.x - self.x, other.y - self.y)


class Journey:
    """One track's way."""

    def __init__(self, track: Track, size: tuple[int, int], lines: Lines) -> None:
        """`size` is (width, height) px of the small picture."""
        self.track = track
        self.believed = False
        self.absorbed = False
        """Whether it ended in full sight: what stands still becomes background."""
        self.told = False
        """Whether it has been part of an event."""
        self._size = size
        self._lines = lines
        self._appear()
        self.begin()

    def _appear(self) -> None:
        self.since_us = self.stirred_us = self.track.since_us  # the latter: after its last rest
        self._moved_us = self.track.moved_us
        self.stays = Stays()
        self.walk = Walk(self._lines)

    def begin(self) -> None:
        """Its way starts here: it has come into being, or goes on after an event about it has ended."""
        self.stays = self.stays.going_on()
        self._path: list[PathPoint] = []  # with stream times
        self._step = PATH_STEP
        self.came = self.box()
        """Where it was first."""
        self._first = self._now = self._middle()
        self._marks = [self._first]  # the last three
        self._came_to: Mark | None = None  # where it was a little later
        self._way, self._speed, self._peak = 0.0, 0.0, 0.0

    def follow(self, zones: tuple[str, ...], t_us: int, rest_us: int) -> None:
        """Take in where it is now, and in which `zones`; a pause of more than `rest_us` was a rest."""
        track = self.track
        if track.since_us != self.since_us:  # it was light until now
            self._appear()
            self.begin()
        if track.moved_us - self._moved_us > rest_us:
            self.stirred_us = track.moved_us
        self._moved_us = track.moved_us
        self._now = self._middle()
        self.stays.step(zones, t_us)
        foot = track.foot()
        if self._lines.lines:
            self.walk.step(foot, t_us)
        self._pace()
        self._point(t_us, round(foot[0] / self._size[0], 4), round(foot[1] / self._size[1], 4))

    def path(self, start_us: int) -> tuple[PathPoint, ...]:
        """The thinned path since `start_us`, with times since then."""
        return tuple((t_us - start_us, x, y) for t_us, x, y in self._path if t_us >= start_us)

    def crossings(self, start_us: int) -> list[Crossing]:
        """Those that are new, with times since `start_us`."""
        new, self.walk.crossed = self.walk.crossed, []
        return [
            Crossing(crossing.line, crossing.to, max(0, crossing.at_us - start_us), crossing.to_is)
            for crossing in new
        ]

    @property
    def length(self) -> float:
        """How far it has gone, without its jitter."""
        return self._way + self._marks[-1].to(self._now)

    @property
    def mean_speed(self) -> float:
        """In fractions of the picture a second, rests included."""
        lasted_us = self._now.t_us - self._first.t_us
        return round(self.length * 1e6 / lasted_us, 4) if lasted_us else 0.0

    @property
    def peak_speed(self) -> float:
        """What it kept up for a little while."""
        return round(self._peak, 4) or self.mean_speed

    @property
    def entry(self) -> Side:
        """Where it came from."""
        to = self._came_to or self._now
        return _side(self.came, to.x - self._first.x, to.y - self._first.y)

    @property
    def exit(self) -> Side:
        """Where it went, if it is not there any more."""
        if self.absorbed:
            return "inside"
        before = self._marks[-2] if len(self._marks) > 1 else self._marks[-1]
        return _side(self.box(), before.x - self._now.x, before.y - self._now.y)

    def box(self) -> Box:
        """Around it, now."""
        region, (width, height) = self.track.region, self._size
        return (
            round(region.left / width, 4),
            round(region.top / height, 4),
            round((region.right - region.left) / width, 4),
            round((region.bottom - region.top) / height, 4),
        )

    def _middle(self) -> Mark:
        region, (width, height) = self.track.region, self._size
        return Mark(self.track.seen_us, region.x / width, region.y / height)

    def _pace(self) -> None:
        now, last = self._now, self._marks[-1]
        if self._came_to is None and now.t_us - self._first.t_us >= 2 * PACE_US:
            self._came_to = now
        if now.t_us - last.t_us < PACE_US:
            return
        gone = last.to(now)
        speed = gone * 1e6 / (now.t_us - last.t_us)
        # A region that splits or merges jumps once; nothing has gone that fast.
        self._peak = max(self._peak, min(speed, self._speed))
        self._way, self._speed = self._way + gone, speed
        self._marks = [*self._marks[-2:], now]

    def _point(self, t_us: int, x: float, y: float) -> None:
        path = self._path
        if path and math.hypot(x - path[-1][1], y - path[-1][2]) < self._step:
            return
        path.append((t_us, x, y))
        if len(path) > PATH_MOST:
            del path[1::2]
            self._step *= 2


def _side(box: Box, right: float, down: float) -> Side:
    """The edge of the picture at which `box` is, and from which (`right`, `down`) leads away."""
    x, y, width, height = box
    edges: tuple[tuple[Side, float, float], ...] = (
        ("left", x, right),
        ("right", 1 - x - width, -right),
        ("top", y, down),
        ("bottom", 1 - y - height, -down),
    )
    beside = [(inward, side) for side, gap, inward in edges if gap <= EDGE and inward > LEAVES]
    return max(beside, key=lambda found: found[0], default=(0.0, "inside"))[1]
