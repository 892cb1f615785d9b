"""Queries on the sites that an administrator made. Callers hold the transaction."""

from dataclasses import asdict

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.store.records import EnrolmentRecord
from camera_hub.store.tables import enrolments

NO_CODE: dict[str, None] = dict.fromkeys(("code_public", "code_secret", "code_expires_us", "code_used_key"))


async def everyone(connection: AsyncConnection) -> list[EnrolmentRecord]:
    rows = await connection.execute(select(enrolments).order_by(enrolments.c.site))
    return [EnrolmentRecord(**row) for row in rows.mappings()]


async def get(connection: AsyncConnection, site: str) -> EnrolmentRecord | None:
    rows = await connection.execute(select(enrolments).where(enrolments.c.site == site))
    row = rows.mappings().first()
    return None if row is None else EnrolmentRecord(**row)


async def put(connection: AsyncConnection, record: EnrolmentRecord) -> None:
    """Makes the record, or changes it whole."""
    values = asdict(record)
    here = enrolments.c.site == record.site
    done = await connection.execute(update(enrolments).where(here).values(values))
    if not done.rowcount:
        await connection.execute(insert(enrolments).values(values))


async def remove(connection: AsyncConnection, site: str) -> None:
    await connection.execute(delete(enrolments).where(enrolments.c.site == site))


async def use_code(connection: AsyncConnection, site: str, code_public: str, key: str, now_us: int) -> bool:
    """The code's one use, for `key`: False when it is used by another, expired, or no more."""
    row = enrolments.c
    unused = or_(row.code_used_key.is_(None), row.code_used_key == key)
    done = await connection.execute(
        update(enrolments)
        .where(row.site == site, row.code_public == code_public, row.code_expires_us > now_us, unused)
        .values(key=key, key_us=now_us, revoked_us=None, code_used_key=key)
    )
    return bool(done.rowcount)


async def change_key(connection: AsyncConnection, site: str, old: str, new: str, now_us: int) -> bool:
    """A worker's new key in place of its old one; False when that one is no longer the site's."""
    row = enrolments.c
    done = await connection.execute(
        update(enrolments)
        .where(row.site == site, row.key == old, row.revoked_us.is_(None))
        .values(key=new, key_us=now_us, **NO_CODE)
    )
    return bool(done.rowcount)
