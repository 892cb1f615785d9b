"""What somebody watches now."""

from camera_hub.link.messages.base import Message
from camera_hub.model import Packet, SoundPacket, StreamInfo, StreamName


class Watch(Message, frozen=True):
    """Send a stream's packets from its newest keyframe on, or stop."""

    camera: str
    stream: StreamName
    on: bool


class Listen(Message, frozen=True):
    """Send a watched stream's sound too, until the stream is opened anew; or stop.

    Only for a stream whose `LiveOpened` told of sound: one that is older than this message tells of none.
    """

    camera: str
    stream: StreamName
    on: bool


class LiveOpened(Message, frozen=True):
    """A watched stream flows (again): forget what came before."""

    camera: str
    stream: StreamName
    info: StreamInfo


class LivePackets(Message, frozen=True):
    """Packets of a watched stream, in order."""

    camera: str
    stream: StreamName
    packets: tuple[Packet, ...]


class LiveSound(Message, frozen=True):
    """The sound of a watched stream, in order; only after `Listen`."""

    camera: str
    stream: StreamName
    packets: tuple[SoundPacket, ...]


class StillRequest(Message, frozen=True):
    """Send one picture of a camera as it is now."""

    request: int
    camera: str
    height: int | None


class Still(Message, frozen=True):
    """The answer to a StillRequest: a JPEG, or in words why there is none."""

    request: int
    jpeg: bytes | None
    at_us: int
    error: str = ""
