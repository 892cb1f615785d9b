"""What the server knows of a site and its cameras, and how the API tells it. No I/O."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from camera_hub import __version__
from camera_hub.link.messages import (
    PROTOCOL_VERSION,
    WORKER_SKILLS,
    Health,
    Hello,
    Lane,
    LinkHealth,
    LiveSize,
    Skill,
)
from camera_hub.model import CameraHealth, CameraInfo, CameraState, StreamHealth
from camera_hub.server.shapes import (
    Camera,
    EnrolmentState,
    Line,
    Shed,
    ShedKind,
    Site,
    Stream,
    Twin,
    Uplink,
    Wanted,
    WishState,
    Zone,
    global_id,
    instant,
    instant_or_none,
)
from camera_hub.store import EnrolmentRecord, WishRecord


@dataclass
class SiteNow:
    """What the server knows of a site."""

    id: str
    name: str
    software: str = ""
    connected: bool = False
    since_us: int | None = None
    last_contact_us: int | None = None
    contact_kept_us: int = 0
    told_us: int = 0  # when measures were published last, monotonic
    clock_offset_us: int | None = None  # how far its clock is before ours
    floods: bool = False  # it brings more than it may, and is held back
    health: Health | None = None
    hello: Hello | None = None  # the last one
    twin: Twin | None = None
    cameras: dict[str, CameraInfo] = field(default_factory=dict)
    states: dict[str, CameraHealth] = field(default_factory=dict)


def enrolment_state(record: EnrolmentRecord | None, now_us: int) -> EnrolmentState:
    if record is None:
        return EnrolmentState.CONFIG
    if record.revoked_us is not None:
        return EnrolmentState.REVOKED
    if record.key is not None:
        return EnrolmentState.ENROLLED
    good = record.code_expires_us is not None and record.code_expires_us > now_us
    return EnrolmentState.WAITING if good else EnrolmentState.EXPIRED


def site_shape(site: SiteNow, record: EnrolmentRecord | None, state: EnrolmentState) -> Site:
    health, hello = site.health, site.hello
    unused = record is not None and record.code_used_key is None
    return Site(
        id=site.id,
        name=site.name,
        connected=site.connected,
        since=instant_or_none(site.since_us),
        last_contact=instant_or_none(site.last_contact_us),
        software=site.software,
        outbox_depth=health.outbox_depth if health else None,
        disk_free_bytes=health.disk_free_bytes if health else None,
        disk_total_bytes=health.disk_total_bytes if health else None,
        recorded_bytes=health.recorded_bytes if health else None,
        clock_offset_s=None if site.clock_offset_us is None else round(site.clock_offset_us / 1e6, 1),
        enrolment=state,
        code_expires=instant_or_none(record.code_expires_us) if record and unused else None,
        key_since=instant_or_none(record.key_us) if record else None,
        changed_by=record.changed_by if record else "",
        changed=instant_or_none(record.changed_us) if record else None,
        lacks=sorted(WORKER_SKILLS - set(hello.can)) if hello else [],
        outdated=_is_older(site.software, __version__),
        newer=hello is not None and hello.speaks > PROTOCOL_VERSION,
        floods=site.connected and site.floods,
        twin=site.twin,
        uplink=_uplink_shape(health.link) if health and health.link else None,
    )


def _is_older(software: str, than: str) -> bool:
    """Whether one release, as `1.12.0`, is older than another; what is no such number is not."""
    ours, theirs = re.match(r"\d{1,6}(\.\d{1,6})*", than), re.match(r"\d{1,6}(\.\d{1,6})*", software)
    if ours is None or theirs is None:
        return False
    return [int(part) for part in theirs[0].split(".")] < [int(part) for part in ours[0].split(".")]


def live_size(health: Health | None) -> LiveSize:
    return health.link.live if health and health.link else LiveSize.WHOLE


def _uplink_shape(link: LinkHealth) -> Uplink:
    limit = link.day_limit_bytes
    return Uplink(
        live=link.live,
        limit_kbit=link.limit_kbit,
        line_kbit=link.line_kbit,
        day_mb=round(link.day_bytes / 1e6, 1),
        day_limit_mb=None if limit is None else limit / 1e6,
        shed=[
            Shed(
                kind=ShedKind(one.lane.name.lower()),
                cause=one.cause,
                count=one.count,
                bytes=one.bytes,
                first=instant(one.first_us),
                last=instant(one.last_us),
            )
            for one in link.shed
            if one.lane is not Lane.LIVE  # which waits for nobody
        ],
    )


def camera_shape(site: SiteNow, info: CameraInfo, wishes: Sequence[WishRecord] = ()) -> Camera:
    health = site.states.get(info.id)
    state, since_us = CameraState.AWAY, site.since_us
    if site.connected:
        state = health.state if health else CameraState.CONNECTING
        since_us = health.since_us if health else site.since_us
    return Camera(
        id=global_id(site.id, info.id),
        site=site.id,
        name=info.name,
        place=info.place,
        state=state,
        since=instant_or_none(since_us),
        error=health.error if health else "",
        cause=health.cause if health else None,
        cause_detail=health.cause_detail if health else "",
        cause_stream=health.cause_stream if health else None,
        recording=health.recording if health else "",
        recording_cause=health.recording_cause if health else None,
        detects=health.detects if health else None,
        records=health.records if health else None,
        wanted=[wanted_shape(site, wish) for wish in wishes],
        gate_reason=health.gate_reason if health else None,
        decoded_share=health.decoded_share if health else None,
        restarts=health.restarts if health else 0,
        zones=[Zone(name=zone.name, polygon=list(zone.polygon)) for zone in info.zones],
        lines=[
            Line(name=line.name, points=list(line.points), left_is=line.left_is, right_is=line.right_is)
            for line in info.lines
        ],
        streams=[_stream_shape(stream) for stream in health.streams] if health else [],
        live=live_size(site.health) if site.connected else LiveSize.WHOLE,
    )


def wanted_shape(site: SiteNow, wish: WishRecord) -> Wanted:
    value = msgspec.json.decode(wish.value)
    return Wanted(
        key=wish.key,
        on=value if isinstance(value, bool) else None,
        version=wish.version,
        by=wish.by_name or wish.by,
        at=instant(wish.said_us),
        state=_wish_state(site, wish),
        why=wish.why,
        detail=wish.detail,
        answered=instant_or_none(wish.answered_us),
    )


def _wish_state(site: SiteNow, wish: WishRecord) -> WishState:
    if wish.outcome is not None:
        return WishState(wish.outcome.value)
    if site.hello is not None and Skill.CONFIGURE not in site.hello.can:
        return WishState.TOO_OLD
    return WishState.WAITING if site.connected else WishState.AWAY


def _stream_shape(stream: StreamHealth) -> Stream:
    return Stream(
        stream=stream.stream,
        codec=stream.codec,
        width=stream.width,
        height=stream.height,
        fps=stream.fps,
        kbit_s=stream.kbit_s,
        sound=stream.sound,
        keyframe_interval_s=stream.keyframe_interval_s,
        last_packet=instant(stream.last_packet_us),
        dropped=stream.dropped,
    )
