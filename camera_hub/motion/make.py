"""A stream's make: what about its groups of pictures and its packets' order forbids the gate to sleep.

Promises: the same packets give the same answers; no clock.
"""

from collections import deque

from camera_hub.model import GateReason

GOPS = 4  # that are remembered
LEAST_PACKETS = 4  # of a GOP; with fewer there is little to weigh and little to gain
ODD_US = 60_000_000  # since the last packet out of order, or keyframe that is none


class Make:
    """Of one stream, from its packets in turn."""

    def __init__(self) -> None:
        self._gops: deque[tuple[int, int]] = deque(maxlen=GOPS)  # (length in µs, packets)
        self._longest = (0, 0)  # of these: the greatest length (µs), the least number of packets
        self._keyframe_us: int | None = None  # of the GOP that is running
        self._place = 0
        self._odd: tuple[int, GateReason] | None = None  # when something forbade to sleep for a while

    @property
    def last_gop_us(self) -> int:
        """How long the last whole GOP was; 0 while there is none."""
        return self._gops[-1][0] if self._gops else 0

    def out_of_order(self, t_us: int) -> None:
        """A packet's picture is not the next one."""
        self._odd = (t_us, GateReason.B_FRAMES)

    def begins(self, t_us: int) -> None:
        """A keyframe that one can begin with."""
        if self._keyframe_us is not None:
            self._gops.append((t_us - self._keyframe_us, self._place + 1))
            self._longest = max(us for us, _ in self._gops), min(packets for _, packets in self._gops)
        self._keyframe_us, self._place = t_us, 0

    def goes_on(self, t_us: int, keyframe: bool) -> int:
        """Another packet, which may call itself a keyframe; its place in its GOP, from 1."""
        if keyframe:
            self._odd = (t_us, GateReason.INTRA_REFRESH)
        self._place += 1
        return self._place

    def forbids(self, now_us: int, allowed_us: int, sure: bool) -> GateReason | None:
        """Why it is not for sleeping, where GOPs of `allowed_us` are; None when it is.

        `sure`: it may be so before a whole GOP has been seen.
        """
        if self._odd is not None and now_us - self._odd[0] < ODD_US:
            return self._odd[1]
        if self._keyframe_us is None:
            return GateReason.LEARNING
        longest_us, fewest = self._longest
        if now_us - self._keyframe_us > allowed_us or longest_us > allowed_us:
            return GateReason.RARE_KEYFRAMES
        if not longest_us and not sure:
            return GateReason.LEARNING
        if longest_us and fewest < LEAST_PACKETS:
            return GateReason.ONLY_KEYFRAMES
        return None
