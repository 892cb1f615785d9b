"""What the store gives and takes, as small frozen types. No I/O."""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from camera_hub.model import CameraInfo, Event, EventKind, Verdict

ULID_PATTERN = r"[0-7][0-9A-HJKMNP-TV-Z]{25}"
_ULID = re.compile(ULID_PATTERN)
_CURSOR = re.compile(rf"([0-9]{{1,17}})-({ULID_PATTERN})")

CURSOR_PATTERN = rf"^[0-9]{{1,17}}-{ULID_PATTERN}$"


def is_ulid(text: str) -> bool:
    """Whether `text` is a ULID in its canonical upper-case spelling."""
    return _ULID.fullmatch(text) is not None


class MediaKind(StrEnum):
    PICTURE = "picture"
    CLIP = "clip"


class Outcome(StrEnum):
    """What became of a durable message. All three mean: it is safe, acknowledge it."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"  # the very message was here before
    STALE = "stale"  # something newer was here before


@dataclass(frozen=True)
class StoredVerdict:
    """What somebody said of an event. `verdict` is None where they took back what had been said."""

    verdict: Verdict | None
    note: str
    by: str  # the account's name
    by_name: str  # what people called it then
    at_us: int


@dataclass(frozen=True)
class StoredEvent:
    """An event as it is now, with what belongs to it."""

    site: str
    event: Event
    camera_name: str  # the camera's id where the site never told a name
    snapshot: bool
    clip: bool
    verdict: StoredVerdict | None = None  # the newest; None where there is none, or no more
    clock_off_us: int = 0  # so much was taken out of its times, since they could not be right


@dataclass(frozen=True)
class Delivery:
    """`event` is None while only a picture or a clip of it has arrived."""

    outcome: Outcome
    event: StoredEvent | None


@dataclass(frozen=True)
class Cursor:
    """A place between two events in the order newest first."""

    start_us: int
    id: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError for what `str(cursor)` never made."""
        match = _CURSOR.fullmatch(text)
        if match is None:
            raise ValueError("not a cursor")
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.start_us}-{self.id}"


@dataclass(frozen=True)
class EventFilter:
    """Which events; None means all. `after_us` <= start < `before_us`."""

    site: str | None = None
    camera: str | None = None  # within `site`
    zone: str | None = None
    kind: EventKind | None = None
    after_us: int | None = None
    before_us: int | None = None
    judged: bool = False  # only those with a verdict


@dataclass(frozen=True)
class EventPage:
    events: tuple[StoredEvent, ...]  # newest first
    next: Cursor | None  # where the next page begins; None at the end


@dataclass(frozen=True)
class Media:
    """A file of an event. `path` is relative to the data folder."""

    event_id: str
    kind: MediaKind
    site: str
    path: str
    bytes: int
    sha256: str
    at_us: int  # the picture's moment, or the clip's end


@dataclass(frozen=True)
class StoredCamera:
    site: str
    info: CameraInfo


@dataclass(frozen=True)
class SiteRecord:
    """What is known of a site, also while it is away."""

    id: str
    name: str
    software: str
    linked_us: int | None  # when it was linked last
    last_contact_us: int | None


@dataclass(frozen=True)
class EnrolmentRecord:
    """A site that an administrator made. `key` is its worker's public key in base64, None before it has one.

    Codes are kept in hexadecimal, as what checks them; see `link.enrolment`.
    """

    site: str
    name: str
    changed_by: str  # what people called them
    changed_us: int
    key: str | None = None
    key_us: int | None = None
    revoked_us: int | None = None
    code_public: str | None = None
    code_secret: str | None = field(default=None, repr=False)
    code_expires_us: int | None = None
    code_used_key: str | None = None


@dataclass(frozen=True)
class UserRecord:
    name: str
    display_name: str
    role: str
    password_hash: str
    config_hash: str | None = None  # of the password that the config gave; None: not of the config


@dataclass(frozen=True)
class SessionRecord:
    """A session that has neither been ended nor expired, with its user."""

    token_hash: str
    user: UserRecord
    created_us: int
    expires_us: int
    seen_us: int
