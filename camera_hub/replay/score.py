"""The score of reported events against labels, by event; docs/tester.md has it in words.

Labels less than 5 s apart are one. A label is found when an event of its kind starts in it; it is
the start that alerts somebody, so one endless event over three visitors finds one of them. An event
is false when it overlaps no label of its kind, grown by 1 s on each side. What overlaps a "maybe"
counts neither way. Pure; times are seconds from the clip's first frame.
"""

import statistics
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from camera_hub.model import EventKind
from camera_hub.replay.labels import Labels, LabelSpan
from camera_hub.replay.result import ClipResult, EventOutcome, EventResult, LabelResult, Score, Span

APART_S = 5.0  # labels with less between them are one
EARLY_S = 1.0  # an event may start so long before its label
NEAR_S = 1.0  # and lie so far from it without being false
TAMPER_WITHIN_S = 10.0  # of its start a tampering must be told
QUIET_S = 3.0  # time nearer to a label than this is not quiet


class _Label(NamedTuple):
    start: float
    end: float
    what: str

    @property
    def span(self) -> Span:
        return (self.start, self.end)


def overlaps(one: Span, other: Span, grown: float = 0.0) -> bool:
    """Whether the two have a time in common when one of them is grown on each side. Ends are exclusive."""
    return one[0] < other[1] + grown and one[1] > other[0] - grown


def joined(labels: Iterable[LabelSpan]) -> list[_Label]:
    """Labels in order, with those less than 5 s apart made one."""
    whole: list[_Label] = []
    for label in sorted(labels, key=lambda label: (label.start_s, label.end_s)):
        last = whole[-1] if whole else None
        if last is not None and label.start_s - last.end < APART_S:
            whats = dict.fromkeys([*last.what.split(", "), label.what]) if last.what else [label.what]
            whole[-1] = _Label(last.start, max(last.end, label.end_s), ", ".join(filter(None, whats)))
        else:
            whole.append(_Label(label.start_s, label.end_s, label.what))
    return whole


def scored(result: ClipResult, labels: Labels) -> ClipResult:
    """The clip with its score, and with what came of each event and each label."""
    motion, tamper = joined(labels.events), joined(labels.tamper)
    maybe = tuple((span.start_s, span.end_s) for span in labels.maybe)
    events = [replace(event, outcome=_outcome(event, motion, tamper, maybe)) for event in result.events]
    judged = [
        *(_judged(label, EventKind.MOTION, _of(events, EventKind.MOTION), maybe) for label in motion),
        *(_judged(label, EventKind.TAMPER, _of(events, EventKind.TAMPER), maybe) for label in tamper),
    ]
    result = replace(
        result,
        events=tuple(events),
        labels=tuple(judged),
        maybe=maybe,
        conditions=tuple(dict.fromkeys(labels.conditions)),
    )
    return replace(result, score=_score([_counted(result)]))


def together(clips: Iterable[ClipResult]) -> Score | None:
    """The score of all labelled clips together; None where there is none."""
    counted = [_counted(clip) for clip in clips if clip.score is not None]
    return _score(counted) if counted else None


def per_condition(clips: Sequence[ClipResult]) -> dict[str, Score]:
    """The same for the clips of each condition; a clip may have several."""
    conditions = sorted({condition for clip in clips for condition in clip.conditions})
    scores = {
        condition: together(clip for clip in clips if condition in clip.conditions)
        for condition in conditions
    }
    return {condition: score for condition, score in scores.items() if score is not None}


def _of(events: Sequence[EventResult], kind: EventKind) -> list[EventResult]:
    return [event for event in events if event.kind == kind]


def _span(event: EventResult) -> Span:
    # An event without length is a moment, and a moment is somewhere.
    return (event.start_s, max(event.end_s, event.start_s + 0.001))


def _outcome(
    event: EventResult, motion: list[_Label], tamper: list[_Label], maybe: Sequence[Span]
) -> EventOutcome:
    span = _span(event)
    is_tamper = event.kind == EventKind.TAMPER
    own, grown = (tamper, NEAR_S) if is_tamper else (motion, 0.0)
    if any(overlaps(span, label.span, NEAR_S) for label in own):
        return "true"
    if any(overlaps(span, other, grown) for other in maybe):
        return "maybe"
    # Who covers or turns a camera moves in front of it, and the picture moves as well.
    if not is_tamper and any(overlaps(span, label.span, NEAR_S) for label in tamper):
        return "maybe"
    return "false"


