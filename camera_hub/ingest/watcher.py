"""What comes from one stream's reader to events: watch, tell. A thread of its own."""

import threading
from collections.abc import Callable

import msgspec
import structlog
from ulid import ULID

from camera_hub.cameras.decoding import DecodedFrame
from camera_hub.clock import Clock
from camera_hub.config import CameraConfig
from camera_hub.ingest.messages import EventFound, Scene
from camera_hub.ingest.outlet import Outlet
from camera_hub.ingest.packet_queue import Pause, packet_queue
from camera_hub.ingest.telling import EventTeller
from camera_hub.model import GateReason, Packet, StreamInfo
from camera_hub.watch import Watch, motion_settings

log = structlog.get_logger(__name__)

TICK_S = 1.0
STALE_US = 10_000_000  # a picture older than this is not the camera's picture now


class Watcher:
    """Watches what comes into `outlet` while it is on; every event goes to `tell`."""

    def __init__(
        self, camera: CameraConfig, tell: Callable[[EventFound], object], clock: Clock, on: bool = True
    ) -> None:
        self.queue = packet_queue(camera)
        self.outlet = Outlet(self.queue, on)
        self.alive_us = clock.monotonic_us()
        self._tell = tell
        self._clock = clock
        self._settings = motion_settings(camera)
        self._watch = Watch(self._settings)
        self._info: StreamInfo | None = None
        self._teller = EventTeller(camera.id, lambda wall_us: str(ULID.from_timestamp(wall_us / 1e6)))
        self._camera = camera.id
        self.gate_reason: GateReason | None = None
        """Why every picture is decoded, as of the last keyframe; None where that need not be."""
        self.decoded_share: float | None = None
        """How many of the last minute's pictures were decoded, 0..1, as of the last keyframe."""
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

    def use(self, scene: Scene) -> None:
        """Other zones, masks and lines, from the next keyframe on; what is open is closed."""
        self._settings = msgspec.structs.replace(
            self._settings, zones=scene.zones, masks=scene.masks, lines=scene.lines
        )

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
                    if item.keyframe and self._settings is not self._watch.settings:
                        self._look_anew()
                    self._take(item)
                case StreamInfo():
                    self._end()
                    self._info = item
                    self._watch.open(item)
                case Pause():
                    self._end()
                    if not self.outlet.on:
                        self.gate_reason = self.decoded_share = None
            if self._stopping.is_set() and not isinstance(item, Packet):
                self._end()
                return

    def _take(self, packet: Packet) -> None:
        for look in self._watch.packet(packet):
            self._latest = look.frame
            for found in self._teller.tell(look.reports, look.frame):
                self._tell(found)
        if packet.keyframe:
            self._tell_of_gate()

    def _look_anew(self) -> None:
        self._end()
        self._watch = Watch(self._settings)
        if self._info is not None:
            self._watch.open(self._info)

    def _tell_of_gate(self) -> None:
        reason = self._watch.gate.reason
        self.decoded_share = self._watch.decoded_share
        if reason is not self.gate_reason:
            self.gate_reason = reason
            log.debug("gate", camera=self._camera, awake_because=reason and reason.value)

    def _end(self) -> None:
        """The stream has stopped: nobody knows what moves now, so nothing stays open."""
        last, self._latest = self._latest, None
        for found in self._teller.tell(self._watch.end(), last):
            self._tell(found)
