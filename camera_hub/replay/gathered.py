"""From the detector's reports to the lab's events: what `ingest.telling` is for a worker.

Pure. Relies on times that count from the clip's first frame.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from camera_hub.model import Box, EventKind
from camera_hub.motion import Closed, Report
from camera_hub.replay.result import CrossingResult, EventResult


@dataclass
class _Event:
    last: Report
    told_us: int
    best_us: int
    box: Box  # at `best_us`


class Gathered:
    """The events of one clip."""

    def __init__(self) -> None:
        self._events: dict[tuple[EventKind, int], _Event] = {}

    def take(self, reports: Iterable[Report]) -> None:
        """What the detector told of one frame, or at the stream's end."""
        for report in reports:
            key = (EventKind(report.kind), report.number)
            event = self._events.get(key)
            if event is None:
                self._events[key] = _Event(report, report.t_us, report.t_us, report.box)
                continue
            event.last = report
            if report.best:
                event.best_us, event.box = report.t_us, report.box

    def results(self) -> tuple[EventResult, ...]:
        """All events, in order of their start."""
        found = [_result(kind, event) for (kind, _), event in self._events.items()]
        return tuple(sorted(found, key=lambda event: (event.start_s, event.end_s, event.kind)))


def _result(kind: EventKind, event: _Event) -> EventResult:
    last = event.last
    # Where an edit list cuts the clip's beginning off, what moved there moved before its first frame.
    start_us = max(last.start_us, 0)
    end_us = last.end_us if isinstance(last, Closed) else last.t_us
    return EventResult(
        start_s=seconds(start_us),
        end_s=seconds(max(end_us, start_us)),
        kind=kind,
        score=round(last.score, 4),
        zones=last.zones,
        track=tuple((seconds(last.start_us + after_us), x, y) for after_us, x, y in last.path),
        told_s=seconds(event.told_us),
        best_s=seconds(event.best_us),
        box=event.box,
        crossings=tuple(
            CrossingResult(line=one.line, t_s=seconds(last.start_us + one.at_us), to=one.to, to_is=one.to_is)
            for one in last.crossings
        ),
        stays=tuple((zone, seconds(us)) for zone, us in last.stays),
        entry=last.entry,
        exit=last.exit,
        mean_speed=round(last.mean_speed, 4),
        peak_speed=round(last.peak_speed, 4),
        cause=last.cause,
    )


def seconds(us: int) -> float:
    """Microseconds as seconds, to the millisecond."""
    return round(us / 1e6, 3)
