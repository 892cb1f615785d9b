"""A recorded clip as a camera: MP4, MKV or AVI, in real time or as fast as it can be read.

Nothing is decoded. In a loop the timestamps go on, so that nobody downstream sees a seam but
the picture's own. A clip that breaks off is played as far as it goes; then it says so. What is
damaged in its middle is left out, up to the next keyframe.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import av
import av.error
from av.bitstream import BitStreamFilterContext
from av.video.stream import VideoStream

from camera_hub.annexb import CODECS
from camera_hub.cameras.source import (
    BadClipError,
    ClipMissingError,
    GivenUpError,
    NoVideoError,
    TruncatedError,
    UnsupportedError,
)
from camera_hub.cameras.units import FFmpegSource, UnitMaker, annexb_extradata
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.model import Packet

Pace = Literal["real-time", "full-speed"]
_Unit = tuple["av.Packet[Any]", int | None, int | None]  # with its pts and dts; an empty one was left out

FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi"  # demuxers; a playlist is no clip
LATE_US = 1_000_000  # a pause of the machine of more than this is not caught up with
MAX_REORDERED = 16  # H.264 and H.265 allow no more pictures between decoding and showing
SHORT_BY = 0.9  # a clip with less than this share of its declared length was cut off


class ClipSource(FFmpegSource):
    """One clip, played from its beginning; see `Source`."""

    def __init__(
        self,
        path: Path | str,
        *,
        loop: bool = False,
        pace: Pace = "real-time",
        clock: Clock = SYSTEM_CLOCK,
        start_wall_us: int | None = None,
    ) -> None:
        """`start_wall_us`: the wall time of the clip's first picture; from then on the clip's own
        timestamps are the clock. Not given: the time of opening at full speed; in real time
        each packet's own arrival."""
        self._path = Path(path)
        super().__init__(f"the clip {self._path.name}", clock)
        self._loop = loop
        self._pace = pace
        self._start_wall_us = start_wall_us
        self._whole = True  # False from a damaged packet on, until the next keyframe
        self.skipped = 0
        """Packets left out so far: damaged ones, and those whose keyframe is damaged or not there."""
        self.shown_from_us: int | None = None
        """When the first picture that a player shows is shown, on the timeline of `packets`."""

    def packets(self) -> Iterator[Packet]:
        if self._first is None:
            return
        first, self._first = self._first, None
        begun_us = self._clock.monotonic_us() - first.dts_us
        yield self._on_the_wall(first)
        for packet in self._rest:
            if self._pace == "real-time":
                late_us = self._wait_until(begun_us + packet.dts_us)
                if late_us > LATE_US:
                    begun_us += late_us
            if self._interrupted.is_set():
                return
            yield self._on_the_wall(packet)

    def _begin(self) -> None:
        self._container, stream = self._open_file()
        context, rate = stream.codec_context, stream.average_rate
        told = annexb_extradata(context.name, context.extradata)
        self._units = UnitMaker(context.name, told, float(rate) if rate else None, max_gap_us=None)
        if self._start_wall_us is None and self._pace == "full-speed":
            self._start_wall_us = self._clock.wall_us()
        self._rest = self._passes(stream, self._units)
        self._first = next(self._rest, None)
        if self._first is None and self._interrupted.is_set():
            raise GivenUpError(f"{self.where} was given up while it was being opened")
        if self._first is None:
            raise BadClipError(f"{self.where} has no picture that a player could start with")

    def _on_the_wall(self, packet: Packet) -> Packet:
        start_us = self._start_wall_us
        wall_us = self._clock.wall_us() if start_us is None else start_us + packet.dts_us
        return Packet(packet.data, packet.pts_us, packet.dts_us, wall_us, packet.keyframe)

    def _wait_until(self, monotonic_us: int) -> int:
        """Wait; returns by how much we were late."""
        left_us = monotonic_us - self._clock.monotonic_us()
        if left_us > 0:
            self._interrupted.wait(left_us / 1e6)
        return max(-left_us, 0)

    def _open_file(self) -> tuple[av.container.InputContainer, VideoStream]:
        if not self._path.is_file():
            raise ClipMissingError(f"{self.where} does not exist; looked in {self._path.parent}")
        if not self._path.stat().st_size:
            raise BadClipError(f"{self.where} is empty; copy it again from where it came")
        try:
            container = av.open(
                f"file:{self._path}", options={"protocol_whitelist": "file", "format_whitelist": FORMATS}
            )
        except PermissionError:
            raise ClipMissingError(
                f"{self.where} may not be read; give this user the right to read it"
            ) from None
        except (av.error.FFmpegError, OSError, ValueError):
            raise BadClipError(
                f"{self.where} is not a video that can be read: no MP4, MKV or AVI, or cut off; "
                "copy it again from where it came"
            ) from None
        streams = container.streams.video
        if not streams:
            container.close()
            raise NoVideoError(f"{self.where} has no video in it, or is cut off; try it in a player")
        codec = getattr(streams[0].codec_context, "name", "")  # there is none where FFmpeg knows no decoder
        if codec not in CODECS:
            container.close()
            raise UnsupportedError.of(codec, self.where)
        return container, streams[0]

    def _passes(self, stream: VideoStream, units: UnitMaker) -> Iterator[Packet]:
        """Packet after packet, pass after pass, on one timeline that starts with 0."""
        begin_us = 0
        while True:
            declared_us = _length_us(self._container, stream)
            end_us = begin_us
            whole = True
            try:
                for packet in self._one_pass(stream, units, begin_us):
                    end_us = packet.dts_us + units.interval_us
                    yield packet
            except (av.error.FFmpegError, OSError, ValueError):
                whole = False
            if self._interrupted.is_set() or (whole and end_us == 0):
                return
            if not whole or end_us - begin_us < SHORT_BY * declared_us:
                raise self._truncated(end_us - begin_us)
            if not self._loop:
                return
            begin_us = end_us
            self._close_container()
            self._container, stream = self._open_file()

    def _truncated(self, played_us: int) -> TruncatedError:
        error = TruncatedError(
            f"{self.where} breaks off after {played_us / 1e6:.1f} s: the file is damaged; "
            "copy it again from where it came"
        )
        error.final = not self._loop
        return error

    def _one_pass(self, stream: VideoStream, units: UnitMaker, begin_us: int) -> Iterator[Packet]:
        """The clip once, its timestamps moved so that it starts at `begin_us`; `wall_us` is not set."""
        zero: int | None = None
        for unit, pts_us, dts_us in _dated(self._annexb(stream), units.interval_us):
            if self._interrupted.is_set():
                return
            if zero is None:
                zero = dts_us if dts_us is not None else pts_us or 0
            if self.shown_from_us is None and not unit.is_discard:  # as what an edit list cuts off is
                self.shown_from_us = 0 if pts_us is None else pts_us - zero
            if not unit.size:
                self.skipped += 1
                continue
            try:
                packet = units.make(
                    bytes(unit),
                    None if pts_us is None else begin_us + pts_us - zero,
                    None if dts_us is None else begin_us + dts_us - zero,
                    keyframe=unit.is_keyframe,
                    arrival_us=0,
                    wall_us=0,
                )
            except ValueError:  # parameter sets that are none
                self._whole = False
                self.skipped += 1
                continue
            if packet is not None:
                yield packet
            else:
                self.skipped += 1

    def _annexb(self, stream: VideoStream) -> Iterator[_Unit]:
        """The clip's access units in Annex B, with their times (µs) as they stand in the file."""
        container, time_base = self._container, stream.time_base
        assert container is not None
        assert time_base is not None
        ticks, second = time_base.numerator * 1_000_000, time_base.denominator
        to_annexb = BitStreamFilterContext(f"{stream.codec_context.name}_mp4toannexb", stream)
        convert = to_annexb.filter
        self._whole = True
        for read in container.demux(stream):
            if not read.size:
                continue
            for unit in self._converted(convert, read):
                pts, dts = unit.pts, unit.dts
                yield (
                    unit,
                    None if pts is None else pts * ticks // second,
                    None if dts is None else dts * ticks // second,
                )

    def _converted(
        self, convert: Callable[["av.Packet[Any]"], list["av.Packet[Any]"]], read: "av.Packet[Any]"
    ) -> list["av.Packet[Any]"]:
        """What was read, in Annex B; an empty packet in its place where one could not go on with it."""
        self._whole = (self._whole or read.is_keyframe) and not read.is_corrupt
        pts, dts = read.pts, read.dts  # the filter takes them away
        if self._whole:
            try:
                return convert(read)
            except (av.error.FFmpegError, ValueError):
                self._whole = False
        left_out: av.Packet[Any] = av.Packet()
        left_out.pts, left_out.dts = pts, dts
        return [left_out]


def _dated(units: Iterator[_Unit], interval_us: int) -> Iterator[_Unit]:
    """The units with decoding times also for the first few, which MKV leaves out where there are B-frames."""
    waiting: list[_Unit] = []
    for unit in units:
        if unit[2] is None and len(waiting) < MAX_REORDERED:
            waiting.append(unit)
            continue
        if waiting:
            for before, (data, pts_us, _) in zip(range(len(waiting), 0, -1), waiting, strict=True):
                yield data, pts_us, None if unit[2] is None else unit[2] - before * interval_us
            waiting.clear()
        yield unit
    yield from waiting


def _length_us(container: av.container.InputContainer | None, stream: VideoStream) -> int:
    """How long the file says that it is; 0 where it does not say."""
    if stream.duration is not None and stream.time_base is not None:
        return int(stream.duration * stream.time_base * 1_000_000)
    return (container.duration if container is not None else None) or 0  # µs
