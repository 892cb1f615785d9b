"""Numbers as people read them; a dash where there is none."""

NONE = "–"


def share(value: float | None, digits: int = 0) -> str:
    """0.123 as 12 %; what is small gets the digits that tell it from nothing."""
    if value is None:
        return NONE
    percent = 100 * value
    if percent and abs(percent) < 10 and not digits:
        digits = 1 if abs(percent) >= 0.1 else 2
    return f"{percent:.{digits}f} %"


def number(value: float | None, digits: int = 2) -> str:
    """With so many digits behind the point."""
    return NONE if value is None else f"{value:.{digits}f}"


def seconds(value: float | None) -> str:
    """A short time."""
    return NONE if value is None else f"{value:.2f} s".replace("-", "−")


def clock(value: float, exact: bool = True) -> str:
    """A time within a clip: 7.5 s as 0:07.5, an hour as 1:00:00.0; or tenths only where there are any."""
    tenths = round(max(value, 0.0) * 10)
    whole, tenth = divmod(tenths, 10)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    text = f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"
    return f"{text}.{tenth}" if exact or tenth else text


def long(value: float) -> str:
    """How long something is: 75 as 1 min 15 s."""
    whole = round(value)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minute} min"
    if minutes:
        return f"{minutes} min {second} s" if second else f"{minutes} min"
    return f"{second} s"


def times(value: float | None) -> str:
    """So many times as fast as real time."""
    if value is None:
        return NONE
    return f"{value:.0f}×" if value >= 10 else f"{value:.1f}×"


def many(count: int, one: str, more: str | None = None) -> str:
    """1 event, 2 events."""
    return f"{count} {one if count == 1 else more or one + 's'}"
