"""How much one site may bring, so that one that floods harms no other. No I/O, no clock.

What is over the limit is not refused: the server reads on later, so the line fills up and the site waits, and
nothing is lost of what an honest one sends. Each limit lets so much through at once that the backlog of weeks
comes as fast as it can be kept; only what goes on beyond that is slowed down, to what no hamlet has.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

HELD_US = 10_000_000  # a site that had to wait for so long, all in all, in the last minutes is told to flood
_FORGOTTEN_PER_S = 0.02  # of the time that it had to wait


class Limit(NamedTuple):
    """So much at once, and so much a second after that."""

    at_once: float
    per_s: float


class Limits(NamedTuple):
    messages: Limit = Limit(20_000, 3000)  # thirty streams with sound, watched all at once, are some 1,500
    bytes: Limit = Limit(512e6, 64e6)
    facts: Limit = Limit(100_000, 30)  # thirty cameras with an event each that changes all the time are 15
    kept_bytes: Limit = Limit(4e9, 2e6)  # pictures and clips; a worker's outbox keeps 2 GB


LIMITS = Limits()


class Amount(NamedTuple):
    """What one message is of each."""

    messages: float
    bytes: float
    facts: float = 0.0
    kept_bytes: float = 0.0


@dataclass
class _Bucket:
    limit: Limit
    level: float
    at_us: int

    def wait_us(self, amount: float, now_us: int) -> int:
        """Takes so much out; how long until there is something in it again."""
        gained = (now_us - self.at_us) / 1e6 * self.limit.per_s
        self.level = min(self.limit.at_once, self.level + gained) - amount
        self.at_us = now_us
        return 0 if self.level >= 0 else math.ceil(-self.level / self.limit.per_s * 1e6)


class Flood:
    """One site's, over all its connections. Times are monotonic."""

    def __init__(self, limits: Limits, now_us: int) -> None:
        self._buckets = [_Bucket(limit, limit.at_once, now_us) for limit in limits]
        self._held_us = 0.0
        self._at_us = now_us

    def wait_us(self, amount: Amount, now_us: int) -> int:
        """How long to read nothing more, after a message of this amount."""
        wait_us = max(bucket.wait_us(one, now_us) for bucket, one in zip(self._buckets, amount, strict=True))
        self._fade(now_us)
        self._held_us = min(self._held_us + wait_us, 2.0 * HELD_US)
        return wait_us

    def floods(self, now_us: int) -> bool:
        """Whether it has brought more than it may, for long enough to tell people."""
        self._fade(now_us)
        return self._held_us >= HELD_US

    def _fade(self, now_us: int) -> None:
        passed_s, self._at_us = (now_us - self._at_us) / 1e6, now_us
        self._held_us *= (1 - _FORGOTTEN_PER_S) ** passed_s
