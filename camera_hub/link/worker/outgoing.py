"""What waits for the wire at a worker's end, by kind. No I/O.

Live packets are the only ones that may be lost here: a stream that waits too long, or outgrows its bound, is
dropped to its next keyframe. Clips go in pieces, from the byte on that the server asks for; a message
that is too large to be in front of others is cut into parts.
"""

import hashlib
from collections import deque
from collections.abc import Iterable
from typing import NamedTuple

from camera_hub.link.messages import (
    ClipOffer,
    ClipPiece,
    Durable,
    EventClip,
    Lane,
    LiveOpened,
    LivePackets,
    LiveSound,
    Part,
)
from camera_hub.model import Packet, SoundPacket, StreamInfo, StreamName

MAX_LIVE_BYTES = 8 * 1024 * 1024  # of one stream: some GOPs of a 4 Mbit/s main stream
MAX_LIVE_AGE_US = 1_000_000  # what has waited for so long is not live; the next keyframe is
MAX_SOUND_PACKETS = 100  # some seconds: later than that, nobody wants to hear it
CLIPS_OFFERED = 2  # at once: while one is sent, the next is asked for
BAD_CLIPS = 3  # a clip that has arrived otherwise than it was sent so often waits for another connection


class Numbered(NamedTuple):
    """A durable message with its number in the outbox: the later it was put in, the greater."""

    number: int
    message: Durable


class LiveBuffer:
    """Packets of one watched stream that wait for the wire.

    What comes is of `source`, which may be the smaller stream; it goes under the name that was asked for.
    """

    def __init__(self, camera: str, stream: StreamName, max_bytes: int = MAX_LIVE_BYTES) -> None:
        self.camera = camera
        self.stream = stream
        self.source = stream
        self.heard = False  # its sound goes too
        self.keyframes_only = False
        self.dropped = 0
        self.skips = 0  # how often what waited was let go for the next keyframe
        self._max_bytes = max_bytes
        self._opened: StreamInfo | None = None
        self._packets: deque[tuple[int, Packet]] = deque()  # with the monotonic time of its coming
        self._sound: deque[SoundPacket] = deque(maxlen=MAX_SOUND_PACKETS)
        self._bytes = 0
        self._wants_keyframe = True
        self._sound_next = True  # sound and pictures take turns: neither starves the other on a narrow line

    def open(self, info: StreamInfo) -> None:
        """The stream begins (again): what still waits belongs to the past."""
        self._opened = info
        self.restart()

    def restart(self) -> None:
        """Go on with the next keyframe."""
        self._sound.clear()
        self._sound_next = True
        self._clear()

    def add(self, packets: Iterable[Packet], now_us: int) -> None:
        for packet in packets:
            if (self._wants_keyframe or self.keyframes_only) and not packet.keyframe:
                self.dropped += 1
                continue
            late = self.late_us(now_us) > MAX_LIVE_AGE_US
            if packet.keyframe and (late or self._bytes + len(packet.data) > self._max_bytes):
                self._skip()
            self._wants_keyframe = False
            self._packets.append((now_us, packet))
            self._bytes += len(packet.data)
            if self._bytes > self._max_bytes:
                self._skip()

    def add_sound(self, packets: Iterable[SoundPacket]) -> None:
        self._sound.extend(packets)

    @property
    def ready(self) -> bool:
        """Whether there is something to send."""
        return self._opened is not None or bool(self._sound) or bool(self._packets)

    def late_us(self, now_us: int) -> int:
        """How long the oldest packet has waited."""
        return now_us - self._packets[0][0] if self._packets else 0

    def take(self, max_bytes: int = MAX_LIVE_BYTES) -> LiveOpened | LivePackets | LiveSound | None:
        """The next message, None when nothing waits; one packet, or as many as have `max_bytes`."""
        if self._opened is not None:
            info, self._opened = self._opened, None
            return LiveOpened(camera=self.camera, stream=self.stream, info=info)
        if self._sound and (self._sound_next or not self._packets):
            self._sound_next = False
            return LiveSound(camera=self.camera, stream=self.stream, packets=self._take_sound(max_bytes))
        taken: list[Packet] = []
        count = 0
        while self._packets and (not taken or count + len(self._packets[0][1].data) <= max_bytes):
            packet = self._packets.popleft()[1]
            taken.append(packet)
            count += len(packet.data)
        self._bytes -= count
        if not taken:
            return None
        self._sound_next = True
        return LivePackets(camera=self.camera, stream=self.stream, packets=tuple(taken))

    def _take_sound(self, max_bytes: int) -> tuple[SoundPacket, ...]:
        taken = [self._sound.popleft()]
        count = len(taken[0].data)
        while self._sound and count + len(self._sound[0].data) <= max_bytes:
            taken.append(self._sound.popleft())
            count += len(taken[-1].data)
        return tuple(taken)

    def _skip(self) -> None:
        self.skips += 1
        self._clear()

    def _clear(self) -> None:
        self.dropped += len(self._packets)
        self._packets.clear()
        self._bytes = 0
        self._wants_keyframe = True


