"""When something was, where the clock of the site that tells of it cannot be right. No I/O.

What is told lies between a year ago, since nothing waits in a worker for longer, and now. What lies outside
is dated anew: by how far the site's clock is off, where that explains it, else by when it was told. How much
was taken out of its times is kept with it, so that people can be told. A clock that is an hour behind looks
like an event that waited for an hour: its events are left as they are, and the site's own state says it.
"""

from typing import NamedTuple

import msgspec

from camera_hub.model import Event

AHEAD_US = 60 * 1_000_000  # more than any clock that is set
BEHIND_US = 400 * 86_400 * 1_000_000  # longer than a worker keeps anything


class Dating(NamedTuple):
    now_us: int  # wall
    clock_off_us: int | None = None  # how far the site's clock is before ours

    def _may_be(self, at_us: int) -> bool:
        return self.now_us - BEHIND_US <= at_us <= self.now_us + AHEAD_US

    def off_us(self, at_us: int) -> int:
        """How much to take out of a time; 0 where it may be right."""
        if self._may_be(at_us):
            return 0
        if self.clock_off_us is not None and self._may_be(at_us - self.clock_off_us):
            return self.clock_off_us
        return at_us - self.now_us

    def dated(self, event: Event, off_us: int) -> Event:
        """The event with so much taken out of its times; it may have ended after the clock was set."""
        if off_us == 0:
            return event
        start_us, end_us = event.start_us - off_us, event.end_us
        if end_us is not None:
            end_us = max(start_us, min(end_us - off_us, self.now_us))
        return msgspec.structs.replace(event, start_us=start_us, end_us=end_us)
