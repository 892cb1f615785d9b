"""The API's JSON: what the store and the sites say, shaped for people's browsers. No I/O.

Instants are ISO 8601 in UTC with Z, geometry is in fractions of the picture, 0..1.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum

from pydantic import BaseModel, Field

from camera_hub.link.messages import LiveSize, ShedCause, Skill
from camera_hub.model import (
    CameraState,
    Cause,
    EventKind,
    GateReason,
    Hand,
    RecordingCause,
    Setting,
    Side,
    StreamName,
    TamperCause,
    Verdict,
    WhyNot,
)
from camera_hub.store import StoredEvent, StoredVerdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_US = 253_402_300_799_999_999  # the end of the year 9999


def instant(wall_us: int) -> datetime:
    """Exact, where a float of seconds is not; a date also where a worker's clock has gone mad."""
    return _EPOCH + timedelta(microseconds=min(max(wall_us, 0), _LAST_US))


def instant_or_none(wall_us: int | None) -> datetime | None:
    return None if wall_us is None else instant(wall_us)


def global_id(site: str, camera: str) -> str:
    """A camera's id among all sites: `khe-coc.cong-lang`."""
    return f"{site}.{camera}"


CAMERA_ID_PATTERN = r"^[a-z0-9-]{1,64}\.[a-z0-9-]{1,64}$"


class User(BaseModel):
    name: str
    display_name: str
    role: str = Field(description="viewer, police or admin")


class Session(BaseModel):
    """Who is signed in."""

    user: User
    rights: list[str] = Field(description="What they may do, so that a page offers nothing else")


class Zone(BaseModel):
    name: str
    polygon: list[tuple[float, float]]


class Line(BaseModel):
    """Its sides are those of one who walks in the picture from its first point to its last."""

    name: str
    points: list[tuple[float, float]]
    left_is: str = Field(description="What people call its left; may be empty")
    right_is: str = Field(description="What people call its right; may be empty")


class Stream(BaseModel):
    """How a stream does, measured over the last seconds."""

    stream: StreamName
    codec: str
    width: int = Field(description="px")
    height: int = Field(description="px")
    fps: float
    kbit_s: float
    keyframe_interval_s: float | None
    last_packet: datetime
    dropped: int = Field(description="Packets lost to a slow consumer")
    sound: str = Field(
        description="The codec of the sound that can be listened to live; empty where there is none"
    )


class WishState(StrEnum):
    """What became of what is wanted of a setting."""

    WAITING = "waiting"  # the worker has been told, and has not answered yet
    AWAY = "away"  # the hamlet is away; it is told when it is back
    TOO_OLD = "too-old"  # its worker's release changes no settings from here
    APPLIED = "applied"
    REFUSED = "refused"
    OVERRULED = "overruled"  # another server wanted something else, later


class Wanted(BaseModel):
    """What is wanted here of one setting of a camera, other than its hamlet has it."""

    key: Setting
    on: bool | None = Field(
        description="Of `detect` and `record`: whether it is to be on; null where it is left to the hamlet, "
        "and of other settings"
    )
    version: int = Field(description="Counted for this camera and setting")
    by: str = Field(description="Who wanted it, as people call them")
    at: datetime
    state: WishState
    why: WhyNot | None = Field(description="Of what is refused: why, for programs")
    detail: str = Field(
        description="Of what is refused: why, in the worker's words; of what is overruled: the other server, "
        "as the worker names it"
    )
    answered: datetime | None


