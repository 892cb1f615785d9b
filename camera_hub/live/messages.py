"""What a viewer by MSE is told beside the video, as WebSocket frames that are made once for all viewers."""

import msgspec
from websockets.frames import Frame, Opcode

from camera_hub.model import NotLive


class OpenedMessage(msgspec.Struct, frozen=True, tag="opened", tag_field="type"):
    """The stream begins, or begins anew: an initialisation segment follows, then fragments."""

    stream: str
    codec: str  # as in `video/mp4; codecs="…"`
    width: int  # px
    height: int  # px
    reordered: bool  # it has B-frames


class PausedMessage(msgspec.Struct, frozen=True, tag="paused", tag_field="type"):
    """Nothing comes for now; an `opened` follows when it goes on."""

    reason: str


class EndedMessage(msgspec.Struct, frozen=True, tag="ended", tag_field="type"):
    """The last message; the connection is closed after it."""

    reason: str
    code: NotLive | None = None


class ClockMessage(msgspec.Struct, frozen=True, tag="clock", tag_field="type"):
    """What time it is here, asked by the viewer with the same message and its own time in `sent`."""

    sent: float
    now_us: int = 0  # wall


def text_frame(message: msgspec.Struct) -> bytes:
    """A message as a WebSocket text frame (RFC 6455, 5.2). A server's frames are not masked."""
    return Frame(Opcode.TEXT, msgspec.json.encode(message)).serialize(mask=False)


def binary_frame(data: bytes) -> bytes:
    return Frame(Opcode.BINARY, data).serialize(mask=False)
