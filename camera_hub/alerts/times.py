"""Hours, days and holidays in which a rule holds, in the wall time of a place. No I/O, no clock.

Relies on zoneinfo for the place's time zone and on the `holidays` package for public holidays, Tết
among them. Where a clock is put back, an hour that comes twice counts both times; where it is put
forward, hours that do not come are passed over.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Literal

import msgspec

DAY_MINUTES = 24 * 60
LOOK_AHEAD_DAYS = 400  # a rule for holidays alone may wait for a year

Holidays = Literal["as-usual", "never", "only"]
"""What a rule does on public holidays: as on other days, nothing, or nothing but on them."""

Hours = tuple[int, int]
"""From the first minute of the day to before the second, 0..1440; over midnight if that is no greater."""

Span = tuple[int, int]
"""From the first instant to before the second, wall µs."""


class Times(msgspec.Struct, frozen=True):
    """When a rule holds. A span over midnight belongs to the day on which it begins."""

    hours: tuple[Hours, ...] = ()  # none: the whole day
    days: tuple[int, ...] = ()  # 0 is Monday; none: every day
    holidays: Holidays = "as-usual"
    quiet: tuple[Span, ...] = ()  # spans in which it does not hold all the same, such as a feast


class Calendar:
    """Says when `Times` hold at a place."""

    def __init__(self, zone: tzinfo, country: str = "VN") -> None:
        self._zone = zone
        self._country = country

    def next_open(self, times: Times, from_us: int) -> int | None:
        """The first instant from `from_us` on at which the times hold; None where none comes in a year."""
        at_us = from_us
        for begin, end in self._spans(times, from_us):
            if end <= at_us:
                continue
            at_us = _after_quiet(times, max(at_us, begin))
            if at_us < end:
                return at_us
        return None

    def is_holiday(self, day: date) -> bool:
        return day in _public_holidays(self._country, day.year)

    def _spans(self, times: Times, from_us: int) -> Iterator[Span]:
        """The spans of the days, in order, from the one before `from_us` on: it may reach over midnight."""
        first = datetime.fromtimestamp(from_us / 1e6, self._zone).date() - timedelta(days=1)
        for number in range(LOOK_AHEAD_DAYS):
            day = first + timedelta(days=number)
            if not self._is_day(times, day):
                continue
            for begin, end in sorted(times.hours) or [(0, DAY_MINUTES)]:
                last = end if end > begin else end + DAY_MINUTES
                yield self._instant(day, begin), self._instant(day, last)

    def _is_day(self, times: Times, day: date) -> bool:
        if times.days and day.weekday() not in times.days:
            return False
        return times.holidays == "as-usual" or self.is_holiday(day) == (times.holidays == "only")

    def _instant(self, day: date, minute: int) -> int:
        days, minutes = divmod(minute, DAY_MINUTES)
        local = datetime.combine(
            day + timedelta(days=days), time(minutes // 60, minutes % 60), tzinfo=self._zone
        )
        return round(local.astimezone(UTC).timestamp() * 1e6)


def _after_quiet(times: Times, at_us: int) -> int:
    """`at_us`, or the end of the quiet spans that it lies in."""
    for begin, end in sorted(times.quiet):
        if begin <= at_us < end:
            at_us = end
    return at_us


@lru_cache(maxsize=16)
def _public_holidays(country: str, year: int) -> frozenset[date]:
    import holidays  # 4 MB, for the rules that ask

    return frozenset(holidays.country_holidays(country, years=year))
