"""What servers have not acknowledged yet, on disk: nothing that happened is lost or sent twice.

One SQLite file a worker. Invariants:
- a message stands once, however many servers it goes to; a delivery a server it still waits for;
- a message with no delivery left is gone, in the same transaction as the last acknowledgement;
- an event's message, its place among the open events and its clip jobs change in one transaction;
- messages are numbered in the order they were put in, and no number is used twice;
- what waits is bounded. By days: older than that, anything goes. By bytes: over the bound long video goes
  first, then short clips, then pictures, the oldest first, and event facts never. What was shed is noted
  for each server that lacks it, in the same transaction.

The class blocks; `AsyncOutbox` (`async_outbox`) runs it in one thread of its own.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog
from ulid import ULID

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.ingest.outbox_schema import NewerError, prepare
from camera_hub.link.messages import (
    Durable,
    EventClip,
    EventNews,
    EventPicture,
    Lane,
    Shed,
    ShedCause,
    lane_of,
)
from camera_hub.link.worker.outgoing import Numbered
from camera_hub.model import Event, HubError

log = structlog.get_logger(__name__)

MAX_BYTES = 2 * 1024**3  # days of events with pictures and clips
KEEP_DAYS = 30
SHED_TOLD_DAYS = 30  # a note of what was shed is kept so long after the last of it
_DAY_US = 86_400 * 1_000_000
_SET_US = 1_700_000_000_000_000  # 2023: before that no clock was right

_event_decoder = msgspec.msgpack.Decoder(Event)
_durable_decoder = msgspec.msgpack.Decoder(Durable)
_encode = msgspec.msgpack.encode


class Due(NamedTuple):
    """When an event's clip can be cut (wall); `only_sooner` moves a job that still waits, and makes none."""

    short: bool
    due_us: int
    only_sooner: bool = False


class ClipJob(NamedTuple):
    """A clip that is to be cut. `best_us` is the moment of the event's best picture, wall; 0: not known."""

    event: Event
    short: bool
    best_us: int


