"""What is known of a stretch of video from what people said of its events. Pure.

A verdict is about an alarm: where it was right, something moved; where it was false, nothing did; where
nobody said anything, or it was but a test, nobody knows, and it counts neither way.
"""

from collections.abc import Iterable
from typing import Any

from camera_hub.model import EventKind, Verdict
from camera_hub.store import StoredEvent

Span = tuple[int, int]
"""(from, to) in µs, the end exclusive."""

SHORTEST_US = 100_000  # an event of one picture is an event too


def labels(events: Iterable[StoredEvent], video: Span, gaps: Iterable[Span] = ()) -> dict[str, Any]:
    """The spans of a label file, in seconds from the video's first frame.

    `events` are all of the camera that overlap the video (wall time); `gaps` are times in it without a
    picture, at whose end the picture jumps.
    """
    found: dict[str, list[dict[str, Any]]] = {"events": [], "maybe": [], "tamper": []}
    for stored in events:
        event = stored.event
        verdict = stored.verdict.verdict if stored.verdict is not None else None
        end_us = video[1] if event.end_us is None else max(event.end_us, event.start_us + SHORTEST_US)
        span = within((event.start_us, end_us), video)
        if span is None or verdict is Verdict.FALSE:
            continue
        if verdict is not Verdict.REAL:
            found["maybe"].append(span)
        elif event.kind is EventKind.TAMPER:
            found["tamper"].append(span)
            found["maybe"].append(span)  # whoever covers a camera moves before it
        else:
            found["events"].append({**span, "what": "mover"})
    for gap in gaps:
        span = within(gap, video)
        if span is not None:
            found["maybe"].append(span)
    return {kind: sorted(spans, key=lambda span: span["start_s"]) for kind, spans in found.items()}


def within(span: Span, video: Span) -> dict[str, float] | None:
    """The part of the span that the video shows, in seconds of it; None where that is none."""
    start_s = round((max(span[0], video[0]) - video[0]) / 1e6, 3)
    end_s = round((min(span[1], video[1]) - video[0]) / 1e6, 3)
    return {"start_s": start_s, "end_s": end_s} if end_s > start_s else None
