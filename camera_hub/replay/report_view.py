"""A clip with its place in the report, and what is said of it there in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

from msgspec import UNSET

from camera_hub.model import EventKind
from camera_hub.replay import report_words as words
from camera_hub.replay.result import ClipResult, EventResult, LabelResult
from camera_hub.replay.trace import ClipTrace, Picture

SAME_S = 0.0015  # times that were rounded are the same


@dataclass(frozen=True)
class Clip:
    """A clip with its place in the report."""

    anchor: str
    name: str  # short, and no other clip's
    result: ClipResult
    trace: ClipTrace

    @property
    def missed(self) -> list[tuple[str, LabelResult]]:
        """Labels that nothing found, with their anchors."""
        return [
            (self._id("m", n), label)
            for n, label in enumerate(self.result.labels)
            if label.outcome == "missed"
        ]

    @property
    def shown(self) -> list[tuple[str, EventResult]]:
        """False events, with their anchors; all events where nothing is known of the clip."""
        wanted = "false" if self.result.score is not None else None
        return [
            (self._id("e", n), event) for n, event in enumerate(self.result.events) if event.outcome == wanted
        ]

    @property
    def faults(self) -> int:
        """How much is wrong."""
        if self.result.score is None:
            return int(self.result.error is not UNSET)
        return len(self.missed) + len(self.shown) + (self.result.error is not UNSET)

    def _id(self, letter: str, n: int) -> str:
        return f"{self.anchor}-{letter}{n}"


def names(clips: Sequence[str]) -> list[str]:
    """What clips are called: their files, or where two are alike, their paths without what all share."""
    paths = [PurePath(clip) for clip in clips]
    if len({path.name for path in paths}) == len(paths):
        return [path.name or clip for path, clip in zip(paths, clips, strict=True)]
    alike = min(len(path.parts) for path in paths) - 1 if paths else 0
    while alike > 0 and len({path.parts[:alike] for path in paths}) > 1:
        alike -= 1
    return [str(PurePath(*path.parts[alike:])) for path in paths]


def verdict(clip: Clip) -> list[tuple[str, str]]:
    """How it went, as (look, words), the worst first."""
    result, score = clip.result, clip.result.score
    said: list[tuple[str, str]] = []
    if result.error is not UNSET:
        said.append(("bad", "not played to the end" if result.frames else "cannot be played"))
    elif score is None:
        said.append(("", "no labels"))
    if score is None:
        return said + [("", words.many(len(result.events), "event"))] * bool(result.frames)
    missed, false = len(clip.missed), len(clip.shown)
    said += [("bad", f"{missed} missed")] * bool(missed) + [("bad", f"{false} false")] * bool(false)
    if score.quiet_reported is not None and score.quiet_reported > 0.01:
        said.append(("warn", f"{words.share(score.quiet_reported)} of quiet time"))
    found = score.found + score.tamper_found
    if found:
        said.append(("good", f"{found} found"))
    return said if said else [("good", "rightly silent")]


def label_picture(clip: Clip, label: LabelResult) -> Picture | None:
    return next(
        (
            kept.picture
            for kept in clip.trace.missed
            if abs(kept.span[0] - label.start_s) < SAME_S and abs(kept.span[1] - label.end_s) < SAME_S
        ),
        None,
    )


def event_picture(clip: Clip, event: EventResult) -> Picture | None:
    return next(
        (
            kept.picture
            for kept in clip.trace.events
            if kept.kind is event.kind and abs(kept.start_s - event.start_s) < SAME_S
        ),
        None,
    )


def what_of(label: LabelResult) -> str:
    return label.what or ("tampering" if label.kind is EventKind.TAMPER else "a mover")


def span_text(start_s: float, end_s: float) -> str:
    return f"{words.clock(start_s)} to {words.clock(end_s)}"
