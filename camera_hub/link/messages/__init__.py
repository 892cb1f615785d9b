"""The link's vocabulary: msgpack-encoded structs, tagged by name, with a version.

Every message has a place in a *lane*: event facts go before pictures, pictures before short clips,
those before what somebody watches, and long video last.

Versions: each end says the oldest version that it still speaks (`version`), the newest (`speaks`),
and by name what it can do (`can`); they go by the newest that both speak. A field that is new stands at a
struct's end with a default, so that an older end may leave it out; one that is not known is passed over,
since it only adds to what is. A message that is not known is refused by its name (`NotTaken`), and the link
goes on.
"""

from camera_hub.link.messages.base import (
    MAX_CLIP_BYTES,
    MAX_MESSAGE_BYTES,
    OLDEST_VERSION,
    PROTOCOL_VERSION,
    SERVER_SKILLS,
    WORKER_SKILLS,
    Lane,
    LinkError,
    Skill,
    UnknownMessageError,
)
from camera_hub.link.messages.found import (
    Ack,
    ClipOffer,
    ClipPiece,
    ClipWanted,
    Durable,
    EventClip,
    EventNews,
    EventPicture,
    Part,
    lane_of,
)
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
from camera_hub.link.messages.settings import CamerasChanged, Configure, Configured
from camera_hub.link.messages.state import Health, LinkHealth, LiveSize, Shed, ShedCause
from camera_hub.link.messages.wire import (
    ServerMessage,
    WorkerMessage,
    decode_from_server,
    decode_from_worker,
    encode,
)

__all__ = [
    "MAX_CLIP_BYTES",
    "MAX_MESSAGE_BYTES",
    "OLDEST_VERSION",
    "PROTOCOL_VERSION",
    "SERVER_SKILLS",
    "WORKER_SKILLS",
    "Ack",
    "CamerasChanged",
    "Challenge",
    "ClipOffer",
    "ClipPiece",
    "ClipWanted",
    "Configure",
    "Configured",
    "Durable",
    "Enrol",
    "Enrolled",
    "EventClip",
    "EventNews",
    "EventPicture",
    "Health",
    "Hello",
    "KeyTaken",
    "Lane",
    "LinkError",
    "LinkHealth",
    "Listen",
    "LiveOpened",
    "LivePackets",
    "LiveSize",
    "LiveSound",
    "NewKey",
    "NewKeyWanted",
    "NotTaken",
    "Part",
    "Refused",
    "ServerMessage",
    "Shed",
    "ShedCause",
    "Skill",
    "Still",
    "StillRequest",
    "UnknownMessageError",
    "Watch",
    "Welcome",
    "WorkerMessage",
    "decode_from_server",
    "decode_from_worker",
    "encode",
    "lane_of",
]
