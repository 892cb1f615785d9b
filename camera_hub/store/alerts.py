"""Queries on alerts, what belongs to them, and their history. Callers hold the transaction."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, insert, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.alerts.life import Act, Alert, AlertState, AlertStep, Person
from camera_hub.alerts.occurrence import AlertKind, Occurrence
from camera_hub.alerts.rule import Urgency
from camera_hub.model import Verdict
from camera_hub.store import events as event_queries
from camera_hub.store.alert_records import AlertFilter, AlertPage, StoredAlert, Trouble
from camera_hub.store.records import Cursor
from camera_hub.store.tables import alert_occurrences, alert_steps, alerts, events, troubles, unjudged


async def to_judge(connection: AsyncConnection, site: str, event_ids: Collection[str]) -> None:
    """The rules have to hear of the site's events, as they are now."""
    if not event_ids:
        return
    insert_ = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    rows = [{"event_id": event_id, "site": site} for event_id in sorted(event_ids)]
    await connection.execute(insert_(unjudged).on_conflict_do_nothing(), rows)


async def insert_alert(
    connection: AsyncConnection, alert: Alert, rule_name: str, kind: AlertKind, site: str, due_us: int | None
) -> None:
    values = {"rule_name": rule_name, "kind": kind.value, "site": site, "last_us": alert.opened_us}
    await connection.execute(insert(alerts).values(_values(alert, due_us) | values | {"id": alert.id}))
    await insert_step(connection, alert, AlertStep(Act.OPENED, alert.known_us))


async def save(connection: AsyncConnection, alert: Alert, due_us: int | None) -> None:
    await connection.execute(update(alerts).where(alerts.c.id == alert.id).values(_values(alert, due_us)))


async def insert_step(connection: AsyncConnection, alert: Alert, step: AlertStep) -> None:
    """The step that made the alert what it is now."""
    await connection.execute(
        insert(alert_steps).values(
            alert=alert.id,
            version=alert.version,
            act=step.act.value,
            at_us=step.at_us,
            by=step.by and step.by.name,
            by_name=step.by and step.by.display_name,
            to=step.to and step.to.name,
            to_name=step.to and step.to.display_name,
            verdict=step.verdict and step.verdict.value,
            note=step.note,
        )
    )


async def taken(connection: AsyncConnection, rule: str, occurrences: Sequence[str]) -> set[str]:
    """Which of the occurrences belong to an alert of the rule already."""
    query = select(alert_occurrences.c.occurrence).where(
        alert_occurrences.c.rule == rule, alert_occurrences.c.occurrence.in_(occurrences)
    )
    return set((await connection.scalars(query)).all())


async def add_occurrences(
    connection: AsyncConnection, alert: Alert, occurrences: Sequence[Occurrence], at_us: int
) -> None:
    """They belong to the alert from now on; none may belong to another one of its rule."""
    query = select(alert_occurrences.c.position).where(alert_occurrences.c.alert == alert.id)
    last = await connection.scalar(query.order_by(alert_occurrences.c.position.desc()).limit(1))
    begin = 0 if last is None else last + 1
    rows = [
        {"rule": alert.rule, "occurrence": one.id, "alert": alert.id, "at_us": at_us, "position": begin + i}
        for i, one in enumerate(occurrences)
    ]
    await connection.execute(insert(alert_occurrences), rows)
    newer = and_(alerts.c.id == alert.id, alerts.c.last_us < at_us)
    await connection.execute(update(alerts).where(newer).values(last_us=at_us))


async def get(connection: AsyncConnection, alert_id: str) -> StoredAlert | None:
    row = (await connection.execute(select(alerts).where(alerts.c.id == alert_id))).first()
    return None if row is None else (await _whole(connection, [row]))[0]


async def page(
    connection: AsyncConnection, wanted: AlertFilter, limit: int, cursor: Cursor | None
) -> AlertPage:
    conditions = _conditions(wanted)
    if cursor is not None:
        conditions.append(tuple_(alerts.c.opened_us, alerts.c.id) < (cursor.start_us, cursor.id))
    query = select(alerts).where(*conditions).order_by(alerts.c.opened_us.desc(), alerts.c.id.desc())
    rows = (await connection.execute(query.limit(limit + 1))).all()
    more = len(rows) > limit
    found = tuple(await _whole(connection, rows[:limit]))
    last = found[-1].alert if more else None
    return AlertPage(found, None if last is None else Cursor(last.opened_us, last.id))


async def of_events(connection: AsyncConnection, event_ids: Sequence[str]) -> dict[str, list[str]]:
    """The alerts to which each event belongs."""
    query = select(alert_occurrences.c.occurrence, alert_occurrences.c.alert)
    found: dict[str, list[str]] = {}
    for event, alert in await connection.execute(query.where(alert_occurrences.c.occurrence.in_(event_ids))):
        found.setdefault(event, []).append(alert)
    return found


async def history(connection: AsyncConnection, alert_id: str) -> list[AlertStep]:
    """All that was done with an alert, the newest last."""
    query = select(alert_steps).where(alert_steps.c.alert == alert_id).order_by(alert_steps.c.version)
    return [_step(row) for row in (await connection.execute(query)).all()]


