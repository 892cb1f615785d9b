"""Alerts: what somebody must see, and what is done with each.

Whoever acts sends the `version` of the alert that they saw; where somebody else was first the answer is 409
and says who.
"""

from collections.abc import Callable
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from camera_hub.alerts import life
from camera_hub.alerts.life import Alert, AlertActError, AlertState, AlertStep, ConflictError, Person
from camera_hub.model import Refusal, Verdict
from camera_hub.server.alert_shapes import (
    Alerts,
    AlertShape,
    AlertWhole,
    PersonShape,
    alert_shape,
    delivery_shape,
    step_shape,
)
from camera_hub.server.instants import InstantUs
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs, rights_of
from camera_hub.server.shapes import CAMERA_ID_PATTERN, event_shape
from camera_hub.store import CURSOR_PATTERN, ULID_PATTERN, Cursor, SessionRecord
from camera_hub.store.alert_records import AlertFilter, StoredAlert

log = structlog.get_logger(__name__)

router = APIRouter(tags=["alerts"])

MAX_NOTE = 1000

Tools = Annotated[Parts, Depends(parts_of)]
AlertId = Annotated[str, Path(pattern=f"^{ULID_PATTERN}$", description="A ULID")]
Officer = Annotated[SessionRecord, needs(Right.DUTY)]
Note = Annotated[str, Field(max_length=MAX_NOTE, pattern=r"^[^\x00]*$")]
_ACTS = problems(404, 409)


class Seen(BaseModel):
    """The alert as the caller saw it."""

    version: int = Field(ge=1, le=1_000_000, description="The alert's `version`")


class Assignment(Seen):
    to: str = Field(min_length=1, max_length=64, description="An account's name")
    note: Note = ""


class Closing(Seen):
    verdict: Verdict
    note: Note = ""


class Reopening(Seen):
    note: Note = ""


class NewNote(BaseModel):
    note: Annotated[str, Field(min_length=1, max_length=MAX_NOTE, pattern=r"^[^\x00]*$")]


class People(BaseModel):
    people: list[PersonShape] = Field(description="To whom an alert can be assigned")


@router.get("/api/alerts", dependencies=[needs(Right.ALERTS)])
async def list_alerts(
    parts: Tools,
    state: Annotated[list[AlertState] | None, Query(max_length=4, description="Any of these")] = None,
    site: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,64}$")] = None,
    camera: Annotated[str | None, Query(pattern=CAMERA_ID_PATTERN, description="`<site>.<camera>`")] = None,
    rule: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
    owner: Annotated[str | None, Query(min_length=1, max_length=64, description="An account's name")] = None,
    after: Annotated[InstantUs | None, Query(description="That opened at this instant or later")] = None,
    before: Annotated[InstantUs | None, Query(description="That opened before this instant")] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
    cursor: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="`next` of the page before")
    ] = None,
) -> Alerts:
    """Alerts newest first, a page at a time."""
    camera_site, _, camera_name = (camera or "").partition(".")
    if camera and site and camera_site != site:
        return Alerts(alerts=[], next=None)
    wanted = AlertFilter(
        states=tuple(state) if state else None,
        site=camera_site or site,
        camera=camera_name or None,
        rule=rule,
        owner=owner,
        after_us=after,
        before_us=before,
    )
    page = await parts.store.alerts.alert_page(wanted, limit, Cursor.parse(cursor) if cursor else None)
    return Alerts(
        alerts=[alert_shape(alert) for alert in page.alerts], next=str(page.next) if page.next else None
    )


@router.get("/api/alerts/people", dependencies=[needs(Right.ALERTS)])
async def list_people(parts: Tools) -> People:
    """Who may work on alerts."""
    users = [user for user in await parts.store.users() if Right.DUTY in rights_of(user.role)]
    return People(people=[PersonShape(name=one.name, display_name=one.display_name) for one in users])


@router.get("/api/alerts/{id}", dependencies=[needs(Right.ALERTS)], responses=problems(404))
async def get_alert(id: AlertId, parts: Tools) -> AlertWhole:  # noqa: A002 - the path's own word
    """An alert with its history, and what became of telling it."""
    stored = await parts.store.alerts.alert(id)
    if stored is None:
        raise _no_alert(id)
    return AlertWhole(
        alert=alert_shape(stored),
        history=[step_shape(step) for step in await parts.store.alerts.history(id)],
        deliveries=[delivery_shape(one) for one in await parts.store.alerts.deliveries_of(id)],
    )