class Parts:
    """A large message on its way, piece by piece."""

    def __init__(self, lane: Lane, data: bytes) -> None:
        self._lane = lane
        self._data = memoryview(data)

    def take(self, max_bytes: int) -> Part:
        """The next part; `done` after the last."""
        data, self._data = bytes(self._data[:max_bytes]), self._data[max_bytes:]
        return Part(lane=self._lane, data=data, last=self.done)

    @property
    def done(self) -> bool:
        return not self._data


class _ClipOut:
    def __init__(self, clip: EventClip) -> None:
        self.clip = clip
        self.at: int | None = None  # the next byte to send; None until the server has said
        self.restarts = 0

    def offer(self) -> ClipOffer:
        clip = self.clip
        return ClipOffer(
            id=clip.id,
            event_id=clip.event_id,
            camera=clip.camera,
            start_us=clip.start_us,
            duration_us=clip.duration_us,
            size=len(clip.mp4),
            sha256=hashlib.sha256(clip.mp4).hexdigest(),
        )


class ClipsOut:
    """The clips of one lane: offered, wanted from a byte on, sent in pieces, acknowledged."""

    def __init__(self) -> None:
        self._offers: deque[_ClipOut] = deque()
        self._out: dict[str, _ClipOut] = {}

    @property
    def has_room(self) -> bool:
        """Whether another clip may be added."""
        return len(self._out) < CLIPS_OFFERED

    def add(self, clip: EventClip) -> None:
        out = self._out[clip.id] = _ClipOut(clip)
        self._offers.append(out)

    def wanted(self, clip_id: str, at: int) -> bool:
        """The server wants a clip from this byte on. False when it has come otherwise too often."""
        out = self._out.get(clip_id)
        if out is None:
            return True
        out.restarts += out.at is not None and at == 0
        out.at = min(max(at, 0), len(out.clip.mp4))
        if out.restarts >= BAD_CLIPS:
            del self._out[clip_id]
            return False
        return True

    def acknowledged(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            self._out.pop(id_, None)

    @property
    def ready(self) -> bool:
        """Whether there is something to send now."""
        return bool(self._offers) or self._sending() is not None

    def take(self, max_bytes: int) -> ClipOffer | ClipPiece | None:
        """The next message; None while the server's word is waited for."""
        if self._offers:
            return self._offers.popleft().offer()
        out = self._sending()
        if out is None or out.at is None:
            return None
        at, out.at = out.at, min(out.at + max_bytes, len(out.clip.mp4))
        return ClipPiece(id=out.clip.id, at=at, data=out.clip.mp4[at : out.at])

    def _sending(self) -> _ClipOut | None:
        for out in self._out.values():
            if out.at is not None and out.at < len(out.clip.mp4):
                return out
        return None