async def due(connection: AsyncConnection, now_us: int, limit: int) -> list[str]:
    """Alerts of which somebody is to be told now."""
    query = select(alerts.c.id).where(alerts.c.due_us <= now_us).order_by(alerts.c.due_us).limit(limit)
    return list((await connection.scalars(query)).all())


async def next_due(connection: AsyncConnection) -> int | None:
    query = select(alerts.c.due_us).where(alerts.c.due_us.is_not(None)).order_by(alerts.c.due_us).limit(1)
    return await connection.scalar(query)


async def due_of(connection: AsyncConnection, alert_id: str) -> int | None:
    return await connection.scalar(select(alerts.c.due_us).where(alerts.c.id == alert_id))


async def remove_before(connection: AsyncConnection, before_us: int, limit: int) -> int:
    """Removes old alerts with their history; gives how many."""
    query = select(alerts.c.id).where(alerts.c.last_us < before_us).order_by(alerts.c.last_us).limit(limit)
    ids = list((await connection.scalars(query)).all())
    if ids:
        await connection.execute(delete(alerts).where(alerts.c.id.in_(ids)))
    await connection.execute(delete(troubles).where(troubles.c.end_us < before_us))
    return len(ids)


def _conditions(wanted: AlertFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.states is not None:
        conditions.append(alerts.c.state.in_([state.value for state in wanted.states]))
    if wanted.site is not None:
        conditions.append(alerts.c.site == wanted.site)
    if wanted.camera is not None:
        of = alert_occurrences.outerjoin(events, events.c.id == alert_occurrences.c.occurrence).outerjoin(
            troubles, troubles.c.id == alert_occurrences.c.occurrence
        )
        on_camera = (events.c.camera == wanted.camera) | (troubles.c.camera == wanted.camera)
        its = alert_occurrences.c.alert == alerts.c.id
        conditions.append(exists(select(1).select_from(of).where(its, on_camera)))
    if wanted.rule is not None:
        conditions.append(alerts.c.rule == wanted.rule)
    if wanted.owner is not None:
        conditions.append(alerts.c.owner == wanted.owner)
    if wanted.after_us is not None:
        conditions.append(alerts.c.opened_us >= wanted.after_us)
    if wanted.before_us is not None:
        conditions.append(alerts.c.opened_us < wanted.before_us)
    return conditions


async def _whole(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[StoredAlert]:
    """The alerts with what belongs to each, in few queries however many they are."""
    ids = [row.id for row in rows]
    query = select(alert_occurrences.c.alert, alert_occurrences.c.occurrence)
    query = query.where(alert_occurrences.c.alert.in_(ids)).order_by(alert_occurrences.c.position)
    belongs = (await connection.execute(query)).all()
    parts = [row.occurrence for row in belongs]
    their_events = {one.event.id: one for one in await event_queries.some(connection, parts)}
    found = await connection.execute(select(troubles).where(troubles.c.id.in_(parts)))
    their_troubles = {row.id: trouble(row) for row in found.all()}
    steps = await _newest_steps(connection, rows)
    made = []
    for row in rows:
        mine = [one.occurrence for one in belongs if one.alert == row.id]
        made.append(
            StoredAlert(
                _alert(row, steps.get(row.id)),
                row.rule_name,
                AlertKind(row.kind),
                row.site,
                row.last_us,
                tuple(their_events[one] for one in mine if one in their_events),
                tuple(their_troubles[one] for one in mine if one in their_troubles),
            )
        )
    return made


async def _newest_steps(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> dict[str, AlertStep]:
    newest = [(row.id, row.version) for row in rows]
    query = select(alert_steps).where(tuple_(alert_steps.c.alert, alert_steps.c.version).in_(newest))
    return {row.alert: _step(row) for row in (await connection.execute(query)).all()}


def trouble(row: Row[Any]) -> Trouble:
    return Trouble(row.id, AlertKind(row.kind), row.site, row.camera, row.start_us, row.end_us)


def _values(alert: Alert, due_us: int | None) -> dict[str, Any]:
    return {
        "rule": alert.rule,
        "urgency": alert.urgency.value,
        "opened_us": alert.opened_us,
        "known_us": alert.known_us,
        "state": alert.state.value,
        "owner": alert.owner and alert.owner.name,
        "owner_name": alert.owner and alert.owner.display_name,
        "verdict": alert.verdict and alert.verdict.value,
        "version": alert.version,
        "told_steps": alert.told_steps,
        "due_us": due_us,
    }


def _alert(row: Row[Any], last: AlertStep | None) -> Alert:
    return Alert(
        id=row.id,
        rule=row.rule,
        opened_us=row.opened_us,
        known_us=row.known_us,
        urgency=Urgency(row.urgency),
        state=AlertState(row.state),
        owner=_person(row.owner, row.owner_name),
        verdict=None if row.verdict is None else Verdict(row.verdict),
        version=row.version,
        told_steps=row.told_steps,
        last=last,
    )


def _step(row: Row[Any]) -> AlertStep:
    columns = row._mapping
    return AlertStep(
        act=Act(row.act),
        at_us=row.at_us,
        by=_person(columns["by"], row.by_name),
        to=_person(columns["to"], row.to_name),
        verdict=None if row.verdict is None else Verdict(row.verdict),
        note=row.note,
    )


def _person(name: str | None, display_name: str | None) -> Person | None:
    return None if name is None else Person(name, display_name or "")
