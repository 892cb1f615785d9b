"""How a worker does."""

from enum import StrEnum

import msgspec

from camera_hub.link.messages.base import Lane, Message
from camera_hub.model import CameraHealth


class LiveSize(StrEnum):
    """What of watched streams the line has room for. A name that is not known is read as KEYFRAMES."""

    WHOLE = "whole"  # the stream that was asked for
    SUB = "sub"  # the small stream in place of the full one
    KEYFRAMES = "keyframes"  # one picture every few seconds
    NOTHING = "nothing"  # the day's volume is used up

    @classmethod
    def _missing_(cls, value: object) -> "LiveSize | None":
        return cls.KEYFRAMES if isinstance(value, str) else None


class ShedCause(StrEnum):
    """Why something was shed that had not been sent. A name that is not known is read as FULL."""

    FULL = "full"  # more waited than may
    OLD = "old"  # it waited for longer than may be

    @classmethod
    def _missing_(cls, value: object) -> "ShedCause | None":
        return cls.FULL if isinstance(value, str) else None


class Shed(msgspec.Struct, frozen=True):
    """What a worker let go unsent, of one lane and for one cause."""

    lane: Lane
    cause: ShedCause
    count: int
    bytes: int
    first_us: int  # wall; when the oldest of them was put in
    last_us: int  # ... and the newest


class LinkHealth(msgspec.Struct, frozen=True):
    """How one server's link does, as its worker sees it."""

    waiting: int  # messages for this server
    live: LiveSize = LiveSize.WHOLE
    day_bytes: int = 0  # over the uplink today, to all servers
    day_limit_bytes: int | None = None
    limit_kbit: int | None = None
    line_kbit: int | None = None  # what the line took last, while there was something to send
    shed: tuple[Shed, ...] = ()
    clock_offset_us: int | None = None  # how far the worker's clock is before the server's; see `apart`


class Health(Message, frozen=True):
    """Worker, every few seconds and at every change of a camera's state."""

    at_us: int
    cameras: tuple[CameraHealth, ...]
    outbox_depth: int
    disk_free_bytes: int
    disk_total_bytes: int
    recorded_bytes: int
    link: LinkHealth | None = None


class TimeAsked(Message, frozen=True):
    """Worker, every few seconds: what time is it at yours? It is answered at once, whatever waits."""

    asked_us: int  # of the worker's monotonic clock


class TimeTold(Message, frozen=True):
    """The answer to a TimeAsked."""

    asked_us: int
    server_time_us: int
