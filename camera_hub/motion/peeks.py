"""When packets are heavy: whether there is anything to be seen, before all that was kept is looked at.

Encoders have moods, and what follows a keyframe may for its whole GOP be a few bytes heavier. So
of the GOP that is running all is decoded, but only its newest picture is asked whether it shows
anything; again twice a second while packets are heavy. Whoever is there shows in one of them, and what was
kept is then gone through as if nobody had peeked. After some seconds it is gone through anyhow.

Promises that what is to be decoded follows what was decoded before, or begins with a keyframe.
Relies on nothing else being decoded meanwhile.
"""

from collections.abc import Sequence

from camera_hub.model import Packet

US = 1_000_000
EVERY_US = US // 2
LONGEST_US = 3 * US  # packets that are heavy for longer are worth a real look


class Peeks:
    """Those of one time in which packets are heavy."""

    def __init__(self) -> None:
        self.since_us: int | None = None
        """Since when; None while there are none."""
        self._waiting: list[Packet] = []
        self._peeked_us = 0

    def begin(self, gop: Sequence[Packet]) -> None:
        """`gop`: what there is of the GOP that is running, from its keyframe to the newest packet."""
        self.since_us = gop[-1].pts_us
        self._waiting = list(gop)
        self._peeked_us = self.since_us - EVERY_US

    def end(self) -> None:
        """It has been nothing, or all is decoded from now on."""
        self.since_us = None
        self._waiting = []

    def add(self, packet: Packet) -> None:
        """The next one."""
        self._waiting.append(packet)

    def lasted(self, t_us: int) -> bool:
        """Whether they have gone on for so long that one has to look in earnest."""
        return self.since_us is not None and t_us - self.since_us > LONGEST_US

    def due(self, t_us: int) -> Sequence[Packet]:
        """What to decode now; the last one is that whose picture counts."""
        if t_us - self._peeked_us < EVERY_US:
            return ()
        self._peeked_us = t_us
        waiting, self._waiting = self._waiting, []
        return waiting
