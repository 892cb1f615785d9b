"""The catalogue's database file: its tables, its versions, and whether it is sound.

Promises: a database that this returns is sound and of the newest version. Later versions add tables and
columns by another step in `MIGRATIONS`; a step that was released is never changed. WAL lets many processes
read while one writes; a commit survives a kill; newest rows that a power cut takes come back from the files.
"""

import sqlite3
import time
from contextlib import suppress
from pathlib import Path

from camera_hub.model import HubError

MIGRATIONS = (
    """
    CREATE TABLE segments (
        id TEXT PRIMARY KEY,
        camera TEXT NOT NULL,
        stream TEXT NOT NULL,
        path TEXT NOT NULL UNIQUE,
        start_us INTEGER NOT NULL,
        stream_us INTEGER NOT NULL,
        duration_us INTEGER NOT NULL,
        bytes INTEGER NOT NULL,
        codec TEXT NOT NULL,
        width INTEGER NOT NULL,
        height INTEGER NOT NULL,
        state TEXT NOT NULL CHECK (state IN ('writing', 'done', 'deleting'))
    ) STRICT;
    CREATE INDEX segments_by_time ON segments (camera, stream, start_us);
    CREATE INDEX segments_by_age ON segments (state, start_us);
    """,
)
"""One script for each version of the schema, `PRAGMA user_version` being how many have run."""

BUSY_S = 5.0  # another process's write takes milliseconds


class CatalogueError(HubError):
    """The catalogue cannot be used; says why and what to do."""


def open_database(path: Path) -> tuple[sqlite3.Connection, bool]:
    """The database, in autocommit mode and for any thread, brought up to date; and whether it was made now.

    Raises CatalogueError for a newer version, sqlite3.OperationalError where the disk or another process is
    in the way, any other sqlite3.DatabaseError where the file is damaged.
    """
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None, check_same_thread=False)
    try:
        _log_ahead(db)
        db.execute("PRAGMA synchronous = NORMAL")
        db.execute("PRAGMA wal_autocheckpoint = 100")  # pages: the log stays small beside a full disk
        db.execute("PRAGMA journal_size_limit = 1048576")
        _refuse_damage(db)
        made = _migrate(db, path)
    except BaseException:
        db.close()
        raise
    return db, made


def _log_ahead(db: sqlite3.Connection) -> None:
    """WAL mode. While others make the same database, SQLite says "locked" here without waiting."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            db.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as exc:
            if "locked" not in str(exc) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def move_aside(path: Path) -> Path:
    """Rename the database and what belongs to it; its new name. Raises OSError."""
    aside = path.with_name(f"{path.name}.damaged-{time.time_ns() // 1_000_000}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _refuse_damage(db: sqlite3.Connection) -> None:
    """Raises sqlite3.DatabaseError where the file is no sound database."""
    (verdict,) = db.execute("PRAGMA quick_check(1)").fetchone()
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _migrate(db: sqlite3.Connection, path: Path) -> bool:
    """Whether there was nothing before. Raises as `open_database` does."""
    version = _version(db)
    made = False
    if version > len(MIGRATIONS):
        raise CatalogueError(
            f"The catalogue {path} was made by a newer Camera Hub (version {version}, this one knows "
            f"{len(MIGRATIONS)}); install that version again, or move the file away to have it rebuilt."
        )
    while version < len(MIGRATIONS):
        db.execute("BEGIN IMMEDIATE")
        try:
            version = _version(db)  # another process may have been quicker
            made = made or version == 0
            if version < len(MIGRATIONS):
                for statement in MIGRATIONS[version].split(";"):
                    db.execute(statement)
                version += 1
                db.execute(f"PRAGMA user_version = {version}")
            db.execute("COMMIT")
        except BaseException:
            db.execute("ROLLBACK")
            raise
    return made


def _version(db: sqlite3.Connection) -> int:
    return int(db.execute("PRAGMA user_version").fetchone()[0])
