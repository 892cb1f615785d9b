"""The nouns of the hub as small frozen types: no I/O, nothing of ours imported.

Time inside the hub is integer microseconds (`_us`): *wall* times count from the Unix
epoch in UTC, *stream* times count on the camera's own clock. Geometry is in fractions of
the picture, 0..1, x to the right and y down, so that it holds for main and sub alike.
The types are msgspec structs because most of them also travel over the link.
"""

from enum import StrEnum
from typing import ClassVar, Literal

import msgspec

StreamName = Literal["main", "sub"]
"""A camera's streams: `main` is the full picture, `sub` the small one for walls and motion."""

REHEARSAL = "rehearsal"
"""The site whose cameras are clips that somebody plays to the hub: nothing of it is happening now."""

REHEARSAL_KEY = f"{REHEARSAL}/site.key"
"""Where its key lies within the data folder; the server there lets in whoever has it."""

Point = tuple[float, float]
"""(x, y) in fractions of the picture."""

Box = tuple[float, float, float, float]
"""(x, y, width, height) in fractions of the picture."""


class HubError(Exception):
    """An error that a person can mend: its message says what is wrong and what to do.

    Commands print it without a traceback; the dashboard shows it as it is.
    """

    exit_code: ClassVar[int] = 1  # what a command leaves with; 2 where what it was told is wrong


class CameraState(StrEnum):
    """What a camera is doing, as people see it."""

    CONNECTING = "connecting"  # not there yet, or lost and being tried again
    ONLINE = "online"  # packets with new timestamps arrive
    STALLED = "stalled"  # the connection stands, but nothing new comes
    UNAUTHORISED = "unauthorised"  # it refuses our user name or password
    UNSUPPORTED = "unsupported"  # no video, or a codec that we cannot use
    AWAY = "away"  # its worker is not linked, so nobody knows


class Cause(StrEnum):
    """What is wrong with a camera, for programs: the dashboard has a sentence for each in each language.

    A name that is not known, from a worker that is newer than the server, is read as UNEXPECTED.
    """

    REFUSED = "refused"  # nobody listens at the address
    UNREACHABLE = "unreachable"  # no way to the address, or its name is unknown
    TIMED_OUT = "timed-out"  # no answer came in time
    BUSY = "busy"  # it answers, but cannot serve the stream now
    NOT_FOUND = "not-found"  # it has no stream at this path
    WRONG_TRANSPORT = "wrong-transport"  # it does not send this stream in this way
    NONSENSE = "nonsense"  # what comes is not RTSP
    NO_ONVIF = "no-onvif"  # it does not say by ONVIF what its streams are
    ENDED = "ended"  # it broke the connection
    STALLED = "stalled"  # it is connected, but sends nothing new
    NO_KEYFRAME = "no-keyframe"  # it sends no picture that one could start with
    NO_PASSWORD = "no-password"  # noqa: S105 - it wants a user name and password, and we have none
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - it refuses ours
    LONG_PASSWORD = "long-password"  # noqa: S105 - ours are longer than RTSP can carry here
    NO_VIDEO = "no-video"  # there is no video in the stream
    NO_SECOND_STREAM = "no-second-stream"  # it has but one stream, and two are wanted
    UNSUPPORTED_CODEC = "unsupported-codec"  # detail: the codec, "MJPEG"; empty where it is unknown
    CLIP_MISSING = "clip-missing"  # there is no such file, or we may not read it
    CLIP_BAD = "clip-bad"  # the file is no video that can be played
    CLIP_TRUNCATED = "clip-truncated"  # the file breaks off
    CLIP_OVER = "clip-over"  # the clip has ended, and is not to be played again
    PROCESS_ENDED = "process-ended"  # detail: the signal's name, "SIGSEGV", or the exit code, "70"
    PROCESS_HUNG = "process-hung"  # its process fell silent
    UNEXPECTED = "unexpected"  # what we have not thought of; the log has the details

    @classmethod
    def _missing_(cls, value: object) -> "Cause | None":
        return cls.UNEXPECTED if isinstance(value, str) else None


