"""What people said of events. Nothing said is changed: see invariant 8. Callers hold the transaction."""

from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.model import Verdict
from camera_hub.store.records import StoredVerdict
from camera_hub.store.tables import events, verdicts


async def put(connection: AsyncConnection, event_id: str, said: StoredVerdict) -> bool:
    """Adds what was said, unless that is how things stand already; says whether it did.

    The event has to be there.
    """
    there = await newest(connection, event_id)
    if there is None and said.verdict is None:
        return False
    if there is not None and (there.verdict, there.note) == (said.verdict, said.note):
        return False  # asked twice, or by two at once: who said it first stays
    await connection.execute(
        insert(verdicts).values(
            event_id=event_id,
            verdict=None if said.verdict is None else said.verdict.value,
            note=said.note,
            said_by=said.by,
            said_by_name=said.by_name,
            said_us=said.at_us,
        )
    )
    return True


async def newest(connection: AsyncConnection, event_id: str) -> StoredVerdict | None:
    """What was said last, also where that took back what had been said before."""
    query = select(verdicts).where(verdicts.c.event_id == event_id)
    row = (await connection.execute(query.order_by(verdicts.c.number.desc()).limit(1))).first()
    return None if row is None else stored(row)


async def history(connection: AsyncConnection, event_id: str) -> list[StoredVerdict]:
    """All that was ever said of an event, the newest last."""
    query = select(verdicts).where(verdicts.c.event_id == event_id).order_by(verdicts.c.number)
    return [stored(row) for row in (await connection.execute(query)).all()]


def is_newest() -> ColumnElement[bool]:
    """The condition that joins an event with what was said of it last."""
    later = verdicts.alias("later")
    last = select(func.max(later.c.number)).where(later.c.event_id == events.c.id).scalar_subquery()
    return and_(verdicts.c.event_id == events.c.id, verdicts.c.number == last)


def stored(row: Row[Any]) -> StoredVerdict:
    """The columns of `verdicts` in a row, which may have others."""
    verdict = None if row.verdict is None else Verdict(row.verdict)
    return StoredVerdict(verdict, row.note, row.said_by, row.said_by_name, row.said_us)
