"""What people may do with an alert: acknowledge, assign, close, reopen. Each act is a step of its history.

An alert is *new*, *acknowledged*, *assigned* or *closed*. Whoever acts says which version of the alert they
saw; where somebody else was first, `ConflictError` says who and what they did, and nothing changes. Pure.
"""

from enum import StrEnum

import msgspec

from camera_hub.alerts.rule import SECOND_US, Step, Urgency
from camera_hub.model import HubError, Verdict


class AlertState(StrEnum):
    NEW = "new"  # nobody has said that they see to it
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    CLOSED = "closed"


class Act(StrEnum):
    """What happened to an alert."""

    OPENED = "opened"
    ESCALATED = "escalated"  # nobody answered in time: the next were told
    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"
    NOTED = "noted"
    CLOSED = "closed"
    REOPENED = "reopened"


class Person(msgspec.Struct, frozen=True):
    """An account, and what people called it then."""

    name: str
    display_name: str


class AlertStep(msgspec.Struct, frozen=True):
    """One line of an alert's history."""

    act: Act
    at_us: int
    by: Person | None = None  # None: the hub itself
    to: Person | None = None  # of an assignment
    verdict: Verdict | None = None  # of a closing
    note: str = ""


class Alert(msgspec.Struct, frozen=True):
    """An alert as it is now."""

    id: str  # a ULID
    rule: str
    opened_us: int  # wall; when it happened
    known_us: int  # wall; when the hub learned of it, later where a site was away
    urgency: Urgency
    state: AlertState = AlertState.NEW
    owner: Person | None = None  # who sees to it
    verdict: Verdict | None = None
    version: int = 1  # grows with each step
    told_steps: int = 0  # of the rule's steps, so many have been taken
    last: AlertStep | None = None  # the newest step, which a conflict names


class AlertActError(HubError):
    """What was asked cannot be done with the alert as it is."""


class ConflictError(AlertActError):
    """Somebody else was first; `alert` is as they left it."""

    def __init__(self, alert: Alert) -> None:
        super().__init__(f"somebody else was first: {_in_words(alert.last)}; look at it again")
        self.alert = alert


def acknowledge(alert: Alert, seen: int, by: Person, at_us: int) -> tuple[Alert, AlertStep]:
    """`by` has seen it and sees to it."""
    _check(alert, seen)
    if alert.state is not AlertState.NEW:
        raise AlertActError(f"this alert is {alert.state.value} already; it is not waiting for anybody")
    return _stepped(alert, AlertStep(Act.ACKNOWLEDGED, at_us, by), state=AlertState.ACKNOWLEDGED, owner=by)


def assign(alert: Alert, seen: int, by: Person, to: Person, note: str, at_us: int) -> tuple[Alert, AlertStep]:
    """`to` sees to it from now on."""
    _check(alert, seen)
    _check_open(alert)
    step = AlertStep(Act.ASSIGNED, at_us, by, to=to, note=note)
    return _stepped(alert, step, state=AlertState.ASSIGNED, owner=to)


def close(
    alert: Alert, seen: int, by: Person, verdict: Verdict, note: str, at_us: int
) -> tuple[Alert, AlertStep]:
    """It is dealt with, and `by` says what it was."""
    _check(alert, seen)
    _check_open(alert)
    step = AlertStep(Act.CLOSED, at_us, by, verdict=verdict, note=note)
    return _stepped(alert, step, state=AlertState.CLOSED, verdict=verdict, owner=alert.owner or by)


def reopen(alert: Alert, seen: int, by: Person, note: str, at_us: int) -> tuple[Alert, AlertStep]:
    """It was closed too early: `by` sees to it again."""
    _check(alert, seen)
    if alert.state is not AlertState.CLOSED:
        raise AlertActError("this alert is not closed; there is nothing to open again")
    step = AlertStep(Act.REOPENED, at_us, by, note=note)
    return _stepped(alert, step, state=AlertState.ACKNOWLEDGED, verdict=None, owner=by)


def add_note(alert: Alert, by: Person, note: str, at_us: int) -> tuple[Alert, AlertStep]:
    """Something worth knowing. It undoes nothing, so that it needs no version."""
    if not note.strip():
        raise AlertActError("the note is empty; write what should be known")
    return _stepped(alert, AlertStep(Act.NOTED, at_us, by, note=note.strip()))


def due_step(alert: Alert, steps: tuple[Step, ...]) -> tuple[int, Step] | None:
    """When whom is to be told next, while nobody has acknowledged the alert; wall µs."""
    if alert.state is not AlertState.NEW or alert.told_steps >= len(steps):
        return None
    step = steps[alert.told_steps]
    return alert.known_us + round(step.after_s * SECOND_US), step


def escalate(alert: Alert, at_us: int) -> tuple[Alert, AlertStep | None]:
    """The next ones are told; the first to be told are no escalation."""
    if alert.told_steps == 0:
        return msgspec.structs.replace(alert, told_steps=1), None
    changed, step = _stepped(alert, AlertStep(Act.ESCALATED, at_us))
    return msgspec.structs.replace(changed, told_steps=alert.told_steps + 1), step


def _check(alert: Alert, seen: int) -> None:
    if seen != alert.version:
        raise ConflictError(alert)


def _check_open(alert: Alert) -> None:
    if alert.state is AlertState.CLOSED:
        raise AlertActError("this alert is closed; open it again first")


def _stepped(alert: Alert, step: AlertStep, **changes: object) -> tuple[Alert, AlertStep]:
    changed = msgspec.structs.replace(alert, **changes, version=alert.version + 1, last=step)
    return changed, step


def _in_words(step: AlertStep | None) -> str:
    if step is None:
        return "it has changed"
    who = "the hub" if step.by is None else step.by.display_name or step.by.name
    if step.act is Act.NOTED:
        return f"{who} wrote a note"
    return f"{who} {step.act.value} it" + (f" as {step.verdict.value}" if step.verdict else "")