class Camera(BaseModel):
    id: str = Field(description="`<site>.<camera>`")
    site: str
    name: str
    place: str
    state: CameraState
    since: datetime | None = Field(description="When the state was entered; null when that is not known")
    error: str = Field(description="The last error in words, for the operator; empty when all is well")
    cause: Cause | None = Field(description="The last error for programs; null when all is well")
    cause_detail: str = Field(
        description="What a sentence about the cause names: the codec (`unsupported-codec`), "
        "the signal or exit code (`process-ended`); empty otherwise"
    )
    cause_stream: StreamName | None = Field(
        description="The stream that the error is about, where the other one does better"
    )
    recording: str = Field(description="Why nothing is recorded, in words; empty when all is well")
    recording_cause: RecordingCause | None = Field(
        description="Why nothing is recorded, for programs; null when all is well"
    )
    detects: bool | None = Field(description="Whether it is looked for what moves; null where not known")
    records: bool | None = Field(
        description="Whether it is to be kept on disk; null where not known. Switched off is no trouble"
    )
    wanted: list[Wanted]
    gate_reason: GateReason | None = Field(
        description="Why every picture has to be decoded to see what moves; null where that need not be"
    )
    decoded_share: float | None = Field(
        description="Share of the last minute's pictures that were decoded, 0 to 1; null where not known"
    )
    restarts: int
    zones: list[Zone]
    lines: list[Line]
    streams: list[Stream]
    live: LiveSize = Field(description="What the way to its site has room for of what is watched")


class Cameras(BaseModel):
    cameras: list[Camera]


class EnrolmentState(StrEnum):
    """Whether a site's worker may link."""

    CONFIG = "config"  # the server's config says so, and it alone changes it
    WAITING = "waiting"  # its code has not been used yet
    EXPIRED = "expired"  # its code was not used in time
    ENROLLED = "enrolled"
    REVOKED = "revoked"
    REMOVED = "removed"  # told once, to those who watch


class Twin(BaseModel):
    """Two workers with one key were noticed: a copied disk, or a replaced machine that still runs."""

    at: datetime
    addresses: list[str] = Field(description="Where they come from: the one that is linked, the other")


class ShedKind(StrEnum):
    """What may be let go unsent; `clip` is of the seconds around an event's best moment, `video` of all."""

    EVENT = "event"
    PICTURE = "picture"
    CLIP = "clip"
    VIDEO = "video"


class Shed(BaseModel):
    """What a worker let go before this server had it, of one kind and for one cause, in the last weeks."""

    kind: ShedKind
    cause: ShedCause = Field(description="`full`: more waited than may; `old`: it waited for too long")
    count: int
    bytes: int
    first: datetime = Field(description="When the oldest of them began to wait")
    last: datetime


class Uplink(BaseModel):
    """How the way from a worker to this server does."""

    live: LiveSize = Field(description="What it has room for of what is watched")
    limit_kbit: int | None = Field(description="kbit/s that it may use; null without a limit")
    line_kbit: int | None = Field(description="kbit/s that it took last; null where that is not known")
    day_mb: float = Field(description="MB (10^6 bytes) that went over it today, to all servers")
    day_limit_mb: float | None = Field(description="... that may; null without a limit")
    shed: list[Shed]


class Site(BaseModel):
    """A hamlet; the numbers are null until its worker has told them."""

    id: str
    name: str
    connected: bool
    since: datetime | None = Field(description="Since when it is linked, or away")
    last_contact: datetime | None
    software: str
    outbox_depth: int | None = Field(description="Messages that wait at the worker")
    disk_free_bytes: int | None
    disk_total_bytes: int | None
    recorded_bytes: int | None
    clock_offset_s: float | None = Field(
        description="How far its clock is before the server's, measured while it was last linked; below 0 "
        "where it is behind"
    )
    enrolment: EnrolmentState
    code_expires: datetime | None = Field(description="Until when its one-time code may be used")
    key_since: datetime | None = Field(description="When its worker's key was let in")
    changed_by: str = Field(
        description="Who changed last whether it may link; empty where the config says so"
    )
    changed: datetime | None
    lacks: list[Skill] = Field(description="What its worker is too old for")
    outdated: bool = Field(description="Whether its worker is of an older release than this server")
    newer: bool = Field(description="Whether its worker is of a newer release than this server")
    floods: bool = Field(description="Whether it brings more than a hamlet can have, and is held back")
    twin: Twin | None
    uplink: Uplink | None = Field(description="null where its worker does not say")


class Sites(BaseModel):
    sites: list[Site]