class Outbox:
    """The file. Opening it raises HubError in words; its methods raise sqlite3.Error on a bad disk."""

    def __init__(
        self,
        path: Path,
        servers: Sequence[str],
        max_bytes: int = MAX_BYTES,
        keep_days: float = KEEP_DAYS,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self._servers = tuple(servers)
        self._max_bytes = max_bytes
        self._keep_us = round(keep_days * _DAY_US)
        self._clock = clock
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
        self.waiting = dict.fromkeys(self._servers, 0)
        """Messages that wait, by server."""
        self.shed: dict[str, tuple[Shed, ...]] = {}
        """What was shed lately, by server."""
        self._noted_us = 0  # what was put in before is old, by the last look at the clock
        self._read_notes()

    def _prepare(self, path: Path) -> None:
        try:
            prepare(self._db, self._clock.wall_us())
        except NewerError:
            raise HubError(
                f"{path}: written by a newer camera-hub; install that version or a later one"
            ) from None
        # A server that left the config will never acknowledge: its share must not be kept for ever.
        marks = ",".join("?" * len(self._servers))
        with self._transaction():
            for table in ("delivery", "shed"):
                self._db.execute(f"DELETE FROM {table} WHERE server NOT IN ({marks})", self._servers)  # noqa: S608
            self._db.execute(
                "DELETE FROM message WHERE NOT EXISTS (SELECT 1 FROM delivery WHERE seq = message.seq)"
            )

    def close(self) -> None:
        self._db.close()

    # -- what the worker puts in -----------------------------------------------------------

    def put_event(self, event: Event, jpeg: bytes | None, picture_us: int, clips: Sequence[Due] = ()) -> None:
        """An event's news, with its picture when there is a new one, and when its clips can be cut."""
        with self._transaction():
            self._put(EventNews(id=str(ULID()), event=event))
            if jpeg is not None:
                picture = EventPicture(
                    id=str(ULID()), event_id=event.id, camera=event.camera, at_us=picture_us, jpeg=jpeg
                )
                self._put(picture)
            if event.end_us is None:
                self._db.execute(
                    "INSERT OR REPLACE INTO open_event VALUES (?, ?)", (event.id, _encode(event))
                )
            else:
                self._db.execute("DELETE FROM open_event WHERE id = ?", (event.id,))
            best_us = picture_us if jpeg is not None else 0
            for due in clips:
                self._put_job(event, due, best_us)
        self._keep_bound()

    def _put_job(self, event: Event, due: Due, best_us: int) -> None:
        if not due.only_sooner:
            self._db.execute(
                "INSERT OR IGNORE INTO clip_job VALUES (?, ?, ?, ?, ?)",
                (event.id, due.short, due.due_us, best_us, b""),
            )
        self._db.execute(
            "UPDATE clip_job SET body = ?1, best_us = max(best_us, ?2),"
            " due_us = iif(?3, min(due_us, ?4), ?4) WHERE event_id = ?5 AND short = ?6",
            (_encode(event), best_us, due.only_sooner, due.due_us, event.id, due.short),
        )

    def put_clip(self, clip: EventClip, job: ClipJob, is_all: bool = False) -> None:
        """An event's video; its job is done, unless the event has changed since `job`.

        `is_all`: no other clip of the event is needed.
        """
        with self._transaction():
            self._put(clip)
            self._end_job(job)
            if is_all:
                self._end_job(job._replace(short=False))
        self._keep_bound()

    def postpone_clip_job(self, job: ClipJob, due_us: int) -> None:
        """Its video is not there yet."""
        with self._transaction():
            self._db.execute(
                "UPDATE clip_job SET due_us = ? WHERE event_id = ? AND short = ? AND body = ?",
                (due_us, job.event.id, job.short, _encode(job.event)),
            )

    def drop_clip_job(self, job: ClipJob) -> None:
        """There is no video to be had for this event."""
        with self._transaction():
            self._end_job(job)

    def _end_job(self, job: ClipJob) -> None:
        # A short clip is cut once; a long one again when the event has gone on.
        self._db.execute(
            "DELETE FROM clip_job WHERE event_id = ? AND short = ? AND (short OR body = ?)",
            (job.event.id, job.short, _encode(job.event)),
        )

    def _put(self, message: Durable) -> None:
        if not self._servers:
            return
        lane, body = int(lane_of(message)), _encode(message)
        cursor = self._db.execute(
            "INSERT INTO message (id, lane, bytes, put_us, body) VALUES (?, ?, ?, ?, ?)",
            (message.id, lane, len(body), self._clock.wall_us(), body),
        )
        self._db.executemany(
            "INSERT INTO delivery VALUES (?, ?, ?)",
            [(server, lane, cursor.lastrowid) for server in self._servers],
        )
        for server in self._servers:
            self.waiting[server] += 1

    # -- bounds ----------------------------------------------------------------------------

    def shed_old(self) -> None:
        """Lets go what has waited for longer than it may. To be called every few minutes.

        Only what was old at two looks goes, and nothing of a time when the clock was not set: a clock
        that is wrong at the start, and then mended, must not cost anything.
        """
        before_us = self._clock.wall_us() - self._keep_us
        noted_us, self._noted_us = self._noted_us, before_us
        while self._shed(
            ShedCause.OLD,
            "WHERE put_us >= ? AND put_us < ? ORDER BY seq LIMIT 100",
            _SET_US,
            min(before_us, noted_us),
        ):
            pass

    def _keep_bound(self) -> None:
        while self._bytes > self._max_bytes:
            least = "WHERE lane > ? ORDER BY lane DESC, seq LIMIT 1"
            if not self._shed(ShedCause.FULL, least, int(Lane.EVENT)):
                return

    def _shed(self, cause: ShedCause, which: str, *values: int) -> bool:
        """Lets messages go, and notes it for each server that lacks them; False where there are none."""
        rows = self._db.execute(f"SELECT seq, lane, bytes, put_us FROM message {which}", values).fetchall()  # noqa: S608
        with self._transaction():
            for seq, lane, size, put_us in rows:
                self._db.execute(
                    "INSERT INTO shed SELECT server, ?2, ?3, 1, ?4, ?5, ?5 FROM delivery WHERE seq = ?1"
                    " ON CONFLICT DO UPDATE SET count = count + 1, bytes = bytes + excluded.bytes,"
                    " first_us = min(first_us, excluded.first_us), last_us = max(last_us, excluded.last_us)",
                    (seq, lane, cause.value, size, put_us),
                )
                self._db.execute("DELETE FROM message WHERE seq = ?", (seq,))
        if rows:
            self._read_notes()
            log.warning(
                "unsent messages shed",
                cause=cause.value,
                count=len(rows),
                lane=Lane(rows[0][1]).name.lower(),
                bytes=sum(row[2] for row in rows),
            )
        return bool(rows)

    def _read_notes(self) -> None:
        self._count_waiting()
        before_us = self._clock.wall_us() - SHED_TOLD_DAYS * _DAY_US
        with self._transaction():
            self._db.execute("DELETE FROM shed WHERE last_us < ?", (before_us,))
        notes: dict[str, list[Shed]] = {}
        for server, lane, cause, count, size, first_us, last_us in self._db.execute(
            "SELECT server, lane, cause, count, bytes, first_us, last_us FROM shed ORDER BY lane, cause"
        ):
            shed = Shed(Lane(lane), ShedCause(cause), count, size, first_us, last_us)
            notes.setdefault(server, []).append(shed)
        self.shed = {server: tuple(found) for server, found in notes.items()}

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

    def clip_jobs(self, now_us: int, limit: int = 1) -> list[ClipJob]:
        """Clips that can be cut by now: short ones first, then the longest due."""
        rows = self._db.execute(
            "SELECT body, short, best_us FROM clip_job WHERE due_us <= ? ORDER BY short DESC, due_us LIMIT ?",
            (now_us, limit),
        )
        return [ClipJob(_event_decoder.decode(body), bool(short), best) for body, short, best in rows]

    def newest(self) -> int:
        """The number of the message that was put in last; later ones have greater numbers."""
        row = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'message'").fetchone()
        return 0 if row is None else int(row[0])

    def unacknowledged(
        self, server: str, lane: Lane, after: int, until: int | None, limit: int
    ) -> list[Numbered]:
        """What `server` has not acknowledged of a lane, oldest first, of the numbers in (after, until]."""
        rows = self._db.execute(
            "SELECT m.seq, m.body FROM delivery d JOIN message m ON m.seq = d.seq"
            " WHERE d.server = ? AND d.lane = ? AND d.seq > ? AND d.seq <= ? ORDER BY d.seq LIMIT ?",
            (server, int(lane), after, until if until is not None else 2**62, limit),
        )
        return [Numbered(seq, _durable_decoder.decode(body)) for seq, body in rows]

    def acknowledge(self, server: str, ids: Sequence[str]) -> None:
        """Forget what a server keeps. Not forced to the disk: lost in a power cut, it is only sent again."""
        with self._transaction(forced=False):
            for id_ in ids:
                row = self._db.execute("SELECT seq, lane FROM message WHERE id = ?", (id_,)).fetchone()
                if row is None:
                    continue
                seq, lane = row
                gone = self._db.execute(
                    "DELETE FROM delivery WHERE server = ? AND lane = ? AND seq = ?", (server, lane, seq)
                )
                self.waiting[server] -= gone.rowcount
                self._db.execute(
                    "DELETE FROM message WHERE seq = ? AND NOT EXISTS"
                    " (SELECT 1 FROM delivery WHERE seq = message.seq)",
                    (seq,),
                )

    # -- the day's volume ------------------------------------------------------------------

    def spent(self) -> tuple[str, int]:
        """The day (ISO 8601) that `spend` was told last, and its bytes."""
        day, count = self._db.execute("SELECT day, bytes FROM day").fetchone()
        return day, count

    def spend(self, day: str, count: int) -> None:
        with self._transaction(forced=False):
            self._db.execute("UPDATE day SET day = ?, bytes = ?", (day, count))

    def _count_waiting(self) -> None:
        counts = self._db.execute("SELECT server, count(*) FROM delivery GROUP BY server")
        self.waiting = {**dict.fromkeys(self._servers, 0), **dict(counts.fetchall())}

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
                self._count_waiting()
        self._count()
