"""Cuts a clip out of the recordings: a plain MP4 file that a browser plays and seeks in at once.

Promises: stream copy; it begins at the last keyframe at or before the wanted start, or at the first after
it where nothing older is there; its time runs as the wall clock did, so that a gap between segments shows
as a picture that stands still. The segment being written now counts up to its last fragment. A clip holds
one set of parameters: where the camera's picture changed (size, codec), it ends.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from camera_hub.model import StreamName
from camera_hub.mp4.boxes import Sample, clip_head
from camera_hub.recording.catalogue import Catalogue
from camera_hub.recording.fmp4_reader import NotASegmentError, SegmentReader

GAP_US = 1_000_000  # less between two pictures than this beyond what is usual is no gap
_HEAD_BYTES = 2048  # of a clip, beside its tables and its parameter sets
_ROW_BYTES = 24  # of a sample in those tables, at most


class Clip(NamedTuple):
    """A cut clip."""

    start_us: int  # wall; of its first picture
    duration_us: int
    mp4: bytes
    gaps: tuple[tuple[int, int], ...] = ()  # wall, (from, to): times in it without recording


class Picture(NamedTuple):
    """A sample and where it is."""

    sample: Sample
    wall_us: int
    reader: SegmentReader
    at: int  # byte offset in its file


def cut_clip(
    folder: Path,
    catalogue: Catalogue,
    camera: str,
    stream: StreamName,
    start_us: int,
    end_us: int,
    max_bytes: int,
) -> Clip | None:
    """The clip of [start_us, end_us) wall time; None where nothing is recorded then.

    It has at most `max_bytes` bytes: it ends at a keyframe before that, or within the first GOP where even
    that is larger; None where not even one picture fits. Raises sqlite3.Error and OSError.
    """
    with ExitStack() as opened:
        pictures = pictures_between(opened, folder, catalogue, camera, stream, start_us, end_us, max_bytes)
        return _clip(pictures) if pictures else None


def pictures_between(
    opened: ExitStack,
    folder: Path,
    catalogue: Catalogue,
    camera: str,
    stream: StreamName,
    start_us: int,
    end_us: int,
    max_bytes: int,
) -> list[Picture]:
    """The pictures of a clip, whose files stay open in `opened`; see `cut_clip`."""
    pictures: list[Picture] = []
    for segment in catalogue.find(camera, stream, start_us, end_us):
        try:
            reader = opened.enter_context(SegmentReader(folder / segment.path))
        except (FileNotFoundError, NotASegmentError):
            continue  # deleted meanwhile, or nothing of it is on disk yet
        if pictures and reader.head.entry != pictures[0].reader.head.entry:
            if pictures[-1].wall_us >= start_us:
                break
            pictures.clear()
        _extend(pictures, list(_pictures(reader)), start_us, end_us)
        if sum(picture.sample.size for picture in pictures) > max_bytes:
            break
    return _within(pictures, max_bytes)


def _pictures(reader: SegmentReader) -> Iterator[Picture]:
    for fragment in reader.fragments():
        wall_us, at = reader.head.origin.start_us + fragment.time_us, fragment.data
        for sample in fragment.samples:
            yield Picture(sample, wall_us, reader, at)
            wall_us += sample.duration_us
            at += sample.size


def _extend(pictures: list[Picture], more: list[Picture], start_us: int, end_us: int) -> None:
    """Add a segment's pictures of [start_us, end_us), and those before from the last keyframe on."""
    if not more or _end_us(more[-1]) <= start_us:
        return
    for picture in more:
        if picture.wall_us >= end_us:
            return
        if picture.sample.keyframe and picture.wall_us <= start_us:
            pictures.clear()
        if pictures or picture.sample.keyframe:
            pictures.append(picture)


def _within(pictures: list[Picture], max_bytes: int) -> list[Picture]:
    """As many from the first on as fit, up to a keyframe if that leaves any."""
    if not pictures:
        return pictures
    room = max_bytes - _HEAD_BYTES - len(pictures[0].reader.head.entry)
    for count, picture in enumerate(pictures):
        room -= picture.sample.size + _ROW_BYTES
        if room < 0:
            keyframes = (n for n in range(count, 0, -1) if pictures[n].sample.keyframe)
            return pictures[: next(keyframes, count)]
    return pictures


def _clip(pictures: list[Picture]) -> Clip:
    samples, gaps = joined(pictures)
    head = pictures[0].reader.head
    data = [run.reader.read(run.at, run.sample.size) for run in runs(pictures)]
    mp4 = clip_head(head.entry, head.width, head.height, samples, sum(map(len, data)))
    duration_us = sum(sample.duration_us for sample in samples)
    return Clip(pictures[0].wall_us, duration_us, b"".join((mp4, *data)), tuple(gaps))


def joined(pictures: list[Picture]) -> tuple[list[Sample], list[tuple[int, int]]]:
    """(the samples as they follow one another in a clip, the gaps in it: wall, from and to)."""
    start_us = pictures[0].wall_us
    samples: list[Sample] = []
    gaps: list[tuple[int, int]] = []
    time_us = 0  # of the picture, in the clip
    for picture, following in zip(pictures, [*pictures[1:], None], strict=True):
        duration_us = picture.sample.duration_us
        if following is not None and following.reader is not picture.reader:
            # Arrival jitters: a segment may begin a little before the end of the one before it.
            missing_us = following.wall_us - start_us - (time_us + duration_us)
            if missing_us > GAP_US:
                gaps.append((following.wall_us - missing_us, following.wall_us))
            duration_us += max(0, missing_us)
        samples.append(picture.sample._replace(duration_us=duration_us))
        time_us += duration_us
    return samples, gaps


def runs(pictures: list[Picture]) -> Iterator[Picture]:
    """The pictures, those that lie one behind the other in a file joined into one read."""
    run = pictures[0]
    for picture in pictures[1:]:
        if picture.reader is run.reader and picture.at == run.at + run.sample.size:
            run = run._replace(sample=run.sample._replace(size=run.sample.size + picture.sample.size))
        else:
            yield run
            run = picture
    yield run


def _end_us(picture: Picture) -> int:
    return picture.wall_us + picture.sample.duration_us
