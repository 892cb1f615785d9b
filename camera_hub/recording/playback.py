"""A range of the recordings as one stream of bytes: read piece by piece, never held whole, never transcoded.

`open_range` gives fragmented MP4 for a player: its time axis runs as the wall clock did from `start_us` on,
so a gap is a jump in it; where the picture's size changes a new head stands in the stream, where the codec
changes the range ends. `open_file` gives a plain MP4, as `clip` makes them. Both begin at the last keyframe
at or before the wanted start, and end at the last picture before the wanted end, or at what is on disk now.

A segment that is retired while it is read is read to its end; one that has gone before, or whose file is
damaged, is a gap from there on. Blocks on the disk; not for several threads at once.
"""

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from camera_hub.model import StreamName
from camera_hub.mp4.boxes import Sample, clip_head, fragment_head, live_head
from camera_hub.mp4.configuration import entry_codec_string
from camera_hub.recording.catalogue import Catalogue, Segment
from camera_hub.recording.clip import GAP_US, joined, pictures_between, runs
from camera_hub.recording.fmp4_reader import Head, NotASegmentError, SegmentReader

_READ_BYTES = 64 * 1024


class Range:
    """An open range. `close` it."""

    def __init__(
        self,
        start_us: int,
        head: Head,
        parts: Generator[bytes],
        size: int | None,
        held: ExitStack | None = None,
    ) -> None:
        self.start_us = start_us  # wall; of its first picture
        self.codec = entry_codec_string(head.entry)
        """What browsers call it."""
        self.width = head.width
        self.height = head.height
        self.size = size  # bytes in all; None where nobody knows yet
        self._parts = parts
        self._held = held
        self._rest = b""

    def read(self, most: int) -> bytes:
        """The next bytes; none at the end. Raises OSError and EOFError where the disk or file is damaged."""
        taken, count = [self._rest], len(self._rest)
        while count < most and (part := next(self._parts, None)) is not None:
            taken.append(part)
            count += len(part)
        data = b"".join(taken)
        self._rest = data[most:]
        return data[:most]

    def close(self) -> None:
        self._rest = b""
        self._parts.close()
        if self._held is not None:
            self._held.close()


def open_range(
    folder: Path, catalogue: Catalogue, camera: str, stream: StreamName, start_us: int, end_us: int
) -> Range | None:
    """[start_us, end_us) wall time for a player; None where nothing is recorded then.

    Raises sqlite3.Error and OSError.
    """
    cuts = _cuts(folder, catalogue.find(camera, stream, start_us, end_us), start_us, end_us)
    first = next(cuts, None)
    if first is None:
        return None
    return Range(first.wall_us, first.reader.head, _streamed(first, cuts), None)


def open_file(
    folder: Path,
    catalogue: Catalogue,
    camera: str,
    stream: StreamName,
    start_us: int,
    end_us: int,
    max_bytes: int,
) -> Range | None:
    """[start_us, end_us) as a file of at most `max_bytes`; None where nothing is recorded then.

    Raises sqlite3.Error and OSError.
    """
    with ExitStack() as opened:
        pictures = pictures_between(opened, folder, catalogue, camera, stream, start_us, end_us, max_bytes)
        if not pictures:
            return None
        samples, _ = joined(pictures)
        head = pictures[0].reader.head
        count = sum(sample.size for sample in samples)
        begin = clip_head(head.entry, head.width, head.height, samples, count)

        def parts() -> Generator[bytes]:
            yield begin
            for run in runs(pictures):
                yield from _read(run.reader, run.at, run.sample.size)

        return Range(pictures[0].wall_us, head, parts(), len(begin) + count, opened.pop_all())


