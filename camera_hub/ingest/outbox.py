"""What servers have not acknowledged yet, on disk: nothing that happened is lost or sent twice.

One SQLite file a worker. Invariants:
- a message stands once, however many servers it goes to; a delivery a server it still waits for;
- a message with no delivery left is gone, in the same transaction as the last acknowledgement;
- an event's message, its place among the open events and its clip job change in one transaction;
- the bytes kept are bounded: over the bound, clips go first, then pictures, the oldest first, and
  event facts never; what was shed is counted.

The class blocks; `AsyncOutbox` runs it in one thread of its own.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar

import msgspec
import structlog
from ulid import ULID

from camera_hub.link.messages import Durable, EventClip, EventNews, EventPicture, Lane
from camera_hub.model import Event, HubError

log = structlog.get_logger(__name__)

SCHEMA_VERSION = 1
MAX_BYTES = 2 * 1024**3  # days of events with pictures and clips

_SCHEMA = """
CREATE TABLE message (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    lane INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE INDEX message_by_lane ON message (lane, seq);
CREATE TABLE delivery (
    server TEXT NOT NULL,
    message_id TEXT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    PRIMARY KEY (server, message_id)
) WITHOUT ROWID;
CREATE INDEX delivery_by_message ON delivery (message_id);
CREATE TABLE total (messages INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO total VALUES (0, 0);
CREATE TRIGGER message_in AFTER INSERT ON message BEGIN
    UPDATE total SET messages = messages + 1, bytes = bytes + new.bytes;
END;
CREATE TRIGGER message_out AFTER DELETE ON message BEGIN
    UPDATE total SET messages = messages - 1, bytes = bytes - old.bytes;
END;
CREATE TABLE open_event (id TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE clip_job (
    event_id TEXT PRIMARY KEY,
    due_us INTEGER NOT NULL,
    body BLOB NOT NULL
) WITHOUT ROWID;
"""

_event_decoder = msgspec.msgpack.Decoder(Event)
_durable_decoder = msgspec.msgpack.Decoder(Durable)
_encode = msgspec.msgpack.encode

_P = ParamSpec("_P")
_T = TypeVar("_T")


class OutboxError(HubError):
    """The disk does not let us read or write what waits, for now."""


class Outbox:
    """The file. Opening it raises HubError in words; its methods raise sqlite3.Error on a bad disk."""

    def __init__(self, path: Path, servers: Sequence[str], max_bytes: int = MAX_BYTES) -> None:
        self._servers = tuple(servers)
        self._max_bytes = max_bytes
        self.shed = 0
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
            self._prepare(path)
        except sqlite3.DatabaseError as exc:
            raise HubError(
                f"{path}: the outbox cannot be used ({exc}); free the disk, or move the file away"
            ) from exc
        self.depth = 0  # messages that wait for any server
        self._bytes = 0
        self._count()

    def _prepare(self, path: Path) -> None:
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA foreign_keys = ON")
        # What has been written over is given back soon: on a small disk the log must not be what fills it.
        self._db.execute("PRAGMA wal_autocheckpoint = 64")
        self._db.execute("PRAGMA journal_size_limit = 262144")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise HubError(f"{path}: written by a newer camera-hub; install that version or a later one")
        if version == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")
        # A server that left the config will never acknowledge: its share must not be kept for ever.
        marks = ",".join("?" * len(self._servers))
        with self._transaction():
            self._db.execute(f"DELETE FROM delivery WHERE server NOT IN ({marks})", self._servers)  # noqa: S608
            self._db.execute(
                "DELETE FROM message WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE message_id = message.id)"
            )

    def close(self) -> None:
        self._db.close()

    # -- what the worker puts in -----------------------------------------------------------

    def put_event(self, event: Event, jpeg: bytes | None, picture_us: int, clip_due_us: int | None) -> None:
        """An event's news, with its picture when there is a new one.

        `clip_due_us` (wall) is when its video can be cut; None where nothing is recorded.
        """
        with self._transaction():
            self._put(Lane.EVENT, EventNews(id=str(ULID()), event=event))
            if jpeg is not None:
                picture = EventPicture(
                    id=str(ULID()), event_id=event.id, camera=event.camera, at_us=picture_us, jpeg=jpeg
                )
                self._put(Lane.PICTURE, picture)
            if event.end_us is None:
                self._db.execute(
                    "INSERT OR REPLACE INTO open_event VALUES (?, ?)", (event.id, _encode(event))
                )
            else:
                self._db.execute("DELETE FROM open_event WHERE id = ?", (event.id,))
            if clip_due_us is not None:
                self._db.execute(
                    "INSERT OR REPLACE INTO clip_job VALUES (?, ?, ?)",
                    (event.id, clip_due_us, _encode(event)),
                )
        self._keep_bound()

    def put_clip(self, clip: EventClip, job: Event) -> None:
        """An event's video; its job is done, unless the event has changed since `job`."""
        with self._transaction():
            self._put(Lane.CLIP, clip)
            self._end_job(job)
        self._keep_bound()

    def postpone_clip_job(self, job: Event, due_us: int) -> None:
        """Its video is not there yet."""
        with self._transaction():
            self._db.execute(
                "UPDATE clip_job SET due_us = ? WHERE event_id = ? AND body = ?",
                (due_us, job.id, _encode(job)),
            )

    def drop_clip_job(self, job: Event) -> None:
        """There is no video to be had for this event."""
        with self._transaction():
            self._end_job(job)

    def _end_job(self, job: Event) -> None:
        self._db.execute("DELETE FROM clip_job WHERE event_id = ? AND body = ?", (job.id, _encode(job)))

    def _put(self, lane: Lane, message: Durable) -> None:
        if not self._servers:
            return
        body = _encode(message)
        self._db.execute(
            "INSERT INTO message (id, lane, bytes, body) VALUES (?, ?, ?, ?)",
            (message.id, int(lane), len(body), body),
        )
        self._db.executemany(
            "INSERT INTO delivery VALUES (?, ?)", [(server, message.id) for server in self._servers]
        )

    def _keep_bound(self) -> None:
        while self._bytes > self._max_bytes:
            oldest = self._db.execute(
                "SELECT id, bytes FROM message WHERE lane > ? ORDER BY lane DESC, seq LIMIT 1",
                (int(Lane.EVENT),),
            ).fetchone()
            if oldest is None:
                return
            with self._transaction():
                self._db.execute("DELETE FROM message WHERE id = ?", (oldest[0],))
            self.shed += 1
            log.warning("outbox full; a message was shed", message=oldest[0], bytes=oldest[1])

    # -- what is read ----------------------------------------------------------------------

    def open_events(self) -> list[Event]:
        return [
            _event_decoder.decode(b) for (b,) in self._db.execute("SELECT body FROM open_event ORDER BY id")
        ]

    def is_empty(self, clips: bool) -> bool:
        """Whether no event is open and no message waits; `clips`: and no video is still to be cut."""
        is_open, to_cut = self._db.execute(
            "SELECT EXISTS (SELECT 1 FROM open_event), EXISTS (SELECT 1 FROM clip_job)"
        ).fetchone()
        return not (is_open or self.depth or (clips and to_cut))

    def clip_jobs(self, now_us: int, limit: int = 1) -> list[Event]:
        """Events whose video can be cut by now, the longest due first."""
        rows = self._db.execute(
            "SELECT body FROM clip_job WHERE due_us <= ? ORDER BY due_us LIMIT ?", (now_us, limit)
        )
        return [_event_decoder.decode(body) for (body,) in rows]

    def unacknowledged(self, server: str, skip: frozenset[str], limit: int) -> list[Durable]:
        """What `server` has not acknowledged, by lane and then age, without those in `skip`."""
        rows = self._db.execute(
            "SELECT m.id, m.seq FROM message m JOIN delivery d ON d.message_id = m.id AND d.server = ?"
            " ORDER BY m.lane, m.seq LIMIT ?",
            (server, limit + len(skip)),
        )
        wanted = [seq for id_, seq in rows if id_ not in skip][:limit]
        return [self._read(seq) for seq in wanted]

    def _read(self, seq: int) -> Durable:
        (body,) = self._db.execute("SELECT body FROM message WHERE seq = ?", (seq,)).fetchone()
        message: Durable = _durable_decoder.decode(body)
        return message

    def acknowledge(self, server: str, ids: Sequence[str]) -> None:
        """Forget what a server keeps. Not forced to the disk: lost in a power cut, it is only sent again."""
        with self._transaction(forced=False):
            for id_ in ids:
                self._db.execute("DELETE FROM delivery WHERE server = ? AND message_id = ?", (server, id_))
                self._db.execute(
                    "DELETE FROM message WHERE id = ? AND NOT EXISTS"
                    " (SELECT 1 FROM delivery WHERE message_id = message.id)",
                    (id_,),
                )

    def _count(self) -> None:
        self.depth, self._bytes = self._db.execute("SELECT messages, bytes FROM total").fetchone()

    @contextmanager
    def _transaction(self, forced: bool = True) -> Iterator[None]:
        """All or nothing, also when the disk is full at the last moment; `forced` to the disk at its end."""
        self._db.execute(f"PRAGMA synchronous = {'FULL' if forced else 'NORMAL'}")
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        self._count()


class AsyncOutbox:
    """The outbox for the event loop: its calls run one after the other in a thread of their own."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")

    async def call(self, method: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run one of the outbox's methods."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: method(*args, **kwargs))

    @property
    def file(self) -> Outbox:
        return self._outbox

    def for_server(self, server: str) -> "ServerOutbox":
        return ServerOutbox(self, server)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._outbox.close()


class ServerOutbox:
    """One server's place in the outbox, as the link wants it."""

    def __init__(self, outbox: AsyncOutbox, server: str) -> None:
        self._outbox = outbox
        self._server = server

    async def unacknowledged(self, skip: frozenset[str], limit: int) -> Sequence[Durable]:
        """Raises OutboxError."""
        return await self._call(self._outbox.file.unacknowledged, self._server, skip, limit)

    async def acknowledge(self, ids: Sequence[str]) -> None:
        """Raises OutboxError: the messages stay, are sent again, and the server knows them."""
        await self._call(self._outbox.file.acknowledge, self._server, ids)

    async def _call(self, method: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await self._outbox.call(method, *args, **kwargs)
        except sqlite3.OperationalError as exc:
            raise OutboxError(f"the outbox cannot be used for now ({exc})") from exc
