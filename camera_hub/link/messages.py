"""The link's vocabulary: msgpack-encoded structs, tagged by name, with a version.

Every message has a place in a *lane*: event facts go before pictures, pictures before short clips,
those before what somebody watches, and long video last.

Versions: each end says the oldest version that it still speaks (`version`), the newest (`speaks`),
and by name what it can do (`can`); they go by the newest that both speak. A field that is new stands at a
struct's end with a default, so that an older end may leave it out; one that is not known is passed over,
since it only adds to what is. A message that is not known is refused by its name (`NotTaken`), and the link
goes on.
"""

from enum import IntEnum, StrEnum
from typing import TypeVar, get_args

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

PROTOCOL_VERSION = 2
OLDEST_VERSION = 1  # of the other end; what came with 2 is in `Skill`
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_CLIP_BYTES = 32 * 1024 * 1024  # of one that comes in pieces


_T = TypeVar("_T")


class Lane(IntEnum):
    """What goes first on a narrow uplink: the lower, the sooner."""

    EVENT = 0
    PICTURE = 1
    CLIP = 2  # short: what somebody has to see soon
    LIVE = 3
    VIDEO = 4  # long


class Skill(StrEnum):
    """What an end can do beyond version 1, by the names that go over the wire."""

    ENROL = "enrol"  # server: takes a one-time code
    NEW_KEY = "new-key"  # worker: changes its key when asked
    RUN = "run"  # worker: tells one run of itself from another, by which a copy is noticed
    NOT_TAKEN = "not-taken"  # both: a message that the other end does not know does not end the link
    PARTS = "parts"  # server: takes a large message as `Part`s
    CLIP_PIECES = "clip-pieces"  # server: takes a clip in pieces, from the byte on where it stopped


WORKER_SKILLS = frozenset({Skill.NEW_KEY, Skill.RUN, Skill.NOT_TAKEN})
SERVER_SKILLS = frozenset({Skill.ENROL, Skill.NOT_TAKEN, Skill.PARTS, Skill.CLIP_PIECES})


class LinkError(HubError):
    """The other end said something that we cannot use, or refused us (`code` says why, for programs)."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class UnknownMessageError(LinkError):
    """A message whose name we do not know, such as from a newer release; `id` where it has one."""

    def __init__(self, name: str, id_: str) -> None:
        super().__init__(f"a message was not understood: {name!r} is none that this release knows")
        self.name = name
        self.id = id_


class _Message(msgspec.Struct, frozen=True, tag=True, tag_field="type"):
    pass


# -- handshake ---------------------------------------------------------------------------


class Challenge(_Message, frozen=True):
    """Server, first thing on a new connection: sign this."""

    version: int
    nonce: bytes
    speaks: int = 0
    can: tuple[str, ...] = ()


class Hello(_Message, frozen=True):
    """Worker: who I am, with the challenge signed by the site's Ed25519 key."""

    version: int
    site: str
    name: str
    software: str
    signature: bytes
    cameras: tuple[CameraInfo, ...]
    speaks: int = 0
    can: tuple[str, ...] = ()
    run: str = ""  # of this start of the worker: another start has another


class Enrol(_Message, frozen=True):
    """Worker, in place of Hello: let my key in, by this code. See `enrolment`."""

    version: int
    site: str
    name: str
    software: str
    nonce: bytes
    key: bytes  # the worker's public key
    code: bytes  # the public key that is made from the code
    certificate: bytes  # SHA-256 of the server's certificate as seen here; empty without TLS
    trusted: bool  # whether our own authorities vouch for it
    key_signature: bytes
    code_signature: bytes


class Enrolled(_Message, frozen=True):
    """Server: your key is let in; `proof` shows that we know the code, and that all above is ours."""

    server: str  # its id, for the worker's own list
    server_time_us: int
    proof: bytes


class Welcome(_Message, frozen=True):
    """Server: you are who you say."""

    server_time_us: int


class Refused(_Message, frozen=True):
    """Either end: we cannot go on; `reason` is for people and says what to do."""

    code: str
    reason: str