def _judged(label: _Label, kind: EventKind, events: list[EventResult], maybe: Sequence[Span]) -> LabelResult:
    latest = label.start + TAMPER_WITHIN_S if kind == EventKind.TAMPER else label.end
    starts = [event.start_s for event in events if label.start - EARLY_S <= event.start_s <= latest]
    delay = round(min(starts) - label.start, 3) if starts else None
    excused = kind == EventKind.MOTION and _excused(label, events, maybe)
    return LabelResult(
        start_s=label.start,
        end_s=label.end,
        kind=kind,
        what=label.what,
        outcome="found" if starts else "maybe" if excused else "missed",
        delay_s=delay,
    )


def _excused(label: _Label, events: list[EventResult], maybe: Sequence[Span]) -> bool:
    """Whether nobody can say that a label without an event of its own was missed.

    It lies within a `maybe`; or an event shows it that began in a `maybe` which leads up to it,
    as that of somebody who is half hidden at first.
    """
    if any(start <= label.start and label.end <= end for start, end in maybe):
        return True
    leading = [span for span in maybe if overlaps(span, label.span, EARLY_S) and span[0] < label.start]
    return any(
        overlaps(_span(event), label.span) and start <= event.start_s <= end
        for event in events
        for start, end in leading
    )


class _Counted(NamedTuple):
    """What of one clip adds up."""

    labels: tuple[LabelResult, ...]
    events: tuple[EventResult, ...]
    duration_s: float
    quiet_s: float
    quiet_reported_s: float
    frames: int
    decoded: int


def _counted(clip: ClipResult) -> _Counted:
    not_quiet = [(label.start_s - QUIET_S, label.end_s + QUIET_S) for label in clip.labels]
    quiet = _left_of((0.0, clip.duration_s), [*not_quiet, *clip.maybe])
    reported = _union([_span(event) for event in _of(clip.events, EventKind.MOTION)])
    return _Counted(
        clip.labels,
        clip.events,
        clip.duration_s,
        sum(end - start for start, end in quiet),
        sum(max(0.0, min(one[1], other[1]) - max(one[0], other[0])) for one in quiet for other in reported),
        clip.frames,
        clip.frames_decoded,
    )


def _union(spans: Iterable[Span]) -> list[Span]:
    whole: list[Span] = []
    for start, end in sorted(spans):
        if whole and start <= whole[-1][1]:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def _left_of(span: Span, taken: Iterable[Span]) -> list[Span]:
    """The parts of the span that nothing takes."""
    left = []
    at, last = span
    for start, end in _union(taken):
        if start > at:
            left.append((at, min(start, last)))
        at = max(at, end)
        if at >= last:
            return left
    return [*left, (at, last)] if at < last else left


def _score(clips: Sequence[_Counted]) -> Score:
    labels = [label for clip in clips for label in clip.labels]
    events = [event for clip in clips for event in clip.events]

    def count(kind: EventKind, outcome: str) -> int:
        return sum(label.kind == kind and label.outcome == outcome for label in labels)

    found, missed = (count(EventKind.MOTION, outcome) for outcome in ("found", "missed"))
    false, tamper_false = (
        sum(event.outcome == "false" for event in _of(events, kind))
        for kind in (EventKind.MOTION, EventKind.TAMPER)
    )
    delays = sorted(
        label.delay_s for label in labels if label.kind == EventKind.MOTION and label.delay_s is not None
    )
    duration_s = sum(clip.duration_s for clip in clips)
    quiet_s = sum(clip.quiet_s for clip in clips)
    return Score(
        found=found,
        missed=missed,
        false=false,
        precision=_share(found, found + false),
        recall=_share(found, found + missed),
        f1=_share(2 * found, 2 * found + false + missed),
        false_per_hour=_share((false + tamper_false) * 3600, duration_s),
        quiet_reported=_share(sum(clip.quiet_reported_s for clip in clips), quiet_s),
        delay_median_s=round(statistics.median(delays), 3) if delays else None,
        delay_p95_s=_percentile(delays, 0.95),
        decoded_share=_share(sum(clip.decoded for clip in clips), sum(clip.frames for clip in clips)),
        tamper_found=count(EventKind.TAMPER, "found"),
        tamper_missed=count(EventKind.TAMPER, "missed"),
        tamper_false=tamper_false,
        clips=len(clips),
        duration_s=round(duration_s, 3),
        quiet_s=round(quiet_s, 3),
    )


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole > 0 else None


def _percentile(ordered: Sequence[float], share: float) -> float | None:
    """Between the two nearest values, in proportion."""
    if not ordered:
        return None
    at = share * (len(ordered) - 1)
    below = int(at)
    above = min(below + 1, len(ordered) - 1)
    return round(ordered[below] + (ordered[above] - ordered[below]) * (at - below), 3)
