"""Media files: written whole or not at all, and named after what they hold. See invariant 3.

All of this blocks; the facade calls it in a thread.
"""

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from camera_hub.store.database import StoreError, StoreFullError
from camera_hub.store.records import Media, MediaKind

FOLDER = "media"
_SUFFIX = {MediaKind.PICTURE: ".jpg", MediaKind.CLIP: ".mp4"}
_HALF = ".half"


def write(
    data_folder: Path,
    site: str,
    event_id: str,
    kind: MediaKind,
    message_id: str,
    at_us: int,
    content: bytes,
) -> Media:
    """Writes `media/<site>/<day>/<event>-<hash>.<suffix>`. Site and event id have been checked.

    The hash, of message and content, gives each message a file of its own: a later picture lies
    beside the earlier one until its row is committed. Raises StoreFullError or StoreError.
    """
    sha256 = hashlib.sha256(content).hexdigest()
    own = hashlib.sha256(f"{message_id} {sha256}".encode()).hexdigest()[:12]
    day = datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%d")
    relative = Path(FOLDER) / site / day / f"{event_id}-{own}{_SUFFIX[kind]}"
    target = data_folder / relative
    half = target.with_name(f"{target.name}{_HALF}{time.monotonic_ns()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with half.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            half.replace(target)
            _sync_folder(target.parent)
        except BaseException:
            half.unlink(missing_ok=True)
            raise
    except OSError as exc:
        raise in_words(exc, target) from exc
    return Media(event_id, kind, site, relative.as_posix(), len(content), sha256, at_us)


def remove(data_folder: Path, paths: list[str]) -> None:
    """Removes files; those that are gone already are fine. Raises StoreError."""
    for path in paths:
        target = data_folder / path
        try:
            target.unlink(missing_ok=True)
        except OSError as exc:
            raise in_words(exc, target) from exc


def remove_empty_folders(data_folder: Path, age_s: float) -> None:
    """Removes the days' folders that have been empty for longer than `age_s`."""
    before = time.time() - age_s
    for folder in (data_folder / FOLDER).glob("*/*"):
        with contextlib.suppress(OSError):
            if folder.stat().st_mtime < before:
                folder.rmdir()


def older_than(data_folder: Path, age_s: float) -> Iterator[str]:
    """Paths of media files, relative to the data folder, that have lain there for longer than `age_s`."""
    before = time.time() - age_s
    for folder, _, names in os.walk(data_folder / FOLDER):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    yield path.relative_to(data_folder).as_posix()


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def in_words(exc: OSError, target: Path) -> StoreError:
    """What the system says of a file, for people."""
    if exc.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError(
            f"{target.parent}: the disk is full; make room on it, or lower server.keep_media_gb"
        )
    return StoreError(f"{target}: cannot be written ({exc.strerror}); check the folder's owner and its disk")
