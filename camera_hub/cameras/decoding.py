"""Packets to pictures, for those who look at them: brightness for motion, JPEG for people.

One thread, no conversion of anything that nobody asked for. A packet that cannot be decoded is
counted, and nothing comes out until the next keyframe: half a picture would look like motion.
"""

import threading
from fractions import Fraction
from typing import Any, cast

import av
import av.error
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from camera_hub.model import Box, Packet, StreamInfo

HD_HEIGHT = 720  # from here on a picture that does not say is coded as ITU-R BT.709, else as BT.601

_TIME_BASE = Fraction(1, 1_000_000)
_PENDING = 64  # frames that may be inside the decoder
_UNSAID = (2, 3)  # AVColorSpace: unspecified, reserved


class DecodedFrame:
    """A picture of a stream."""

    def __init__(self, frame: av.VideoFrame, pts_us: int, wall_us: int) -> None:
        self._frame = frame
        self.pts_us = pts_us
        self.wall_us = wall_us
        self.keyframe = bool(frame.key_frame)

    @property
    def luma(self) -> NDArray[np.uint8]:
        """Brightness, (height, width): a read-only view of the decoder's own plane, where its
        samples have 8 bits. Rows need not be contiguous."""
        return _luma(self._frame)

    def jpeg(self, height: int | None = None, quality: int = 85, box: Box | None = None) -> bytes:
        """The picture in colour, or the part of it in `box`, as JPEG.

        `height` (px) makes it smaller, never larger. May be called from any thread.
        """
        bgr = _bgr(self._frame)
        if box is not None:
            bgr = _cut(bgr, box)
        if height is not None and 0 < height < bgr.shape[0]:
            width = max(round(bgr.shape[1] * height / bgr.shape[0]), 1)
            bgr = cast(NDArray[np.uint8], cv2.resize(bgr, (width, height), interpolation=cv2.INTER_AREA))
        done, jpeg = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
        assert done, "a JPEG of an array in memory cannot fail"
        return bytes(jpeg)


class LumaDecoder:
    """Decodes one stream, from its next keyframe on; a size that changes at a keyframe is followed."""

    def __init__(self, info: StreamInfo) -> None:
        context = cast(VideoCodecContext, av.CodecContext.create(info.codec, "r"))
        context.extradata = info.extradata
        context.thread_count = 1
        context.thread_type = "NONE"
        self._context = context
        self._wants_keyframe = True
        self._arrivals: dict[int, int] = {}  # pts_us: wall_us
        self.errors = 0
        """Packets that could not be decoded, so far."""

    def decode(self, packet: Packet) -> list[DecodedFrame]:
        """The pictures that this packet completes: mostly one, none or several with B-frames."""
        if self._wants_keyframe and not packet.keyframe:
            return []
        self._wants_keyframe = False
        # A copy, since a decoder reads some bytes beyond the end, and only FFmpeg's own buffers have them.
        encoded: av.Packet[Any] = av.Packet(len(packet.data))
        encoded.update(packet.data)
        encoded.pts, encoded.dts, encoded.time_base = packet.pts_us, packet.dts_us, _TIME_BASE
        self._arrivals[packet.pts_us] = packet.wall_us
        while len(self._arrivals) > _PENDING:
            del self._arrivals[next(iter(self._arrivals))]
        return self._decoded(encoded, packet.wall_us)

    def flush(self) -> list[DecodedFrame]:
        """The pictures that are still inside, for the end of a stream; then it starts anew."""
        frames = self._decoded(None, 0)
        self._start_anew()
        return frames

    def _decoded(self, encoded: "av.Packet[Any] | None", wall_us: int) -> list[DecodedFrame]:
        try:
            frames = self._context.decode(encoded)
        except (av.error.FFmpegError, ValueError):
            frames = []
            damaged = True
        else:
            damaged = any(frame.is_corrupt for frame in frames)
        if damaged:
            self.errors += 1
            self._start_anew()
            return []
        return [self._dated(frame, wall_us) for frame in frames]

    def _dated(self, frame: av.VideoFrame, wall_us: int) -> DecodedFrame:
        pts_us = frame.pts or 0
        return DecodedFrame(frame, pts_us, self._arrivals.pop(pts_us, wall_us))

    def _start_anew(self) -> None:
        if self._context.is_open:
            self._context.flush_buffers()
        self._arrivals.clear()
        self._wants_keyframe = True


def _luma(frame: av.VideoFrame) -> NDArray[np.uint8]:
    if frame.format.components[0].bits != 8:
        frame = _reformatted(frame, "gray")
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    luma: NDArray[np.uint8] = rows[: frame.height, : frame.width]
    luma.flags.writeable = False
    return luma


def _bgr(frame: av.VideoFrame) -> NDArray[np.uint8]:
    converted = _reformatted(frame, "bgr24")
    plane = converted.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    pixels: NDArray[np.uint8] = rows[: frame.height, : frame.width * 3]
    return pixels.reshape(frame.height, frame.width, 3)


_converting = threading.Lock()  # the conversion marks the frame while it works on it


def _reformatted(frame: av.VideoFrame, format_name: str) -> av.VideoFrame:
    """The frame in another pixel format, its matrix and range heeded (ITU-T H.264, table E-5)."""
    coded = frame.colorspace
    unsaid = coded in _UNSAID
    with _converting:
        return VideoReformatter().reformat(
            frame,
            format=format_name,
            src_colorspace=(Colorspace.ITU709 if frame.height >= HD_HEIGHT else Colorspace.ITU601)
            if unsaid
            else None,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )


def _cut(pixels: NDArray[np.uint8], box: Box) -> NDArray[np.uint8]:
    """The part in the box (fractions), at least a pixel of it."""
    height, width = pixels.shape[:2]
    x, y, w, h = box
    left, top = (min(max(int(at * size), 0), size - 1) for at, size in ((x, width), (y, height)))
    right, bottom = (round((at + long) * size) for at, long, size in ((x, w, width), (y, h, height)))
    return pixels[top : max(bottom, top + 1), left : max(right, left + 1)]
