"""What the uplink may carry, and who goes first. Pure: the clock is passed in.

One budget for the whole uplink, shared by the links of all servers. It has three bounds: so many bits a
second (a token bucket, a tenth of a second deep), so many bytes a day, and hours for long video.
Promises: a lane never takes from one above it, whichever server it is for; of two servers in one lane
neither starves; what is `at_once` (control, fresh event facts) never waits and is paid for by the others.
When the day's volume is used up, event facts and pictures go on, and what is larger waits for midnight.
"""

from dataclasses import dataclass
from datetime import datetime, time, tzinfo

from camera_hub.clock import Clock
from camera_hub.link.messages import Lane

DEPTH_S = 0.1  # of the bucket, and the time that a piece may take
LEAST_PIECE = 4 * 1024
MOST_PIECE = 64 * 1024
_SEGMENT = 1400  # bytes of ours in a packet on the line
_SEGMENT_HEAD = 60  # and what IP, TCP and TLS put around them


@dataclass(frozen=True)
class Limits:
    """None: no such bound. `hours` is local time of day, from and to; it may go over midnight."""

    kbit: int | None = None  # a second; 1000 bits
    day_bytes: int | None = None
    hours: tuple[time, time] | None = None


def on_the_line(count: int) -> int:
    """How many bytes `count` bytes of a message are on the line, about."""
    return count + _SEGMENT_HEAD * (1 + count // _SEGMENT)


def piece_bytes(kbit: float | None) -> int:
    """How large a piece may be, for nothing to wait long behind it on a line of so many kbit/s."""
    if kbit is None:
        return MOST_PIECE
    return int(min(max(kbit * 1000 / 8 * DEPTH_S, LEAST_PIECE), MOST_PIECE))


class Budget:
    """One uplink. `who` is a name for each link that shares it."""

    def __init__(self, limits: Limits, zone: tzinfo, clock: Clock) -> None:
        self.limits = limits
        self._zone = zone
        self._clock = clock
        self._per_us = None if limits.kbit is None else limits.kbit / 8000  # bytes
        self._depth = 0.0 if limits.kbit is None else limits.kbit * 125 * DEPTH_S
        self._tokens = self._depth
        self._filled_us = clock.monotonic_us()
        self._asking: dict[str, tuple[Lane, int]] = {}  # who → lane, and its place in the queue
        self._turn = 0
        self._day = ""
        self._day_bytes = 0

    @property
    def piece_bytes(self) -> int:
        return piece_bytes(self.limits.kbit)

    # -- the day ---------------------------------------------------------------------------

    def today(self) -> tuple[str, int]:
        """The site's day (ISO 8601) and what went over the uplink in it, in bytes."""
        day = self._now().date().isoformat()
        if day != self._day:
            self._day, self._day_bytes = day, 0
        return self._day, self._day_bytes

    def resume(self, day: str, count: int) -> None:
        """What had been spent before a restart; of another day it says nothing."""
        if day == self.today()[0]:
            self._day_bytes += count

    def is_open(self, lane: Lane) -> bool:
        """Whether the day's volume and the hours let the lane send at all."""
        limit = self.limits.day_bytes
        if lane >= Lane.CLIP and limit is not None and self.today()[1] >= limit:
            return False
        return lane is not Lane.VIDEO or self.limits.hours is None or self._in_hours(*self.limits.hours)

    def _in_hours(self, begin: time, end: time) -> bool:
        now = self._now().time()
        return begin <= now < end if begin < end else now >= begin or now < end

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.wall_us() / 1e6, self._zone)

    # -- turns -----------------------------------------------------------------------------

    def delay_us(self, who: str, lane: Lane) -> int:
        """How long a piece of an open lane has to wait from now on; 0: it may go, and `spend` is called next.

        Whoever asked stays in the queue until it spends or withdraws.
        """
        asked = self._asking.get(who)
        if asked is None or asked[0] is not lane:
            self._turn += 1
            self._asking[who] = (lane, self._turn)
        if self._per_us is None:
            return 0
        self._fill()
        if self._tokens <= 0:
            return int(-self._tokens / self._per_us) + 1
        if min(self._asking, key=self._asking.__getitem__) != who:
            return int(min(self._depth, self.piece_bytes) / self._per_us) + 1  # the other's piece
        return 0

    def spend(self, who: str, count: int) -> None:
        """`count` bytes of messages are sent, in their turn or at once."""
        count = on_the_line(count)
        self.today()
        self._day_bytes += count
        self._asking.pop(who, None)
        if self._per_us is not None:
            self._fill()
            self._tokens -= count

    def withdraw(self, who: str) -> None:
        """Has nothing to send for now, or no connection."""
        self._asking.pop(who, None)

    def _fill(self) -> None:
        assert self._per_us is not None
        now_us = self._clock.monotonic_us()
        self._tokens = min(self._depth, self._tokens + (now_us - self._filled_us) * self._per_us)
        self._filled_us = now_us
