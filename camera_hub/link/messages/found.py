"""What a worker found, kept in its outbox until the server has it: events, their pictures, their video."""

from camera_hub.link.messages.base import Lane, Message
from camera_hub.model import Event


class EventNews(Message, frozen=True):
    """An event opened, changed or closed. Kept in the outbox until acknowledged."""

    id: str
    event: Event


class EventPicture(Message, frozen=True):
    """The event's picture so far (JPEG); a later one replaces it. Kept until acknowledged."""

    id: str
    event_id: str
    camera: str
    at_us: int
    jpeg: bytes


class EventClip(Message, frozen=True):
    """The event's recorded video (MP4). Kept until acknowledged."""

    id: str
    event_id: str
    camera: str
    start_us: int
    duration_us: int
    mp4: bytes
    short: bool = False  # the seconds around its best moment; all of it follows


class Part(Message, frozen=True):
    """A piece of a message that is too large to be in front of others: in order, one message a lane."""

    lane: Lane
    data: bytes
    last: bool


class ClipOffer(Message, frozen=True):
    """A clip that would be sent in pieces: the server says from which byte on. Its id is the EventClip's."""

    id: str
    event_id: str
    camera: str
    start_us: int
    duration_us: int
    size: int  # bytes
    sha256: str


class ClipWanted(Message, frozen=True):
    """Send the offered clip from this byte on; also when what came was not what was offered."""

    id: str
    at: int


class ClipPiece(Message, frozen=True):
    """Bytes of an offered clip from `at` on, one after the other."""

    id: str
    at: int
    data: bytes


class Ack(Message, frozen=True):
    """These outbox messages are kept safely; forget them."""

    ids: tuple[str, ...]


Durable = EventNews | EventPicture | EventClip
"""What waits in the outbox until it is acknowledged."""


def lane_of(message: Durable) -> Lane:
    """Where a durable message stands."""
    match message:
        case EventNews():
            return Lane.EVENT
        case EventPicture():
            return Lane.PICTURE
        case EventClip(short=short):
            return Lane.CLIP if short else Lane.VIDEO