@router.post("/api/alerts/{id}/acknowledge", responses=_ACTS)
async def acknowledge_alert(id: AlertId, seen: Seen, session: Officer, parts: Tools) -> AlertShape:  # noqa: A002
    """Say that you have seen it and see to it."""
    by, now_us = _person(session), parts.clock.wall_us()
    return await _act(parts, id, session, lambda alert: life.acknowledge(alert, seen.version, by, now_us))


@router.post("/api/alerts/{id}/assign", responses=_ACTS)
async def assign_alert(id: AlertId, given: Assignment, session: Officer, parts: Tools) -> AlertShape:  # noqa: A002
    """Give it to somebody, or take it."""
    user = await parts.store.user(given.to)
    if user is None or Right.DUTY not in rights_of(user.role):
        raise Problem(404, f"There is no account {given.to} that works on alerts; see /api/alerts/people.")
    by, to, now_us = _person(session), Person(user.name, user.display_name), parts.clock.wall_us()
    note = given.note.strip()
    return await _act(
        parts, id, session, lambda alert: life.assign(alert, given.version, by, to, note, now_us)
    )


@router.post("/api/alerts/{id}/close", responses=_ACTS)
async def close_alert(id: AlertId, given: Closing, session: Officer, parts: Tools) -> AlertShape:  # noqa: A002
    """Say what it was. That is then also the verdict on its events."""
    by, now_us, note = _person(session), parts.clock.wall_us(), given.note.strip()
    return await _act(
        parts, id, session, lambda alert: life.close(alert, given.version, by, given.verdict, note, now_us)
    )


@router.post("/api/alerts/{id}/reopen", responses=_ACTS)
async def reopen_alert(id: AlertId, given: Reopening, session: Officer, parts: Tools) -> AlertShape:  # noqa: A002
    """It was closed too early; the verdict is taken back."""
    by, now_us, note = _person(session), parts.clock.wall_us(), given.note.strip()
    return await _act(parts, id, session, lambda alert: life.reopen(alert, given.version, by, note, now_us))


@router.post("/api/alerts/{id}/notes", responses=_ACTS)
async def note_alert(id: AlertId, given: NewNote, session: Officer, parts: Tools) -> AlertShape:  # noqa: A002
    """Write down something worth knowing."""
    by, now_us = _person(session), parts.clock.wall_us()
    return await _act(parts, id, session, lambda alert: life.add_note(alert, by, given.note, now_us))


async def _act(
    parts: Parts, alert_id: str, session: SessionRecord, change: Callable[[Alert], tuple[Alert, AlertStep]]
) -> AlertShape:
    try:
        stored = await parts.store.alerts.act(alert_id, change)
    except ConflictError as exc:
        raise Problem(409, f"{str(exc)[:1].upper()}{str(exc)[1:]}.", code=Refusal.CONFLICT) from exc
    except AlertActError as exc:
        raise Problem(409, f"{str(exc)[:1].upper()}{str(exc)[1:]}.", code=Refusal.NOT_NOW) from exc
    if stored is None:
        raise _no_alert(alert_id)
    _tell(parts, stored, session)
    return alert_shape(stored)


def _tell(parts: Parts, stored: StoredAlert, session: SessionRecord) -> None:
    act = None if stored.alert.last is None else stored.alert.last.act.value
    log.info("alert worked on", alert=stored.alert.id, act=act, user=session.user.name)
    parts.updates.publish("alert", alert_shape(stored))
    for event in stored.events:  # whose verdict may have changed with it
        parts.updates.publish("event", event_shape(event))
    if stored.alert.state is AlertState.CLOSED:
        parts.desk.closed(stored.alert.id)


def _person(session: SessionRecord) -> Person:
    return Person(session.user.name, session.user.display_name)


def _no_alert(alert_id: str) -> Problem:
    return Problem(
        404, f"There is no alert {alert_id}; it may have been removed after its time.", code=Refusal.NO_ALERT
    )
