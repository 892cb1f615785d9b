"""What the report shows of one clip besides its score: signals over time, and pictures of what went wrong.

Gathered while the clip runs, looking over the watch's shoulder. Promises bounded memory and to
change nothing: signals are thinned, and a picture is kept only while it may yet be wanted, as a
false alarm or as a miss. Relies on the labels being known beforehand.
"""

import msgspec
from msgspec.structs import replace

from camera_hub.cameras.decoding import DecodedFrame
from camera_hub.model import Box, EventKind
from camera_hub.motion import Closed, Followed, Report, Sight
from camera_hub.replay.gathered import seconds
from camera_hub.replay.labels import Labels
from camera_hub.replay.result import ClipResult, Span
from camera_hub.replay.runner import Job
from camera_hub.replay.score import EARLY_S, NEAR_S, TAMPER_WITHIN_S, joined, overlaps
from camera_hub.replay.trace_signals import Series, Signals
from camera_hub.watch import Look, Watch

WIDTH = 640  # px, at most, of a picture
QUALITY = 72  # of its JPEG
MOST_PICTURES = 100  # of events; a detector that is wrong all day need not be shown all day
LEAST_DIFFERENCE = 0.002  # share of the cells; with less, a label's middle says more than its peak
BOX_NEAR_S = 0.15  # a label's box so long before or after a frame is still where it says
CLEARER = 1.2  # a frame must differ this much more to take the last one's place


class Picture(msgspec.Struct, frozen=True):
    """A frame, and what was seen in it."""

    t_s: float
    jpeg: bytes
    width: int  # px, of the frame that it was made from
    height: int
    tracks: tuple[Followed, ...]
    box: Box | None = None  # the event's mover
    known: tuple[Box, ...] = ()  # where the labels say that somebody is


class EventPicture(msgspec.Struct, frozen=True):
    """The best picture of an event that may be false."""

    kind: EventKind
    start_s: float
    picture: Picture


class LabelPicture(msgspec.Struct, frozen=True):
    """The picture of a label that may have been missed."""

    span: Span
    picture: Picture


class ClipTrace(msgspec.Struct, frozen=True):
    """All that was gathered of one clip."""

    signals: dict[str, Series] = {}
    """`differs` (share of cells, 0..1), `light` (tones), `followed` and `believed` (tracks), `excess` and
    `limit` (natural logarithm of packet sizes), `asleep` (0 or 1, from one point to the next)."""
    events: tuple[EventPicture, ...] = ()
    missed: tuple[LabelPicture, ...] = ()


def traced(job: Job) -> "Trace":
    """The observer of a clip, for `runner.run_all`."""
    return Trace(job.labels)


