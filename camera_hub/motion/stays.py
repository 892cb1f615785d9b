"""How long a mover has been in each zone.

Promises the longest unbroken time in it; a step out and back within `GRACE_US` breaks nothing.
Relies on being told the zones of each moment in order of time.
"""

from dataclasses import dataclass

GRACE_US = 1_000_000  # a foot that is out of the zone for less has not left it


@dataclass
class _Clock:
    since_us: int
    last_us: int
    longest_us: int = 0


class Stays:
    """One mover's times in zones."""

    def __init__(self) -> None:
        self._clocks: dict[str, _Clock] = {}

    def step(self, zones: tuple[str, ...], t_us: int) -> None:
        """It is in `zones` now."""
        for zone in zones:
            clock = self._clocks.get(zone)
            if clock is None or t_us - clock.last_us > GRACE_US:
                longest_us = 0 if clock is None else clock.longest_us
                clock = self._clocks[zone] = _Clock(t_us, t_us, longest_us)
            clock.last_us = t_us
            clock.longest_us = max(clock.longest_us, t_us - clock.since_us)

    def going_on(self, zones: tuple[str, ...] | None = None, t_us: int | None = None) -> "Stays":
        """Only those that had not ended when it was last told; what was before is forgotten.

        With `zones`: counted on for another who is in them at `t_us`.
        """
        stays = Stays()
        latest_us = max((clock.last_us for clock in self._clocks.values()), default=0)
        for zone, clock in self._clocks.items():
            if latest_us - clock.last_us <= GRACE_US and (zones is None or zone in zones):
                last_us = clock.last_us if t_us is None else t_us
                stays._clocks[zone] = _Clock(clock.since_us, last_us, last_us - clock.since_us)
        return stays

    def longest(self) -> dict[str, int]:
        """By zone, in microseconds."""
        return {zone: clock.longest_us for zone, clock in self._clocks.items()}
