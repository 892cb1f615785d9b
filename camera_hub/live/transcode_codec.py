"""A stream's pictures decoded and encoded anew as H.264 that every browser plays: no B-frames, 4:2:0, 8 bits.

Promises: a picture keeps the time at which it was taken and the wall clock of its arrival; there is a
keyframe every two seconds, with its parameter sets; nothing waits inside the encoder; after a packet that the
decoder refuses nothing comes out until the next keyframe, since half a picture looks like something that
happened. Data in and data out, one thread. Relies on PyAV with libx264, as its wheels have it.
"""

from fractions import Fraction
from typing import Any, NamedTuple, cast

import av
import av.error
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, VideoReformatter

from camera_hub.live.transcode_wire import Shape
from camera_hub.model import Packet, StreamInfo

KEYFRAME_US = 2_000_000
FPS = 25.0  # of a stream that does not say

_US = Fraction(1, 1_000_000)
_PENDING = 64  # pictures that may be inside the decoder
_HD_HEIGHT = 720  # from here on a picture that does not say is coded as ITU-R BT.709, else as BT.601
_BT709, _BT601 = 1, 6  # matrix_coefficients (ITU-T H.264, table E-5)
_UNSAID = (2, 3)
_QUALITY = 26  # x264's constant rate factor; `kbit` bounds what it takes


class Picture(NamedTuple):
    """A decoded picture."""

    frame: av.VideoFrame
    pts_us: int
    wall_us: int
    aspect: Fraction | None = None  # a pixel's width over its height; None: square, or not said


class Decoder:
    """Decodes one stream, from its next keyframe on."""

    def __init__(self, info: StreamInfo) -> None:
        """Raises ValueError where FFmpeg does not know the codec."""
        self.damaged = 0  # packets that the decoder refused
        self._context = cast(VideoCodecContext, av.CodecContext.create(info.codec, "r"))
        self._context.extradata = info.extradata or None
        self._context.thread_count = 1
        self._context.thread_type = "NONE"
        self._arrivals: dict[int, int] = {}  # pts_us: wall_us
        self._wants_keyframe = True

    def decode(self, packet: Packet) -> list[Picture]:
        """The pictures that this packet completes: mostly one, none or several with B-frames."""
        if self._wants_keyframe and not packet.keyframe:
            return []
        self._wants_keyframe = False
        # A copy, since a decoder reads some bytes beyond the end, and only FFmpeg's own buffers have them.
        encoded: av.Packet[Any] = av.Packet(len(packet.data))
        encoded.update(packet.data)
        encoded.pts, encoded.dts, encoded.time_base = packet.pts_us, packet.dts_us, _US
        self._arrivals[packet.pts_us] = packet.wall_us
        while len(self._arrivals) > _PENDING:
            del self._arrivals[next(iter(self._arrivals))]
        try:
            frames = self._context.decode(encoded)
            broken = any(frame.is_corrupt for frame in frames)
        except (av.error.FFmpegError, ValueError):
            frames, broken = [], True
        if broken:
            self.damaged += 1
            self.skip()
            return []
        return [self._picture(frame, packet) for frame in frames]

    def skip(self) -> None:
        """What comes next does not go on from what came before: wait for a keyframe."""
        if self._context.is_open:
            self._context.flush_buffers()
        self._arrivals.clear()
        self._wants_keyframe = True

    def _picture(self, frame: av.VideoFrame, packet: Packet) -> Picture:
        pts_us = packet.pts_us if frame.pts is None else frame.pts
        wall_us = self._arrivals.pop(pts_us, packet.wall_us)
        return Picture(frame, pts_us, wall_us, self._context.sample_aspect_ratio)


