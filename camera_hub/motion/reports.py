"""What the detector is told and what it tells: settings in, reports out.

Geometry is in fractions of the picture; times are stream time in microseconds.
"""

from typing import Literal

import msgspec

from camera_hub.model import Box, Crossing, EventKind, Line, Point, Side, Stay, TamperCause, Zone

Sensitivity = Literal["low", "normal", "high"]

PathPoint = tuple[int, float, float]
"""(microseconds since the event's start, x, y) of the mover's foot."""


class PersonHeight(msgspec.Struct, frozen=True):
    """How tall a grown person looks where the feet are at `at`; in fractions of the picture's height."""

    at: Point
    height: float


class Numbers(msgspec.Struct, frozen=True):
    """Single numbers in place of those that the sensitivity means; see exact.py. None: as it means."""

    least_tones: float | None = None
    spreads: float | None = None
    least_area: float | None = None
    least_travel: float | None = None
    patience: float | None = None


class MotionSettings(msgspec.Struct, frozen=True):
    """What a person may say about one camera."""

    zones: tuple[Zone, ...] = ()
    masks: tuple[Zone, ...] = ()
    sensitivity: Sensitivity = "normal"
    lines: tuple[Line, ...] = ()
    person_height: tuple[PersonHeight, ...] = ()  # none, or at two places in different rows
    numbers: Numbers = Numbers()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """One thing told about one event: a later report of the same `number` replaces an earlier one."""

    number: int  # the event's, counted from 1 by each detector
    kind: EventKind = EventKind.MOTION
    t_us: int  # when it was told
    start_us: int  # when the mover appeared; may lie before the first report
    zones: tuple[str, ...]  # touched so far, in the order of the settings
    score: float  # 0..1, the peak so far
    box: Box  # the mover now, or where it was seen last
    path: tuple[PathPoint, ...]  # thinned
    best: bool  # this frame is the best picture of the event so far
    stays: tuple[Stay, ...] = ()  # of each of `zones`, the longest time of one mover so far
    crossings: tuple[Crossing, ...] = ()  # of all movers, in order of time
    entry: Side | None = None  # of the main mover: the one that the path is of; None without one
    exit: Side | None = None  # None while it is there, and where the stream ended meanwhile
    mean_speed: float = 0.0  # of the main mover; fractions of the picture a second
    peak_speed: float = 0.0
    cause: TamperCause | None = None  # of a tamper


class Opened(Report, frozen=True, kw_only=True):
    """Something moves."""


class Changed(Report, frozen=True, kw_only=True):
    """It still does; there is a better picture, another zone, or more path."""


class Closed(Report, frozen=True, kw_only=True):
    """It has gone, or stands still for good."""

    end_us: int  # when it was last seen to move


class Followed(msgspec.Struct, frozen=True):
    """A track as it is now."""

    number: int
    box: Box
    believed: bool


class Sight(msgspec.Struct, frozen=True):
    """What the detector saw in its last frame, for those who look over its shoulder."""

    t_us: int
    differs: float  # share of the picture's cells that differ from the background, 0..1
    light: float  # tones by which the light changed, the mean over the picture without its sign
    settled: bool  # False while the scene is only learned
    tracks: tuple[Followed, ...]  # those that were seen in this frame