class RecordingCause(StrEnum):
    """Why nothing is recorded, for programs; what holds of Cause holds here too."""

    DISK_FULL = "disk-full"
    NOT_WRITABLE = "not-writable"  # the folder may not be written, or is not there
    DISK_FAILING = "disk-failing"  # the disk reports errors
    NO_KEYFRAME = "no-keyframe"  # nothing came that a recording could begin with
    DAMAGED_STREAM = "damaged-stream"  # the stream as it is cannot be recorded
    UNEXPECTED = "unexpected"

    @classmethod
    def _missing_(cls, value: object) -> "RecordingCause | None":
        return cls.UNEXPECTED if isinstance(value, str) else None


class GateReason(StrEnum):
    """Why every picture of a camera has to be decoded, for programs; what holds of Cause holds here too."""

    LEARNING = "learning"  # what is usual is still being learned
    B_FRAMES = "b-frames"  # the packets are not in the order of their pictures
    INTRA_REFRESH = "intra-refresh"  # keyframes from which one cannot start: refreshed bit by bit
    RARE_KEYFRAMES = "rare-keyframes"  # they come too rarely or not at all
    ONLY_KEYFRAMES = "only-keyframes"  # there is hardly anything else
    RESTLESS = "restless"  # packets are large and small without anything moving
    BLIND = "blind"  # the sizes of the packets do not show what moves
    PROVING = "proving"  # too uneven to be trusted before they have foretold some events
    HELD_BACK = "held-back"  # the decoder does not give a keyframe's picture at once
    SWITCHED_OFF = "switched-off"  # somebody wants every picture
    UNEXPECTED = "unexpected"

    @classmethod
    def _missing_(cls, value: object) -> "GateReason | None":
        return cls.UNEXPECTED if isinstance(value, str) else None


class NotLive(StrEnum):
    """Why a stream cannot be watched live, for programs; what a problem of the API has as `code`."""

    AWAY = "away"  # the site is not linked
    NOT_ONLINE = "not-online"  # the camera's state and cause say more
    CODEC = "codec"  # browsers get H.264 alone, and the stream is another
    B_FRAMES = "b-frames"  # WebRTC cannot carry pictures out of order
    NO_PICTURE = "no-picture"  # nothing came in time
    TOO_MANY = "too-many"  # as many watch as may
    TOO_MANY_YOURS = "too-many-yours"  # as many as one user may
    TOO_MANY_TRANSCODES = "too-many-transcodes"  # as many streams are transcoded as may be


class NotRecorded(StrEnum):
    """Why recordings cannot be looked at, for programs; what holds of Cause holds here too."""

    SITE_AWAY = "site-away"  # it is not linked, or was lost in between
    SITE_TOO_OLD = "site-too-old"  # its worker does not send recordings yet
    NO_SUCH_CAMERA = "no-such-camera"  # the worker has none of that name
    NOTHING_THERE = "nothing-there"  # nothing is recorded then
    TOO_MANY_LOOK = "too-many-look"  # as many look back as may
    TOO_MANY_OF_YOURS = "too-many-of-yours"  # as many as one user may
    LINE_SPENT = "line-spent"  # the day's volume of the uplink is used up
    LINE_HOURS = "line-hours"  # long video goes at other hours
    LINE_SILENT = "line-silent"  # nothing came in time
    UNREADABLE = "unreadable"  # the disk or a file is damaged
    UNEXPECTED = "unexpected"

    @classmethod
    def _missing_(cls, value: object) -> "NotRecorded | None":
        return cls.UNEXPECTED if isinstance(value, str) else None


class EventKind(StrEnum):
    MOTION = "motion"
    TAMPER = "tamper"


class TamperCause(StrEnum):
    """What was done to a camera; what holds of Cause holds here too."""

    COVERED = "covered"  # by a hand, a cloth, paint
    BLINDED = "blinded"  # by a lamp
    DEFOCUSED = "defocused"
    TURNED = "turned"  # it looks elsewhere
    FROZEN = "frozen"  # its picture stands still
    UNEXPECTED = "unexpected"

    @classmethod
    def _missing_(cls, value: object) -> "TamperCause | None":
        return cls.UNEXPECTED if isinstance(value, str) else None


class Verdict(StrEnum):
    """What somebody who looked at an event says that it was."""

    REAL = "real"  # something that matters moved there
    FALSE = "false"  # a false alarm
    TEST = "test"  # our own doing: somebody tried the camera


