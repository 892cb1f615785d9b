"""What a camera's process and the worker say to each other over a socket pair.

Not the link: this never leaves the machine and both ends are of one release, so there is no
version.
"""

import msgspec

from camera_hub.model import (
    CameraHealth,
    Event,
    Line,
    Packet,
    SoundPacket,
    StreamInfo,
    StreamName,
    Zone,
)

MAX_MESSAGE_BYTES = 64 * 1024 * 1024  # a cached GOP of a main stream in one message, and more


class _Message(msgspec.Struct, frozen=True, tag=True):
    pass


# -- camera's process to worker ----------------------------------------------------------


class Beat(_Message, frozen=True):
    """Every second, and at every change of state: the process is alive, and how it does."""

    health: CameraHealth


class EventFound(_Message, frozen=True):
    """An event opened, changed or closed; with a picture when there is a better one."""

    event: Event
    jpeg: bytes | None
    picture_us: int


class TapOpened(_Message, frozen=True):
    """A tapped stream begins, or begins anew."""

    stream: StreamName
    info: StreamInfo


class TapPackets(_Message, frozen=True):
    """Packets of a tapped stream."""

    stream: StreamName
    packets: tuple[Packet, ...]


class TapSound(_Message, frozen=True):
    """The sound of a tapped stream, while somebody listens."""

    stream: StreamName
    packets: tuple[SoundPacket, ...]


class StillMade(_Message, frozen=True):
    """The answer to MakeStill."""

    request: int
    jpeg: bytes | None
    at_us: int
    error: str


# -- worker to camera's process ----------------------------------------------------------


class Tap(_Message, frozen=True):
    """Send a stream's packets from the newest keyframe on, or stop."""

    stream: StreamName
    on: bool


class Listen(_Message, frozen=True):
    """Send a stream's sound too, or stop."""

    stream: StreamName
    on: bool


class Switch(_Message, frozen=True):
    """Whether to look for what moves, and whether to keep the streams on disk, from now on."""

    detect: bool
    record: bool


class Scene(_Message, frozen=True):
    """The parts of the picture that have a name are others from now on."""

    zones: tuple[Zone, ...]
    masks: tuple[Zone, ...]
    lines: tuple[Line, ...]


class MakeStill(_Message, frozen=True):
    """Make one JPEG of the picture as it is now."""

    request: int
    height: int | None


class Stop(_Message, frozen=True):
    """Close files, say goodbye, and end."""


FromCamera = Beat | EventFound | TapOpened | TapPackets | TapSound | StillMade
ToCamera = Tap | Listen | Switch | Scene | MakeStill | Stop
