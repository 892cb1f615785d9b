"""The catalogue: which segments there are, in SQLite beside them.

Several processes use it at once: each camera's process writes its own segments' rows, the worker's main
process reads and retires. It can be lost without loss: `rebuild` makes it anew from the files.

Invariants, held by the code and verified by `check`:
 1. Every row that is `done` has a file, of `bytes` bytes, that holds whole fragments of `duration_us` > 0.
 2. Every segment's file has a row; only a power cut can leave one without, and `salvage` finds it.
 3. A row's path names its camera, its stream and the UTC hour of its `start_us`; no two rows share a path.
 4. `writing` is the state of a segment that a living process writes. `salvage` ends what a dead one left.
 5. A row that is `deleting` is on its way out: its file may be gone, and nobody reads it.
 6. `start_us` never changes once the row is there.

Relies on `schema` for the tables, on `files` and `fmp4_reader` for what is on disk.
"""

import fcntl
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, cast

import msgspec
import structlog
from ulid import ULID

from camera_hub.model import StreamName
from camera_hub.recording import files, schema
from camera_hub.recording.fmp4_reader import NotASegmentError
from camera_hub.recording.schema import CatalogueError

log = structlog.get_logger(__name__)

SegmentState = Literal["writing", "done", "deleting"]

LONGEST_SEGMENT_US = 3_700_000_000  # the writer ends a segment after an hour
_COLUMNS = "id, camera, stream, path, start_us, stream_us, duration_us, bytes, codec, width, height, state"


class Segment(msgspec.Struct, frozen=True):
    """A row: one file of recorded video."""

    id: str  # ULID
    camera: str
    stream: StreamName
    path: str  # within the recordings' folder
    start_us: int  # wall; when the first picture reached the hub
    stream_us: int  # decoding time of the first picture on the camera's own clock
    duration_us: int  # 0 while it is being written
    bytes: int  # 0 while it is being written
    codec: str
    width: int  # px
    height: int  # px
    state: SegmentState


