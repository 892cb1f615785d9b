"""From the detector's reports to events with a picture: times in wall clock, ids, revisions.

Pure: no clock and no I/O; the caller gives the frame that the reports are about. An event is told
when it opens, when it closes, when it reaches another zone or crosses a line, and else every few
seconds; its picture is encoded only when it is told, so that a mover who comes ever closer costs one
JPEG, not fifty.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from camera_hub.ingest.messages import EventFound
from camera_hub.model import Box, Event, EventKind
from camera_hub.motion import Closed, Report

TELL_EVERY_US = 5_000_000  # what changed in an open event (path, picture, score) is not told more often


class Picture(Protocol):
    """A decoded frame that can be made a JPEG."""

    @property
    def wall_us(self) -> int: ...

    @property
    def pts_us(self) -> int: ...

    def jpeg(self, height: int | None = None, quality: int = 85) -> bytes: ...


@dataclass
class _Telling:
    id: str
    start_us: int
    revision: int = 0
    told_us: int = 0  # on the stream's clock
    zones: tuple[str, ...] = ()
    crossings: int = 0
    best: Picture | None = None  # the best frame so far, until it has been sent
    box: Box | None = None


class EventTeller:
    """One camera's events."""

    def __init__(self, camera: str, make_id: Callable[[int], str]) -> None:
        """`make_id` gives a new id for an event that starts at a wall time."""
        self._camera = camera
        self._make_id = make_id
        self._open: dict[int, _Telling] = {}
        self._last: Picture | None = None

    def tell(self, reports: Iterable[Report], frame: Picture | None) -> list[EventFound]:
        """The reports on `frame` as events; `frame` is None where the stream has ended."""
        frame = frame or self._last
        if frame is None:
            return []
        self._last = frame
        told = [self._tell(report, frame) for report in reports]
        return [found for found in told if found is not None]

    def _tell(self, report: Report, frame: Picture) -> EventFound | None:
        # The camera's clock and the wall clock run side by side over the length of an event.
        offset_us = frame.wall_us - frame.pts_us
        telling = self._open.get(report.number)
        if telling is None:
            start_us = report.start_us + offset_us
            telling = self._open[report.number] = _Telling(self._make_id(start_us), start_us)
        if report.best or telling.revision == 0:
            telling.best, telling.box = frame, report.box
        if not _is_news(telling, report):
            return None
        best, telling.best = telling.best, None  # frees the frame
        telling.revision += 1
        telling.told_us, telling.zones = report.t_us, report.zones
        telling.crossings = len(report.crossings)
        event = Event(
            id=telling.id,
            camera=self._camera,
            kind=EventKind(report.kind),
            start_us=telling.start_us,
            end_us=max(telling.start_us, report.end_us + offset_us) if isinstance(report, Closed) else None,
            revision=telling.revision,
            zones=report.zones,
            score=report.score,
            box=telling.box,
            path=report.path,
            stays=report.stays,
            crossings=report.crossings,
            entry=report.entry,
            exit=report.exit,
            mean_speed=report.mean_speed,
            peak_speed=report.peak_speed,
            cause=report.cause,
        )
        if isinstance(report, Closed):
            del self._open[report.number]
        jpeg = best.jpeg() if best is not None else None
        return EventFound(event=event, jpeg=jpeg, picture_us=best.wall_us if best is not None else 0)


def _is_news(telling: _Telling, report: Report) -> bool:
    return (
        telling.revision == 0
        or isinstance(report, Closed)
        or report.zones != telling.zones
        or len(report.crossings) != telling.crossings
        or report.t_us - telling.told_us >= TELL_EVERY_US
    )
