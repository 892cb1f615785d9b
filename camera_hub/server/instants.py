"""Instants in a query: RFC 3339 with an offset, to the microsecond. Pure."""

import re
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, WithJsonSchema

# RFC 3339, section 5.6. Its leap second (:60) is taken as the second that follows.
_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]([0-9]{2}:[0-9]{2}):([0-9]{2})(?:\.([0-9]+))?"
    r"(?:[Zz]|([+-])([01][0-9]|2[0-3]):([0-5][0-9]))"
)


def parse_instant(text: object) -> int:
    """Microseconds since the Unix epoch. Raises ValueError in words for people."""
    match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError("not an instant; write it like 2026-01-31T08:00:00Z, a + in the offset as %2B")
    day, minute, second, fraction, sign, hours, minutes = match.groups()
    if int(second) > 60:
        raise ValueError("not an instant: there are no more than 60 seconds in a minute")
    try:
        # Year 0 is no year to Python; nothing happened in it.
        start = datetime.fromisoformat(f"{day.replace('0000-', '0001-', 1)}T{minute}:00")
    except ValueError as exc:
        raise ValueError("not an instant: there is no such day or time") from exc
    local = (start - datetime(1970, 1, 1)) // timedelta(microseconds=1)
    local += int(second) * 1_000_000 + int((fraction or "").ljust(6, "0")[:6])
    offset = (int(hours or 0) * 60 + int(minutes or 0)) * 60_000_000
    return local + offset if sign == "-" else local - offset


InstantUs = Annotated[
    int, BeforeValidator(parse_instant), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A query parameter that is an instant; the route gets microseconds."""