class _Cut(NamedTuple):
    """Samples that lie one behind the other in a segment, from a fragment of it."""

    reader: SegmentReader
    wall_us: int  # of the first
    at: int  # byte offset in the file
    samples: Sequence[Sample]

    @property
    def end_us(self) -> int:
        return self.wall_us + sum(sample.duration_us for sample in self.samples)

    def from_(self, first: int) -> "_Cut":
        """Without the samples before that one."""
        before = self.samples[:first]
        return self._replace(
            wall_us=self.wall_us + sum(sample.duration_us for sample in before),
            at=self.at + sum(sample.size for sample in before),
            samples=self.samples[first:],
        )

    def until(self, end_us: int) -> "_Cut":
        """Without the samples that begin at `end_us` or later."""
        wall_us = self.wall_us
        for count, sample in enumerate(self.samples):
            if wall_us >= end_us:
                return self._replace(samples=self.samples[:count])
            wall_us += sample.duration_us
        return self

    def last_keyframe(self, at_us: int) -> int | None:
        """The number of the last keyframe that begins at `at_us` or earlier."""
        found, wall_us = None, self.wall_us
        for number, sample in enumerate(self.samples):
            if wall_us > at_us:
                break
            if sample.keyframe:
                found = number
            wall_us += sample.duration_us
        return found


def _cuts(folder: Path, segments: Sequence[Segment], start_us: int, end_us: int) -> Iterator[_Cut]:
    """What a player gets, in order; each may be read until the next is asked for."""
    codec = ""
    for segment, following in zip(segments, [*segments, None][1:], strict=True):
        if codec not in ("", segment.codec):
            return
        try:
            reader = SegmentReader(folder / segment.path)
        except (FileNotFoundError, NotASegmentError):
            continue  # retired meanwhile, or nothing of it is on disk yet
        with reader:
            last: _Cut | None = None
            for cut in _from_keyframe(_all(reader), start_us):
                if last is not None:
                    yield last
                codec = segment.codec
                last = cut.until(end_us)
                if not last.samples:
                    return
            if last is not None:
                yield last if following is None else _up_to(last, following.start_us)


def _all(reader: SegmentReader) -> Iterator[_Cut]:
    for fragment in reader.fragments():
        start_us = reader.head.origin.start_us + fragment.time_us
        yield _Cut(reader, start_us, fragment.data, fragment.samples)


def _from_keyframe(cuts: Iterator[_Cut], start_us: int) -> Iterator[_Cut]:
    """Those from the last keyframe at or before `start_us` on; none where all end before."""
    waiting: list[_Cut] = []
    for cut in cuts:
        number = cut.last_keyframe(start_us)
        waiting = [*waiting, cut] if number is None else [cut.from_(number)]
        if cut.end_us > start_us:
            yield from waiting
            yield from cuts
            return


def _up_to(cut: _Cut, next_us: int) -> _Cut:
    """Its last picture stands until the next segment's first, where that comes as good as at once."""
    missing_us = next_us - cut.end_us
    if not 0 < missing_us <= GAP_US:
        return cut
    last = cut.samples[-1]
    stretched = last._replace(duration_us=last.duration_us + missing_us)
    return cut._replace(samples=[*cut.samples[:-1], stretched])


def _streamed(first: _Cut, more: Iterator[_Cut]) -> Generator[bytes]:
    entry, free_us = b"", 0  # of the head that was sent last; when the last picture ends, from the start
    number = 0
    cut: _Cut | None = first
    while cut is not None:
        head = cut.reader.head
        if head.entry != entry:
            entry = head.entry
            yield live_head(entry, head.width, head.height)
        # Arrival jitters: a segment may begin a little before the end of the one before it.
        time_us = max(free_us, cut.wall_us - first.wall_us)
        free_us = time_us + cut.end_us - cut.wall_us
        number += 1
        yield fragment_head(number, time_us, cut.wall_us, cut.samples)
        yield from _read(cut.reader, cut.at, sum(sample.size for sample in cut.samples))
        cut = next(more, None)


def _read(reader: SegmentReader, at: int, size: int) -> Iterator[bytes]:
    end = at + size
    while at < end:
        data = reader.read(at, min(_READ_BYTES, end - at))
        at += len(data)
        yield data
