"""Clips on their way: files that grow piece by piece, and outlive a cut and a restart of either end.

A file is named after site, message and the hash of what it shall become, so that what lies there is always
the beginning of that very content. It need not be forced to the disk: what a power cut makes of it, the
hash finds out, and it is sent anew. What lies there is bounded, by site and by days.

All of this blocks; the facade calls it in a thread.
"""

import contextlib
import hashlib
import os
import time
from pathlib import Path

from camera_hub.store.media import in_words

FOLDER = "arriving"
MAX_SITE_BYTES = 256 * 1024 * 1024
KEEP_S = 7 * 86_400.0
_SUFFIX = ".part"


def path_of(data_folder: Path, site: str, message_id: str, sha256: str) -> Path:
    """`arriving/<site>/<hash>.part`. The site has been checked."""
    name = hashlib.sha256(f"{message_id} {sha256}".encode()).hexdigest()[:32]
    return data_folder / FOLDER / site / f"{name}{_SUFFIX}"


def size(path: Path) -> int:
    """How much of it is there, in bytes."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def add(path: Path, at: int, data: bytes) -> int:
    """Puts bytes at `at`, which is at most the file's size; gives the size then. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(descriptor, data, at)
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
    except OSError as exc:
        raise in_words(exc, path) from exc


def take(path: Path, sha256: str) -> bytes | None:
    """The whole content; None where it is not what its hash says, and then the file is gone."""
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise in_words(exc, path) from exc
    if hashlib.sha256(content).hexdigest() == sha256:
        return content
    remove(path)
    return None


def remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # then it is litter, and `tidy` tries again
        path.unlink(missing_ok=True)


def make_room(path: Path, count: int) -> None:
    """Removes a site's oldest files until another `count` bytes fit, but not `path`."""
    found = []
    for other in path.parent.glob(f"*{_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            stat = other.stat()
            found.append((stat.st_mtime, stat.st_size, other))
    total = sum(size for _, size, _ in found) + count
    for _, freed, other in sorted(found):
        if total <= MAX_SITE_BYTES:
            return
        if other != path:
            remove(other)
            total -= freed


def tidy(data_folder: Path) -> None:
    """Removes what nobody has gone on with for days."""
    before = time.time() - KEEP_S
    for path in (data_folder / FOLDER).glob(f"*/*{_SUFFIX}"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                remove(path)
