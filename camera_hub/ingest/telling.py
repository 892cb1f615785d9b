"""From the detector's reports to events with a picture: times in wall clock, ids, revisions.

Pure: no clock and no I/O; the caller gives the frame that the reports are about. A picture is
encoded only when it is sent, so that a mover who comes ever closer costs one JPEG, not fifty.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from camera_hub.ingest.messages import EventFound
from camera_hub.model import Box, Event, EventKind
from camera_hub.motion import Closed, Report

PICTURE_EVERY_US = 5_000_000  # a better picture of an open event is not sent more often


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
    best: Picture | None = None  # the best frame so far, until it has been sent
    box: Box | None = None
    pictured_us: int | None = None


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
        return [self._tell(report, frame) for report in reports]

    def _tell(self, report: Report, frame: Picture) -> EventFound:
        # The camera's clock and the wall clock run side by side over the length of an event.
        offset_us = frame.wall_us - frame.pts_us
        telling = self._open.get(report.number)
        if telling is None:
            start_us = report.start_us + offset_us
            telling = self._open[report.number] = _Telling(self._make_id(start_us), start_us)
        if report.best or telling.revision == 0:
            telling.best, telling.box = frame, report.box
        closed = isinstance(report, Closed)
        jpeg, picture_us = self._picture(telling, frame.wall_us, final=closed)
        telling.revision += 1
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
        )
        if closed:
            del self._open[report.number]
        return EventFound(event=event, jpeg=jpeg, picture_us=picture_us)

    def _picture(self, telling: _Telling, now_us: int, final: bool) -> tuple[bytes | None, int]:
        """The best picture that has not been sent yet, when it is time; and when it was taken."""
        best = telling.best
        sent_us = telling.pictured_us
        if best is None or (sent_us is not None and not final and now_us - sent_us < PICTURE_EVERY_US):
            return None, 0
        telling.best = None  # frees the frame
        telling.pictured_us = now_us
        return best.jpeg(), best.wall_us