class NotTaken(_Message, frozen=True):
    """Either end: I do not know what that was, so I did nothing with it. The link goes on."""

    name: str
    id: str = ""


# -- worker to server --------------------------------------------------------------------


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


class Health(_Message, frozen=True):
    """Worker, every few seconds and at every change of a camera's state."""

    at_us: int
    cameras: tuple[CameraHealth, ...]
    outbox_depth: int
    disk_free_bytes: int
    disk_total_bytes: int
    recorded_bytes: int
    link: LinkHealth | None = None


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
    short: bool = False  # the seconds around its best moment; all of it follows


class Part(_Message, frozen=True):
    """A piece of a message that is too large to be in front of others: in order, one message a lane."""

    lane: Lane
    data: bytes
    last: bool


class ClipOffer(_Message, frozen=True):
    """A clip that would be sent in pieces: the server says from which byte on. Its id is the EventClip's."""

    id: str
    event_id: str
    camera: str
    start_us: int
    duration_us: int
    size: int  # bytes
    sha256: str


class ClipPiece(_Message, frozen=True):
    """Bytes of an offered clip from `at` on, one after the other."""

    id: str
    at: int
    data: bytes


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


class NewKey(_Message, frozen=True):
    """The answer to a NewKeyWanted: the site's new key, signed by itself and by the one before."""

    key: bytes
    signature: bytes
    old_signature: bytes


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


class ClipWanted(_Message, frozen=True):
    """Send the offered clip from this byte on; also when what came was not what was offered."""

    id: str
    at: int


class Watch(_Message, frozen=True):
    """Send a stream's packets from its newest keyframe on, or stop."""

    camera: str
    stream: StreamName
    on: bool


class NewKeyWanted(_Message, frozen=True):
    """Make another key, and sign this by both."""

    nonce: bytes


class KeyTaken(_Message, frozen=True):
    """This key is the site's from now on; forget the one before."""

    key: bytes


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

WorkerMessage = (
    Hello
    | Enrol
    | Health
    | Durable
    | Part
    | ClipOffer
    | ClipPiece
    | LiveOpened
    | LivePackets
    | LiveSound
    | Still
    | NewKey
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
)


def lane_of(message: Durable) -> Lane:
    """Where a durable message stands."""
    match message:
        case EventNews():
            return Lane.EVENT
        case EventPicture():
            return Lane.PICTURE
        case EventClip(short=short):
            return Lane.CLIP if short else Lane.VIDEO


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
    """The message as msgpack. Raises LinkError when it is larger than the link carries."""
    data = _encoder.encode(message)
    if len(data) > MAX_MESSAGE_BYTES:
        raise LinkError(
            f"a {type(message).__name__} of {len(data)} bytes is larger than the link carries "
            f"({MAX_MESSAGE_BYTES} bytes)"
        )
    return data


def decode_from_worker(data: bytes) -> WorkerMessage:
    """What a worker sent. Raises LinkError naming what was not understood, UnknownMessageError."""
    message: WorkerMessage = _decode(_worker_decoder, _worker_names, data)
    return message


def decode_from_server(data: bytes) -> ServerMessage:
    """What a server sent. Raises LinkError naming what was not understood, UnknownMessageError."""
    message: ServerMessage = _decode(_server_decoder, _server_names, data)
    return message


def _decode(decoder: msgspec.msgpack.Decoder[_T], names: frozenset[str], data: bytes) -> _T:
    if len(data) > MAX_MESSAGE_BYTES:
        raise LinkError(f"a message of {len(data)} bytes is larger than the link carries")
    try:
        message: _T = decoder.decode(data)
        return message
    except (msgspec.DecodeError, msgspec.ValidationError) as exc:
        raise _not_understood(names, data) or LinkError(f"a message was not understood: {exc}") from exc


def _not_understood(names: frozenset[str], data: bytes) -> UnknownMessageError | None:
    """The error for a whole message of a name that we do not know; None for any other."""
    try:
        envelope = _envelope.decode(data)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
    if not envelope.type or envelope.type in names:
        return None
    return UnknownMessageError(envelope.type[:64], envelope.id[:64])
