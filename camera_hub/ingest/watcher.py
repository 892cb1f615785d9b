"""Packets of one stream to events: decode, detect, tell. A thread of its own."""

import threading
from collections.abc import Callable

import structlog
from ulid import ULID

from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.clock import Clock
from camera_hub.config import CameraConfig
from camera_hub.ingest.messages import EventFound
from camera_hub.ingest.packet_queue import PacketQueue, Pause
from camera_hub.ingest.telling import EventTeller
from camera_hub.model import Packet, StreamInfo
from camera_hub.motion import MotionDetector, MotionSettings

log = structlog.get_logger(__name__)

TICK_S = 1.0
STALE_US = 10_000_000  # a picture older than this is not the camera's picture now


class Watcher:
    """Watches what comes into `queue`; every event goes to `tell`."""

    def __init__(self, camera: CameraConfig, tell: Callable[[EventFound], object], clock: Clock) -> None:
        self.queue = PacketQueue()
        self.alive_us = clock.monotonic_us()
        self._tell = tell
        self._clock = clock
        self._detector = MotionDetector(_settings(camera))
        self._teller = EventTeller(camera.id, lambda wall_us: str(ULID.from_timestamp(wall_us / 1e6)))
        self._decoder: LumaDecoder | None = None
        self._latest: DecodedFrame | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Close what is open, and end."""
        self._stopping.set()
        self.queue.put(Pause.PAUSE)
        self._thread.join(2)

    def latest(self) -> DecodedFrame | None:
        """The newest picture, None when there is none of now."""
        frame = self._latest
        if frame is None or self._clock.wall_us() - frame.wall_us > STALE_US:
            return None
        return frame

    def _run(self) -> None:
        while True:
            self.alive_us = self._clock.monotonic_us()
            item = self.queue.get(TICK_S)
            match item:
                case Packet():
                    self._watch(item)
                case StreamInfo():
                    self._end()
                    self._decoder = LumaDecoder(item)
                case Pause():
                    self._end()
            if self._stopping.is_set() and not isinstance(item, Packet):
                self._end()
                return

    def _watch(self, packet: Packet) -> None:
        if self._decoder is None:
            return
        for frame in self._decoder.decode(packet):
            self._latest = frame
            for found in self._teller.tell(self._detector.process(frame.luma, frame.pts_us), frame):
                self._tell(found)

    def _end(self) -> None:
        """The stream has stopped: nobody knows what moves now, so nothing stays open."""
        last, self._latest = self._latest, None
        if last is not None:
            for found in self._teller.tell(self._detector.flush(last.pts_us), last):
                self._tell(found)
        self._decoder = None


def _settings(camera: CameraConfig) -> MotionSettings:
    return MotionSettings(
        zones=camera.info().zones, masks=camera.mask_zones(), sensitivity=camera.motion.sensitivity
    )
