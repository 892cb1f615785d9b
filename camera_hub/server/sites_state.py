"""What the server knows of its sites and cameras now, and what it does with what they bring.

How a camera does lives in memory: it is true only while its site is linked, and `away` otherwise.
What must outlive a restart (cameras, events, media, last contact) goes to the store. Each change is
published. The link's end of a site calls `site_connected`, `site_gone`, `health` and `deliver`.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec
import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.jpeg import NoPictureError
from camera_hub.jpeg import size as jpeg_size
from camera_hub.link.messages import (
    ClipOffer,
    ClipPiece,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Hello,
)
from camera_hub.model import REHEARSAL, CameraHealth, CameraInfo, Event
from camera_hub.server.broadcast import Updates
from camera_hub.server.enrolments import Enrolments
from camera_hub.server.settings import KnownSite
from camera_hub.server.shapes import (
    Camera,
    EnrolmentState,
    Site,
    Twin,
    Wanted,
    event_shape,
    global_id,
    instant,
)
from camera_hub.server.site_shapes import (
    SiteNow,
    camera_shape,
    enrolment_state,
    live_size,
    site_shape,
    wanted_shape,
)
from camera_hub.server.wishes import Wishes
from camera_hub.store import (
    Dating,
    Delivery,
    Outcome,
    Store,
    StoredEvent,
    UnacceptableError,
    WishRecord,
)

log = structlog.get_logger(__name__)

CONTACT_KEPT_EVERY_US = 60 * 1_000_000
TWIN_TOLD = timedelta(days=1)  # after it was last noticed
MEASURES_TOLD_EVERY_US = 5 * 1_000_000


class SitesState:
    """All sites, linked or not. Call `load` once, after the store is open."""

    def __init__(
        self,
        store: Store,
        updates: Updates,
        known: tuple[KnownSite, ...] = (),
        clock: Clock = SYSTEM_CLOCK,
        rehearsal: Callable[[], KnownSite | None] = lambda: None,
        enrolments: Enrolments | None = None,
        on_event: Callable[[], None] = lambda: None,
    ) -> None:
        """`rehearsal` gives the rehearsals' site from the first one on, which may be later than our start.

        `on_event` is called when an event was kept of which the rules have not heard.
        """
        self.enrolments = enrolments or Enrolments(store, clock, in_config=frozenset(one.id for one in known))
        self.enrolments.on_change = self._enrolment_changed
        self.wishes = Wishes(store, clock)
        self.wishes.on_change = self._cameras_told_anew
        self._store = store
        self._updates = updates
        self._clock = clock
        self._rehearsal = rehearsal
        self._on_event = on_event
        self._keys = {site.id: site.key for site in known}
        self._sites = {site.id: SiteNow(site.id, site.name) for site in known}
        self.events_received: dict[tuple[str, str], int] = {}
        """Events by (camera's global id, kind), since the start."""
        self.clips_damaged = 0
        """Clips that came otherwise than they had been offered, since the start."""

    async def load(self) -> None:
        """What the store remembers of the sites that may link."""
        await self.enrolments.load()
        await self.wishes.load()
        for made in self.enrolments.records():
            self._sites.setdefault(made.site, SiteNow(made.site, made.name))
        rehearsal = self._rehearsal()
        if rehearsal is not None:
            self._sites.setdefault(rehearsal.id, SiteNow(rehearsal.id, rehearsal.name))
        for record in await self._store.sites():
            site = self._sites.get(record.id)
            if site is not None:
                site.name = site.name or record.name
                site.software = record.software
                site.last_contact_us = site.since_us = record.last_contact_us
        for camera in await self._store.cameras():
            site = self._sites.get(camera.site)
            if site is not None:
                site.cameras[camera.info.id] = camera.info

    # -- what the link tells -------------------------------------------------------------

    def site_key(self, site: str) -> str | None:
        """The site's public key in base64; None for a site that has none, or that nobody made."""
        key = self._keys.get(site) or self.enrolments.key(site)
        if key is None and site == REHEARSAL and (rehearsal := self._rehearsal()) is not None:
            return rehearsal.key
        return key

    async def site_connected(self, hello: Hello) -> None:
        await self._store.site_linked(hello.site, hello.name, hello.software, hello.cameras)
        now_us = self._clock.wall_us()
        site = self._sites.setdefault(hello.site, SiteNow(hello.site, hello.name))
        site.name = hello.name or site.name
        site.software = hello.software
        site.hello = hello
        site.connected = True
        site.floods = False
        site.since_us = site.last_contact_us = site.contact_kept_us = now_us
        self._cameras_are(site, hello.cameras)
        site.states = {}
        self._publish(site, set(site.cameras))

    async def cameras_changed(self, site_id: str, cameras: tuple[CameraInfo, ...]) -> None:
        """A linked site's cameras are others than its Hello said."""
        site = self._sites.get(site_id)
        if site is None or not site.connected or cameras == tuple(site.cameras.values()):
            return
        await self._store.cameras_told(site_id, cameras)
        before = site.cameras
        self._cameras_are(site, cameras)
        self._publish(site, {name for name, info in site.cameras.items() if before.get(name) != info})

    def _cameras_are(self, site: SiteNow, cameras: tuple[CameraInfo, ...]) -> None:
        before, site.cameras = site.cameras, {camera.id: camera for camera in cameras}
        if before.keys() - site.cameras.keys():
            self._updates.start_anew()  # nothing that is published says that a camera is no more

    def _cameras_told_anew(self, site_id: str, cameras: set[str]) -> None:
        site = self._sites.get(site_id)
        if site is not None:
            self._publish_cameras(site, cameras)

    async def site_gone(self, site_id: str) -> None:
        site = self._sites.get(site_id)
        if site is None or not site.connected:
            return
        site.connected = False
        site.since_us = self._clock.wall_us()
        site.states = {}
        self._publish(site, set(site.cameras))
        await self._store.site_heard(site_id)

    def copy_noticed(self, site_id: str, addresses: tuple[str, str]) -> None:
        """Two workers with this site's key are running."""
        site = self._sites.get(site_id)
        if site is not None:
            site.twin = Twin(at=instant(self._clock.wall_us()), addresses=list(addresses))
            self._publish(site, set())

    def flooding(self, site_id: str, on: bool) -> None:
        """The site brings more than it may, and is held back; or no more."""
        site = self._sites.get(site_id)
        if site is not None:
            site.floods = on
            self._publish(site, set())

    def _enrolment_changed(self, site_id: str) -> None:
        record = self.enrolments.record(site_id)
        if record is None:
            gone = self._sites.pop(site_id, None)
            if gone is not None:
                self._updates.publish("site", site_shape(gone, None, EnrolmentState.REMOVED))
            return
        site = self._sites.setdefault(site_id, SiteNow(site_id, record.name))
        site.twin = None  # who said something about its key has seen it
        self._publish(site, set())

    async def health(self, site_id: str, health: Health) -> None:
        site = self._sites.get(site_id)
        if site is None or not site.connected:
            return
        now_us = self._clock.wall_us()
        before, site.health, site.last_contact_us = site.health, health, now_us
        site.clock_offset_us = _clock_offset_us(health, now_us, site.clock_offset_us)
        told = {camera.camera: camera for camera in health.cameras if camera.camera in site.cameras}
        changed = {name for name, new in told.items() if _visible(new) != _visible(site.states.get(name))}
        site.states = told
        steady_us = self._clock.monotonic_us()
        if live_size(before) is not live_size(health):
            changed = set(told)
        if before is None or steady_us - site.told_us >= MEASURES_TOLD_EVERY_US:
            site.told_us = steady_us
            self._publish(site, set(told))
        elif changed:
            self._publish(site, changed)
        if now_us - site.contact_kept_us >= CONTACT_KEPT_EVERY_US:
            site.contact_kept_us = now_us
            await self._store.site_heard(site_id)

    async def deliver_events(self, site_id: str, told: Sequence[EventNews]) -> None:
        """Keeps what is told of events; when this returns, it may be acknowledged.

        A message that can never be kept is logged and let go: sent again, it would stand in the
        way of all that follow. Raises StoreError when it could not be kept now.
        """
        messages = [(news.id, _ended(news.event)) for news in told]
        outcomes = await self._store.deliver_events(site_id, messages, self._dating(site_id))
        changed: dict[str, StoredEvent] = {}
        for news, delivery in zip(told, outcomes, strict=True):
            if isinstance(delivery, UnacceptableError):
                _refused(site_id, news.id, delivery)
            elif delivery.outcome is Outcome.APPLIED and delivery.event is not None:
                changed[news.event.id] = delivery.event
                if news.event.revision == 1:
                    key = (global_id(site_id, news.event.camera), news.event.kind.value)
                    self.events_received[key] = self.events_received.get(key, 0) + 1
        if changed:
            self._on_event()
        for stored in changed.values():
            self._updates.publish("event", event_shape(stored))

    async def deliver(self, site_id: str, message: EventNews | EventPicture | EventClip) -> None:
        """As `deliver_events`, for any durable message."""
        if isinstance(message, EventNews):
            await self.deliver_events(site_id, [message])
            return
        try:
            delivery = await self._keep(site_id, message)
        except UnacceptableError as exc:
            _refused(site_id, message.id, exc)
            return
        if delivery.outcome is Outcome.APPLIED and delivery.event is not None:
            self._updates.publish("event", event_shape(delivery.event))

    async def _keep(self, site: str, message: EventPicture | EventClip) -> Delivery:
        """Raises UnacceptableError for what will never be taken."""
        dating = self._dating(site)
        match message:
            case EventPicture(id=id_, event_id=event_id, camera=camera, at_us=at_us, jpeg=jpeg):
                try:
                    jpeg_size(jpeg)
                except NoPictureError as exc:
                    raise UnacceptableError(f"message {id_} brings no picture: {exc}") from exc
                return await self._store.deliver_picture(site, id_, event_id, camera, at_us, jpeg, dating)
            case EventClip():
                return await self._store.deliver_clip(
                    site,
                    message.id,
                    message.event_id,
                    message.camera,
                    message.start_us,
                    message.duration_us,
                    message.mp4,
                    dating,
                )

    def _dating(self, site_id: str) -> Dating | None:
        """None for rehearsals, whose clips may be of any time."""
        site = self._sites.get(site_id)
        if site_id == REHEARSAL:
            return None
        return Dating(self._clock.wall_us(), None if site is None else site.clock_offset_us)

    async def clip_offered(self, site_id: str, offer: ClipOffer) -> int | None:
        """From which byte on a clip is wanted; None where it is not, or never will be."""
        try:
            there = await self._store.clip_begun(site_id, offer.id, offer.sha256, offer.size)
        except UnacceptableError as exc:
            _refused(site_id, offer.id, exc)
            return None
        if there is None or there < offer.size:
            return there
        return await self._clip_arrived(site_id, offer)

    async def clip_piece(self, site_id: str, offer: ClipOffer, piece: ClipPiece) -> int | None:
        """Keeps a piece; the byte that is wanted next, or None where the clip is whole and kept."""
        there = await self._store.clip_piece(site_id, offer.id, offer.sha256, piece.at, piece.data)
        return there if there < offer.size else await self._clip_arrived(site_id, offer)

    async def _clip_arrived(self, site_id: str, offer: ClipOffer) -> int | None:
        mp4 = await self._store.clip_whole(site_id, offer.id, offer.sha256)
        if mp4 is None:
            self.clips_damaged += 1
            log.error("a clip arrived damaged; it is sent anew", site=site_id, message=offer.id)
            return 0
        clip = EventClip(offer.id, offer.event_id, offer.camera, offer.start_us, offer.duration_us, mp4)
        await self.deliver(site_id, clip)
        await self._store.clip_done(site_id, offer.id, offer.sha256)
        return None

    # -- what people ask -----------------------------------------------------------------

    def sites(self) -> list[Site]:
        return [self._shape(site) for site in self._sites.values()]

    def site(self, site_id: str) -> Site | None:
        site = self._sites.get(site_id)
        return None if site is None else self._shape(site)

    def _shape(self, site: SiteNow) -> Site:
        record, now_us = self.enrolments.record(site.id), self._clock.wall_us()
        if site.twin is not None and instant(now_us) - site.twin.at > TWIN_TOLD:
            site.twin = None
        return site_shape(site, record, enrolment_state(record, now_us))

    def cameras(self) -> list[Camera]:
        return [
            self._camera_shape(site, info) for site in self._sites.values() for info in site.cameras.values()
        ]

    def camera(self, camera_id: str) -> Camera | None:
        """The camera by its global id."""
        site, info = self._find(camera_id)
        return None if site is None or info is None else self._camera_shape(site, info)

    def wanted(self, record: WishRecord) -> Wanted:
        return wanted_shape(self._sites[record.site], record)

    def told(self, camera_id: str) -> tuple[CameraInfo, bool] | None:
        """What its site told of a camera, and whether the site is linked."""
        site, info = self._find(camera_id)
        return None if site is None or info is None else (info, site.connected)

    def camera_info(self, camera_id: str) -> CameraInfo | None:
        return self._find(camera_id)[1]

    def site_name(self, site_id: str) -> str:
        """What people call it; its id where nobody said."""
        site = self._sites.get(site_id)
        return site_id if site is None else site.name or site_id

    def _find(self, camera_id: str) -> tuple[SiteNow | None, CameraInfo | None]:
        site_id, _, name = camera_id.partition(".")
        site = self._sites.get(site_id)
        return site, None if site is None else site.cameras.get(name)

    def _publish(self, site: SiteNow, cameras: set[str]) -> None:
        self._updates.publish("site", self._shape(site))
        self._publish_cameras(site, cameras)

    def _publish_cameras(self, site: SiteNow, cameras: set[str]) -> None:
        for name, info in site.cameras.items():
            if name in cameras:
                self._updates.publish("camera", self._camera_shape(site, info))

    def _camera_shape(self, site: SiteNow, info: CameraInfo) -> Camera:
        return camera_shape(site, info, self.wishes.of_camera(site.id, info.id))


def _refused(site: str, message_id: str, exc: UnacceptableError) -> None:
    log.error("message refused for good", site=site, message=message_id, reason=str(exc))


def _ended(event: Event) -> Event:
    """With no end before its start: the site's clock was set back meanwhile."""
    if event.end_us is None or event.end_us >= event.start_us:
        return event
    return msgspec.structs.replace(event, end_us=event.start_us)


def _clock_offset_us(health: Health, now_us: int, before_us: int | None) -> int | None:
    """How far the site's clock is before ours. An older worker does not measure it, and what it says of its
    clock may have waited behind a backlog; then what was known holds.
    """
    if health.link is not None and health.link.clock_offset_us is not None:
        return health.link.clock_offset_us
    return before_us if health.outbox_depth else health.at_us - now_us


def _visible(health: CameraHealth | None) -> tuple[object, ...] | None:
    """What people are told at once when it changes; measures follow every few seconds."""
    if health is None:
        return None
    return (
        health.state,
        health.since_us,
        health.error,
        health.cause,
        health.recording,
        health.recording_cause,
        health.restarts,
        health.detects,
        health.records,
    )