class Encoder:
    """Encodes pictures; their size and colours may change, and `info` with them."""

    def __init__(self, shape: Shape, fps: float | None = None) -> None:
        """`fps` is what the camera says of itself."""
        self.info: StreamInfo | None = None  # of what was encoded last
        self.newest_us: int | None = None  # the time of the picture that was encoded last
        self._shape = shape
        camera = fps if fps and 1 <= fps <= 120 else FPS
        self._fps = min(camera, shape.fps or camera)
        self._kind: tuple[object, ...] = ()
        self._context: VideoCodecContext | None = None
        self._scaler = VideoReformatter()
        self._keyframe_us = 0
        self._step_us = round(1e6 / shape.fps) if shape.fps else 0
        self._next_us = -(1 << 62)

    def due(self, pts_us: int, step_us: int = 0) -> bool:
        """Whether a picture is to be encoded, by `Shape.fps` and if at least `step_us` after the last one."""
        if self.newest_us is None or pts_us < self.newest_us - KEYFRAME_US:
            return True  # the camera's clock jumped
        # Cameras' times are uneven: a picture that comes a little early is not left out.
        return pts_us - self.newest_us >= max(step_us, 1) and pts_us + self._step_us // 4 >= self._next_us

    def encode(self, picture: Picture) -> Packet:
        """The picture in H.264. Raises FFmpegError or ValueError where there is no encoder for it."""
        frame = self._fitted(picture.frame)
        if self.newest_us is not None and picture.pts_us <= self.newest_us:
            self._context, self._next_us = None, picture.pts_us  # no encoder takes a time that lies before
        context = self._for(frame, picture.aspect)
        fresh = self.newest_us is None or not 0 <= picture.pts_us - self._keyframe_us < KEYFRAME_US
        if fresh:
            self._keyframe_us = picture.pts_us
        self.newest_us = picture.pts_us
        self._next_us = max(self._next_us, picture.pts_us - self._step_us) + self._step_us
        frame.pts, frame.time_base = picture.pts_us, _US
        frame.pict_type = PictureType.I if fresh else PictureType.NONE
        (packet,) = context.encode(frame)  # nothing waits inside
        return Packet(bytes(packet), picture.pts_us, picture.pts_us, picture.wall_us, packet.is_keyframe)

    def _fitted(self, frame: av.VideoFrame) -> av.VideoFrame:
        high = min(frame.height, self._shape.height) & ~1
        wide = max(round(frame.width * high / frame.height / 2) * 2, 2)
        fitted = self._scaler.reformat(
            frame, wide, max(high, 2), "yuv420p", dst_color_range=ColorRange.MPEG, threads=1
        )
        fitted.colorspace = frame.colorspace
        if frame.colorspace in _UNSAID:  # players go by the size, which may be another now
            fitted.colorspace = _BT709 if frame.height >= _HD_HEIGHT else _BT601
        return fitted

    def _for(self, frame: av.VideoFrame, aspect: Fraction | None) -> VideoCodecContext:
        """The encoder for pictures of this kind: another where the size or the colours change."""
        kind = (frame.width, frame.height, aspect, frame.colorspace, frame.color_primaries, frame.color_trc)
        if self._context is None or kind != self._kind:
            context = av.CodecContext.create("libx264", "w")
            context.width, context.height, context.pix_fmt = frame.width, frame.height, "yuv420p"
            if aspect is not None:
                context.sample_aspect_ratio = aspect
            context.color_range, context.colorspace = ColorRange.MPEG, frame.colorspace
            context.color_primaries, context.color_trc = frame.color_primaries, frame.color_trc
            context.time_base, context.framerate = _US, Fraction(self._fps).limit_denominator(1001)
            context.gop_size = 100_000  # keyframes are asked for by the clock
            context.thread_count = 1
            context.options = {
                "preset": "superfast",
                "tune": "zerolatency",
                "profile": "baseline",
                "crf": str(_QUALITY),
                "maxrate": f"{self._shape.kbit}k",
                "bufsize": f"{self._shape.kbit}k",
                "forced-idr": "1",
                "sc_threshold": "0",
            }
            self._kind, self._context = kind, context
            self.info = StreamInfo("h264", frame.width, frame.height, self._fps, b"", "Constrained Baseline")
            self.newest_us = None
        return self._context
