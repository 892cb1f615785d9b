"""Whether a rule means an occurrence, from when on, and if not, why. No I/O, no clock."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from camera_hub.alerts.occurrence import AlertKind, Occurrence
from camera_hub.alerts.times import Calendar, Times
from camera_hub.model import Hand

SECOND_US = 1_000_000


class Urgency(StrEnum):
    """How an alert is put to people."""

    NOTICE = "notice"  # to be read some time
    NORMAL = "normal"
    URGENT = "urgent"  # at once, also at night


class Crosses(msgspec.Struct, frozen=True):
    """A line that somebody goes over; `to` None: to either side."""

    line: str
    to: Hand | None = None


class Count(msgspec.Struct, frozen=True):
    """Only when so many come within so long."""

    at_least: int
    within_s: float


class Step(msgspec.Struct, frozen=True):
    """Whom to tell when nobody has acknowledged the alert for so long; the first one is at 0."""

    after_s: float
    to: tuple[str, ...]  # ids of channels


class Rule(msgspec.Struct, frozen=True):
    """Which occurrences somebody must see. An empty tuple, and a bound of 0, mean: whatever it is."""

    id: str
    name: str
    kinds: tuple[AlertKind, ...]
    sites: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()  # global ids, `site.camera`
    zones: tuple[str, ...] = ()
    crosses: tuple[Crosses, ...] = ()
    times: Times = Times()
    lasts_s: float = 0.0
    stays_s: float = 0.0  # one mover, in one of `zones`, or in any zone
    taller_than: float = 0.0  # the mover, in fractions of the picture's height
    count: Count | None = None
    join_s: float = 120.0  # what comes within so long of an alert belongs to it
    cooldown_s: float = 0.0  # no other alert so soon after one has opened
    urgency: Urgency = Urgency.NORMAL
    steps: tuple[Step, ...] = ()
    on: bool = True
    since_us: int = 0  # when it was switched on: what began before is none of its business


class Miss(StrEnum):
    """Why a rule does not mean an occurrence, for programs; the first that holds, in this order."""

    KIND = "kind"
    PLACE = "place"  # another camera or site
    EARLIER = "earlier"  # it began before the rule was switched on
    ZONE = "zone"
    LINE = "line"
    STAY = "stay"  # nobody stayed that long
    SMALL = "small"
    SHORT = "short"
    TIME = "time"  # it is over before the rule's hours begin


class Meant(NamedTuple):
    """The rule means it, from that instant on; it may lie ahead while the occurrence goes on."""

    from_us: int


def judge(rule: Rule, occurrence: Occurrence, calendar: Calendar) -> Meant | Miss:
    """What the rule says of the occurrence as it is known now.

    A miss of one that goes on may change: it is judged anew with each change.
    """
    return _place(rule, occurrence) or _sight(rule, occurrence) or _time(rule, occurrence, calendar)


def _place(rule: Rule, occurrence: Occurrence) -> Miss | None:
    if occurrence.kind not in rule.kinds:
        return Miss.KIND
    if rule.sites and occurrence.site not in rule.sites:
        return Miss.PLACE
    if rule.cameras and f"{occurrence.site}.{occurrence.camera}" not in rule.cameras:
        return Miss.PLACE
    return Miss.EARLIER if occurrence.start_us < rule.since_us else None


def _sight(rule: Rule, occurrence: Occurrence) -> Miss | None:
    """What only a mover has; the troubles of cameras and sites pass."""
    if occurrence.kind is not AlertKind.MOTION:
        return None
    if rule.zones and not set(rule.zones) & set(occurrence.zones):
        return Miss.ZONE
    if rule.crosses and not _crossings(rule, occurrence):
        return Miss.LINE
    longest_us = max(
        (stay_us for zone, stay_us in occurrence.stays if not rule.zones or zone in rule.zones), default=0
    )
    if longest_us < rule.stays_s * SECOND_US:
        return Miss.STAY
    return Miss.SMALL if occurrence.height < rule.taller_than else None


def _time(rule: Rule, occurrence: Occurrence, calendar: Calendar) -> Meant | Miss:
    end_us = occurrence.end_us
    ready_us = occurrence.start_us + round(rule.lasts_s * SECOND_US)
    if end_us is not None and ready_us > end_us:
        return Miss.SHORT
    if rule.crosses and occurrence.kind is AlertKind.MOTION:
        # Somebody goes over a line at an instant, and that is what has to be in the rule's hours.
        crossed = [at for at in _crossings(rule, occurrence) if calendar.next_open(rule.times, at) == at]
        return Meant(max(ready_us, crossed[0])) if crossed else Miss.TIME
    open_us = calendar.next_open(rule.times, ready_us)
    if open_us is None or (end_us is not None and open_us > end_us):
        return Miss.TIME
    return Meant(open_us)


def _crossings(rule: Rule, occurrence: Occurrence) -> list[int]:
    """When somebody went over one of the rule's lines, wall µs."""
    return [
        occurrence.start_us + crossing.at_us
        for crossing in occurrence.crossings
        if any(asked.line == crossing.line and asked.to in (None, crossing.to) for asked in rule.crosses)
    ]
