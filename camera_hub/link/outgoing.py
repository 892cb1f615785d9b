"""What a worker's end sends next: the lanes, strictly in order, within bounds. No I/O.

Control (health, answers) goes first, then durable messages by lane, then live packets. Live
packets are the only ones that may be lost here: a stream that outgrows its bound is dropped
to its next keyframe.
"""

from collections import deque
from collections.abc import Iterable

from camera_hub.link.messages import LiveOpened, LivePackets, LiveSound
from camera_hub.model import Packet, SoundPacket, StreamName

MAX_LIVE_BYTES = 8 * 1024 * 1024  # of one stream: some GOPs of a 4 Mbit/s main stream
MAX_SOUND_PACKETS = 100  # some seconds: later than that, nobody wants to hear it


class LiveBuffer:
    """Packets of one watched stream that wait for the wire."""

    def __init__(self, camera: str, stream: StreamName, max_bytes: int = MAX_LIVE_BYTES) -> None:
        self.camera = camera
        self.stream = stream
        self.dropped = 0
        self._max_bytes = max_bytes
        self._opened: LiveOpened | None = None
        self._packets: deque[Packet] = deque()
        self._sound: deque[SoundPacket] = deque(maxlen=MAX_SOUND_PACKETS)
        self._bytes = 0
        self._wants_keyframe = True

    def open(self, message: LiveOpened) -> None:
        """The stream begins (again): what still waits belongs to the past."""
        self._opened = message
        self._sound.clear()
        self._clear()

    def add(self, packets: Iterable[Packet]) -> None:
        for packet in packets:
            if self._wants_keyframe and not packet.keyframe:
                self.dropped += 1
                continue
            if packet.keyframe and self._bytes + len(packet.data) > self._max_bytes:
                self._clear()
            self._wants_keyframe = False
            self._packets.append(packet)
            self._bytes += len(packet.data)
            if self._bytes > self._max_bytes:
                self._clear()

    def add_sound(self, packets: Iterable[SoundPacket]) -> None:
        self._sound.extend(packets)

    def take(self) -> LiveOpened | LivePackets | LiveSound | None:
        """The next message, None when nothing waits."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            return opened
        if self._sound:
            sound = tuple(self._sound)
            self._sound.clear()
            return LiveSound(camera=self.camera, stream=self.stream, packets=sound)
        if not self._packets:
            return None
        packets = tuple(self._packets)
        self._packets.clear()
        self._bytes = 0
        return LivePackets(camera=self.camera, stream=self.stream, packets=packets)

    def _clear(self) -> None:
        self.dropped += len(self._packets)
        self._packets.clear()
        self._bytes = 0
        self._wants_keyframe = True
