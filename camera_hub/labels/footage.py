"""The video of an event: cut from this machine's recordings with some of before and after, else its own clip.

What the detector is to be tried on is the stream that it looks at: the smallest recorded one. Promises that
the start given is the wall time of the video's first frame. All of this blocks.
"""

import sqlite3
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import av
import av.error

from camera_hub.model import Event, StreamName
from camera_hub.recording import Catalogue, Clip, cut_clip
from camera_hub.store import Media

CONTEXT_US = 10_000_000  # before and after: the background has settled when the mover comes
MAX_BYTES = 256 * 1024 * 1024
_SMALLEST_FIRST: tuple[StreamName, StreamName] = ("sub", "main")


class Footage(NamedTuple):
    """A video, and the wall time that it shows."""

    mp4: bytes
    start_us: int
    end_us: int
    fps: float | None
    gaps: tuple[tuple[int, int], ...] = ()


class Recordings:
    """The recordings of the worker of this data folder; nothing where there are none."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "recordings"
        path = self._folder / "catalogue.db"
        # A catalogue that is not there must not be made by looking for it.
        self._catalogue = Catalogue(path) if path.is_file() else None

    def close(self) -> None:
        if self._catalogue is not None:
            self._catalogue.close()

    def around(self, event: Event) -> Footage | None:
        """The event, whole, with its context as far as it was recorded; None where it was not."""
        if self._catalogue is None or event.end_us is None:
            return None
        for stream in _SMALLEST_FIRST:
            with suppress(OSError, sqlite3.Error):  # its own clip is as true, only shorter
                clip = cut_clip(
                    self._folder,
                    self._catalogue,
                    event.camera,
                    stream,
                    event.start_us - CONTEXT_US,
                    event.end_us + CONTEXT_US,
                    MAX_BYTES,
                )
                if clip is not None and _shows(clip, event.start_us, event.end_us):
                    end_us = clip.start_us + clip.duration_us
                    return Footage(clip.mp4, clip.start_us, end_us, _look(clip.mp4)[1], clip.gaps)
        return None


def own_clip(data: Path, media: Media) -> Footage | None:
    """The event's clip as its site sent it; None where its file has gone or is no video."""
    path = data / media.path
    try:
        mp4 = path.read_bytes()
        duration_us, fps = _look(mp4)
    except (OSError, av.error.FFmpegError):
        return None
    if duration_us <= 0:
        return None
    return Footage(mp4, media.at_us - duration_us, media.at_us, fps)


def _shows(clip: Clip, start_us: int, end_us: int) -> bool:
    return clip.start_us <= start_us and end_us <= clip.start_us + clip.duration_us


def _look(mp4: bytes) -> tuple[int, float | None]:
    """(duration in µs, frames a second) of a video. Raises FFmpegError."""
    with av.open(BytesIO(mp4), "r", format="mp4") as container:
        if not container.streams.video:
            return 0, None
        stream = container.streams.video[0]
        rate = round(float(stream.average_rate), 3) if stream.average_rate else None
        if stream.duration is None or stream.time_base is None:
            return container.duration or 0, rate
        return int(stream.duration * stream.time_base * 1_000_000), rate
