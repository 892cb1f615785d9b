"""What the store gives and takes of alerts, as small frozen types. No I/O."""

from dataclasses import dataclass
from enum import StrEnum

import msgspec

from camera_hub.alerts.life import Alert, AlertState
from camera_hub.alerts.occurrence import AlertKind, Occurrence
from camera_hub.alerts.rule import Rule
from camera_hub.store.records import Cursor, StoredEvent


@dataclass(frozen=True)
class StoredRule:
    rule: Rule
    from_config: bool  # changed in the config alone


class Trouble(msgspec.Struct, frozen=True):
    """A state of a camera or a site that lasts until somebody mends it."""

    id: str  # a ULID
    kind: AlertKind
    site: str
    camera: str  # within the site; empty where it is of the whole site
    start_us: int
    end_us: int | None = None

    def occurrence(self) -> Occurrence:
        return Occurrence(self.id, self.kind, self.site, self.camera, self.start_us, self.end_us)


@dataclass(frozen=True)
class StoredAlert:
    """An alert with what belongs to it, the oldest first."""

    alert: Alert
    rule_name: str
    kind: AlertKind
    site: str
    last_us: int
    events: tuple[StoredEvent, ...]
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class AlertFilter:
    """Which alerts; None means all. `after_us` <= opened < `before_us`."""

    states: tuple[AlertState, ...] | None = None
    site: str | None = None
    camera: str | None = None  # within `site`
    rule: str | None = None
    owner: str | None = None
    after_us: int | None = None
    before_us: int | None = None


@dataclass(frozen=True)
class AlertPage:
    alerts: tuple[StoredAlert, ...]  # newest first
    next: Cursor | None


class Telling(StrEnum):
    """What a delivery tells of an alert."""

    OPENED = "opened"
    ESCALATED = "escalated"


class DeliveryState(StrEnum):
    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"  # not yet given up: tried again at `due_us`
    GIVEN_UP = "given-up"
    FOLDED = "folded"  # told as one of a number in another message
    DROPPED = "dropped"  # somebody had dealt with the alert before it was told


@dataclass(frozen=True)
class StoredDelivery:
    """An alert on its way to one receiver by one channel."""

    id: str
    alert: str
    channel: str
    target: str  # of a channel that reaches many: which of them
    what: Telling
    state: DeliveryState
    attempts: int
    created_us: int
    due_us: int | None
    ended_us: int | None
    error: str


@dataclass(frozen=True)
class Subscription:
    """A browser that is told by Web Push (RFC 8030, RFC 8291)."""

    id: str
    user: str
    endpoint: str
    p256dh: str
    auth: str
    language: str
    device: str
    created_us: int
