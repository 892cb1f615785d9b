"""Writes one segment: a fragmented MP4 file, by stream copy.

Promises: a fragment at least every two seconds of the stream, beginning at keyframes where it can. A
fragment goes to the disk whole, in one write followed by fdatasync, or not at all: after a kill or a power
cut everything up to the last fragment plays, and after a failed write the file is cut back to its last
whole fragment and the write can be tried again, with nothing lost. A NAL unit's bytes are stored as the
camera made them.
Relies on Annex B packets in decoding order. Used from one thread.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from camera_hub.annexb import CODECS, ParameterSets, head_units, nal_units, parameter_sets
from camera_hub.model import HubError, Packet, StreamInfo
from camera_hub.mp4.boxes import Origin, sample_entry, segment_head
from camera_hub.mp4.configuration import configuration_record
from camera_hub.mp4.timeline import Timeline
from camera_hub.recording.fragments import Built, FragmentBuilder

_MOST_PARTS = 1000  # that one call of writev takes
LONGEST_US = 3_600_000_000  # no segment is longer, even where no keyframe comes


class CannotRecordError(HubError):
    """The stream as it is cannot be recorded."""


def sets_of(info: StreamInfo, keyframe: Packet) -> ParameterSets:
    """The parameter sets to decode `keyframe` with: its own, or else those told at the opening.

    Raises CannotRecordError where there are none.
    """
    units = nal_units(keyframe.data)
    if not units:
        raise CannotRecordError("The camera sends keyframes that are empty or no Annex B byte stream.")
    told = parameter_sets(info.codec, nal_units(info.extradata))
    sets = told.updated(parameter_sets(info.codec, units))
    if not sets.complete:
        raise CannotRecordError(
            "The camera has not sent its parameter sets (SPS, PPS) yet; without them nothing plays."
        )
    return sets


class SegmentWriter:
    """Opens its file with the first packet, which must be a keyframe; `write` the rest, `finish`, `close`.

    Raises CannotRecordError where the stream cannot be recorded, OSError where the file cannot be made.
    """

    def __init__(
        self, path: Path, info: StreamInfo, first: Packet, camera: str = "", stream: str = "main"
    ) -> None:
        if info.codec not in CODECS:
            raise CannotRecordError(
                f"The stream's codec {info.codec} cannot be recorded; set the camera to H.264 or H.265."
            )
        self.start_us = first.wall_us
        self.stream_us = first.dts_us
        self.duration_us = 0  # of what is on disk
        self.bytes = 0  # of what is on disk
        self._codec = info.codec
        self._sets = sets_of(info, first)
        self._timeline = Timeline()
        self._builder = FragmentBuilder(_usual_us(info.fps))
        place = self._timeline.place(first)
        self._builder.add(first, place, nal_units(first.data))
        record = configuration_record(info.codec, self._sets)
        entry = sample_entry(info.codec, info.width, info.height, record)
        origin = Origin(camera, stream, self.start_us, self.stream_us)
        head = segment_head(entry, info.width, info.height, origin, place.offset_us)
        self._unwritten: list[bytes | memoryview] = [head]
        self._unwritten_us = 0  # what `duration_us` will be once it is written
        self._synced_us = 0  # how much of it a power cut leaves
        self._path = path
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)

    @property
    def repaired(self) -> int:
        """How many packets had timestamps that could not be taken as they were."""
        return self._timeline.repaired

    @property
    def unwritten_bytes(self) -> int:
        """What `flush` has still to write."""
        return sum(map(len, self._unwritten))

    def ends_before(self, packet: Packet, length_us: int) -> bool:
        """Whether `packet` begins the next segment: a keyframe after `length_us`, or something changed."""
        if self._timeline.silence_before(packet) or self._builder.last_us > LONGEST_US:
            return True
        if not packet.keyframe:
            return False
        if self._timeline.jumped or packet.dts_us - self.stream_us >= length_us:
            return True
        sets = parameter_sets(self._codec, head_units(self._codec, packet.data))
        return self._sets.updated(sets) != self._sets

    def write(self, packet: Packet) -> None:
        """Take the next packet. Raises OSError where a fragment could not be written: see `flush`."""
        units = nal_units(packet.data)
        if units:
            self._take(self._builder.add(packet, self._timeline.place(packet), units))

    def flush(self) -> None:
        """Write what is due to be on disk. After an OSError it may be called again, and nothing is lost."""
        if self._unwritten_us > self.duration_us:
            try:
                self._write_all(self._unwritten)
            except OSError:
                os.ftruncate(self._fd, self.bytes)
                raise
            self.bytes += self.unwritten_bytes
            self.duration_us = self._unwritten_us
            self._unwritten = []
        if self.duration_us > self._synced_us:
            os.fdatasync(self._fd)
            if not self._synced_us:
                _sync_folder(self._path.parent)
            self._synced_us = self.duration_us

    def finish(self, following: Packet | None = None) -> None:
        """Write the last fragment; its last picture lasts until the `following` packet, if that is near.

        Raises OSError, after which `flush` may be called again; then `close`.
        """
        end_us = self._builder.last_us + self._builder.usual_us
        if following is not None and not self._timeline.silence_before(following):
            end_us = self._timeline.place(following).time_us
        self._take(self._builder.end(end_us))

    def close(self) -> None:
        """Close the file as it is on disk."""
        if self._fd >= 0:
            with contextlib.suppress(OSError):  # what counts has been synced before
                os.close(self._fd)
            self._fd = -1

    def _take(self, built: Built | None) -> None:
        if built is not None:
            self._unwritten += built.parts
            self._unwritten_us = built.end_us
            self.flush()

    def _write_all(self, parts: Sequence[bytes | memoryview]) -> None:
        at = self.bytes
        while parts:
            now, parts = parts[:_MOST_PARTS], parts[_MOST_PARTS:]
            written = os.pwritev(self._fd, now, at)
            at += written
            if written < sum(map(len, now)):  # the disk is about to say why
                parts = [b"".join(now)[written:], *parts]


def _usual_us(fps: float | None) -> int:
    """How long a picture lasts, as declared; cameras declare all sorts of things."""
    return round(1_000_000 / fps) if fps is not None and 1 <= fps <= 120 else 40_000


def _sync_folder(folder: Path) -> None:
    """A new file's name must survive a power cut as well (fsync(2))."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
