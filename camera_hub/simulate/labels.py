"""The exact labels of a practice clip, in the form of real labelled clips and a little more.

A mover counts while at least half of it is in the picture and not hidden, and it is at least
LEAST_PX large: only then can it be asked of anybody to see it. Less than that, away from what
counts, is a `maybe`. Times are seconds from the first frame, ends exclusive.
"""

from dataclasses import dataclass, field
from typing import Any

from camera_hub.simulate.optics import HEIGHT, WIDTH
from camera_hub.simulate.scenario import Scenario

LEAST_PX = 20.0  # the longer side of its box, in px of the main stream
HALF = 0.5
MAYBE_FROM = 0.02  # of itself; below, nobody could tell
NEAR_S = 1.0  # a score grows labels by this much on each side
BOX_EVERY_S = 0.2


@dataclass(frozen=True)
class Seen:
    """A mover in one frame: the box (px) of what shows of it, and how much of itself that is, 0..1."""

    mover: int
    left: int
    top: int
    right: int
    bottom: int
    share: float

    @property
    def counts(self) -> bool:
        return self.share >= HALF and max(self.right - self.left, self.bottom - self.top) >= LEAST_PX


@dataclass
class Labels:
    """Gathers what was seen, frame by frame, in order of time."""

    scenario: Scenario
    what: list[str]
    frame_s: float
    _seen: dict[int, list[tuple[float, Seen]]] = field(default_factory=dict)

    def add(self, t: float, seen: list[Seen]) -> None:
        for one in seen:
            self._seen.setdefault(one.mover, []).append((t, one))

    def _spells(self, sightings: list[tuple[float, Seen]], counts: bool) -> list[list[tuple[float, Seen]]]:
        spells: list[list[tuple[float, Seen]]] = []
        for t, one in sightings:
            if one.counts is not counts or one.share < MAYBE_FROM:
                continue
            if spells and t - spells[-1][-1][0] < 1.5 * self.frame_s:
                spells[-1].append((t, one))
            else:
                spells.append([(t, one)])
        return spells

    def _span(self, spell: list[tuple[float, Seen]]) -> dict[str, Any]:
        return {"start_s": round(spell[0][0], 3), "end_s": round(spell[-1][0] + self.frame_s, 3)}

    def document(self, clip: str, fps: float) -> dict[str, Any]:
        """What is written beside the clip."""
        events, maybe = [], []
        for mover, sightings in sorted(self._seen.items()):
            for spell in self._spells(sightings, counts=True):
                boxes, last = [], -1.0
                for t, one in spell:
                    if t - last < BOX_EVERY_S - 1e-6 and t != spell[-1][0]:
                        continue
                    last = t
                    boxes.append([round(t, 3), *_fractions(one)])
                events.append({**self._span(spell), "what": self.what[mover], "mover": mover, "boxes": boxes})
            maybe += [
                {**self._span(spell), "what": self.what[mover]}
                for spell in self._spells(sightings, counts=False)
            ]
        events.sort(key=lambda event: (event["start_s"], event["mover"]))
        away = [m for m in maybe if not _within(m, events)]
        story = self.scenario
        return {
            "clip": clip,
            "fps": fps,
            "duration_s": story.duration_s,
            "scene": story.scene.id,
            "seed": story.seed,
            "source": "Camera Hub, practice hamlet",
            "licence": "Apache-2.0",
            "conditions": sorted(story.conditions),
            "events": events,
            "maybe": sorted(away, key=lambda m: m["start_s"]),
            "tamper": [],
            "nuisances": [
                {"start_s": round(n.start_s, 3), "end_s": round(n.end_s, 3), "what": n.kind}
                for n in story.nuisances
            ],
        }


def _fractions(one: Seen) -> list[float]:
    return [
        round(one.left / WIDTH, 4),
        round(one.top / HEIGHT, 4),
        round((one.right - one.left) / WIDTH, 4),
        round((one.bottom - one.top) / HEIGHT, 4),
    ]


def _within(span: dict[str, Any], events: list[dict[str, Any]]) -> bool:
    return any(
        span["start_s"] >= event["start_s"] - NEAR_S and span["end_s"] <= event["end_s"] + NEAR_S
        for event in events
    )
