"""Instants in a query are RFC 3339, exact to the microsecond, and anything else is refused."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.server.instants import parse_instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_OFFSETS = st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_INSTANTS = st.datetimes(
    min_value=datetime(1, 1, 3), max_value=datetime(9999, 12, 29), timezones=_OFFSETS
)  # fmt: skip


@given(_INSTANTS)
def test_python_and_we_agree(when: datetime) -> None:
    assert parse_instant(when.isoformat()) == (when - _EPOCH) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t07:00:00.000001+07:00", 1),
        ("1970-01-01 00:00:00.9999999z", 999_999),
        ("1969-12-31T23:59:60Z", 0),
        ("1970-01-01T00:00:00-00:00", 0),
        ("0000-01-01T00:00:00Z", -62_135_596_800_000_000),
        ("9999-12-31T23:59:59-23:59", 253_402_387_139_000_000),
    ],
)
def test_the_edges_of_the_standard(text: str, us: int) -> None:
    assert parse_instant(text) == us


@pytest.mark.parametrize(
    "text",
    [
        "", "0", "1780000000", "2026-05-28", "2026-05-28T20:26:40", "2026-02-30T00:00:00Z",
        "2026-05-28T24:00:00Z", "2026-05-28T20:26:61Z", "2026-05-28T20:26:40+0700",
        "2026-05-28T20:26:40+24:00",        "２026-05-28T20:26:40Z", None, 5,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="not an instant"):
        parse_instant(text)
