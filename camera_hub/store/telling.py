"""Queries on rules, channels and deliveries: whom alerts are told to. Callers hold the transaction."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.store.alert_records import DeliveryState, StoredDelivery, Subscription, Telling
from camera_hub.store.tables import channels, deliveries, rules, subscriptions
from camera_hub.store.tables import texts as text_table

OPEN_STATES = (DeliveryState.WAITING, DeliveryState.FAILED)


# -- rules and channels: what people set, whole, in their order ----------------------------------


async def settings(connection: AsyncConnection, table: Table) -> list[tuple[str, dict[str, Any], bool]]:
    """(id, body, whether it is of the config), in their order."""
    query = select(table).order_by(table.c.from_config.desc(), table.c.position, table.c.id)
    return [(row.id, row.body, row.from_config) for row in (await connection.execute(query)).all()]


async def put_setting(
    connection: AsyncConnection, table: Table, key: str, body: dict[str, Any], *, from_config: bool
) -> None:
    """Makes it, or changes it whole, in its place."""
    changed = await connection.execute(
        update(table).where(table.c.id == key).values(body=body, from_config=from_config)
    )
    if not changed.rowcount:
        last = await connection.scalar(select(func.coalesce(func.max(table.c.position), 0)))
        values = {"id": key, "body": body, "from_config": from_config, "position": int(last or 0) + 1}
        await connection.execute(insert(table).values(values))


async def remove_setting(connection: AsyncConnection, table: Table, key: str) -> bool:
    done = await connection.execute(delete(table).where(table.c.id == key))
    return bool(done.rowcount)


async def remove_config_settings_but(connection: AsyncConnection, table: Table, keys: set[str]) -> None:
    await connection.execute(delete(table).where(table.c.from_config.is_(True), table.c.id.not_in(keys)))


RULES, CHANNELS = rules, channels


async def texts(connection: AsyncConnection) -> dict[str, dict[str, str]]:
    """The templates that somebody has changed, by language."""
    rows = (await connection.execute(select(text_table))).all()
    return {row.language: row.body for row in rows}


async def put_texts(connection: AsyncConnection, language: str, body: dict[str, str] | None) -> None:
    """Changes a language's templates; None: they are as they came."""
    await connection.execute(delete(text_table).where(text_table.c.language == language))
    if body is not None:
        await connection.execute(insert(text_table).values(language=language, body=body))


# -- browsers that are told by Web Push ------------------------------------------------------------


async def put_subscription(connection: AsyncConnection, made: Subscription) -> None:
    """A browser has one subscription: made again, it takes the place of the one before."""
    same = or_(subscriptions.c.endpoint == made.endpoint, subscriptions.c.id == made.id)
    await connection.execute(delete(subscriptions).where(same))
    await connection.execute(
        insert(subscriptions).values(
            id=made.id,
            user=made.user,
            endpoint=made.endpoint,
            p256dh=made.p256dh,
            auth=made.auth,
            language=made.language,
            device=made.device,
            created_us=made.created_us,
        )
    )


async def all_subscriptions(connection: AsyncConnection, user: str | None = None) -> list[Subscription]:
    query = select(subscriptions).order_by(subscriptions.c.created_us)
    if user is not None:
        query = query.where(subscriptions.c.user == user)
    rows = (await connection.execute(query)).all()
    return [Subscription(**row._mapping) for row in rows]


async def remove_subscription(connection: AsyncConnection, key: str, user: str | None = None) -> bool:
    where = [subscriptions.c.id == key, *([] if user is None else [subscriptions.c.user == user])]
    return bool((await connection.execute(delete(subscriptions).where(*where))).rowcount)


# -- deliveries -------------------------------------------------------------------------------------


