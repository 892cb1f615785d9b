"""What every message of the link has: a name on the wire, a lane; the versions, and what can go wrong."""

from enum import IntEnum, StrEnum

import msgspec

from camera_hub.model import HubError

PROTOCOL_VERSION = 2
OLDEST_VERSION = 1  # of the other end; what came with 2 is in `Skill`
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
MAX_CLIP_BYTES = 32 * 1024 * 1024  # of one that comes in pieces


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
    CLOCK = "clock"  # server: says what time it is, so that a worker knows how far its clock is off
    RECORDINGS = "recordings"  # worker: says what it has recorded, and sends ranges of it
    CONFIGURE = "configure"  # worker: changes settings of its cameras when asked
    CAMERAS_CHANGED = "cameras-changed"  # server: hears of a site's cameras also after the Hello


WORKER_SKILLS = frozenset({Skill.NEW_KEY, Skill.RUN, Skill.NOT_TAKEN, Skill.CONFIGURE, Skill.RECORDINGS})
SERVER_SKILLS = frozenset(
    {Skill.ENROL, Skill.NOT_TAKEN, Skill.PARTS, Skill.CLIP_PIECES, Skill.CAMERAS_CHANGED, Skill.CLOCK}
)


class LinkError(HubError):
    """The other end said something that we cannot use, or refused us (`code` says why, for programs)."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class NotTakenError(LinkError):
    """A message that is refused by its name, while the link goes on; `id` where it has one."""

    def __init__(self, text: str, name: str, id_: str) -> None:
        super().__init__(text)
        self.name = name
        self.id = id_


class UnknownMessageError(NotTakenError):
    """A message whose name we do not know, such as from a newer release."""

    def __init__(self, name: str, id_: str) -> None:
        super().__init__(f"a message was not understood: {name!r} is none that this release knows", name, id_)


class TooLargeError(NotTakenError):
    """A message that is larger than any of its name may be."""

    def __init__(self, name: str, id_: str, size: int, most: int) -> None:
        text = f"a {name} of {size} bytes is larger than the link carries ({most} bytes)"
        super().__init__(text, name, id_)


class Message(msgspec.Struct, frozen=True, tag=True, tag_field="type"):
    pass
