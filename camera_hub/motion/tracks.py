"""Regions followed over frames, and which of them are movers.

A mover travels: it goes clearly further than it sways, keeps about its size, has edges of its
own, and is there for a third of a second. Where cells are used to differing (leaves, rain),
and while many short-lived regions come and go, it has to show more of that. Once believed, a
track stays believed while it moves, and is held a while when it stands still.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from camera_hub.motion.exact import Exact
from camera_hub.motion.looks import Looks, like_a_mover
from camera_hub.motion.perspective import Perspective
from camera_hub.motion.regions import Region

US = 1_000_000
LOST_US = 700_000  # a believed track may be hidden (a post, a wire) this long
UNPROVEN_LOST_US = 350_000
PROOF_US = 300_000  # a mover is there at least this long
PROOF_FRAMES = 3
REST_US = 2_000_000  # who stood still for so long and stirs has to be proven anew: it may be another
HISTORY_US = 3_000_000  # how far back travel is measured
STRAIGHT = 0.45  # net travel over the length of the way, at least
FAST = 4.0  # own sizes a second; a bike goes straight where an insect does not
FAST_STRAIGHT = 0.85
TOO_FAST = 12.0  # ... nobody is so fast
BRISK = 2.5  # own sizes a second; few movers are faster
EDGED = 0.25  # share of the region with an edge; light has next to none
FAINT = 0.15  # ... of what is faint; it has to be sharp
JUMP = 2.2  # a region that grows or shrinks by this factor in one frame has split or merged
LEAST_TRAVEL = 0.2  # own sizes that a mover goes at least
HOVER_TRAVEL = 0.6  # ... if it has long been about the same place: it may only change its shape
GAPS = 0.4  # missed frames to seen ones, at most
SOLID = (
    (40.0, 0.2),
    (12.0, 0.12),
)  # from this size in px on, so much of its box; a spider's thread covers less
LIVELY = 0.1  # share of its area that changed a moment ago ...
SMALL_LIVELY, SMALL_AREA = 0.2, 200.0  # ... if it is small, px: there a leaf's flutter tells more
CROWD = 4  # unproven regions at one time that are as telling as one a second
SPECKS = 2.0  # times the usual speck's area that a mover has at least where there is clutter
HASTE_SPECKS = 5.0  # ... if it is fast: snow and rain come in flocks that look like one thing for a moment
DENSE, DENSE_FROM = 0.2, 24.0  # of its box, from this size in px on, where there is clutter
CLUTTERED = 4.0  # a second; from here on, what is no larger than the clutter is clutter
STRIDE = 3.0  # px; a shorter way is jitter
STIRS = 0.02  # share of the area that must change in a moment, else it stands still
CLUTTER_S = 10.0  # time constant of the count of regions that came to nothing


@dataclass
class Track:
    """One region over time. Times in stream microseconds, lengths in px of the small picture."""

    number: int
    born_us: int
    seen_us: int
    since_us: int  # from when on it is one thing: birth, or when a thing came into what was light
    moved_us: int  # when it last changed in itself or its place
    region: Region
    believed: bool = False
    frames: int = 1
    missed: int = 0  # frames in which it was not seen
    peak: float = 1.0  # px; its largest area
    usual: float = 1.0  # px; its area, smoothed
    velocity: tuple[float, float] = (0.0, 0.0)  # px a second
    history: list[tuple[int, float, float, float]] = field(default_factory=list)  # (t, x, y, area)
    anchor: tuple[float, float] = (0.0, 0.0)  # where it last was clearly elsewhere
    edged: float = 0.0  # share of it with an edge, smoothed
    looks: list[Looks] = field(default_factory=list)  # each time that all else spoke for it
    way: float = 0.0  # px gone in all from anchor to anchor, so that jitter does not count
    strength: float = 0.0  # peak belief, 0..1

    def foot(self) -> tuple[float, float]:
        """Where it stands."""
        return self.region.x, self.region.bottom

    def travel(self) -> float:
        """Furthest that it now is from where it was within its history."""
        return max(
            (math.hypot(self.region.x - x, self.region.y - y) for _, x, y, _ in self.history),
            default=0.0,
        )

    def begin(self, t_us: int) -> None:
        """Nothing of what was seen of it before `t_us` counts for its proof."""
        region = self.region
        self.frames, self.missed = 1, 0
        self.looks.clear()
        self.history = [(t_us, region.x, region.y, region.area)]
        self.way, self.anchor = 0.0, (region.x, region.y)

    def ran(self) -> float:
        """The length of its way within its history, with its jitter."""
        points = [(x, y) for _, x, y, _ in self.history] + [(self.region.x, self.region.y)]
        return sum(math.dist(a, b) for a, b in pairwise(points))


class Tracks:
    """All that is followed on one camera."""

    def __init__(self, exact: Exact, perspective: Perspective) -> None:
        self._exact = exact
        self._perspective = perspective
        self._next = 1
        self.all: list[Track] = []
        self._clutter = 0.0  # regions a second that came to nothing
        self._speck = 1.0  # px; their usual peak area

    def update(self, regions: list[Region], t_us: int, dt_s: float, looks: Callable[[Region], Looks]) -> None:
        """Take in what one frame shows; `looks` looks at a region from near."""
        self._looks = looks
        self._clutter *= math.exp(-dt_s / CLUTTER_S)
        if not regions and not self.all:
            return
        free = list(range(len(regions)))
        for track in sorted(self.all, key=lambda track: (not track.believed, track.born_us, track.number)):
            best = self._match(track, regions, free, t_us)
            if best is not None:
                free.remove(best)
                self._follow(track, regions[best], t_us)
            else:
                track.missed += 1
        for n in free:
            self._birth(regions[n], t_us)
        self._bury(t_us)

    def _birth(self, region: Region, t_us: int) -> None:
        track = Track(
            self._next,
            t_us,
            t_us,
            t_us,
            t_us,
            region,
            anchor=(region.x, region.y),
            peak=region.area,
            usual=region.area,
            edged=region.structured,
        )
        track.history.append((t_us, region.x, region.y, region.area))
        self._next += 1
        self.all.append(track)

    def _bury(self, t_us: int) -> None:
        kept = []
        for track in self.all:
            patience = LOST_US if track.believed else UNPROVEN_LOST_US
            if t_us - track.seen_us <= patience:
                kept.append(track)
            elif not track.believed:
                self._clutter += 1 / CLUTTER_S
                self._speck *= (
                    track.peak / self._speck
                ) ** 0.1  # by factors, so that one large one counts little
        self.all = kept

    def _match(self, track: Track, regions: list[Region], free: list[int], t_us: int) -> int | None:
        gone_s = (t_us - track.seen_us) / US
        dx, dy = track.velocity[0] * gone_s, track.velocity[1] * gone_s
        old = track.region
        best, best_cost = None, 1.0
        for n in free:
            new = regions[n]
            reach = 6.0 + 0.6 * max(old.size, min(new.size, 2 * old.size)) + 60.0 * gone_s
            apart = math.hypot(new.x - old.x - dx, new.y - old.y - dy) / reach
            if not _overlap(old, new, dx, dy):
                apart *= 1.5
            cost = apart + 0.15 * abs(math.log(new.area / old.area))
            if apart < 1 and cost < best_cost + 0.3 and (best is None or cost < best_cost):
                best, best_cost = n, cost
        return best

    def _follow(self, track: Track, region: Region, t_us: int) -> None:
        old, gone_s = track.region, max((t_us - track.seen_us) / US, 1e-3)
        keep = 0.6
        vx = keep * track.velocity[0] + (1 - keep) * (region.x - old.x) / gone_s
        vy = keep * track.velocity[1] + (1 - keep) * (region.y - old.y) / gone_s
        track.velocity = (vx, vy)
        track.region, track.seen_us = region, t_us
        track.frames += 1
        # Where it snows, a flake that falls past what stands still does not make it stir.
        flakes = SPECKS * self._speck if self._clutter > CLUTTERED else 0.0
        if region.moving > max(3.0, STIRS * region.area, flakes):
            if track.believed and t_us - track.moved_us >= REST_US:
                track.believed = False
                track.begin(t_us)
            track.moved_us = t_us
        track.peak = max(track.peak, region.area)
        track.usual += 0.2 * (region.area - track.usual)
        track.edged += 0.3 * (region.structured - track.edged)
        if not track.believed and not 1 / JUMP < region.area / old.area < JUMP:
            # It split or merged: its centre jumped, but nothing has travelled.
            if track.edged < EDGED:  # it was light until now
                track.since_us = t_us
            track.begin(t_us)
        last = track.history[-1]
        if t_us - last[0] >= 90_000:
            stride = math.hypot(region.x - track.anchor[0], region.y - track.anchor[1])
            if stride >= max(STRIDE, 0.1 * region.size):
                track.way, track.anchor = track.way + stride, (region.x, region.y)
            track.history.append((t_us, region.x, region.y, region.area))
            while track.history[0][0] < t_us - HISTORY_US:
                track.history.pop(0)
        if not track.believed and self._proven(track, t_us):
            track.believed = True
        if track.believed:
            track.strength = max(track.strength, self._strength(track))

    def _proven(self, track: Track, t_us: int) -> bool:
        """Whether all that a mover shows has been seen of it; the dearest test comes last."""
        age_s = max((t_us - track.history[0][0]) / US, 0.1)
        ran = track.ran()
        fast = ran / age_s / max(track.region.size, 8.0)
        clutter, speck = self._clutter_beside(track)
        doubt = self._exact.patience * (
            1
            + 2 * min(1.0, track.region.habit / 0.3)
            + min(2.0, clutter / 3) * min(1.0, 4 * speck / track.peak)
            + max(0.0, fast - FAST) / (3 * FAST)
        )
        return (
            track.frames >= PROOF_FRAMES
            and t_us - track.history[0][0] >= PROOF_US * min(doubt, 3.0)
            and fast <= TOO_FAST
            and self._is_thing(track)
            and (clutter <= CLUTTERED or _stands_out(track, speck, fast))
            and self._travels(track, t_us, doubt, ran, fast)
            and self._looks_like_one(track, fast)
        )

    def _is_thing(self, track: Track) -> bool:
        """Whether it is there without many gaps, has edges, changes, and is as large as is possible there."""
        region = track.region
        lively = SMALL_LIVELY if region.area < SMALL_AREA else LIVELY
        return (
            track.missed <= GAPS * track.frames
            and min(track.edged, region.structured) >= FAINT
            and region.moving >= max(3.0, lively * region.area)
            and region.area >= _solid(region.size) * region.size**2
            and self._perspective.possible(region)
        )

    def _travels(self, track: Track, t_us: int, doubt: float, ran: float, fast: float) -> bool:
        """Whether it has gone far enough, and straight enough for its haste."""
        region = track.region
        leaves = HOVER_TRAVEL if t_us - track.born_us > HISTORY_US else LEAST_TRAVEL
        if track.travel() < max(self._exact.least_travel, leaves * region.size) * doubt:
            return False
        gone = math.hypot(region.x - track.history[0][1], region.y - track.history[0][2])
        return gone >= (FAST_STRAIGHT * ran if fast > FAST else STRAIGHT * max(track.way, 1.0))

    def _looks_like_one(self, track: Track, fast: float) -> bool:
        """Whether it looks like a mover from near; adds a look."""
        track.looks.append(self._looks(track.region))
        faint = track.edged < EDGED
        return like_a_mover(track.looks, track.region.size, fast=fast > BRISK, faint=faint)

    def _clutter_beside(self, track: Track) -> tuple[float, float]:
        """Regions a second that come to nothing, and their usual size in px, as seen by `track`.

        Those that are there now count as well: at the start of rain none has gone yet.
        """
        others = [other.peak for other in self.all if not other.believed and other is not track]
        speck = max(self._speck, float(np.median(others))) if len(others) >= CROWD else self._speck
        return self._clutter + len(others) / CROWD, speck

    def _strength(self, track: Track) -> float:
        region = track.region
        contrast = min(1.0, region.strength / 50)
        distance = min(1.0, track.travel() / (4 * self._exact.least_travel))
        return round(0.4 + 0.3 * contrast + 0.3 * distance, 3)


def _stands_out(track: Track, speck: float, fast: float) -> bool:
    """Whether `track` is no flock of specks: it is larger than they are, and dense."""
    size, area = track.region.size, track.region.area
    larger = track.usual >= speck * (HASTE_SPECKS if fast > BRISK else SPECKS)
    return larger and (size < DENSE_FROM or area >= DENSE * size**2)


def _solid(size: float) -> float:
    """The least share of its box that a thing of `size` px covers; of small ones, cells tell nothing."""
    return next((share for least, share in SOLID if size >= least), 0.0)


def _overlap(old: Region, new: Region, dx: float, dy: float) -> bool:
    return (
        old.left + dx < new.right
        and new.left < old.right + dx
        and old.top + dy < new.bottom
        and new.top < old.bottom + dy
    )
