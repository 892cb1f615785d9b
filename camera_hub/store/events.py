"""Queries on events, their zones and their media. Callers hold the transaction."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    delete,
    exists,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.model import Event
from camera_hub.store.inbox import UnacceptableError
from camera_hub.store.records import (
    Cursor,
    EventFilter,
    EventPage,
    Media,
    MediaKind,
    StoredEvent,
)
from camera_hub.store.tables import cameras, event_zones, events, media, verdicts
from camera_hub.store.verdicts import is_newest, stored


async def owners(connection: AsyncConnection, ids: Collection[str]) -> dict[str, str]:
    """Whose the events are that are known, or of which there is media."""
    of_media = select(media.c.event_id, media.c.site).where(media.c.event_id.in_(ids))
    of_events = select(events.c.id, events.c.site).where(events.c.id.in_(ids))
    return {
        row[0]: row[1] for query in (of_media, of_events) for row in (await connection.execute(query)).all()
    }


async def put(connection: AsyncConnection, site: str, told: Sequence[Event]) -> list[bool]:
    """Keeps each event unless the same or a later revision is there; says of each whether it did.

    They are the site's own; see `owners`.
    """
    ids = {event.id for event in told}
    query = select(events.c.id, events.c.revision).where(events.c.id.in_(ids))
    before = {row.id: row.revision for row in (await connection.execute(query)).all()}
    newest = dict(before)
    applied: list[bool] = []
    last: dict[str, Event] = {}
    for event in told:
        applied.append(event.revision > newest.get(event.id, 0))
        if applied[-1]:
            newest[event.id] = event.revision
            last[event.id] = event
    made = [_values(site, event) for event in last.values() if event.id not in before]
    changed = [_values(site, event) for event in last.values() if event.id in before]
    if made:
        await connection.execute(insert(events), made)
    if changed:
        for values in changed:
            await connection.execute(update(events).where(events.c.id == values["id"]).values(values))
        await connection.execute(
            delete(event_zones).where(event_zones.c.event_id.in_([values["id"] for values in changed]))
        )
    zones = [
        {"event_id": event.id, "zone": zone} for event in last.values() for zone in dict.fromkeys(event.zones)
    ]
    if zones:
        await connection.execute(insert(event_zones), zones)
    return applied


async def put_media(connection: AsyncConnection, item: Media) -> tuple[bool, str | None]:
    """Keeps the media's row unless a later one is there.

    Gives whether it did, and the path of the file that the new one replaces.
    Raises UnacceptableError when the event is another site's.
    """
    refuse_foreign(await owners(connection, [item.event_id]), item.site, item.event_id)
    where = and_(media.c.event_id == item.event_id, media.c.kind == item.kind)
    there = (await connection.execute(select(media.c.at_us, media.c.path).where(where))).first()
    values = {
        "event_id": item.event_id,
        "kind": item.kind.value,
        "site": item.site,
        "path": item.path,
        "bytes": item.bytes,
        "sha256": item.sha256,
        "at_us": item.at_us,
    }
    if there is None:
        await connection.execute(insert(media).values(values))
        return True, None
    if there.at_us > item.at_us:
        return False, None
    await connection.execute(update(media).where(where).values(values))
    return True, there.path if there.path != item.path else None


async def get(connection: AsyncConnection, event_id: str) -> StoredEvent | None:
    row = (await connection.execute(_select().where(events.c.id == event_id))).first()
    return None if row is None else _stored(row)


async def some(connection: AsyncConnection, event_ids: Sequence[str]) -> list[StoredEvent]:
    """Those of the events that are there."""
    rows = (await connection.execute(_select().where(events.c.id.in_(event_ids)))).all()
    return [_stored(row) for row in rows]


async def get_media(connection: AsyncConnection, event_id: str, kind: MediaKind) -> Media | None:
    """The media of an event that is there; a picture whose event is still on its way is not shown."""
    query = (
        select(media)
        .join(events, events.c.id == media.c.event_id)
        .where(media.c.event_id == event_id, media.c.kind == kind)
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    return Media(row.event_id, MediaKind(row.kind), row.site, row.path, row.bytes, row.sha256, row.at_us)


async def page(
    connection: AsyncConnection, wanted: EventFilter, limit: int, cursor: Cursor | None
) -> EventPage:
    """Events newest first; among equal starts the greater id first, so that no page skips or repeats."""
    query = _select().where(*_conditions(wanted))
    if cursor is not None:
        query = query.where(tuple_(events.c.start_us, events.c.id) < tuple_(cursor.start_us, cursor.id))
    query = query.order_by(events.c.start_us.desc(), events.c.id.desc()).limit(limit + 1)
    rows = (await connection.execute(query)).all()
    found = tuple(_stored(row) for row in rows[:limit])
    more = len(rows) > limit
    last = found[-1].event if more else None
    return EventPage(found, None if last is None else Cursor(last.start_us, last.id))


async def oldest_before(connection: AsyncConnection, before_us: int, limit: int) -> list[str]:
    query = select(events.c.id).where(events.c.start_us < before_us).order_by(events.c.start_us)
    return list((await connection.scalars(query.limit(limit))).all())


async def remove(connection: AsyncConnection, ids: Sequence[str]) -> list[str]:
    """Removes the events with their media's rows; gives the files that are litter then."""
    paths = await connection.scalars(select(media.c.path).where(media.c.event_id.in_(ids)))
    litter = list(paths.all())
    await connection.execute(delete(media).where(media.c.event_id.in_(ids)))
    await connection.execute(delete(event_zones).where(event_zones.c.event_id.in_(ids)))
    await connection.execute(delete(verdicts).where(verdicts.c.event_id.in_(ids)))
    await connection.execute(delete(events).where(events.c.id.in_(ids)))
    return litter