class Setting(StrEnum):
    """What a server may want of a camera other than the hamlet's configuration has it."""

    DETECT = "detect"  # whether what moves is looked for
    RECORD = "record"  # whether its streams are kept on disk
    NAME = "name"
    ZONES = "zones"
    MASKS = "masks"
    LINES = "lines"


class WhyNot(StrEnum):
    """Why a worker does not do what a server wants, for programs; what holds of Cause holds here too."""

    NOT_ALLOWED = "not-allowed"  # the hamlet's configuration does not let this server change it
    NO_CAMERA = "no-camera"  # the site has none of that id
    UNKNOWN_KEY = "unknown-key"  # this release has no such setting
    INVALID = "invalid"  # the configuration file could not have it, either
    NOT_KEPT = "not-kept"  # the worker's disk takes nothing
    UNEXPECTED = "unexpected"

    @classmethod
    def _missing_(cls, value: object) -> "WhyNot | None":
        return cls.UNEXPECTED if isinstance(value, str) else None


class Wish(msgspec.Struct, frozen=True):
    """What a server wants of one setting of one camera."""

    camera: str
    key: str  # a `Setting`; as text, so that one of a later release can be refused by its name
    value: str  # as JSON; "null": as the hamlet's configuration has it
    version: int  # counted by the server, for this camera and key
    said_us: int  # wall, of the server; when somebody wanted it


class WishOutcome(StrEnum):
    """What became of a wish. A name that is not known is read as REFUSED."""

    APPLIED = "applied"
    REFUSED = "refused"
    OVERRULED = "overruled"  # another server wanted something else, later

    @classmethod
    def _missing_(cls, value: object) -> "WishOutcome | None":
        return cls.REFUSED if isinstance(value, str) else None


class Answer(msgspec.Struct, frozen=True):
    """What became of a wish, kept on the worker's disk before it is said."""

    camera: str
    key: str
    version: int
    outcome: WishOutcome
    why: WhyNot | None = None  # of what is refused
    detail: str = ""  # in words; of what is overruled, the worker's name for the other server


class Refusal(StrEnum):
    """Why the server does not do what was asked, for programs; what a problem of the API has as `code`."""

    NO_EVENT = "no-event"  # there is none of that id, or no more
    NO_RIGHT = "no-right"  # the account's role may not do this
    NO_ALERT = "no-alert"  # there is none of that id, or no more
    CONFLICT = "conflict"  # somebody else was first
    NOT_NOW = "not-now"  # the alert is in another state
    OF_CONFIG = "of-config"  # it is changed in the configuration alone
    NO_SITE = "no-site"  # there is none of that id, or no more
    SITE_IN_CONFIG = "site-in-config"  # the server's config names it, and only that changes it
    SITE_EXISTS = "site-exists"  # another one has that id
    SITE_NOT_READY = "site-not-ready"  # it is not linked, or its worker is too old for what was asked


