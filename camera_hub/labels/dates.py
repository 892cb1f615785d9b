"""What a person writes for a day or an instant, in their own time zone. Pure."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from camera_hub.model import HubError


class DateError(HubError):
    """Not a day, and not an instant."""

    exit_code = 2


def since_us(text: str, zone: ZoneInfo) -> int:
    """The instant, or the beginning of the day. Raises DateError."""
    return _us(_parse(text, zone)[0])


def until_us(text: str, zone: ZoneInfo) -> int:
    """The instant, or the end of the day, which belongs to what is asked for. Raises DateError."""
    at, whole_day = _parse(text, zone)
    return _us(datetime.combine(at.date() + timedelta(days=1), at.timetz()) if whole_day else at)


def _parse(text: str, zone: ZoneInfo) -> tuple[datetime, bool]:
    try:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            at = datetime.fromisoformat(text)
            return (at if at.tzinfo is not None else at.replace(tzinfo=zone)), False
        return datetime(day.year, day.month, day.day, tzinfo=zone), True
    except (ValueError, OverflowError):
        raise DateError(f"{text!r} is no day; write it like 2026-11-25, or 2026-11-25T14:30") from None


def _us(at: datetime) -> int:
    return round(at.timestamp() * 1_000_000)
