"""What a viewer starts with: a stream's packets since its newest keyframe.

Promises: `packets()` is empty or begins with a keyframe and misses nothing after it; its size is bounded.
A group of pictures longer than the bound is not kept in part, since what follows a missing packet
cannot be decoded: it is let go whole, counted in `overflows`, and a viewer who comes then waits for the
next keyframe. Relies on packets added in decoding order, by one thread; any thread may read, without a
lock: a new list takes the old one's place at each keyframe, and a list is copied in one step.
"""

from camera_hub.model import Packet

MAX_BYTES = 12 * 1024 * 1024  # 20 s of a 4 Mbit/s main stream, and some
MAX_PACKETS = 1500  # 60 s at 25 fps


class GopCache:
    """The newest group of pictures of one stream."""

    def __init__(self, max_bytes: int = MAX_BYTES, max_packets: int = MAX_PACKETS) -> None:
        self.overflows = 0
        self._max_bytes = max_bytes
        self._max_packets = max_packets
        self._packets: list[Packet] = []
        self._bytes = 0

    def add(self, packet: Packet) -> None:
        """Keep a packet; a keyframe lets everything before it go."""
        if packet.keyframe:
            self._packets = [packet]
            self._bytes = len(packet.data)
        elif self._packets:
            self._packets.append(packet)
            self._bytes += len(packet.data)
        if self._bytes > self._max_bytes or len(self._packets) > self._max_packets:
            self.overflows += 1
            self.clear()

    def packets(self) -> tuple[Packet, ...]:
        """From the newest keyframe on; empty before the first one and after an overflow."""
        return tuple(self._packets)

    def clear(self) -> None:
        """Forget all: the stream was opened anew, or nobody should see what is kept."""
        self._packets = []
        self._bytes = 0