class Catalogue:
    """Opens the catalogue; where there is none or a damaged one, makes it from the files.

    Safe from several threads and processes. Methods raise sqlite3.Error when the disk or another process is
    in the way; opening raises CatalogueError, in words.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the database's file; it lies in the recordings' folder."""
        self._path = path
        self._mutex = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._users = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as exc:
            raise CatalogueError(
                f"The recordings' folder {path.parent} cannot be written ({exc.strerror}); "
                "choose another storage path, or give this user the right to write there."
            ) from exc
        try:
            fcntl.flock(self._users, fcntl.LOCK_SH)
            self._db, made = self._open_or_heal()
        except BaseException:
            os.close(self._users)
            raise
        if made and self.rebuild(path.parent):
            log.error("the catalogue of recordings was lost; it is made anew from the files", path=str(path))

    def close(self) -> None:
        with self._mutex:
            self._db.close()
            os.close(self._users)

    # -- what a recorder does --------------------------------------------------------------

    def put(self, segment: Segment) -> None:
        """Add a segment's row, or replace it as it is now."""
        marks = ", ".join("?" * len(segment.__struct_fields__))
        with self._write() as db:
            db.execute(
                f"INSERT OR REPLACE INTO segments ({_COLUMNS}) VALUES ({marks})",  # noqa: S608 - constants
                msgspec.structs.astuple(segment),
            )

    def forget(self, ids: Sequence[str]) -> None:
        """Delete rows."""
        with self._write() as db:
            db.executemany("DELETE FROM segments WHERE id = ?", [(one,) for one in ids])

    # -- what readers do -------------------------------------------------------------------

    def find(self, camera: str, stream: StreamName, start_us: int, end_us: int) -> list[Segment]:
        """Segments that hold something of [start_us, end_us), in their order; one being written may."""
        return self._select(
            "WHERE camera = ? AND stream = ? AND start_us < ? AND start_us > ? AND state != 'deleting' "
            "AND (state = 'writing' OR start_us + duration_us > ?) ORDER BY start_us",
            (camera, stream, end_us, start_us - LONGEST_SEGMENT_US, start_us),
        )

    def oldest_us(self, camera: str) -> int | None:
        """When the oldest segment of a camera begins; None where there is none."""
        with self._mutex:
            (found,) = self._db.execute(
                "SELECT min(start_us) FROM segments WHERE camera = ? AND state != 'deleting'", (camera,)
            ).fetchone()
        return None if found is None else int(found)

    def segments(self, state: SegmentState | None = None) -> list[Segment]:
        """All of them, or those in a state, oldest first."""
        if state is None:
            return self._select("ORDER BY start_us", ())
        return self._select("WHERE state = ? ORDER BY start_us", (state,))

    def finished_bytes(self) -> int:
        """Bytes of all segments that are not being written."""
        with self._mutex:
            (total,) = self._db.execute(
                "SELECT coalesce(sum(bytes), 0) FROM segments WHERE state != 'writing'"
            ).fetchone()
        return int(total)

    # -- what retention does ---------------------------------------------------------------

    def oldest(self, limit: int) -> list[Segment]:
        """The oldest finished segments."""
        return self._select("WHERE state = 'done' ORDER BY start_us LIMIT ?", (limit,))

    def claim_oldest(self, at_least_bytes: int) -> list[Segment]:
        """Mark the oldest finished segments as `deleting` until they make up so many bytes; these.

        Two processes never claim the same one.
        """
        claimed: list[Segment] = []
        total = 0
        with self._write() as db:
            rows = db.execute(f"SELECT {_COLUMNS} FROM segments WHERE state = 'done' ORDER BY start_us")  # noqa: S608
            while total < at_least_bytes and (row := rows.fetchone()) is not None:
                claimed.append(_segment(row))
                total += claimed[-1].bytes
            rows.close()
            db.executemany(
                "UPDATE segments SET state = 'deleting' WHERE id = ?", [(one.id,) for one in claimed]
            )
        return claimed

    # -- recovery --------------------------------------------------------------------------

    def salvage(self, folder: Path, camera: str | None = None) -> int:
        """End what a killed process left of a camera's (or any camera's) recording; how many segments.

        Nothing else may be recording it. Files are cut back to their last whole fragment; those that hold
        none are removed; files that a power cut left without a row, as the newest can be, get theirs.
        """
        mended = 0
        for segment in self.segments("writing"):
            if camera in (None, segment.camera):
                self._adopt(folder, segment.path, segment)
                mended += 1
        for path in files.scan(folder, camera, self._newest_hour(camera)):
            if not self._select("WHERE path = ?", (path,)):
                mended += self._adopt(folder, path, None)
        if mended:
            log.warning("recordings that were cut off are mended", camera=camera, segments=mended)
        return mended

    def rebuild(self, folder: Path) -> int:
        """Give every segment's file without a row its row, from the file alone; how many."""
        known = {segment.path for segment in self.segments()}
        found = 0
        for path in files.scan(folder):
            if path not in known:
                found += self._adopt(folder, path, None)
        if found:
            log.warning("recordings are entered into the catalogue from their files", segments=found)
        return found

    def check(self, folder: Path, deep: bool = False) -> list[str]:
        """What breaks an invariant, in words; nothing where all is well. `deep` reads every file through."""
        problems = []
        rows = self.segments()
        for segment in rows:
            problems += _check_row(folder, segment, deep)
        known = {segment.path for segment in rows}
        problems += [f"{path}: a file without a row" for path in files.scan(folder) if path not in known]
        return problems

    def _adopt(self, folder: Path, path: str, row: Segment | None) -> bool:
        """Make the row of a file say what the file holds; whether it holds anything."""
        full = folder / path
        try:
            found = files.examine(full)
        except FileNotFoundError:
            self.forget([row.id] if row else [])
            return False
        except NotASegmentError:
            found = None
        if found is None or not found.duration_us:
            # A file whose head never reached the disk holds nothing; one that is not ours is left alone.
            if row is not None or files.is_blank(full):
                files.remove(folder, path)
                self.forget([row.id] if row else [])
            else:
                log.warning("a file among the recordings is not a segment; it is left alone", path=path)
            return False
        if found.bytes < found.file_bytes:
            os.truncate(full, found.bytes)
        self.put(
            Segment(
                id=row.id if row else str(ULID()),
                camera=found.head.origin.camera,
                stream=cast(StreamName, found.head.origin.stream),
                path=path,
                start_us=found.head.origin.start_us,
                stream_us=found.head.origin.stream_us,
                duration_us=found.duration_us,
                bytes=found.bytes,
                codec=found.head.codec,
                width=found.head.width,
                height=found.head.height,
                state="done",
            )
        )
        return True

    def _newest_hour(self, camera: str | None) -> str:
        """The hour folder of the newest finished segment; '' where there is none."""
        where = (
            ("WHERE state = 'done'", ())
            if camera is None
            else ("WHERE state = 'done' AND camera = ?", (camera,))
        )
        newest = self._select(f"{where[0]} ORDER BY start_us DESC LIMIT 1", where[1])
        return files.hour_of(newest[0].path) if newest else ""

    # -- the database ----------------------------------------------------------------------

    def _open_or_heal(self) -> tuple[sqlite3.Connection, bool]:
        try:
            return schema.open_database(self._path)
        except sqlite3.OperationalError as exc:
            raise CatalogueError(
                f"The catalogue {self._path} cannot be opened ({exc}); see that the disk has room, that this "
                "user may write there, and that no other program holds it."
            ) from exc
        except sqlite3.DatabaseError as exc:
            log.error("the catalogue of recordings is damaged", path=str(self._path), error=str(exc))
        try:
            fcntl.flock(self._users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            raise CatalogueError(
                f"The catalogue {self._path} is damaged; stop the hub and start it again, and it is rebuilt."
            ) from exc
        aside = schema.move_aside(self._path)
        log.error("the damaged catalogue is moved aside", aside=str(aside))
        opened = schema.open_database(self._path)
        fcntl.flock(self._users, fcntl.LOCK_SH)
        return opened

    @contextmanager
    def _write(self) -> Iterator[sqlite3.Connection]:
        with self._mutex:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _select(self, where: str, values: Sequence[object]) -> list[Segment]:
        with self._mutex:
            rows = self._db.execute(f"SELECT {_COLUMNS} FROM segments {where}", values).fetchall()  # noqa: S608
        return [_segment(row) for row in rows]


def _segment(row: tuple[object, ...]) -> Segment:
    return msgspec.convert(dict(zip(Segment.__struct_fields__, row, strict=True)), Segment)


def _check_row(folder: Path, segment: Segment, deep: bool) -> list[str]:
    path = segment.path
    problems = []
    expected = files.segment_path(segment.camera, segment.stream, segment.start_us)
    if Path(path).parent != Path(expected).parent:
        problems.append(f"{path}: does not lie where its row's camera, stream and start belong")
    if segment.state != "done":
        return problems
    if segment.duration_us <= 0 or segment.bytes <= 0:
        problems.append(f"{path}: its row says that it holds nothing")
    try:
        size = (folder / path).stat().st_size
        if size != segment.bytes:
            problems.append(f"{path}: has {size} bytes where its row says {segment.bytes}")
        if deep:
            found = files.examine(folder / path)
            if found.bytes != size:
                problems.append(f"{path}: only its first {found.bytes} bytes are whole fragments")
            if found.duration_us != segment.duration_us:
                problems.append(
                    f"{path}: lasts {found.duration_us} µs where its row says {segment.duration_us}"
                )
    except FileNotFoundError:
        problems.append(f"{path}: a row without a file")
    except (OSError, NotASegmentError) as exc:
        problems.append(f"{path}: cannot be read ({exc})")
    return problems