class Trace:
    """Gathers from the looks of one clip, in order; a `runner.Observer`."""

    def __init__(self, labels: Labels | None) -> None:
        """What is known of the clip; where nothing is, every event has its picture kept."""
        known = labels or Labels()
        motion = [label.span for label in joined(known.events)]
        tamper = [label.span for label in joined(known.tamper)]
        maybe = [(span.start_s, span.end_s) for span in known.maybe]
        self._signals = Signals()
        self._known = [box for label in known.events for box in label.boxes]
        self._wanted = [_Wanted(span, EventKind.MOTION, span[1]) for span in motion]
        self._wanted += [_Wanted(span, EventKind.TAMPER, span[0] + TAMPER_WITHIN_S) for span in tamper]
        self._never_false = {
            EventKind.MOTION: [(span, NEAR_S) for span in motion + tamper] + [(span, 0.0) for span in maybe],
            EventKind.TAMPER: [(span, NEAR_S) for span in tamper + maybe],
        }
        self._events: dict[tuple[EventKind, int], EventPicture | None] = {}
        self._kept = 0

    def observe(self, look: Look, watch: Watch) -> None:
        """Take in one look at a picture; its time counts from the clip's first frame."""
        t_us = max(look.frame.pts_us, 0)
        sight = watch.detector.sight
        values = {"asleep": float(watch.gate.asleep)}
        if look.looked and sight is not None:
            values |= {
                "differs": sight.differs,
                "light": sight.light,
                "followed": float(len(sight.tracks)),
                "believed": float(sum(track.believed for track in sight.tracks)),
            }
        if watch.gate.excess is not None and watch.gate.limit is not None:
            values |= {"excess": watch.gate.excess, "limit": watch.gate.limit}
        self._signals.add(t_us, values)
        for report in look.reports:
            self._take(report, look.frame, sight)
        if look.looked and sight is not None:
            for wanted in self._wanted:
                wanted.look(look.frame, sight, t_us / 1e6)

    def _take(self, report: Report, frame: DecodedFrame, sight: Sight | None) -> None:
        kind, start_s = EventKind(report.kind), seconds(max(report.start_us, 0))
        for wanted in self._wanted:
            wanted.told(kind, start_s)
        key = (kind, report.number)
        kept = self._events.get(key)
        if key in self._events and kept is None:
            return
        end_s = seconds(max(report.end_us if isinstance(report, Closed) else report.t_us, 0))
        if any(overlaps((start_s, end_s), span, grown) for span, grown in self._never_false[kind]):
            self._kept -= kept is not None
            self._events[key] = None
        elif kept is None and self._kept < MOST_PICTURES:
            self._kept += 1
            self._events[key] = EventPicture(kind, start_s, _picture(frame, sight, report.box))
        elif kept is not None and report.best:
            self._events[key] = EventPicture(kind, start_s, _picture(frame, sight, report.box))

    def by_product(self, result: ClipResult) -> ClipTrace:
        """What was gathered, with the pictures of what was false or missed in the end."""
        false = {(event.kind, event.start_s) for event in result.events if event.outcome in (None, "false")}
        missed = {(label.start_s, label.end_s) for label in result.labels if label.outcome == "missed"}
        pictures = ((wanted.span, wanted.picture()) for wanted in self._wanted if wanted.span in missed)
        return ClipTrace(
            self._signals.series(),
            tuple(kept for kept in self._events.values() if kept and (kept.kind, kept.start_s) in false),
            tuple(LabelPicture(span, self._marked(picture)) for span, picture in pictures if picture),
        )

    def _marked(self, picture: Picture) -> Picture:
        """The picture with the labels' boxes of that time."""
        near = [box for box in self._known if abs(box[0] - picture.t_s) <= BOX_NEAR_S]
        nearest_s = min((abs(box[0] - picture.t_s) for box in near), default=0.0)
        boxes = tuple(box[1:] for box in near if abs(box[0] - picture.t_s) <= nearest_s + 0.001)
        return replace(picture, known=boxes)


class _Wanted:
    """A label, and the frames that show it best for as long as no event has started in it."""

    def __init__(self, span: Span, kind: EventKind, latest_s: float) -> None:
        """`latest_s`: an event that starts later does not find it."""
        self.span = span
        self._kind = kind
        self._latest_s = latest_s
        self._found = False
        self._most = 0.0
        self._clearest: Picture | None = None
        self._middle: Picture | None = None

    def told(self, kind: EventKind, start_s: float) -> None:
        """An event has been told."""
        if kind == self._kind and self.span[0] - EARLY_S <= start_s <= self._latest_s:
            self._found = True
            self._clearest = self._middle = None

    def look(self, frame: DecodedFrame, sight: Sight, t_s: float) -> None:
        """Keep the frame if it shows the label better than those before."""
        start, end = self.span
        if self._found or not start <= t_s < end:
            return
        if self._middle is None or (self._middle.t_s < (start + end) / 2 <= t_s):
            self._middle = _picture(frame, sight)
        if sight.differs > max(self._most * CLEARER, LEAST_DIFFERENCE):
            self._most = sight.differs
            self._clearest = _picture(frame, sight)

    def picture(self) -> Picture | None:
        """The best frame there is; of tampering the middle, by when it is complete."""
        if self._found:
            return None
        return self._middle if self._kind == EventKind.TAMPER else self._clearest or self._middle


def _picture(frame: DecodedFrame, sight: Sight | None, box: Box | None = None) -> Picture:
    height, width = frame.luma.shape
    jpeg = frame.jpeg(max(round(height * WIDTH / width), 1) if width > WIDTH else None, QUALITY)
    tracks = sight.tracks if sight is not None else ()
    return Picture(seconds(max(frame.pts_us, 0)), jpeg, width, height, tracks, box)
