"""Where a packet stands on its segment's time axis, whatever the camera says.

Promises: decoding times grow by at least a millisecond from packet to packet and begin at 0; what had to be
repaired is counted. Pure: both clocks come with the packets.

A camera's timestamps are taken as they are while they go forward. A packet that comes a little back in time
is moved behind the one before it. A jump of the camera's clock (a second or more back, or ahead of what the
wall clock saw) is bridged by what the wall clock says. A gap that both clocks saw is kept: nothing is
squeezed.
"""

from typing import NamedTuple

from camera_hub.model import Packet

STEP_US = 1_000  # between two packets at least
USUAL_US = 1_000_000  # steps up to this need no second opinion
AGREE_US = 2_000_000  # two clocks that differ by less saw the same gap
SILENCE_US = 10_000_000  # after so long without a packet the next one begins something new
LARGEST_OFFSET_US = 5_000_000  # between presentation and decoding: more is nonsense


class Place(NamedTuple):
    """A packet's place in the segment."""

    time_us: int  # decoding time from the segment's start
    offset_us: int  # presentation minus decoding


class Timeline:
    """The time axis of one segment; `place` takes its packets in their order."""

    def __init__(self) -> None:
        self.repaired = 0
        self.jumped = False  # the camera's clock jumped: the segment's two clocks belong together no more
        self._base_us = 0  # the camera's time at the segment's 0
        self._last: Packet | None = None
        self._last_us = 0

    def silence_before(self, packet: Packet) -> bool:
        """Whether both clocks saw nothing for so long that the packet begins something new."""
        last = self._last
        if last is None:
            return False
        step_us = packet.dts_us - last.dts_us
        return step_us > SILENCE_US and abs(step_us - (packet.wall_us - last.wall_us)) <= AGREE_US

    def place(self, packet: Packet) -> Place:
        """The packet's place; it is the newest from now on."""
        last, self._last = self._last, packet
        if last is None:
            self._base_us = packet.dts_us
            return Place(0, self._offset(packet))
        step_us = packet.dts_us - last.dts_us
        if not -USUAL_US < step_us <= USUAL_US:
            wall_step_us = packet.wall_us - last.wall_us
            if not 0 < step_us <= SILENCE_US or abs(step_us - wall_step_us) > AGREE_US:
                self.jumped = True
                self.repaired += 1
                bridge_us = min(max(wall_step_us, STEP_US), SILENCE_US)
                self._base_us = packet.dts_us - (self._last_us + bridge_us)
        time_us = packet.dts_us - self._base_us
        if time_us < self._last_us + STEP_US:
            time_us = self._last_us + STEP_US
            self.repaired += 1
        self._last_us = time_us
        return Place(time_us, self._offset(packet))

    def _offset(self, packet: Packet) -> int:
        offset_us = packet.pts_us - packet.dts_us
        if abs(offset_us) > LARGEST_OFFSET_US:
            self.repaired += 1
            return 0
        return offset_us
