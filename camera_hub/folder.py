"""The data folder: one `serve` and one `ingest` at a time, by a lock that ends with its process.

The lock is the kernel's (flock), so a killed process leaves none behind; the file beside it only
tells whose it is. The lock file stays: removing it would let two processes each lock one of their own.

Also how a small file is written so that it is there whole or not at all.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from camera_hub.model import HubError

_FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def hold_folder(path: Path, role: str) -> Iterator[Path]:
    """Holds `path` for `role` ("serve", "ingest"); makes the folder where there is none.

    Raises HubError when another process holds it in the same role, or when we may not write there.
    """
    lock = path / f"{role}.lock"
    try:
        path.mkdir(parents=True, exist_ok=True)
        # For writing as well, so that a folder which we may not use is told now and not at the first event.
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise HubError(
            f"{path}: cannot be written ({exc.strerror}); give the user that runs camera-hub the right to "
            "write there, or set storage.path to another folder"
        ) from exc
    try:
        _lock(descriptor, path, role)
        _check_room(descriptor, path)
        yield path
    finally:
        os.close(descriptor)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in place of an older one: after a power cut it is the one or the other. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(path.suffix + ".new")
    with half.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    half.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _lock(descriptor: int, path: Path, role: str) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "?"
        raise HubError(
            f"{path}: another camera-hub {role} (process {holder}) uses this folder; end that one first, "
            "or set storage.path to another folder"
        ) from exc
    except OSError as exc:
        raise HubError(
            f"{path}: the folder's disk knows no locks ({exc.strerror}); set storage.path to a local disk"
        ) from exc


def _check_room(descriptor: int, path: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError as exc:
        # A full disk is no reason not to start: the oldest recordings go, and then there is room.
        if exc.errno not in _FULL:
            raise HubError(f"{path}: cannot be written ({exc.strerror}); check the disk") from exc
