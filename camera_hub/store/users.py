"""Queries on users and their sessions. Callers hold the transaction."""

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from camera_hub.store.records import SessionRecord, UserRecord
from camera_hub.store.tables import sessions, users


async def count(connection: AsyncConnection) -> int:
    return int(await connection.scalar(select(func.count()).select_from(users)) or 0)


async def get(connection: AsyncConnection, name: str) -> UserRecord | None:
    row = (await connection.execute(select(users).where(users.c.name == name))).first()
    if row is None:
        return None
    return UserRecord(row.name, row.display_name, row.role, row.password_hash, row.config_hash)


async def all_users(connection: AsyncConnection) -> list[UserRecord]:
    rows = (await connection.execute(select(users).order_by(users.c.name))).all()
    return [UserRecord(r.name, r.display_name, r.role, r.password_hash, r.config_hash) for r in rows]


async def put(connection: AsyncConnection, user: UserRecord) -> None:
    values = {
        "display_name": user.display_name,
        "role": user.role,
        "password_hash": user.password_hash,
        "config_hash": user.config_hash,
    }
    done = await connection.execute(update(users).where(users.c.name == user.name).values(values))
    if not done.rowcount:
        await connection.execute(insert(users).values(name=user.name, **values))


async def remove_config_users_but(connection: AsyncConnection, names: set[str]) -> list[str]:
    """Removes the users that the config no longer names, with their sessions; gives their names."""
    query = select(users.c.name).where(users.c.config_hash.is_not(None), users.c.name.not_in(names))
    gone = list((await connection.scalars(query)).all())
    await connection.execute(delete(sessions).where(sessions.c.user.in_(gone)))
    await connection.execute(delete(users).where(users.c.name.in_(gone)))
    return gone


async def set_password(connection: AsyncConnection, name: str, password_hash: str) -> None:
    await connection.execute(update(users).where(users.c.name == name).values(password_hash=password_hash))


async def add_session(
    connection: AsyncConnection, token_hash: str, name: str, now_us: int, expires_us: int
) -> None:
    await connection.execute(
        insert(sessions).values(
            token_hash=token_hash, user=name, created_us=now_us, expires_us=expires_us, seen_us=now_us
        )
    )


async def get_session(
    connection: AsyncConnection, token_hash: str, now_us: int, idle_us: int
) -> SessionRecord | None:
    """The session unless it has expired, by its end or by being idle for longer than `idle_us`."""
    query = (
        select(sessions, users)
        .join(users, users.c.name == sessions.c.user)
        .where(
            sessions.c.token_hash == token_hash,
            sessions.c.expires_us > now_us,
            sessions.c.seen_us > now_us - idle_us,
        )
    )
    row = (await connection.execute(query)).first()
    if row is None:
        return None
    user = UserRecord(row.name, row.display_name, row.role, row.password_hash, row.config_hash)
    return SessionRecord(row.token_hash, user, row.created_us, row.expires_us, row.seen_us)


async def session_seen(connection: AsyncConnection, token_hash: str, now_us: int) -> None:
    await connection.execute(
        update(sessions).where(sessions.c.token_hash == token_hash).values(seen_us=now_us)
    )


async def end_session(connection: AsyncConnection, token_hash: str) -> None:
    await connection.execute(delete(sessions).where(sessions.c.token_hash == token_hash))


async def end_sessions_of(connection: AsyncConnection, name: str, but: str | None = None) -> None:
    """Ends all sessions of a user, except the one whose token hash is `but`."""
    query = delete(sessions).where(sessions.c.user == name)
    if but is not None:
        query = query.where(sessions.c.token_hash != but)
    await connection.execute(query)


async def remove_expired(connection: AsyncConnection, now_us: int, idle_us: int) -> None:
    await connection.execute(
        delete(sessions).where((sessions.c.expires_us <= now_us) | (sessions.c.seen_us <= now_us - idle_us))
    )
