"""What FFmpeg reads becomes the hub's packets: the part that RTSP and clips have in common.

Promises of every packet: Annex B; the first is a keyframe, so that whoever starts with it can
decode; each keyframe carries its parameter sets; decoding times only grow.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator

import av

from camera_hub.annexb import head_units, joined, nal_units, parameter_sets, with_parameter_sets
from camera_hub.cameras.order import ShownOrder
from camera_hub.cameras.timeline import BACK_US, FIRST_INTERVAL_US, Timeline
from camera_hub.clock import Clock
from camera_hub.model import Packet, SoundInfo, StreamInfo
from camera_hub.sps import parse_sps


class UnitMaker:
    """Makes the packets of one stream, and knows what the stream is."""

    def __init__(
        self,
        codec: str,
        extradata: bytes,
        fps: float | None,
        max_gap_us: int | None,
        sound: SoundInfo | None = None,
        max_back_us: int = BACK_US,
        doubted: bool = False,
    ) -> None:
        """`extradata`: parameter sets in Annex B that were told beforehand; may be empty.
        `fps`: as declared outside the video itself; `max_gap_us`, `max_back_us`: see
        Timeline; `sound`: what comes beside the pictures. `doubted`: the times may be those of sending,
        whatever is shown when."""
        self.info: StreamInfo | None = None
        self._codec = codec
        self._declared_fps = fps
        self._sound = sound
        self._sets = parameter_sets(codec, nal_units(extradata))
        self._order = ShownOrder() if doubted and codec == "h264" else None
        self._timeline = Timeline(round(1e6 / fps) if fps else FIRST_INTERVAL_US, max_gap_us, max_back_us)

    @property
    def interval_us(self) -> int:
        """The time between two pictures."""
        return self._timeline.interval_us

    def make(
        self,
        data: bytes,
        pts_us: int | None,
        dts_us: int | None,
        *,
        keyframe: bool,
        arrival_us: int,
        wall_us: int,
    ) -> Packet | None:
        """The packet of an access unit; None before the first keyframe that can be decoded.

        A keyframe may change `info`. Raises ValueError when its parameter sets are nonsense.
        """
        if keyframe:
            self._sets = self._sets.updated(parameter_sets(self._codec, head_units(self._codec, data)))
            data = with_parameter_sets(data, self._sets)
            self._learn()
        if self.info is None:
            return None
        if self._order is not None:
            pts_us = self._order.shown_us(data, pts_us)
        pts_us, dts_us = self._timeline.place(pts_us, dts_us, arrival_us)
        return Packet(data=data, pts_us=pts_us, dts_us=dts_us, wall_us=wall_us, keyframe=keyframe)

    def beside(self, pts_us: int | None, arrival_us: int) -> int | None:
        """When something that came beside the pictures was; see Timeline. None before the first packet."""
        return None if self.info is None else self._timeline.beside(pts_us, arrival_us)

    def _learn(self) -> None:
        extradata = joined(self._sets.units)
        if not self._sets.complete or (self.info is not None and self.info.extradata == extradata):
            return
        sps = parse_sps(self._codec, self._sets.sps[0])
        if self._order is not None:
            self._order.learn(self._sets.sps[0])
        self.info = StreamInfo(
            codec=self._codec,
            width=sps.width,
            height=sps.height,
            fps=self._declared_fps or sps.fps,
            extradata=extradata,
            profile=sps.profile,
            sound=self._sound,
        )


class FFmpegSource(ABC):
    """What all sources that FFmpeg reads do alike; see `Source`."""

    def __init__(self, where: str, clock: Clock) -> None:
        """`where` the packets come from, as errors begin their sentences."""
        self.where = where
        self._clock = clock
        self._interrupted = threading.Event()
        self._container: av.container.InputContainer | None = None
        self._units: UnitMaker | None = None
        self._first: Packet | None = None  # that `open` waited for
        self._rest: Iterator[Packet] = iter(())

    @property
    def info(self) -> StreamInfo:
        info = self._units.info if self._units is not None else None
        assert info is not None, "open() comes first"
        return info

    def open(self) -> StreamInfo:
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self.info

    def close(self) -> None:
        self._rest = iter(())
        self._close_container()

    def interrupt(self) -> None:
        self._interrupted.set()

    @abstractmethod
    def _begin(self) -> None:
        """Fill what the constructor left empty, or raise CameraError."""

    def _close_container(self) -> None:
        container, self._container = self._container, None
        if container is not None:
            container.close()


def annexb_extradata(codec: str, extradata: bytes | None) -> bytes:
    """Extradata if it is Annex B (as from RTSP); nothing if it is an avcC or hvcC box."""
    if extradata and extradata.startswith((b"\x00\x00\x00\x01", b"\x00\x00\x01")):
        return joined(parameter_sets(codec, nal_units(extradata)).units)
    return b""
