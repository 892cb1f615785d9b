"""The exact labels of a composed clip, in the form of the labelled real clips.

A mover counts while at least half of it shows, it is at least 8 px tall at 320 px width (a lying
one: long), and a person could tell it from what is behind it. Less than that, where anything shows
at all, is a `maybe`, as is all that moves around a tampering. Times are seconds from the first
frame, ends exclusive.
"""

from dataclasses import dataclass, field
from typing import Any

from benchmarks.compose.footage import Box, Span

LEAST_PX = 8.0  # at 320 px width
HALF = 0.5
ANYTHING = 0.02
LEAST_TONES = 11.0  # of its clearest fifth; less, and nobody is asked to see it
NEAR_S = 1.0  # a maybe this near an event says nothing that the event does not


@dataclass
class Labels:
    """Gathers what shows, frame by frame."""

    width: int  # px of the picture that boxes are in
    frame_s: float
    _counts: dict[int, list[Span]] = field(default_factory=dict)
    _maybe: dict[int, list[Span]] = field(default_factory=dict)

    def add(self, number: int, t: float, share: float, box: Box, tones: float = 255.0) -> None:
        """A mover's share that shows at `t`, its whole box (px), and how much it differs from its ground."""
        large = max(box[2] - box[0], box[3] - box[1]) * 320 / self.width >= LEAST_PX
        if share >= HALF and large and tones >= LEAST_TONES:
            self._grow(self._counts.setdefault(number, []), t)
        elif share > ANYTHING:
            self._grow(self._maybe.setdefault(number, []), t)

    def _grow(self, spans: list[Span], t: float) -> None:
        if spans and t - spans[-1][1] < 0.5 * self.frame_s:
            spans[-1] = (spans[-1][0], t + self.frame_s)
        else:
            spans.append((t, t + self.frame_s))

    def document(
        self,
        whats: list[str],
        still_from: list[float | None],
        tampers: list[tuple[Span, Span]],
        duration_s: float,
    ) -> dict[str, Any]:
        """`events`, `maybe` and `tamper`. `still_from` says when a mover has parked for good."""
        events, maybe = [], []
        for number, spans in sorted(self._counts.items()):
            parked = still_from[number]
            for start, end in spans:
                if parked is not None and end > parked:
                    if start < parked:
                        events.append({**_span((start, parked)), "what": whats[number]})
                    maybe.append((max(start, parked), min(end, parked + 6.0)))
                else:
                    events.append({**_span((start, end)), "what": whats[number]})
        for spans in self._maybe.values():
            maybe += spans
        acts = []
        for act, doubtful in tampers:
            if act[0] < duration_s:
                acts.append(_span((act[0], min(act[1], duration_s))))
                maybe.append((max(doubtful[0], 0.0), min(doubtful[1], duration_s)))
        events.sort(key=lambda event: event["start_s"])
        far = [
            s
            for s in maybe
            if not any(s[0] >= e["start_s"] - NEAR_S and s[1] <= e["end_s"] + NEAR_S for e in events)
        ]
        return {
            "events": events,
            "maybe": [_span(s) for s in sorted(far) if s[0] < duration_s],
            "tamper": acts,
        }


def _span(span: Span) -> dict[str, Any]:
    return {"start_s": round(span[0], 3), "end_s": round(span[1], 3)}
