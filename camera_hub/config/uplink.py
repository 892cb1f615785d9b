"""What the way from a site to its servers may carry."""

import re
from datetime import time

from pydantic import Field, field_validator

from camera_hub.config.section import Section, wrong

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")


class UplinkConfig(Section):
    """The uplink, shared by all servers but the local ones."""

    limit_kbit: int | None = Field(
        default=None,
        ge=64,
        le=10_000_000,
        description="At most so many kbit (1000 bits) a second. Without it as much as the line takes.",
    )
    per_day_mb: int | None = Field(
        default=None,
        ge=1,
        description="At most so many MB (10^6 bytes) a day, of the site's time zone. When they are used up, "
        "events and their pictures go on; clips wait for midnight, and nobody watches live.",
    )
    hours: str | None = Field(
        default=None,
        description="When long clips may go, as in 22:00-05:00. Without it whenever the line is free.",
    )

    @field_validator("hours")
    @classmethod
    def _are_hours(cls, text: str | None) -> str | None:
        if text is None:
            return None
        begin, end = _times(text)
        if begin == end:
            raise wrong("begins and ends at once; take the key out for the whole day")
        return text

    @property
    def times(self) -> tuple[time, time] | None:
        """`hours` as local times of day, from and to."""
        return None if self.hours is None else _times(self.hours)


def _times(text: str) -> tuple[time, time]:
    match = _HOURS.fullmatch(text.strip())
    try:
        if match is not None:
            numbers = [int(number) for number in match.groups()]
            return time(numbers[0], numbers[1]), time(numbers[2], numbers[3])
    except ValueError:
        pass
    raise wrong("is no span of a day; write it as 22:00-05:00, from 00:00 to 23:59")