async def add_deliveries(connection: AsyncConnection, made: Sequence[StoredDelivery]) -> None:
    """What is told of an alert to one receiver is told once: what is there already stays."""
    if not made:
        return
    insert_ = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    await connection.execute(
        insert_(deliveries).on_conflict_do_nothing(),
        [
            {
                "id": one.id,
                "alert": one.alert,
                "channel": one.channel,
                "target": one.target,
                "what": one.what.value,
                "state": one.state.value,
                "attempts": one.attempts,
                "created_us": one.created_us,
                "due_us": one.due_us,
                "ended_us": one.ended_us,
                "error": one.error,
            }
            for one in made
        ],
    )


async def due_deliveries(connection: AsyncConnection, now_us: int, limit: int) -> list[StoredDelivery]:
    query = select(deliveries).where(deliveries.c.due_us <= now_us).order_by(deliveries.c.due_us)
    return [_delivery(row) for row in (await connection.execute(query.limit(limit))).all()]


async def next_due(connection: AsyncConnection) -> int | None:
    found: int | None = await connection.scalar(select(func.min(deliveries.c.due_us)))
    return found


async def end_deliveries(
    connection: AsyncConnection, ids: Sequence[str], state: DeliveryState, at_us: int, error: str = ""
) -> None:
    """They are sent, folded, given up or dropped."""
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id.in_(ids))
        .values(
            state=state.value, ended_us=at_us, due_us=None, error=error, attempts=deliveries.c.attempts + 1
        )
    )


async def fail_delivery(connection: AsyncConnection, key: str, error: str, again_us: int) -> None:
    await connection.execute(
        update(deliveries)
        .where(deliveries.c.id == key)
        .values(
            state=DeliveryState.FAILED.value,
            due_us=again_us,
            error=error,
            attempts=deliveries.c.attempts + 1,
        )
    )


async def hold(connection: AsyncConnection, ids: Sequence[str], until_us: int) -> None:
    """They are told later; that is no try that failed."""
    await connection.execute(update(deliveries).where(deliveries.c.id.in_(ids)).values(due_us=until_us))


async def drop_open(connection: AsyncConnection, alert: str, at_us: int) -> None:
    """Somebody has dealt with the alert: what has not left yet need not."""
    where = and_(deliveries.c.alert == alert, deliveries.c.due_us.is_not(None))
    await connection.execute(
        update(deliveries).where(where).values(state=DeliveryState.DROPPED.value, ended_us=at_us, due_us=None)
    )


async def send_again(connection: AsyncConnection, key: str, now_us: int) -> StoredDelivery | None:
    """One that was given up is tried anew; None where there is no such one."""
    where = and_(deliveries.c.id == key, deliveries.c.state == DeliveryState.GIVEN_UP.value)
    values = {"state": DeliveryState.WAITING.value, "due_us": now_us, "ended_us": None, "attempts": 0}
    done = await connection.execute(update(deliveries).where(where).values(values))
    return await delivery(connection, key) if done.rowcount else None


async def delivery(connection: AsyncConnection, key: str) -> StoredDelivery | None:
    row = (await connection.execute(select(deliveries).where(deliveries.c.id == key))).first()
    return None if row is None else _delivery(row)


async def deliveries_of(connection: AsyncConnection, alert: str) -> list[StoredDelivery]:
    query = select(deliveries).where(deliveries.c.alert == alert).order_by(deliveries.c.id)
    return [_delivery(row) for row in (await connection.execute(query)).all()]


async def newest_deliveries(
    connection: AsyncConnection, channel: str, states: Sequence[DeliveryState] | None, limit: int
) -> list[StoredDelivery]:
    query = select(deliveries).where(deliveries.c.channel == channel)
    if states is not None:
        query = query.where(deliveries.c.state.in_([state.value for state in states]))
    query = query.order_by(deliveries.c.created_us.desc(), deliveries.c.id.desc()).limit(limit)
    return [_delivery(row) for row in (await connection.execute(query)).all()]


def _delivery(row: Row[Any]) -> StoredDelivery:
    columns = dict(row._mapping)
    columns["what"] = Telling(columns["what"])
    columns["state"] = DeliveryState(columns["state"])
    return StoredDelivery(**columns)
