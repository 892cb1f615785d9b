"""Packets of one stream to events: decode what is worth it, detect, tell. A thread of its own."""

import threading
from collections.abc import Callable

import structlog
from ulid import ULID

from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.clock import Clock
from camera_hub.config import CameraConfig
from camera_hub.ingest.messages import EventFound
from camera_hub.ingest.packet_queue import Pause, packet_queue
from camera_hub.ingest.telling import EventTeller
from camera_hub.model import Packet, StreamInfo
from camera_hub.motion import Gate, MotionDetector, MotionSettings

log = structlog.get_logger(__name__)

TICK_S = 1.0
STALE_US = 10_000_000  # a picture older than this is not the camera's picture now
HELD_BACK = "the decoder does not give a keyframe's picture at once"


class Watcher:
    """Watches what comes into `queue`; every event goes to `tell`."""

    def __init__(self, camera: CameraConfig, tell: Callable[[EventFound], object], clock: Clock) -> None:
        self.queue = packet_queue(camera)
        self.alive_us = clock.monotonic_us()
        self._tell = tell
        self._clock = clock
        self._detector = MotionDetector(_settings(camera))
        self._teller = EventTeller(camera.id, lambda wall_us: str(ULID.from_timestamp(wall_us / 1e6)))
        self._camera = camera.id
        self._gate = Gate()
        self._gate_reason = ""  # as logged last
        self._info: StreamInfo | None = None
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
                    self._open(item)
                case Pause():
                    self._end()
            if self._stopping.is_set() and not isinstance(item, Packet):
                self._end()
                return

    def _open(self, info: StreamInfo) -> None:
        if info != self._info:
            self._gate = Gate()  # another make of stream, other sizes
        self._info = info
        self._gate.restart()
        self._decoder = LumaDecoder(info)

    def _watch(self, packet: Packet) -> None:
        decoder = self._decoder
        if decoder is None:
            return
        asleep = self._gate.asleep
        for wanted in self._gate.let(packet):
            frames = decoder.decode(wanted)
            for frame in frames:
                self._look(frame)
            if asleep and wanted.keyframe and [frame.pts_us for frame in frames] != [wanted.pts_us]:
                self._gate.give_up(HELD_BACK)
        if packet.keyframe and self._gate.reason != self._gate_reason:
            self._gate_reason = self._gate.reason
            log.debug("gate", camera=self._camera, awake_because=self._gate_reason or None)

    def _look(self, frame: DecodedFrame) -> None:
        self._latest = frame
        if not self._gate.worth_a_look(frame.pts_us):
            return
        reports = self._detector.process(frame.luma, frame.pts_us)
        for found in self._teller.tell(reports, frame):
            self._tell(found)
        self._gate.learn(frame.pts_us, reports, self._detector.idle)

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
