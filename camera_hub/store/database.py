"""The engine: how we connect, begin, and what the database's errors mean in words.

One writer at a time inside the process; on SQLite a write begins with BEGIN IMMEDIATE, so that it
waits at its beginning and never fails in its middle. `synchronous=FULL`, because what is
acknowledged to a worker must outlive a power cut.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog
from sqlalchemy import Connection, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from camera_hub.model import HubError

log = structlog.get_logger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

BUSY_S = 10.0  # how long to wait for another process that holds the database
_WRITES = "camera_hub_writes"


class StoreError(HubError):
    """The store cannot do its work; the message says why and what to do."""


class StoreBusyError(StoreError):
    """Somebody else holds the database for too long."""


class StoreFullError(StoreError):
    """The disk has no room."""


class StoreDamagedError(StoreError):
    """The file is no database, or a broken one."""


class StoreNewerError(StoreError):
    """A newer release wrote this database."""


def sqlite_url(path: Path) -> URL:
    return URL.create("sqlite+aiosqlite", database=str(path))


class Database:
    """An async engine with our habits, for the SQLAlchemy URL given."""

    def __init__(self, url: URL | str, busy_s: float = BUSY_S) -> None:
        self.url = make_url(url)
        self._sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {"connect_args": {"timeout": busy_s}} if self._sqlite else {}
        self._engine: AsyncEngine = create_async_engine(self.url, **options)
        if self._sqlite:
            event.listen(self._engine.sync_engine, "connect", _prepare_sqlite)
            event.listen(self._engine.sync_engine, "begin", _begin_sqlite)
        self._writing = self._engine.execution_options(**{_WRITES: True})
        self._writer = asyncio.Lock()

    @property
    def name(self) -> str:
        """For messages: the file, or the URL without its password."""
        return self.url.database or "" if self._sqlite else self.url.render_as_string(hide_password=True)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that reads. Raises StoreError."""
        with self._in_words():
            async with self._engine.connect() as connection:
                yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A connection in a transaction that is committed at the end, or undone. Raises StoreError."""
        with self._in_words():
            async with self._writer, self._writing.begin() as connection:
                yield connection

    async def close(self) -> None:
        await self._engine.dispose()

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as exc:
            said = in_words(str(exc.orig), self.name)
            if said is None:
                raise
            raise said from exc
        except PoolTimeoutError as exc:
            raise StoreBusyError(f"{self.name}: too much is asked of the database at once") from exc
        except OSError as exc:
            if self._sqlite:
                raise
            raise StoreBusyError(
                f"{self.name}: the database cannot be reached ({exc}); is PostgreSQL running, and is the "
                "address in server.database right?"
            ) from exc
        except sqlite3.Error as exc:  # from the connect event, where SQLAlchemy does not wrap it
            said = in_words(str(exc), self.name)
            if said is None:
                raise
            raise said from exc


def whole(method: Callable[_P, Coroutine[Any, Any, _T]]) -> Callable[_P, Coroutine[Any, Any, _T]]:
    """A method that writes, made to end what it began when its caller is cancelled.

    A transaction cut off in the middle would hold the database's one lock until its connection is collected.
    """

    @wraps(method)
    async def ended(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        writing = asyncio.ensure_future(method(*args, **kwargs))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            if not writing.cancelled() and (error := writing.exception()) is not None:
                log.warning("a write whose caller had gone failed", error=str(error))
            raise

    return ended


def in_words(error: str, name: str) -> StoreError | None:
    """What a database's own error means for people; None where it is our own mistake."""
    error = error.lower()
    if "locked" in error or "busy" in error:
        return StoreBusyError(
            f"{name}: another program has held the database for too long; close whatever has it open "
            "(a backup, a database browser, another camera-hub) and it goes on by itself"
        )
    if "disk is full" in error:
        return StoreFullError(f"{name}: the disk is full; make room on it, or lower server.keep_media_gb")
    if "not a database" in error or "malformed" in error:
        return StoreDamagedError(
            f"{name}: not a database, or a damaged one; move the file away to begin anew, "
            "or restore the backup"
        )
    if "unable to open" in error or "readonly" in error or "read-only" in error:
        return StoreError(
            f"{name}: cannot be opened for writing; give camera-hub's user the right to write there"
        )
    if "disk i/o error" in error:
        return StoreError(f"{name}: the disk failed to read or write; check the disk and its cable")
    return None


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # No implicit transactions: `_begin_sqlite` says BEGIN, in the way that is wanted.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