async def media_bytes(connection: AsyncConnection) -> int:
    return int(await connection.scalar(select(func.coalesce(func.sum(media.c.bytes), 0))) or 0)


async def remove_media_before(connection: AsyncConnection, before_us: int, limit: int) -> list[str]:
    """Removes media older than an instant whose event never came; gives their files."""
    query = select(media).where(media.c.at_us < before_us, ~exists().where(events.c.id == media.c.event_id))
    return await _remove_media(connection, (await connection.execute(query.limit(limit))).all())


async def remove_oldest_media(connection: AsyncConnection, at_least_bytes: int, limit: int) -> list[str]:
    """Removes the oldest media until `at_least_bytes` are freed, at most `limit` files; gives the files."""
    rows = (await connection.execute(select(media).order_by(media.c.at_us).limit(limit))).all()
    chosen: list[Row[Any]] = []
    freed = 0
    for row in rows:
        if freed >= at_least_bytes:
            break
        chosen.append(row)
        freed += row.bytes
    return await _remove_media(connection, chosen)


async def known_paths(connection: AsyncConnection, paths: Sequence[str]) -> set[str]:
    """Those of `paths` that a row names."""
    return set((await connection.scalars(select(media.c.path).where(media.c.path.in_(paths)))).all())


async def _remove_media(connection: AsyncConnection, rows: Sequence[Row[Any]]) -> list[str]:
    for row in rows:
        await connection.execute(
            delete(media).where(media.c.event_id == row.event_id, media.c.kind == row.kind)
        )
    return [row.path for row in rows]


def refuse_foreign(known: Mapping[str, str], site: str, event_id: str) -> None:
    """Raises UnacceptableError when the id belongs to another site's event; `known` is of `owners`."""
    if known.get(event_id, site) != site:
        raise UnacceptableError(f"event {event_id} belongs to another site than {site}")


def _select() -> Select[Any]:
    # Joined, since PostgreSQL answers EXISTS in a list of columns by reading all media.
    picture, clip = media.alias("picture"), media.alias("clip")

    def is_of(item: FromClause, kind: MediaKind) -> ColumnElement[bool]:
        return and_(item.c.event_id == events.c.id, item.c.kind == kind.value)

    return (
        select(
            events,
            func.coalesce(cameras.c.name, events.c.camera).label("camera_name"),
            picture.c.event_id.is_not(None).label("snapshot"),
            clip.c.event_id.is_not(None).label("clip"),
            verdicts.c.verdict,
            verdicts.c.note,
            verdicts.c.said_by,
            verdicts.c.said_by_name,
            verdicts.c.said_us,
        )
        .outerjoin(cameras, and_(cameras.c.site == events.c.site, cameras.c.id == events.c.camera))
        .outerjoin(picture, is_of(picture, MediaKind.PICTURE))
        .outerjoin(clip, is_of(clip, MediaKind.CLIP))
        .outerjoin(verdicts, is_newest())
    )


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.site is not None:
        conditions.append(events.c.site == wanted.site)
    if wanted.camera is not None:
        conditions.append(events.c.camera == wanted.camera)
    if wanted.kind is not None:
        conditions.append(events.c.kind == wanted.kind.value)
    if wanted.after_us is not None:
        conditions.append(events.c.start_us >= wanted.after_us)
    if wanted.before_us is not None:
        conditions.append(events.c.start_us < wanted.before_us)
    if wanted.judged:
        conditions.append(verdicts.c.verdict.is_not(None))
    if wanted.zone is not None:
        conditions.append(
            exists().where(event_zones.c.event_id == events.c.id, event_zones.c.zone == wanted.zone)
        )
    return conditions


def _values(site: str, event: Event) -> dict[str, Any]:
    return {"site": site, **msgspec.to_builtins(event)}


def _stored(row: Row[Any]) -> StoredEvent:
    columns = row._mapping
    fields = {name: columns[name] for name in Event.__struct_fields__}
    event = msgspec.convert(fields, Event, strict=False)
    verdict = None if row.verdict is None else stored(row)
    return StoredEvent(row.site, event, row.camera_name, bool(row.snapshot), bool(row.clip), verdict)
