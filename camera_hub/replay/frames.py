"""The frames of a clip that no camera would send, in whatever codec FFmpeg decodes.

Promises, as the worker's decoder does: frames in order of time on one timeline, brightness in
their first plane, and nothing after a damaged packet until the next keyframe. Times count from the
clip's first frame.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error
from av.video.stream import VideoStream

from camera_hub.cameras.decoding import DecodedFrame
from camera_hub.cameras.source import TruncatedError
from camera_hub.cameras.timeline import FIRST_INTERVAL_US, Timeline
from camera_hub.replay.clips import ClipFile, open_clip

FAILED_MOST = 100  # reads in a row; the rest of such a file is not worth more
SHORT_BY = 0.9  # a clip with less than this share of its declared length was cut off


class FrameReader:
    """One clip, read once; `frames`, then what was counted."""

    def __init__(self, path: Path, file: ClipFile) -> None:
        self._path = path
        self._file = file
        interval_us = round(1e6 / file.fps) if file.fps else FIRST_INTERVAL_US
        self._timeline = Timeline(interval_us, max_gap_us=None)
        self._zero_us: int | None = None
        self._whole = True  # False from what is damaged on, until the next keyframe
        self.damaged = 0
        """Packets that could not be decoded, so far."""

    def frames(self) -> Iterator[DecodedFrame]:
        """Raises CameraError where it cannot be read, TruncatedError at the end of what there is."""
        container, stream = open_clip(self._path)
        end_us = 0
        with container:
            stream.thread_type = "NONE"
            stream.codec_context.thread_count = 1
            for packet in self._packets(container, stream):
                for frame in self._decoded(packet, stream):
                    dated = self._dated(frame)
                    end_us = dated.pts_us + self._timeline.interval_us
                    yield dated
        if end_us < SHORT_BY * (self._file.duration_s or 0.0) * 1e6:
            raise TruncatedError(
                f"the clip {self._path.name} breaks off after {end_us / 1e6:.1f} s: the file is damaged; "
                "copy it again from where it came"
            )

    def _packets(
        self, container: av.container.InputContainer, stream: VideoStream
    ) -> Iterator["av.Packet[Any]"]:
        """The packets, and an empty one at the end; what cannot be read is passed over."""
        failed = 0
        while failed < FAILED_MOST:
            try:
                for packet in container.demux(stream):
                    failed = 0
                    self._begin(packet)
                    yield packet
                return
            except (av.error.FFmpegError, OSError, ValueError):
                failed += 1
                self._fail()

    def _begin(self, packet: "av.Packet[Any]") -> None:
        if self._zero_us is None and packet.size and not packet.is_discard:
            given = packet.pts if packet.pts is not None else packet.dts
            self._zero_us = _us(given, packet.time_base) or 0

    def _decoded(self, packet: "av.Packet[Any]", stream: VideoStream) -> list[av.VideoFrame]:
        try:
            frames = [] if packet.is_corrupt else stream.decode(packet)
        except EOFError:  # FFmpeg has come to its end already, after an error
            return []
        except (av.error.FFmpegError, ValueError):
            self._fail()
            stream.codec_context.flush_buffers()
            return []
        if packet.is_corrupt or any(frame.is_corrupt for frame in frames):
            self._fail()
        kept = []
        for frame in frames:
            self._whole = (self._whole or frame.key_frame) and not frame.is_corrupt
            if self._whole:
                kept.append(frame)
        return kept

    def _fail(self) -> None:
        self.damaged += 1
        self._whole = False

    def _dated(self, frame: av.VideoFrame) -> DecodedFrame:
        given_us = _us(frame.pts if frame.pts is not None else frame.dts, frame.time_base)
        if given_us is not None:
            given_us -= self._zero_us or 0
        t_us, _ = self._timeline.place(given_us, None, 0)
        return DecodedFrame(_with_luma(frame), t_us, t_us)


def _us(ticks: int | None, base: Any) -> int | None:
    return None if ticks is None or base is None else int(ticks * 1_000_000 * base)


def _with_luma(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame with brightness in a plane of its own."""
    kind = frame.format
    if kind.name.startswith("gray") or (kind.is_planar and not kind.is_rgb and not kind.has_palette):
        return frame
    return frame.reformat(format="yuvj420p", threads=1)
