"""Makes room for what comes by deleting what is oldest.

Promises: only finished segments go, oldest first over all cameras, never more than is needed. A segment is
marked, its file removed, its row deleted, in this order, so that a crash in between leaves nothing that the
next call does not finish. Safe from several processes and threads at once. A disk too full for the mark
itself is helped by removing the file first.
"""

import contextlib
import sqlite3
from pathlib import Path
from typing import NamedTuple

import structlog

from camera_hub.recording import files
from camera_hub.recording.catalogue import Catalogue, Segment

log = structlog.get_logger(__name__)


class Freed(NamedTuple):
    """What was deleted."""

    segments: int
    bytes: int


NOTHING = Freed(0, 0)


class Retention:
    """`max_bytes` bounds all recordings together, `keep_free_bytes` is left free on their disk."""

    def __init__(self, folder: Path, catalogue: Catalogue, max_bytes: int, keep_free_bytes: int) -> None:
        self._folder = folder
        self._catalogue = catalogue
        self._max_bytes = max_bytes
        self._keep_free_bytes = keep_free_bytes
        self._short = False

    def enforce(self) -> Freed:
        """Delete what is over the bounds, and finish what a crash left half deleted.

        Raises OSError and sqlite3.Error; what was not done then is done by the next call.
        """
        left = self._delete(self._catalogue.segments("deleting"))
        over = self.recorded_bytes() - self._max_bytes
        wanting = self._keep_free_bytes - files.free_bytes(self._folder)
        freed = self._free(max(over, wanting))
        self._tell_if_short(max(0, wanting - freed.bytes))
        return Freed(left.segments + freed.segments, left.bytes + freed.bytes)

    def make_room(self, bytes_needed: int) -> Freed:
        """Have at least so many bytes free on the disk, if need be and if old recordings can give them.

        For a recorder whose write has failed. Raises OSError and sqlite3.Error.
        """
        wanting = bytes_needed - files.free_bytes(self._folder)
        freed = self._free(wanting)
        if freed.segments:
            log.warning(
                "the disk is full; the oldest recordings went", segments=freed.segments, bytes=freed.bytes
            )
        return freed

    def recorded_bytes(self) -> int:
        """What all recordings take on disk, those being written included."""
        total = self._catalogue.finished_bytes()
        for segment in self._catalogue.segments("writing"):
            with contextlib.suppress(OSError):
                total += (self._folder / segment.path).stat().st_size
        return total

    def _tell_if_short(self, short_bytes: int) -> None:
        """Said once, not with every call."""
        if short_bytes and not self._short:
            log.error("the disk has less free space than is to be kept", short_bytes=short_bytes)
        self._short = bool(short_bytes)

    def _free(self, wanting: int) -> Freed:
        if wanting <= 0:
            return NOTHING
        try:
            return self._delete(self._catalogue.claim_oldest(wanting))
        except sqlite3.OperationalError as exc:
            if not _is_full(exc):
                raise
        return self._free_without_marks(wanting)

    def _free_without_marks(self, wanting: int) -> Freed:
        """Where the catalogue has no room to mark: the files first, then the rows."""
        gone: list[Segment] = []
        total = 0
        for segment in self._catalogue.oldest(1000):
            if total >= wanting:
                break
            files.remove(self._folder, segment.path)
            gone.append(segment)
            total += segment.bytes
        self._catalogue.forget([segment.id for segment in gone])
        return Freed(len(gone), total)

    def _delete(self, segments: list[Segment]) -> Freed:
        for segment in segments:
            files.remove(self._folder, segment.path)
        if segments:
            self._catalogue.forget([segment.id for segment in segments])
        return Freed(len(segments), sum(segment.bytes for segment in segments))


def _is_full(exc: sqlite3.OperationalError) -> bool:
    return exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