class SaidVerdict(BaseModel):
    """What somebody who looked at an event says that it was."""

    verdict: Verdict
    note: str = Field(description="In a few words; empty where nothing was added")
    by: str = Field(description="Who said so, as people call them")
    at: datetime


class Stay(BaseModel):
    """How long one mover was in a zone."""

    zone: str
    longest_s: float = Field(
        description="The longest of them, from coming in to leaving; it may have come in before the event"
    )


class Crossing(BaseModel):
    """A mover went over a line."""

    line: str
    to: Hand = Field(description="The side that it went to, as seen along the line from its first point")
    to_is: str = Field(description="What people called that side at the time; may be empty")
    at_s: float = Field(description="Seconds since the event's start")


class Event(BaseModel):
    """A time in which something moved on one camera."""

    id: str
    site: str
    camera: str = Field(description="`<site>.<camera>`")
    camera_name: str
    kind: EventKind
    start: datetime
    end: datetime | None = Field(description="null while it goes on")
    duration_s: float | None
    zones: list[str]
    score: float = Field(description="0..1, the peak")
    box: tuple[float, float, float, float] | None = Field(
        description="x, y, width, height of the mover in the event's picture"
    )
    path: list[tuple[float, float, float]] = Field(
        description="Where the main mover's foot was: seconds since the start, x, y"
    )
    stays: list[Stay] = Field(description="The times in zones, in the order of `zones`")
    crossings: list[Crossing] = Field(description="Who went over lines, all movers, in order of time")
    entry: Side | None = Field(description="The picture's edge over which the main mover came; or `inside`")
    exit: Side | None = Field(description="... over which it left; null while it is there")
    mean_speed: float = Field(description="Of the main mover, in fractions of the picture a second")
    peak_speed: float
    cause: TamperCause | None = Field(description="What was done to the camera, of a `tamper`")
    clock_off_s: float | None = Field(
        description="So much was taken out of its times, since the site's clock cannot have been right; "
        "null where they are as they were told"
    )
    snapshot: bool = Field(description="Whether its picture is there")
    clip: bool = Field(description="Whether its clip is there")
    verdict: SaidVerdict | None = Field(description="What was said of it last; null where nothing was")


class Events(BaseModel):
    events: list[Event] = Field(description="Newest first")
    next: str | None = Field(description="The next page's cursor; null at the end")


class Version(BaseModel):
    version: str


class Health(BaseModel):
    status: str


def event_shape(stored: StoredEvent) -> Event:
    event = stored.event
    length_us = None if event.end_us is None else event.end_us - event.start_us
    return Event(
        id=event.id,
        site=stored.site,
        camera=global_id(stored.site, event.camera),
        camera_name=stored.camera_name,
        kind=event.kind,
        start=instant(event.start_us),
        end=instant_or_none(event.end_us),
        duration_s=None if length_us is None else length_us / 1e6,
        zones=list(event.zones),
        score=event.score,
        box=event.box,
        path=[(t_us / 1e6, x, y) for t_us, x, y in event.path],
        stays=[Stay(zone=zone, longest_s=stay_us / 1e6) for zone, stay_us in event.stays],
        crossings=[
            Crossing(line=crossing.line, to=crossing.to, to_is=crossing.to_is, at_s=crossing.at_us / 1e6)
            for crossing in event.crossings
        ],
        entry=event.entry,
        exit=event.exit,
        mean_speed=event.mean_speed,
        peak_speed=event.peak_speed,
        cause=event.cause,
        clock_off_s=stored.clock_off_us / 1e6 if stored.clock_off_us else None,
        snapshot=stored.snapshot,
        clip=stored.clip,
        verdict=_verdict_shape(stored.verdict),
    )


def _verdict_shape(said: StoredVerdict | None) -> SaidVerdict | None:
    if said is None or said.verdict is None:
        return None
    return SaidVerdict(
        verdict=said.verdict, note=said.note, by=said.by_name or said.by, at=instant(said.at_us)
    )
