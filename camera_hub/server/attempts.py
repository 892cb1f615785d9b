"""How often somebody may try a password: a few times, then after ever longer waits.

Counted for each address and name together, so that nobody locks out another; and for each address
alone, so that one address does not try many names. Kept in memory, bounded. Pure but for its clock.
"""

from collections import OrderedDict
from dataclasses import dataclass

from camera_hub.clock import Clock

FREE_FAILURES = 5  # of one name from one address
FREE_FAILURES_OF_ADDRESS = 30
FIRST_WAIT_S = 15
LONGEST_WAIT_S = 900
FORGET_AFTER_S = 3600
MAX_KEYS = 10_000


@dataclass
class _Count:
    failures: int = 0
    last_us: int = 0
    free_again_us: int = 0


class Attempts:
    """Who failed to sign in lately."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counts: OrderedDict[tuple[str, str | None], _Count] = OrderedDict()

    def wait_s(self, address: str, name: str) -> int:
        """Seconds until the next try may be made; 0 when it may be made now."""
        now_us = self._clock.monotonic_us()
        free_us = max(self._peek(address, name, now_us), self._peek(address, None, now_us))
        return max(0, -((now_us - free_us) // 1_000_000))

    def failed(self, address: str, name: str) -> None:
        self._count(address, name, FREE_FAILURES)
        self._count(address, None, FREE_FAILURES_OF_ADDRESS)

    def succeeded(self, address: str, name: str) -> None:
        """Forgets the name's failures; the address keeps its own, or one account would clear the way."""
        self._counts.pop((address, name), None)

    def _peek(self, address: str, name: str | None, now_us: int) -> int:
        count = self._counts.get((address, name))
        return count.free_again_us if count is not None else now_us

    def _count(self, address: str, name: str | None, free: int) -> None:
        now_us = self._clock.monotonic_us()
        key = (address, name)
        count = self._counts.setdefault(key, _Count())
        if now_us - count.last_us > FORGET_AFTER_S * 1_000_000:
            count.failures = 0
        count.failures += 1
        count.last_us = now_us
        over = count.failures - free
        if over >= 0:
            wait_s = min(FIRST_WAIT_S * 2 ** min(over, 10), LONGEST_WAIT_S)
            count.free_again_us = now_us + wait_s * 1_000_000
        self._counts.move_to_end(key)
        while len(self._counts) > MAX_KEYS:
            self._counts.popitem(last=False)
