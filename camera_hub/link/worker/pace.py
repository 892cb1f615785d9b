"""How much may be under way on a line whose real width nobody knows. Pure: times are passed in.

The budget says what we may send, not what the line carries. Where the line is narrower, what is sent too
soon waits in our own socket, and a fresh event would wait behind it. So what can wait is sent only while few
bytes are under way (sent and not acknowledged by the other end's TCP): as many as the line carries in its
shortest round trip and a quarter of a second. How many that are is seen from the acknowledgements, while
there is always something under way; a line that is never full is never judged. (The idea is that of
BBR's, Cardwell et al. 2016: rate and shortest round trip, not loss.)
"""

QUEUE_US = 250_000  # so long may a fresh event wait behind what is under way, besides the round trip
FIRST_BYTES = 16 * 1024  # under way, before anything was seen
LEAST_BYTES = 8 * 1024
MOST_BYTES = 4 * 1024 * 1024
_SPAN_US = 200_000  # over which a rate is measured
_GAP_US = 1_000_000  # not looked at for so long, nobody knows whether something was under way all the time
_KEPT = 0.7  # of the rate before, when a new one is lower; a higher one counts at once, and more so


class Pace:
    """One connection's."""

    def __init__(self, now_us: int) -> None:
        self.bytes_per_s: float | None = None
        self._least_us: int | None = None  # the shortest round trip
        self._sent = 0
        self._since_us = now_us
        self._since_acked = 0
        self._busy = False
        self._seen_us = now_us

    def sent(self, count: int) -> None:
        self._sent += count

    def seen(self, under_way: int, round_trip_us: int | None, now_us: int) -> None:
        """So many bytes are under way now; called often while anything is."""
        if round_trip_us is not None:
            self._least_us = min(round_trip_us, self._least_us or round_trip_us)
        acked = self._sent - under_way
        if not under_way:
            self._busy = False
            return
        unseen_us, self._seen_us = now_us - self._seen_us, now_us
        if not self._busy or unseen_us > _GAP_US:
            self._busy, self._since_us, self._since_acked = True, now_us, acked
            return
        span_us = now_us - self._since_us
        if span_us >= max(_SPAN_US, self._least_us or 0):
            rate = (acked - self._since_acked) * 1e6 / span_us
            before = self.bytes_per_s
            self.bytes_per_s = (
                rate if before is None or rate > before else _KEPT * before + (1 - _KEPT) * rate
            )
            self._since_us, self._since_acked = now_us, acked

    @property
    def room(self) -> int:
        """How many bytes may be under way."""
        if self.bytes_per_s is None:
            return FIRST_BYTES
        time_us = QUEUE_US + (self._least_us or 0)
        return int(min(max(self.bytes_per_s * time_us / 1e6, LEAST_BYTES), MOST_BYTES))
