"""What a replay gives, as types; written as JSON they are what `camera-hub replay --json` prints.

Times are seconds from the clip's first frame, rounded to milliseconds; geometry is in fractions
of the picture. Keys are never left out, except `error`, which is there only where there is one.
The same clips, configuration and labels give the same values, but for `wall_s` and `cpu_s`.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from camera_hub.model import Box, EventKind, Hand, Side, TamperCause

Span = tuple[float, float]
"""(start, end) in seconds from the clip's first frame; the end is exclusive."""

EventOutcome = Literal["true", "false", "maybe"]
"""`true`: it overlaps a label; `false`: a false alarm; `maybe`: it counts neither way."""

LabelOutcome = Literal["found", "missed", "maybe"]
"""`maybe`: the label counts neither way, since the event that shows it began in a `maybe`."""


class CrossingResult(msgspec.Struct, frozen=True, kw_only=True):
    """A mover went over a line of the configuration."""

    line: str
    t_s: float
    to: Hand  # the side on which it then was
    to_is: str  # what the configuration calls that side; may be empty


class EventResult(msgspec.Struct, frozen=True, kw_only=True):
    """A reported event."""

    start_s: float  # when the mover appeared
    end_s: float  # when it was last seen to move
    kind: EventKind
    score: float  # 0..1
    zones: tuple[str, ...]
    track: tuple[tuple[float, float, float], ...]  # (t_s, x, y): the mover's foot
    told_s: float  # when the event was first told, which is when somebody would be alerted
    best_s: float  # the frame that is the event's picture
    box: Box  # (x, y, width, height): the mover in that picture
    outcome: EventOutcome | None = None  # None without labels
    crossings: tuple[CrossingResult, ...] = ()  # of all movers
    stays: tuple[tuple[str, float], ...] = ()  # (zone, the longest time (s) of one mover in it)
    entry: Side | None = None  # where the main mover came from; None without one
    exit: Side | None = None  # where it went; None where the clip ended meanwhile
    mean_speed: float = 0.0  # of the main mover; fractions of the picture a second
    peak_speed: float = 0.0
    cause: TamperCause | None = None  # of a tamper


class LabelResult(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled event, or several that are less than 5 s apart and count as one."""

    start_s: float
    end_s: float
    kind: EventKind
    what: str  # "person", "person, motorbike"; empty where the labels do not say
    outcome: LabelOutcome
    delay_s: float | None  # from its start to the start of the event that found it; None where none did


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """How reported events do against labels, over one clip or many; docs/tester.md defines each.

    What cannot be said (a recall without labels, say) is None. The first six are of motion.
    """

    found: int
    missed: int
    false: int
    precision: float | None
    recall: float | None
    f1: float | None
    false_per_hour: float | None  # of motion and tamper together
    quiet_reported: float | None  # share of quiet time that was reported as motion, 0..1
    delay_median_s: float | None
    delay_p95_s: float | None
    decoded_share: float | None  # of all frames, 0..1
    tamper_found: int
    tamper_missed: int
    tamper_false: int
    clips: int  # labelled ones that this is about
    duration_s: float  # of these
    quiet_s: float  # of these, outside the labels grown by 3 s and outside what is `maybe`


class ClipResult(msgspec.Struct, frozen=True, kw_only=True):
    """One clip."""

    clip: str  # the path as given
    duration_s: float
    fps: float
    frames: int
    frames_decoded: int
    wall_s: float
    cpu_s: float
    events: tuple[EventResult, ...]
    score: Score | None  # None without labels, or with an error
    error: str | UnsetType = UNSET  # why it could not be read, or not to its end; a sentence
    codec: str = ""  # as FFmpeg names it
    width: int = 0  # px
    height: int = 0  # px
    gate: str = ""  # why everything was decoded at the clip's end, or "off: …"; empty while it may sleep
    notes: tuple[str, ...] = ()  # what a tester should know of it, in sentences
    conditions: tuple[str, ...] = ()  # as labelled
    labels: tuple[LabelResult, ...] = ()  # as scored: motion, then tamper
    maybe: tuple[Span, ...] = ()  # as labelled


class Total(msgspec.Struct, frozen=True, kw_only=True):
    """All clips together."""

    clips: int
    errors: int  # clips with an error
    duration_s: float
    frames: int
    frames_decoded: int
    wall_s: float  # sums over the clips, so more than the time that passed where several ran at once
    cpu_s: float
    events: int
    score: Score | None  # over the labelled clips; None where there is none
    per_condition: dict[str, Score]  # by condition, in order of the alphabet


class Results(msgspec.Struct, frozen=True, kw_only=True):
    """A whole replay."""

    version: Literal[1] = 1
    clips: tuple[ClipResult, ...]
    total: Total