class Packet(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One encoded picture (access unit) of a stream, as the camera made it.

    `data` is an Annex B byte stream (ITU-T H.264 annex B) whatever the source was.
    """

    data: bytes
    pts_us: int  # presentation time, on the stream's clock
    dts_us: int  # decoding time, on the stream's clock; equals pts_us without B-frames
    wall_us: int  # wall clock of its arrival; for a clip at full speed, of its timestamps
    keyframe: bool


class SoundPacket(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A piece of a stream's sound, as the camera encoded it: some 20 to 130 ms."""

    data: bytes
    pts_us: int  # presentation time, on the clock of the stream's pictures


class SoundInfo(msgspec.Struct, frozen=True):
    """The sound that a camera sends beside a stream's pictures."""

    codec: str  # FFmpeg's name: "aac", "pcm_alaw", "pcm_mulaw"
    rate: int  # samples per second and channel
    channels: int
    config: bytes = b""  # of AAC: its AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1)

    @property
    def usable(self) -> bool:
        """Whether it can be listened to: of other sound no packets are taken."""
        told = self.codec in ("pcm_alaw", "pcm_mulaw") or (self.codec == "aac" and self.config != b"")
        return told and self.rate > 0 and self.channels > 0


class StreamInfo(msgspec.Struct, frozen=True):
    """What a stream says of itself when it is opened."""

    codec: str  # FFmpeg's name: "h264", "hevc"
    width: int  # px
    height: int  # px
    fps: float | None  # as declared; None where the stream does not say
    extradata: bytes  # parameter sets in Annex B (SPS and PPS); may be empty
    profile: str = ""  # as FFmpeg names it: "Constrained Baseline", "Main", "High"
    sound: SoundInfo | None = None  # None where there is none, or it is not wanted


class StreamHealth(msgspec.Struct, frozen=True):
    """How a stream does, measured over the last seconds."""

    stream: StreamName
    codec: str
    width: int
    height: int
    fps: float  # measured, packets per second
    kbit_s: float  # measured
    keyframe_interval_s: float | None
    last_packet_us: int  # wall
    dropped: int  # packets that a slow consumer lost, since the process began
    sound: str = ""  # the codec of the sound that can be listened to; empty where there is none


class CameraHealth(msgspec.Struct, frozen=True):
    """How a camera does."""

    camera: str
    state: CameraState
    since_us: int  # wall; when the state was entered
    error: str = ""  # the last error in words, for the operator; empty when all is well
    streams: tuple[StreamHealth, ...] = ()
    recording: str = ""  # why nothing is recorded, in words; empty when all is well
    restarts: int = 0  # of the camera's process
    pid: int | None = None
    cause: Cause | None = None  # of the error
    cause_detail: str = ""  # a name that belongs into the sentence; see Cause
    cause_stream: StreamName | None = None  # where the other stream does better
    recording_cause: RecordingCause | None = None
    gate_reason: GateReason | None = None  # why every picture is decoded; None where that need not be
    decoded_share: float | None = None  # of the last minute's pictures, 0..1; None where nobody watches
    detects: bool = True  # whether what moves is looked for; a release that never stops does not say
    records: bool = True  # whether its streams are kept on disk, as far as is wanted


class Zone(msgspec.Struct, frozen=True):
    """A named part of the picture, as a polygon of at least three points."""

    name: str
    polygon: tuple[Point, ...]


Hand = Literal["left", "right"]
"""A side of a line, as seen by one who walks along it in the picture from its first point to its last."""

Side = Literal["left", "right", "top", "bottom", "inside"]
"""Where a mover came from or went to: over an edge of the picture, or it was `inside` all along."""


class Line(msgspec.Struct, frozen=True):
    """A named line through the picture that movers cross, drawn from its first point to its last."""

    name: str
    points: tuple[Point, ...]  # at least two
    left_is: str = ""  # what people call its left, such as "ra khỏi xóm"; may be empty
    right_is: str = ""


class Crossing(msgspec.Struct, frozen=True):
    """A mover's foot went over a line and stayed beyond."""

    line: str
    to: Hand  # the side on which the mover is then
    at_us: int  # since the event's start
    to_is: str = ""  # what people called that side at the time


Stay = tuple[str, int]
"""(zone, µs): the longest time that one mover has been in it without leaving."""


class CameraInfo(msgspec.Struct, frozen=True):
    """What a site tells of a camera: nothing secret."""

    id: str
    name: str
    place: str = ""
    zones: tuple[Zone, ...] = ()
    streams: tuple[StreamName, ...] = ("main",)
    lines: tuple[Line, ...] = ()


class Event(msgspec.Struct, frozen=True):
    """A time in which something moved on one camera.

    It is told several times: opened (`revision` 1, `end_us` None), changed, closed. A later
    revision replaces an earlier one whole.
    """

    id: str  # ULID, made by the camera's process
    camera: str
    kind: EventKind
    start_us: int  # wall
    end_us: int | None  # wall; None while it goes on
    revision: int
    zones: tuple[str, ...] = ()
    score: float = 0.0  # 0..1, the peak so far
    box: Box | None = None  # the mover in the event's picture
    path: tuple[tuple[int, float, float], ...] = ()  # (µs since start, x, y): the main mover's foot
    stays: tuple[Stay, ...] = ()  # of each of `zones`, the longest time of one mover
    crossings: tuple[Crossing, ...] = ()  # of all movers, in order of time
    entry: Side | None = None  # of the main mover; None where nobody says
    exit: Side | None = None  # None while it is there, and where nobody says
    mean_speed: float = 0.0  # of the main mover; fractions of the picture a second
    peak_speed: float = 0.0
    cause: TamperCause | None = None  # of a tamper
