"""What comes from a stream's reader to one consumer, behind a switch.

The reader's thread alone puts into the queue, so that what the consumer gets is always in order: info first,
packets from a keyframe on, and a pause before there are none. Any thread may turn the switch; it holds from
the next packet on, and the stream itself is not touched.
"""

from camera_hub.ingest.packet_queue import PacketQueue, Pause
from camera_hub.model import Packet, StreamInfo


class Outlet:
    def __init__(self, queue: PacketQueue, on: bool) -> None:
        self.on = on
        self.queue = queue
        self._info: StreamInfo | None = None
        self._flows = False

    def opened(self, info: StreamInfo) -> None:
        self._info, self._flows = info, self.on
        if self._flows:
            self.queue.put(info)

    def packet(self, packet: Packet) -> None:
        if self._flows and not self.on:
            self.paused()
            self._flows = False
        elif self.on and not self._flows and packet.keyframe and self._info is not None:
            self.opened(self._info)
        if self._flows:
            self.queue.put(packet)

    def paused(self) -> None:
        """The stream has stopped for now."""
        if self._flows:
            self.queue.put(Pause.PAUSE)
