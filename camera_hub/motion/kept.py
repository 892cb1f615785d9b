"""What the gate keeps undecoded, by GOPs, so that it can go back to where a mover came.

Promises an order that can be decoded: each GOP but the first begins with its keyframe. Bounded by
whoever asks `too_much`, and drops.
"""

from camera_hub.model import Packet

MOST_PACKETS = 1800
MOST_BYTES = 4 * 1024 * 1024


class Kept:
    """The packets since some keyframe, or since the decoder was left."""

    def __init__(self) -> None:
        self._gops: list[list[Packet]] = []  # the first one may lack its head
        self._packets = self._bytes = 0

    def __len__(self) -> int:
        """The number of GOPs."""
        return len(self._gops)

    @property
    def too_much(self) -> bool:
        """Whether some of it has to go."""
        return self._bytes > MOST_BYTES or self._packets > MOST_PACKETS

    @property
    def headless(self) -> bool:
        """Whether the first GOP lacks its keyframe: only the decoder that was left can go on with it."""
        return bool(self._gops) and not self._gops[0][0].keyframe

    @property
    def running(self) -> list[Packet]:
        """The newest GOP, as far as it has come."""
        return self._gops[-1]

    def add(self, packet: Packet, fresh: bool) -> None:
        """`fresh`: a keyframe that one can begin with."""
        if fresh or not self._gops:
            self._gops.append([])
        self._gops[-1].append(packet)
        self._packets += 1
        self._bytes += len(packet.data)

    def take(self, *, whole: bool = False) -> list[Packet]:
        """All, in order; nothing is kept any more. `whole`: without a first GOP that lacks its keyframe."""
        taken = [packet for gop in self._gops if not whole or gop[0].keyframe for packet in gop]
        self.drop()
        return taken

    def drop(self, keep: int = 0) -> None:
        """All but the last `keep` GOPs."""
        self._gops = self._gops[len(self._gops) - keep :]
        self._packets = sum(map(len, self._gops))
        self._bytes = sum(len(packet.data) for gop in self._gops for packet in gop)

    def forget(self, until_us: int) -> None:
        """Drop all before the last GOP that began by `until_us`."""
        begun = [number for number, gop in enumerate(self._gops) if gop[0].pts_us <= until_us]
        if begun and begun[-1]:
            self.drop(keep=len(self._gops) - begun[-1])
