"""RTP times for a viewer, and how fast a backlog may leave. Pure: time is passed in.

A viewer begins with packets that are seconds old and must be at the live edge at once. So a packet's
RTP time is the earliest at which it could have been taken, by our clock, given that no packet comes
before it was taken: `min(now, pts + offset)`, with the smallest offset seen. Packets of a burst, which
come faster than their presentation times step, get the time at which they leave; once the burst is
over, times step as the camera's do. To the player the burst is a quick start and not a delay that it
would keep for ever.
"""

STEP_US = 1_000  # between two pictures at least, so that each has its own RTP time
LATE_US = 1_000_000  # later than this is a new beginning: the camera's clock jumped, or packets stood still


class Timeline:
    """Presentation times of one viewer's packets as RTP times at 90 kHz, ever growing from about 0."""

    def __init__(self, now_us: int) -> None:
        self._began_us = now_us
        self._last_us = -STEP_US
        self._offset_us: int | None = None

    def rtp_time(self, pts_us: int, now_us: int) -> int:
        """The RTP time of a packet that leaves now; the sender adds its own origin and wraps at 2^32."""
        now_us -= self._began_us
        offset = self._offset_us
        if offset is None or pts_us + offset > now_us or now_us - (pts_us + offset) > LATE_US:
            offset = self._offset_us = now_us - pts_us
        self._last_us = max(self._last_us + STEP_US, pts_us + offset)
        return self._last_us * 9 // 100

    def rebase(self) -> None:
        """What comes next is of another clock than what came before."""
        self._offset_us = None


class Pacer:
    """A bound on how fast packets leave, so that a burst overflows nobody's socket.

    A token bucket: `burst_bytes` may leave at once, then `bytes_s` per second.
    """

    def __init__(self, bytes_s: int, burst_bytes: int, now_us: int) -> None:
        self._bytes_s = bytes_s
        self._burst_bytes = burst_bytes
        self._tokens = float(burst_bytes)
        self._at_us = now_us

    def wait_s(self, size: int, now_us: int) -> float:
        """How long `size` bytes have to wait, in seconds; they count as sent then."""
        self._refill(now_us)
        wait = max(0.0, -self._tokens / self._bytes_s)
        self._tokens -= size
        return wait

    def may(self, size: int, now_us: int) -> bool:
        """Whether `size` bytes may leave now; if so they count as sent."""
        self._refill(now_us)
        if self._tokens < 0:
            return False
        self._tokens -= size
        return True

    def _refill(self, now_us: int) -> None:
        gained = (now_us - self._at_us) * self._bytes_s / 1_000_000
        self._tokens = min(self._tokens + gained, self._burst_bytes)
        self._at_us = now_us
