"""Hours, days and holidays of a rule, in the place's wall time."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.alerts.times import DAY_MINUTES, Calendar, Times

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
NIGHT = Times(hours=((22 * 60, 5 * 60),))


def us(text: str, zone: ZoneInfo = HANOI) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp() * 1e6)


@pytest.fixture
def calendar() -> Calendar:
    return Calendar(HANOI)


@pytest.mark.parametrize(
    ("at", "opens"),
    [
        ("2026-11-25 21:59", "2026-11-25 22:00"),
        ("2026-11-25 22:00", "2026-11-25 22:00"),
        ("2026-11-26 03:10", "2026-11-26 03:10"),
        ("2026-11-26 05:00", "2026-11-26 22:00"),
    ],
)
def test_hours_over_midnight(calendar: Calendar, at: str, opens: str) -> None:
    assert calendar.next_open(NIGHT, us(at)) == us(opens)


def test_a_night_belongs_to_the_day_on_which_it_begins(calendar: Calendar) -> None:
    sunday_nights = Times(hours=((22 * 60, 5 * 60),), days=(6,))
    assert calendar.next_open(sunday_nights, us("2026-11-30 04:00")) == us("2026-11-30 04:00")  # a Monday
    assert calendar.next_open(sunday_nights, us("2026-11-30 23:00")) == us("2026-12-06 22:00")


def test_holidays_only_and_never(calendar: Calendar) -> None:
    tet = us("2026-02-17 09:00")  # the first day of the year of the horse
    assert calendar.next_open(Times(holidays="only"), tet) == tet
    after = calendar.next_open(Times(holidays="never"), tet)
    assert after is not None
    assert after > us("2026-02-19 23:59")


def test_quiet_spans_are_left_out(calendar: Calendar) -> None:
    feast = Times(
        quiet=(
            (us("2026-11-25 18:00"), us("2026-11-25 23:00")),
            (us("2026-11-25 23:00"), us("2026-11-26 01:00")),
        )
    )
    assert calendar.next_open(feast, us("2026-11-25 19:00")) == us("2026-11-26 01:00")


def test_times_that_never_come(calendar: Calendar) -> None:
    always_quiet = Times(quiet=((0, us("2400-01-01 00:00")),))
    assert calendar.next_open(always_quiet, us("2026-11-25 19:00")) is None


def test_where_clocks_are_changed() -> None:
    paris = ZoneInfo("Europe/Paris")
    calendar = Calendar(paris, "FR")
    hour = Times(hours=((2 * 60, 3 * 60),))  # 2:00 to 3:00, which comes twice on 2026-10-25
    for fold in (0, 1):
        at = round(datetime(2026, 10, 25, 2, 30, tzinfo=paris, fold=fold).timestamp() * 1e6)
        assert calendar.next_open(hour, at) == at


_minutes = st.integers(0, DAY_MINUTES - 1)


@given(begin=_minutes, end=_minutes, at=_minutes, day=st.integers(1, 28))
def test_every_minute_is_either_in_the_hours_or_not(begin: int, end: int, at: int, day: int) -> None:
    inside = begin <= at < end if end > begin else at >= begin or at < end
    instant = us(f"2026-11-{day:02} {at // 60:02}:{at % 60:02}")
    opens = Calendar(HANOI).next_open(Times(hours=((begin, end),)), instant)
    assert opens is not None
    assert opens >= instant
    assert (opens == instant) == inside
