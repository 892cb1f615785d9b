"""Messages to bytes and back."""

from typing import TypeVar, get_args

import msgspec

from camera_hub.link.messages.base import MAX_MESSAGE_BYTES, LinkError, TooLargeError, UnknownMessageError
from camera_hub.link.messages.found import Ack, ClipOffer, ClipPiece, ClipWanted, Durable, Part
from camera_hub.link.messages.limits import LEAST_BYTES, examine, max_bytes
from camera_hub.link.messages.live import (
    Listen,
    LiveOpened,
    LivePackets,
    LiveSound,
    Still,
    StillRequest,
    Watch,
)
from camera_hub.link.messages.meeting import (
    Challenge,
    Enrol,
    Enrolled,
    Hello,
    KeyTaken,
    NewKey,
    NewKeyWanted,
    NotTaken,
    Refused,
    Welcome,
)
from camera_hub.link.messages.recorded import (
    RangeBegins,
    RangeEnded,
    RangeMore,
    RangePiece,
    RangeStop,
    RangeWanted,
    Spans,
    SpansWanted,
)
from camera_hub.link.messages.settings import CamerasChanged, Configure, Configured
from camera_hub.link.messages.state import Health, TimeAsked, TimeTold

_T = TypeVar("_T")

WorkerMessage = (
    Hello
    | Enrol
    | Health
    | TimeAsked
    | Durable
    | Part
    | ClipOffer
    | ClipPiece
    | LiveOpened
    | LivePackets
    | LiveSound
    | Still
    | NewKey
    | Spans
    | RangeBegins
    | RangePiece
    | RangeEnded
    | Configured
    | CamerasChanged
    | Refused
    | NotTaken
)
ServerMessage = (
    Challenge
    | Welcome
    | Enrolled
    | Refused
    | NotTaken
    | Ack
    | ClipWanted
    | Watch
    | Listen
    | StillRequest
    | NewKeyWanted
    | KeyTaken
    | TimeTold
    | SpansWanted
    | RangeWanted
    | RangeMore
    | RangeStop
    | Configure
)

_EXAMINED = (Hello, Enrol, Health, LiveOpened, Configured, CamerasChanged, Spans, RangeBegins)

_encoder = msgspec.msgpack.Encoder()
_worker_decoder = msgspec.msgpack.Decoder(WorkerMessage)
_server_decoder = msgspec.msgpack.Decoder(ServerMessage)
_worker_names = frozenset(kind.__name__ for kind in get_args(WorkerMessage))
_server_names = frozenset(kind.__name__ for kind in get_args(ServerMessage))


class _Envelope(msgspec.Struct):
    type: str = ""
    id: str = ""


_envelope = msgspec.msgpack.Decoder(_Envelope)


def encode(message: WorkerMessage | ServerMessage) -> bytes:
    """The message as msgpack. Raises TooLargeError when it is larger than the link carries."""
    data = _encoder.encode(message)
    name = type(message).__name__
    if len(data) > max_bytes(name):
        raise TooLargeError(name, getattr(message, "id", ""), len(data), max_bytes(name))
    return data


def decode_from_worker(data: bytes) -> WorkerMessage:
    """What a worker sent. Raises LinkError naming what is wrong; NotTakenError where the link can go on."""
    message: WorkerMessage = _decode(_worker_decoder, _worker_names, data)
    if isinstance(message, _EXAMINED):
        examine(message)
    return message


def decode_from_server(data: bytes) -> ServerMessage:
    """What a server sent. Raises LinkError naming what is wrong; NotTakenError where the link can go on."""
    message: ServerMessage = _decode(_server_decoder, _server_names, data)
    return message


def _decode(decoder: msgspec.msgpack.Decoder[_T], names: frozenset[str], data: bytes) -> _T:
    if len(data) > MAX_MESSAGE_BYTES:
        raise LinkError(f"a message of {len(data)} bytes is larger than the link carries")
    if len(data) > LEAST_BYTES:
        _check_size(data)
    try:
        message: _T = decoder.decode(data)
        return message
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError) as exc:
        raise _not_understood(names, data) or LinkError(f"a message was not understood: {exc}") from exc


def _check_size(data: bytes) -> None:
    """Raises TooLargeError before much is unpacked; what has no name is found out later."""
    envelope = _opened(data)
    if envelope is not None and len(data) > max_bytes(envelope.type):
        raise TooLargeError(envelope.type, envelope.id[:64], len(data), max_bytes(envelope.type))


def _not_understood(names: frozenset[str], data: bytes) -> UnknownMessageError | None:
    """The error for a whole message of a name that we do not know; None for any other."""
    envelope = _opened(data)
    if envelope is None or not envelope.type or envelope.type in names:
        return None
    return UnknownMessageError(envelope.type[:64], envelope.id[:64])


def _opened(data: bytes) -> _Envelope | None:
    try:
        return _envelope.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError, RecursionError):
        return None
