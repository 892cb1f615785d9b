"""The link's vocabulary: msgpack-encoded structs, tagged by name, with a version.

Every message has a place in a *lane*: event facts go before pictures, pictures before clips,
clips before what somebody watches. A message that is not understood is refused by name. Worker and
server may be of two releases: a field that one of them does not know is left out of what it reads and
has its default in what it writes; a new message is sent only to an end that is known to understand it.
"""

from enum import IntEnum
from typing import TypeVar

import msgspec

from camera_hub.model import (
    CameraHealth,
    CameraInfo,
    Event,
    HubError,
    Packet,
    SoundPacket,
    StreamInfo,
    StreamName,
)

PROTOCOL_VERSION = 1
MAX_MESSAGE_BYTES = 16 * 1024 * 1024

_T = TypeVar("_T")


class Lane(IntEnum):
    """What goes first on a narrow uplink: the lower, the sooner."""

    EVENT = 0
    PICTURE = 1
    CLIP = 2
    LIVE = 3


class LinkError(HubError):
    """The other end said something that we cannot use, or refused us."""


class _Message(msgspec.Struct, frozen=True, tag=True, tag_field="type"):
    pass


# -- handshake ---------------------------------------------------------------------------


class Challenge(_Message, frozen=True):
    """Server, first thing on a new connection: sign this."""

    version: int
    nonce: bytes


class Hello(_Message, frozen=True):
    """Worker: who I am, with the challenge signed by the site's Ed25519 key."""

    version: int
    site: str
    name: str
    software: str
    signature: bytes
    cameras: tuple[CameraInfo, ...]


class Welcome(_Message, frozen=True):
    """Server: you are who you say."""

    server_time_us: int


class Refused(_Message, frozen=True):
    """Either end: we cannot go on; `reason` is for people and says what to do."""

    code: str
    reason: str


# -- worker to server --------------------------------------------------------------------


class Health(_Message, frozen=True):
    """Worker, every few seconds and at every change of a camera's state."""

    at_us: int
    cameras: tuple[CameraHealth, ...]
    outbox_depth: int
    disk_free_bytes: int
    disk_total_bytes: int
    recorded_bytes: int


class EventNews(_Message, frozen=True):
    """An event opened, changed or closed. Kept in the outbox until acknowledged."""

    id: str
    event: Event


class EventPicture(_Message, frozen=True):
    """The event's picture so far (JPEG); a later one replaces it. Kept until acknowledged."""

    id: str
    event_id: str
    camera: str
    at_us: int
    jpeg: bytes


class EventClip(_Message, frozen=True):
    """The event's recorded video (MP4). Kept until acknowledged."""

    id: str
    event_id: str
    camera: str
    start_us: int
    duration_us: int
    mp4: bytes


class LiveOpened(_Message, frozen=True):
    """A watched stream flows (again): forget what came before."""

    camera: str
    stream: StreamName
    info: StreamInfo


class LivePackets(_Message, frozen=True):
    """Packets of a watched stream, in order."""

    camera: str
    stream: StreamName
    packets: tuple[Packet, ...]


class LiveSound(_Message, frozen=True):
    """The sound of a watched stream, in order; only after `Listen`."""

    camera: str
    stream: StreamName
    packets: tuple[SoundPacket, ...]


class Still(_Message, frozen=True):
    """The answer to a StillRequest: a JPEG, or in words why there is none."""

    request: int
    jpeg: bytes | None
    at_us: int
    error: str = ""


# -- server to worker --------------------------------------------------------------------


class Ack(_Message, frozen=True):
    """These outbox messages are kept safely; forget them."""

    ids: tuple[str, ...]


class Watch(_Message, frozen=True):
    """Send a stream's packets from its newest keyframe on, or stop."""

    camera: str
    stream: StreamName
    on: bool


class Listen(_Message, frozen=True):
    """Send a watched stream's sound too, until the stream is opened anew; or stop.

    Only for a stream whose `LiveOpened` told of sound: one that is older than this message tells of none.
    """

    camera: str
    stream: StreamName
    on: bool


class StillRequest(_Message, frozen=True):
    """Send one picture of a camera as it is now."""

    request: int
    camera: str
    height: int | None


Durable = EventNews | EventPicture | EventClip
"""What waits in the outbox until it is acknowledged."""

WorkerMessage = Hello | Health | Durable | LiveOpened | LivePackets | LiveSound | Still | Refused
ServerMessage = Challenge | Welcome | Refused | Ack | Watch | Listen | StillRequest

_encoder = msgspec.msgpack.Encoder()
_worker_decoder = msgspec.msgpack.Decoder(WorkerMessage)
_server_decoder = msgspec.msgpack.Decoder(ServerMessage)


def encode(message: WorkerMessage | ServerMessage) -> bytes:
    """The message as msgpack. Raises LinkError when it is larger than the link carries."""
    data = _encoder.encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise LinkError(
            f"a {type(message).__name__} of {len(data)} bytes is larger than the link carries "
            f"({MAX_MESSAGE_BYTES} bytes)"
        )
    return data


def decode_from_worker(data: bytes) -> WorkerMessage:
    """What a worker sent. Raises LinkError naming what was not understood."""
    message: WorkerMessage = _decode(_worker_decoder, data)
    return message


def decode_from_server(data: bytes) -> ServerMessage:
    """What a server sent. Raises LinkError naming what was not understood."""
    message: ServerMessage = _decode(_server_decoder, data)
    return message


def _decode(decoder: msgspec.msgpack.Decoder[_T], data: bytes) -> _T:
    if len(data) > MAX_MESSAGE_BYTES:
        raise LinkError(f"a message of {len(data)} bytes is larger than the link carries")
    try:
        message: _T = decoder.decode(data)
        return message
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise LinkError(f"a message was not understood: {exc}") from exc
