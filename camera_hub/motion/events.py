"""From believed tracks to events: one at a time on a camera, with hysteresis.

An event opens with the first believed mover and holds all that move meanwhile; it closes when
nothing has moved for `QUIET_US`. Its path follows the mover that came furthest; its picture is
the frame that shows the mover largest, whole, and clear of the picture's edge.
"""

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from camera_hub.model import Box
from camera_hub.motion.reports import Changed, Closed, Opened, PathPoint, Report
from camera_hub.motion.tracks import Track
from camera_hub.motion.zones import Zones

QUIET_US = 2_500_000  # nothing moved for so long: the event is over
TELL_US = 1_500_000  # an open event is told again at most this often, but for a new zone
LONGEST_US = 300_000_000  # where it never rests, an event is told in parts of this length
BETTER = 1.15  # a picture must be this much better to be told
PATH_MOST = 64  # points; then every second one goes
PATH_STEP = 0.01  # of the picture; a point nearer to the last one says nothing


class Event(msgspec.Struct):
    """The open event."""

    number: int
    start_us: int
    moved_us: int
    told_us: int
    box: Box = (0.0, 0.0, 0.0, 0.0)
    zones: tuple[str, ...] = ()
    score: float = 0.0
    worth: float = 0.0  # of the best picture told
    paths: dict[int, list[PathPoint]] = {}  # by track
    step: dict[int, float] = {}


class Events:
    """Turns what the tracker believes into reports."""

    def __init__(self, zones: Zones, size: tuple[int, int], number: int = 0) -> None:
        """`size` is (width, height) px of the small picture; `number` that of the last event told."""
        self._zones = zones
        self._size = size
        self.number = number
        self._open: Event | None = None
        self._ended_us = -(1 << 62)  # what moved before belongs to the last event

    @property
    def open(self) -> bool:
        """Whether an event goes on."""
        return self._open is not None

    def update(self, tracks: list[Track], t_us: int, steady: bool) -> list[Report]:
        """Reports for one frame. `steady` is False while the light changes: nothing ends then."""
        live = [track for track in tracks if track.believed and track.seen_us == t_us]
        moving = [track for track in live if t_us - track.moved_us <= QUIET_US]
        event = self._open
        if event is None:
            if not any(track.moved_us == t_us for track in moving):
                return []
            return [self._opened(moving, t_us)]
        if moving:
            event.moved_us = max(event.moved_us, *(track.moved_us for track in moving))
        elif not steady:
            event.moved_us = max(event.moved_us, min(t_us, event.moved_us + QUIET_US // 2))
        if t_us - event.moved_us > QUIET_US or t_us - event.start_us > LONGEST_US:
            return [self._closed(event, t_us)]
        return self._changed(event, moving, t_us)

    def flush(self, t_us: int) -> list[Report]:
        """Close what is open."""
        return [self._closed(self._open, t_us)] if self._open else []

    def _opened(self, moving: list[Track], t_us: int) -> Report:
        self.number += 1
        start_us = max(min(track.since_us for track in moving), self._ended_us)
        event = Event(self.number, start_us, t_us, t_us, paths={}, step={})
        self._open = event
        lead = self._take(event, moving, t_us)
        event.worth = self._worth(lead)
        return Opened(**self._told(event, t_us, best=True))

    def _changed(self, event: Event, moving: list[Track], t_us: int) -> list[Report]:
        zones = event.zones
        if not moving:
            return []
        lead = self._take(event, moving, t_us)
        worth = self._worth(lead)
        best = worth > event.worth * BETTER
        due = t_us - event.told_us >= TELL_US
        if event.zones == zones and not due and not (best and t_us - event.told_us >= TELL_US // 3):
            return []
        event.told_us = t_us
        if best:
            event.worth = worth
        return [Changed(**self._told(event, t_us, best=best))]

    def _closed(self, event: Event, t_us: int) -> Report:
        self._open = None
        self._ended_us = t_us
        return Closed(**self._told(event, t_us, best=False), end_us=event.moved_us)

    def _told(self, event: Event, t_us: int, best: bool) -> dict[str, Any]:
        path = max(event.paths.values(), key=_length, default=[])
        return {
            "number": event.number,
            "t_us": t_us,
            "start_us": event.start_us,
            "zones": event.zones,
            "score": event.score,
            "box": event.box,
            "path": tuple(path),
            "best": best,
        }

    def _take(self, event: Event, moving: list[Track], t_us: int) -> Track:
        """Add what moves now to the event; returns the mover that it is about now."""
        for track in moving:
            event.score = max(event.score, track.strength)
            touched = set(self._zones.touched(track.foot(), track.region.cells)) | set(event.zones)
            event.zones = tuple(name for name in self._zones.names if name in touched)
            self._step(event, track, t_us)
        lead = max(moving, key=lambda track: (track.region.area, -track.number))
        event.box = self._box(lead)
        return lead

    def _step(self, event: Event, track: Track, t_us: int) -> None:
        x, y = track.foot()
        point = (t_us - event.start_us, round(x / self._size[0], 4), round(y / self._size[1], 4))
        if track.number not in event.paths and len(event.paths) >= PATH_MOST:
            shortest = min(event.paths, key=lambda number: _length(event.paths[number]))
            del event.paths[shortest]
        path = event.paths.setdefault(track.number, [])
        step = event.step.setdefault(track.number, PATH_STEP)
        if path and np.hypot(point[1] - path[-1][1], point[2] - path[-1][2]) < step:
            return
        path.append(point)
        if len(path) > PATH_MOST:
            del path[1::2]
            event.step[track.number] = step * 2

    def _box(self, track: Track) -> Box:
        region = track.region
        width, height = self._size
        return (
            round(region.left / width, 4),
            round(region.top / height, 4),
            round((region.right - region.left) / width, 4),
            round((region.bottom - region.top) / height, 4),
        )

    def _worth(self, track: Track) -> float:
        """How much a picture of `track` shows: its area, less where the picture's edge cuts it."""
        x, y, width, height = self._box(track)
        cut = sum((x <= 0.01, y <= 0.01, x + width >= 0.99, y + height >= 0.99))
        return track.region.area * (0.4 if cut else 1.0)


def _length(path: list[PathPoint]) -> float:
    steps: NDArray[np.float64] = np.diff(np.array([point[1:] for point in path]), axis=0)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum()) if len(path) > 1 else 0.0
