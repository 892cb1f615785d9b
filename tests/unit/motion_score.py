"""The score of reported events against labelled ones, by event.

Labels less than 5 s apart are one. A label is found when an event starts in it, from 1 s
before it; an event is false when it overlaps no label grown by 1 s on each side. What overlaps
a "maybe" counts neither way.
"""

from dataclasses import dataclass

Span = tuple[float, float]
"""(start, end) in seconds."""


@dataclass(frozen=True)
class Score:
    """What was found and what was not."""

    found: int
    missed: int
    false: tuple[Span, ...]


def overlaps(one: Span, other: Span, grown: float = 0.0) -> bool:
    return one[0] < other[1] + grown and one[1] > other[0] - grown


def joined(labels: list[Span]) -> list[Span]:
    """Labels with those less than 5 s apart made one."""
    whole: list[Span] = []
    for start, end in sorted(labels):
        if whole and start - whole[-1][1] < 5:
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def score(events: list[Span], labels: list[Span], maybe: list[Span]) -> Score:
    """How `events` do against `labels`."""
    whole = joined(labels)
    found = sum(any(label[0] - 1 <= event[0] <= label[1] for event in events) for label in whole)
    false = tuple(
        event
        for event in events
        if not any(overlaps(event, label, 1.0) for label in whole)
        and not any(overlaps(event, span) for span in maybe)
    )
    return Score(found, len(whole) - found, false)
