"""Which times of a camera's stream are recorded: the catalogue's segments, joined where nothing is missing.

Promises: a gap that somebody could notice stays a gap; the segment being written counts as far as it is on
disk; where the codec or the size of the picture changes, another span begins.
"""

from pathlib import Path
from typing import NamedTuple

from camera_hub.model import StreamName
from camera_hub.recording import files
from camera_hub.recording.catalogue import Catalogue, Segment
from camera_hub.recording.clip import GAP_US
from camera_hub.recording.fmp4_reader import NotASegmentError


class Span(NamedTuple):
    """A time without a gap."""

    start_us: int  # wall
    end_us: int
    codec: str
    width: int  # px
    height: int  # px


class Recorded(NamedTuple):
    """What there is of one stream."""

    spans: list[Span]
    kbit_s: float  # on the average


def recorded(
    folder: Path, catalogue: Catalogue, camera: str, stream: StreamName, start_us: int, end_us: int
) -> Recorded:
    """What of [start_us, end_us) wall time is recorded. Raises sqlite3.Error and OSError."""
    spans: list[Span] = []
    size = length_us = 0
    for segment in catalogue.find(camera, stream, start_us, end_us):
        duration_us, count = _on_disk(folder, segment)
        first_us, last_us = max(segment.start_us, start_us), min(segment.start_us + duration_us, end_us)
        if last_us <= first_us:
            continue
        size, length_us = size + count, length_us + duration_us
        span = Span(first_us, last_us, segment.codec, segment.width, segment.height)
        if spans and spans[-1][2:] == span[2:] and first_us - spans[-1].end_us <= GAP_US:
            before = spans[-1]
            spans[-1] = before._replace(end_us=max(before.end_us, last_us))
        else:
            spans.append(span)
    return Recorded(spans, size * 8000 / length_us if length_us else 0.0)


def _on_disk(folder: Path, segment: Segment) -> tuple[int, int]:
    """(duration in µs, bytes) of what can be played."""
    if segment.state != "writing":
        return segment.duration_us, segment.bytes
    try:
        found = files.examine(folder / segment.path)
    except (FileNotFoundError, NotASegmentError):
        return 0, 0
    return found.duration_us, found.bytes
