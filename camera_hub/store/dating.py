"""When something was, where the clock of the site that tells of it cannot be right. No I/O.

What is told lies between a year ago, since nothing waits in a worker for longer, and now. What lies outside
is dated anew: by how far the site's clock is off, where that explains it, else by when it was told. How much
was taken out of its times is kept with it, so that people can be told. A clock that is an hour behind looks
like an event that waited for an hour: its events are left as they are, and the site's own state says it.
A time some hours ahead is dated anew only where the site's clock is known to be ahead.
"""

from typing import NamedTuple

import msgspec

from camera_hub.model import Event

_DAY_US = 86_400 * 1_000_000
AHEAD_US = _DAY_US
BEHIND_US = 400 * _DAY_US  # longer than a worker keeps anything
OFF_US = 10_000_000  # a clock that is further off is wrong


class Dating(NamedTuple):
    now_us: int  # wall
    clock_off_us: int | None = None  # how far the site's clock is before ours

    def _may_be(self, at_us: int) -> bool:
        return self.now_us - BEHIND_US <= at_us <= self.now_us + AHEAD_US

    def off_us(self, at_us: int) -> int:
        """How much to take out of a time; 0 where it may be right."""
        clock_off_us = self.clock_off_us or 0
        ahead = at_us > self.now_us + OFF_US and clock_off_us > OFF_US
        if self._may_be(at_us) and not ahead:
            return 0
        if abs(clock_off_us) > OFF_US and self._may_be(at_us - clock_off_us):
            return clock_off_us
        return at_us - self.now_us

    def dated(self, event: Event, off_us: int) -> Event:
        """The event with so much taken out of its times; it may have ended after the clock was set."""
        if off_us == 0:
            return event
        start_us, end_us = event.start_us - off_us, event.end_us
        if end_us is not None:
            length_us = max(end_us - event.start_us, 0)
            if length_us > _DAY_US:  # no event is so long: the clock was set while it went on
                length_us = min(length_us, max(self.now_us - start_us, 0))
            end_us = start_us + length_us
        return msgspec.structs.replace(event, start_us=start_us, end_us=end_us)
