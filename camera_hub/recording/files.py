"""Where segments lie on disk, and what can be read from them without a catalogue.

`YYYY-MM-DD/HH/<camera>/<stream>/MM.SS.mmm.mp4` under the recordings' folder, in UTC: names sort as time
does, and a person finds an hour without us. The truth about a segment is inside its file; the name is for
people and for sorting.
"""

import contextlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from camera_hub.model import StreamName
from camera_hub.recording.fmp4_reader import Head, SegmentReader

SUFFIX = ".mp4"
_LAST_S = 253_402_300_799  # the end of the year 9999: a clock may say anything


class Found(NamedTuple):
    """What a file holds."""

    head: Head
    duration_us: int
    bytes: int  # up to the end of the last whole fragment
    file_bytes: int


def segment_path(camera: str, stream: StreamName, start_us: int, attempt: int = 0) -> str:
    """A segment's path within the recordings' folder; `attempt` is for a name that is taken."""
    start = datetime.fromtimestamp(min(max(start_us // 1_000_000, 0), _LAST_S), UTC)
    extra = f"-{attempt}" if attempt else ""
    name = f"{start:%M.%S}.{start_us // 1000 % 1000:03d}{extra}{SUFFIX}"
    return f"{start:%Y-%m-%d}/{start:%H}/{camera}/{stream}/{name}"


def hour_of(path: str) -> str:
    """The `YYYY-MM-DD/HH` of a segment's path."""
    return path[:13]


def scan(folder: Path, camera: str | None = None, from_hour: str = "") -> Iterator[str]:
    """Paths of the segments' files, oldest hour first; of one camera, or from an hour on."""
    for day in _sorted(folder, "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"):
        for hour in _sorted(day, "[0-9][0-9]"):
            if f"{day.name}/{hour.name}" < from_hour:
                continue
            for path in _sorted(hour, f"{camera or '*'}/*/*{SUFFIX}"):
                yield str(path.relative_to(folder))


def examine(path: Path) -> Found:
    """Read a file's head and the heads of its fragments. Raises OSError and NotASegmentError."""
    with SegmentReader(path) as reader:
        duration_us, end = 0, reader.head.size
        for fragment in reader.fragments():
            duration_us, end = fragment.end_us, fragment.end
        return Found(reader.head, duration_us, end, path.stat().st_size)


def is_blank(path: Path) -> bool:
    """Whether a power cut left nothing of a file but its name, or zeros. Raises OSError."""
    with path.open("rb") as file:
        return not any(file.read(16))


def remove(folder: Path, path: str) -> None:
    """Delete a segment's file, if it is there, and the folders that it leaves empty. Raises OSError."""
    (folder / path).unlink(missing_ok=True)
    parent = Path(path).parent
    with contextlib.suppress(OSError):  # not empty, or gone already
        while parent != Path():
            (folder / parent).rmdir()
            parent = parent.parent


def free_bytes(folder: Path) -> int:
    """What an ordinary user may still write on the folder's disk. Raises OSError."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def _sorted(folder: Path, pattern: str) -> list[Path]:
    return sorted(folder.glob(pattern))
