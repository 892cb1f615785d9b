"""From believed tracks to events: one at a time on a camera, with hysteresis.

An event opens with the first believed mover and holds all that move meanwhile; it closes when
nothing has moved for `QUIET_US`. Its path, speed and sides are those of the main mover, the one that
came furthest; crossings and times in zones are those of all. Its picture is the frame that shows the
mover largest, whole, and clear of the picture's edge.
"""

from typing import Any

import msgspec

from camera_hub.model import Box, Crossing, Line
from camera_hub.motion.journey import PATH_MOST, Journey
from camera_hub.motion.journeys import Journeys
from camera_hub.motion.lines import Lines
from camera_hub.motion.reports import Changed, Closed, Opened, Report
from camera_hub.motion.tracks import Track
from camera_hub.motion.zones import Zones

QUIET_US = 2_500_000  # nothing moved for so long: the event is over
LEAD_US = 200_000  # what was followed for longer before it was believed may have been its light ...
LEAD_FRAMES = 3  # ... unless few frames were seen of it
TELL_US = 1_500_000  # an open event is told again at most this often, but for a new zone or crossing
LONGEST_US = 300_000_000  # where it never rests, an event is told in parts of this length
BETTER = 1.15  # a picture must be this much better to be told
CROSSINGS_MOST = 200  # an event; of more, the last ones count


class Event(msgspec.Struct):
    """The open event."""

    number: int
    start_us: int
    moved_us: int
    told_us: int
    box: Box = (0.0, 0.0, 0.0, 0.0)
    zones: tuple[str, ...] = ()
    crossings: tuple[Crossing, ...] = ()
    score: float = 0.0
    worth: float = 0.0  # of the best picture told
    stays: dict[str, int] = {}  # microseconds by zone
    journeys: dict[int, Journey] = {}  # by track


class Events:
    """Turns what the tracker believes into reports."""

    def __init__(
        self, zones: Zones, size: tuple[int, int], number: int = 0, lines: tuple[Line, ...] = ()
    ) -> None:
        """`size` is (width, height) px of the small picture; `number` that of the last event told."""
        self._zones = zones
        self._journeys = Journeys(zones, Lines(lines, size), size, QUIET_US)
        self.number = number
        self._open: Event | None = None
        self._ended_us = -(1 << 62)  # what moved before belongs to the last event
        self._t_us: int | None = None
        self._step_us = 0  # between the last two frames

    @property
    def open(self) -> bool:
        """Whether an event goes on."""
        return self._open is not None

    def next_number(self) -> int:
        """Counts an event, of whatever kind; gives its number."""
        self.number += 1
        return self.number

    def update(self, tracks: list[Track], t_us: int, steady: bool) -> list[Report]:
        """Reports for one frame. `steady` is False while the light changes: nothing ends then."""
        self._journeys.update(tracks, t_us)
        self._step_us = 0 if self._t_us is None else t_us - self._t_us
        self._t_us = t_us
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
        if t_us - event.moved_us > QUIET_US:
            return [self._closed(event, t_us)]
        if t_us - event.start_us > LONGEST_US:
            return [self._closed(event, t_us, cut=True)]
        return self._changed(event, moving, t_us)

    def flush(self, t_us: int) -> list[Report]:
        """Close what is open: nobody knows how it goes on."""
        return [self._closed(self._open, t_us, cut=True)] if self._open else []

    def _opened(self, moving: list[Track], t_us: int) -> Report:
        self.next_number()
        journeys = [self._journeys[track] for track in moving]
        came_us = min(journey.stirred_us for journey in journeys)
        start_us = max(came_us, self._ended_us, t_us - max(LEAD_US, LEAD_FRAMES * self._step_us))
        event = Event(self.number, start_us, t_us, t_us, stays={}, journeys={})
        self._open = event
        lead = self._take(event, moving, t_us)
        event.worth = _worth(lead)
        return Opened(**self._told(event, t_us, best=True))

    def _changed(self, event: Event, moving: list[Track], t_us: int) -> list[Report]:
        known = event.zones, event.crossings
        if moving:
            worth = _worth(self._take(event, moving, t_us))
        else:
            self._count(event)
            worth = 0.0
        news = (event.zones, event.crossings) != known
        best = worth > event.worth * BETTER
        waited_us = t_us - event.told_us
        due = bool(moving) and waited_us >= TELL_US
        if not news and not due and not (best and waited_us >= TELL_US // 3):
            return []
        event.told_us = t_us
        if best:
            event.worth = worth
        return [Changed(**self._told(event, t_us, best=best))]

    def _closed(self, event: Event, t_us: int, cut: bool = False) -> Report:
        """`cut`: not because nothing moves any more."""
        self._open = None
        self._ended_us = t_us
        self._count(event)
        told = self._told(event, t_us, best=False)
        main = _main(event)
        gone = not self._journeys.here(main)
        if gone or not cut:
            told["exit"] = main.exit if gone else "inside"
        return Closed(**told, end_us=event.moved_us)

    def _told(self, event: Event, t_us: int, best: bool) -> dict[str, Any]:
        main = _main(event)
        return {
            "number": event.number,
            "t_us": t_us,
            "start_us": event.start_us,
            "zones": event.zones,
            "score": event.score,
            "box": event.box,
            "path": main.path(event.start_us),
            "best": best,
            "entry": main.entry,
            "mean_speed": main.mean_speed,
            "peak_speed": main.peak_speed,
            "stays": tuple((zone, event.stays[zone]) for zone in event.zones),
            "crossings": event.crossings,
        }

    def _take(self, event: Event, moving: list[Track], t_us: int) -> Journey:
        """Add what moves now to the event; returns the journey of the mover that it is about now."""
        for track in moving:
            event.score = max(event.score, track.strength)
            journey = self._journeys[track]
            self._join(event, journey)
            for zone, stay_us in journey.stays.longest().items():
                event.stays[zone] = max(stay_us, event.stays.get(zone, 0))
        event.zones = tuple(name for name in self._zones.names if name in event.stays)
        self._count(event)
        lead = self._journeys[max(moving, key=lambda track: (track.region.area, -track.number))]
        event.box = lead.box()
        return lead

    def _join(self, event: Event, journey: Journey) -> None:
        number = journey.track.number
        if number in event.journeys:
            return
        if journey.told:
            journey.begin()
        journey.told = True
        if len(event.journeys) >= PATH_MOST:
            shortest = min(event.journeys, key=lambda other: event.journeys[other].length)
            del event.journeys[shortest]
        event.journeys[number] = journey

    def _count(self, event: Event) -> None:
        """Take in what has been crossed since the last time."""
        new = [
            crossing for journey in event.journeys.values() for crossing in journey.crossings(event.start_us)
        ]
        if new:
            all_ = sorted([*event.crossings, *new], key=lambda crossing: (crossing.at_us, crossing.line))
            event.crossings = tuple(all_[-CROSSINGS_MOST:])


def _main(event: Event) -> Journey:
    return max(event.journeys.values(), key=lambda journey: (journey.length, -journey.track.number))


def _worth(journey: Journey) -> float:
    """How much a picture of the mover shows: its area, less where the picture's edge cuts it."""
    x, y, width, height = journey.box()
    cut = sum((x <= 0.01, y <= 0.01, x + width >= 0.99, y + height >= 0.99))
    return journey.track.region.area * (0.4 if cut else 1.0)
