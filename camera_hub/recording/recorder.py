"""Keeps one stream of one camera on disk: packets in, segments and their rows out.

Promises: nothing that goes wrong on the disk or in the catalogue comes out of `start`, `write` or `close`;
what could not be recorded, and why, is in `problem` and `cause`. A full disk costs the oldest recordings:
room is made and the very same fragment written again. Where that does not help, what is on disk stays, and a
new segment is tried at a keyframe, with growing pauses. A catalogue that cannot be written stops no
recording: its rows wait, and follow.
Relies on packets in decoding order, from one thread.
"""

import errno
import random
import sqlite3
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog
from ulid import ULID

from camera_hub.clock import Clock
from camera_hub.model import HubError, Packet, RecordingCause, StreamInfo, StreamName
from camera_hub.recording import files
from camera_hub.recording.catalogue import Catalogue, Segment
from camera_hub.recording.segment import SegmentWriter

log = structlog.get_logger(__name__)

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
NO_KEYFRAME_US = 30_000_000
ROOM_BYTES = 256 << 10  # beside what waits to be written
MOST_ROWS_WAITING = 1000
_FULL = (errno.ENOSPC, errno.EDQUOT)
_SHUT = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOENT, errno.ELOOP)


class Recorder:
    """`start` when the stream is opened (again), `write` its packets, `close` when it ends or pauses."""

    def __init__(
        self,
        folder: Path,
        catalogue: Catalogue,
        camera: str,
        stream: StreamName,
        segment_s: int,
        clock: Clock,
        make_room: Callable[[int], object],
    ) -> None:
        """`make_room(bytes)` deletes old recordings until so much is free: `Retention.make_room`."""
        self.lost = 0  # packets that came while nothing could be recorded
        self.repaired = 0  # packets whose timestamps could not be taken as they were
        self._folder = folder
        self._catalogue = catalogue
        self._camera = camera
        self._stream: StreamName = stream
        self._segment_us = segment_s * 1_000_000
        self._clock = clock
        self._make_room = make_room
        self._info: StreamInfo | None = None
        self._writer: SegmentWriter | None = None
        self._row: Segment | None = None
        self._rows_waiting: dict[str, Segment] = {}
        self._problem = ""
        self._cause: RecordingCause | None = None
        self._failures = 0
        self._again_us = 0  # monotonic; no new segment before
        self._waiting_since_us: int | None = None  # monotonic; for a keyframe
        self._log = log.bind(camera=camera, stream=stream)

    @property
    def problem(self) -> str:
        """Why nothing is recorded, in words; '' when all is well."""
        return self._problem

    @property
    def cause(self) -> RecordingCause | None:
        """The same for programs; None when all is well."""
        return self._cause

    def start(self, info: StreamInfo) -> None:
        """The stream was opened: what comes now has these parameters."""
        self.close()
        self._info = info

    def write(self, packet: Packet) -> None:
        """Record a packet, or count it as lost."""
        if self._writer is not None and self._writer.ends_before(packet, self._segment_us):
            self._finish(packet)
        if self._writer is not None:
            self._attempt(self._writer, lambda writer: writer.write(packet))
        elif self._info is not None and packet.keyframe and self._clock.monotonic_us() >= self._again_us:
            self._open(self._info, packet)
        else:
            self._wait(self._info)

    def close(self) -> None:
        """End the segment. Packets that come after it begin a new one, at a keyframe."""
        self._finish(None)
        self._waiting_since_us = None
        if self._rows_waiting:
            self._keep_rows()

    # -- one segment -----------------------------------------------------------------------

    def _open(self, info: StreamInfo, packet: Packet) -> None:
        try:
            writer, path = self._open_file(info, packet)
        except HubError as exc:
            self.lost += 1
            self._tell(str(exc), RecordingCause.DAMAGED_STREAM)
            return
        except OSError as exc:
            self.lost += 1
            self._back_off(exc)
            return
        self._waiting_since_us = None
        self._writer = writer
        self._row = Segment(
            id=str(ULID()),
            camera=self._camera,
            stream=self._stream,
            path=path,
            start_us=writer.start_us,
            stream_us=writer.stream_us,
            duration_us=0,
            bytes=0,
            codec=info.codec,
            width=info.width,
            height=info.height,
            state="writing",
        )
        self._keep_rows(self._row)

    def _open_file(self, info: StreamInfo, packet: Packet) -> tuple[SegmentWriter, str]:
        """Raises HubError and OSError."""
        attempt = 0
        tried_room = False
        while True:
            path = files.segment_path(self._camera, self._stream, packet.wall_us, attempt)
            try:
                (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
                return SegmentWriter(self._folder / path, info, packet, self._camera, self._stream), path
            except (FileExistsError, FileNotFoundError):
                # The wall clock was set back; or retention removed the empty folder under us.
                attempt += 1
                if attempt > 100:
                    raise
            except OSError as exc:
                if exc.errno not in _FULL or tried_room:
                    raise
                tried_room = True
                self._ask_for_room(len(packet.data))

    def _attempt(self, writer: SegmentWriter, action: Callable[[SegmentWriter], None]) -> None:
        """Do what may write; a full disk gets a second chance, after the oldest recordings went."""
        try:
            try:
                action(writer)
            except OSError as exc:
                if exc.errno not in _FULL:
                    raise
                self._ask_for_room(writer.unwritten_bytes)
                writer.flush()
        except OSError as exc:
            self._back_off(exc)
            self._end_segment()
            return
        if self._problem and writer.bytes:
            self._failures = 0
            self._tell("", None)

    def _finish(self, following: Packet | None) -> None:
        if self._writer is not None:
            self._attempt(self._writer, lambda writer: writer.finish(following))
            self._end_segment()

    def _end_segment(self) -> None:
        """Close the file as it is on disk, and say in its row what it holds."""
        writer, row = self._writer, self._row
        self._writer = self._row = None
        if writer is None or row is None:
            return
        writer.close()
        self.repaired += writer.repaired
        if writer.duration_us:
            self._keep_rows(
                msgspec.structs.replace(row, state="done", duration_us=writer.duration_us, bytes=writer.bytes)
            )
            return
        try:
            files.remove(self._folder, row.path)
            self._rows_waiting.pop(row.id, None)
            self._catalogue.forget([row.id])
        except (OSError, sqlite3.Error) as exc:
            self._log.warning("an empty segment stays until the next start", path=row.path, error=str(exc))

    # -- trouble ---------------------------------------------------------------------------

    def _wait(self, info: StreamInfo | None) -> None:
        self.lost += 1
        if info is None or self._problem:
            return
        now_us = self._clock.monotonic_us()
        if self._waiting_since_us is None:
            self._waiting_since_us = now_us
        elif now_us - self._waiting_since_us > NO_KEYFRAME_US:
            words = "The camera sends no keyframe; set its keyframe interval to 2 seconds."
            self._tell(words, RecordingCause.NO_KEYFRAME)

    def _ask_for_room(self, waiting_bytes: int) -> None:
        try:
            self._make_room(2 * waiting_bytes + ROOM_BYTES)
        except (OSError, sqlite3.Error) as exc:
            self._log.error("cannot make room on the disk", error=str(exc))

    def _back_off(self, exc: OSError) -> None:
        pause_s = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)] * random.uniform(0.8, 1.0)  # noqa: S311
        self._failures += 1
        self._again_us = self._clock.monotonic_us() + int(pause_s * 1e6)
        self._tell(_in_words(exc), _cause(exc))

    def _tell(self, problem: str, cause: RecordingCause | None) -> None:
        if problem == self._problem:
            return
        self._problem, self._cause = problem, cause
        if problem:
            self._log.error("nothing is recorded", problem=problem)
        else:
            self._log.info("recording again")

    def _keep_rows(self, *rows: Segment) -> None:
        """Write rows to the catalogue, and those that wait; what cannot be written waits on."""
        for row in rows:
            self._rows_waiting.pop(row.id, None)
            self._rows_waiting[row.id] = row
        tried_room = False
        while self._rows_waiting:
            row = next(iter(self._rows_waiting.values()))
            try:
                self._catalogue.put(row)
                del self._rows_waiting[row.id]
            except sqlite3.Error as exc:
                if tried_room or getattr(exc, "sqlite_errorcode", 0) & 0xFF != sqlite3.SQLITE_FULL:
                    self._log.error("the catalogue cannot be written; its rows wait", error=str(exc))
                    break
                tried_room = True
                self._ask_for_room(0)
        while len(self._rows_waiting) > MOST_ROWS_WAITING:
            row = self._rows_waiting.pop(next(iter(self._rows_waiting)))
            self._log.error("a recording is in no catalogue until it is rebuilt", path=row.path)


def _cause(exc: OSError) -> RecordingCause:
    if exc.errno in _FULL:
        return RecordingCause.DISK_FULL
    if exc.errno in _SHUT:
        return RecordingCause.NOT_WRITABLE
    return RecordingCause.DISK_FAILING if exc.errno == errno.EIO else RecordingCause.UNEXPECTED


def _in_words(exc: OSError) -> str:
    if exc.errno in _FULL:
        return (
            "The disk is full and no older recording can go; free some space, or give the hub a larger disk."
        )
    if exc.errno in _SHUT:
        return (
            f"The recordings' folder cannot be written ({exc.strerror}); "
            "see that its disk is mounted for writing and that this user may write there."
        )
    if exc.errno == errno.EIO:
        return f"The disk reports errors ({exc.strerror}); see to it before it fails."
    return f"The recording cannot be written ({exc.strerror})."
