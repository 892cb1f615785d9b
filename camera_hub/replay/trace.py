"""What the report shows of one clip besides its score: signals over time, and pictures of what went wrong.

Gathered while the clip runs, looking over the watch's shoulder. Promises bounded memory and to
change nothing: signals are thinned, and a picture is kept only while it may yet be wanted, as a
false alarm or as a miss. Relies on the labels being known beforehand.
"""

from collections.abc import Sequence

import msgspec

from camera_hub.cameras.decoding import DecodedFrame
from camera_hub.model import Box, EventKind
from camera_hub.motion import Closed, Followed, Report, Sight
from camera_hub.replay.trace_signals import Series, Signals
from camera_hub.watch import Look, Watch

WIDTH = 640  # px, at most, of a picture
QUALITY = 72  # of its JPEG
MOST_PICTURES = 100  # of events; a detector that is wrong all day need not be shown all day
LEAST_DIFFERENCE = 0.002  # share of the cells; with less, a label's middle says more than its peak
CLEARER = 1.2  # a frame must differ this much more to take the last one's place
BEFORE_S, AROUND_S = 1.0, 1.0  # an event may start so early for its label, and lie so far beside one

Span = tuple[float, float]
"""(start, end) in seconds since the clip's first frame."""


class Picture(msgspec.Struct, frozen=True):
    """A frame, and what was seen in it."""

    t_s: float
    jpeg: bytes
    width: int  # px, of the frame that it was made from
    height: int
    tracks: tuple[Followed, ...]
    box: Box | None = None  # the event's mover


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
    unfit: str = ""  # why the gate could not sleep at the clip's end, in words


class Trace:
    """Gathers from the looks of one clip, in order."""

    def __init__(self, labels: Sequence[Span], tamper: Sequence[Span], maybe: Sequence[Span]) -> None:
        """The labelled spans: of movers, of tampering, and of what counts neither way."""
        self._signals = Signals()
        self._wanted = [_Wanted(span, EventKind.MOTION) for span in labels]
        self._wanted += [_Wanted(span, EventKind.TAMPER) for span in tamper]
        self._around = {
            EventKind.MOTION: [*labels, *maybe],
            EventKind.TAMPER: [*tamper, *maybe],
        }
        self._events: dict[tuple[EventKind, int], EventPicture | None] = {}
        self._kept = 0
        self._zero_us: int | None = None
        self._unfit = ""

    def look(self, look: Look, watch: Watch) -> None:
        """Take in one look at a picture."""
        if self._zero_us is None:
            self._zero_us = look.frame.pts_us
        t_us = look.frame.pts_us - self._zero_us
        sight = watch.detector.sight
        values: dict[str, float] = {"asleep": float(watch.gate.asleep)}
        if look.looked and sight is not None:
            values |= {
                "differs": sight.differs,
                "light": sight.light,
                "followed": len(sight.tracks),
                "believed": sum(track.believed for track in sight.tracks),
            }
        self._signals.add(max(t_us, 0), values)
        self._unfit = watch.gate.reason
        for report in look.reports:
            self._take(report, look.frame, sight, t_us / 1e6)
        if look.looked and sight is not None:
            for wanted in self._wanted:
                wanted.look(look.frame, sight, t_us / 1e6)

    def _take(self, report: Report, frame: DecodedFrame, sight: Sight | None, t_s: float) -> None:
        start_s = (report.start_us - (self._zero_us or 0)) / 1e6
        for wanted in self._wanted:
            wanted.told(report.kind, start_s)
        key = (report.kind, report.number)
        known = self._events.get(key)
        if key in self._events and known is None:
            return
        end_s = t_s if not isinstance(report, Closed) else (report.end_us - (self._zero_us or 0)) / 1e6
        if any(
            start_s < end + AROUND_S and end_s > start - AROUND_S for start, end in self._around[report.kind]
        ):
            self._kept -= known is not None
            self._events[key] = None  # it is in its place, and needs no picture
            return
        if (report.best or known is None) and (known is not None or self._kept < MOST_PICTURES):
            self._kept += known is None
            picture = _picture(frame, sight, t_s, report.box)
            self._events[key] = EventPicture(report.kind, start_s, picture)

    def gathered(self) -> ClipTrace:
        """What is known by now; for the clip's end."""
        missed = ((wanted.span, wanted.picture()) for wanted in self._wanted)
        return ClipTrace(
            self._signals.series(),
            tuple(picture for picture in self._events.values() if picture is not None),
            tuple(LabelPicture(span, picture) for span, picture in missed if picture is not None),
            self._unfit,
        )


class _Wanted:
    """A label, and the frames that show it best for as long as no event has started in it."""

    def __init__(self, span: Span, kind: EventKind) -> None:
        self.span = span
        self._kind = kind
        self._found = False
        self._most = 0.0
        self._clearest: Picture | None = None
        self._middle: Picture | None = None

    def told(self, kind: EventKind, start_s: float) -> None:
        """An event has been told."""
        if kind == self._kind and self.span[0] - BEFORE_S <= start_s <= self.span[1]:
            self._found = True
            self._clearest = self._middle = None

    def look(self, frame: DecodedFrame, sight: Sight, t_s: float) -> None:
        """Keep the frame if it shows the label better than those before."""
        start, end = self.span
        if self._found or not start <= t_s < end:
            return
        if self._middle is None or (self._middle.t_s < (start + end) / 2 <= t_s):
            self._middle = _picture(frame, sight, t_s)
        if sight.differs > max(self._most * CLEARER, LEAST_DIFFERENCE):
            self._most = sight.differs
            self._clearest = _picture(frame, sight, t_s)

    def picture(self) -> Picture | None:
        """The best frame there is."""
        return None if self._found else self._clearest or self._middle


def _picture(frame: DecodedFrame, sight: Sight | None, t_s: float, box: Box | None = None) -> Picture:
    height, width = frame.luma.shape
    jpeg = frame.jpeg(max(round(height * WIDTH / width), 1) if width > WIDTH else None, QUALITY)
    return Picture(t_s, jpeg, width, height, sight.tracks if sight is not None else (), box)
