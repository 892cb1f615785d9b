"""What a transcoding process has still to do, and what of it there is no time for.

Promises: one who is too slow for the stream is at most a few seconds behind it and goes on from a keyframe; a
burst (the cached group at the start, packets that a bad line held up) is worked off, not thrown away; what
waits is bounded. One thread puts, another takes.
"""

import threading
from collections import deque
from typing import NamedTuple

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live import gop
from camera_hub.live.transcode_wire import Begin
from camera_hub.model import Packet

JUMP_US = 1_000_000  # so far behind, a new keyframe is a better place to go on from
MOST_US = 2_000_000  # what waits for so long will not be shown
NEAR_US = 200_000  # closer than this is at the live edge


class Taken(NamedTuple):
    """The next thing to do."""

    item: Begin | Packet
    late_us: int  # how far it is behind the newest
    gap: bool  # packets before it were dropped


class Backlog:
    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self.dropped = 0  # packets
        self._clock = clock
        self._changed = threading.Condition()
        self._begin: Begin | None = None
        self._packets: deque[tuple[Packet, int]] = deque()  # with the time of arrival
        self._bytes = 0
        self._newest_us = 0
        self._near = False  # the live edge has been reached
        self._wants_keyframe = True
        self._gap = False

    def put(self, item: Begin | Packet) -> None:
        with self._changed:
            if isinstance(item, Begin):
                self._begin = item
                self._drop_all()
                self._near = self._gap = False
            else:
                self._put(item)
            self._changed.notify()

    def take(self, timeout_s: float) -> Taken | None:
        """The next thing to do; None when nothing comes for so long."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._begin or self._packets, timeout_s):
                return None
            if self._begin is not None:
                begin, self._begin = self._begin, None
                return Taken(begin, 0, False)
            packet, _ = self._packets.popleft()
            self._bytes -= len(packet.data)
            late_us = max(self._newest_us - packet.dts_us, 0)
            self._near = self._near or late_us < NEAR_US
            gap, self._gap = self._gap, False
            return Taken(packet, late_us, gap)

    def _put(self, packet: Packet) -> None:
        now_us = self._clock.monotonic_us()
        if self._packets:
            oldest, came_us = self._packets[0]
            waited_us = now_us - came_us
            behind_us = max(waited_us, packet.dts_us - oldest.dts_us)
            if (packet.keyframe and behind_us > JUMP_US) or (self._near and waited_us > MOST_US):
                self._drop_all()
        if self._wants_keyframe and not packet.keyframe:
            self.dropped += 1
            return
        self._wants_keyframe = False
        self._newest_us = packet.dts_us
        self._packets.append((packet, now_us))
        self._bytes += len(packet.data)
        if self._bytes > 2 * gop.MAX_BYTES:
            self._drop_all()

    def _drop_all(self) -> None:
        self.dropped += len(self._packets)
        self._gap = self._gap or bool(self._packets)
        self._packets.clear()
        self._bytes = 0
        self._wants_keyframe = True
