"""What the link's server end hands over: facts to the sites' state, live packets to who watches.

Also what live needs to know of a camera. The link and live know nothing of each other; they meet here.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from camera_hub.link.messages import (
    CamerasChanged,
    Challenge,
    ClipOffer,
    ClipPiece,
    Configured,
    Enrol,
    Enrolled,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Hello,
    LiveOpened,
    LivePackets,
    LiveSound,
    Refused,
)
from camera_hub.live.hub import LiveHub
from camera_hub.model import CameraState, NotLive, StreamName
from camera_hub.server.shapes import Camera, global_id
from camera_hub.server.sites_state import SitesState

AWAY = "the site is not connected; the picture comes back by itself when it is"


class Commune:
    """Implements the link's protocol of the same name."""

    def __init__(self, state: SitesState, live: LiveHub) -> None:
        self._state = state
        self._live = live

    def site_key(self, site: str) -> str | None:
        return self._state.site_key(site)

    def barred(self, site: str) -> Refused | None:
        return self._state.enrolments.barred(site)

    async def enrol(self, asked: Challenge, told: Enrol, address: str) -> Enrolled | Refused:
        return await self._state.enrolments.enrol(asked, told, address)

    async def new_key(self, site: str, key: bytes) -> bool:
        return await self._state.enrolments.change_key(site, key)

    async def copy_noticed(self, site: str, addresses: tuple[str, str]) -> None:
        self._state.copy_noticed(site, addresses)

    async def site_connected(self, hello: Hello) -> None:
        await self._state.site_connected(hello)

    async def site_gone(self, site: str) -> None:
        self._live.site_gone(site, AWAY)
        await self._state.site_gone(site)

    def flooding(self, site: str, on: bool) -> None:
        self._state.flooding(site, on)

    async def site_listens(self, site: str) -> None:
        await self._state.wishes.site_linked(site)

    async def configured(self, site: str, message: Configured) -> None:
        await self._state.wishes.answered(site, message)

    async def cameras_changed(self, site: str, message: CamerasChanged) -> None:
        await self._state.cameras_changed(site, message.cameras)

    async def health(self, site: str, health: Health) -> None:
        await self._state.health(site, health)

    async def deliver_events(self, site: str, told: Sequence[EventNews]) -> None:
        await self._state.deliver_events(site, told)

    async def deliver(self, site: str, message: EventPicture | EventClip) -> None:
        await self._state.deliver(site, message)

    async def clip_offered(self, site: str, offer: ClipOffer) -> int | None:
        return await self._state.clip_offered(site, offer)

    async def clip_piece(self, site: str, offer: ClipOffer, piece: ClipPiece) -> int | None:
        return await self._state.clip_piece(site, offer, piece)

    def live_opened(self, site: str, message: LiveOpened) -> None:
        self._live.opened(global_id(site, message.camera), message.stream, message.info)

    def live_packets(self, site: str, message: LivePackets) -> None:
        self._live.feed(global_id(site, message.camera), message.stream, message.packets)

    def live_sound(self, site: str, message: LiveSound) -> None:
        self._live.feed_sound(global_id(site, message.camera), message.stream, message.packets)


@dataclass(frozen=True)
class Watchable:
    """A camera as live needs it."""

    streams: tuple[StreamName, ...]
    unavailable: str = ""  # why nothing can be shown, in words; empty when all is well
    code: NotLive | None = None  # the same for programs


def watchable(state: SitesState, camera_id: str) -> Watchable | None:
    """The camera by its global id; None when there is none."""
    told, camera = state.told(camera_id), state.camera(camera_id)
    if told is None or camera is None:
        return None
    info, connected = told
    if not connected:
        return Watchable(info.streams, AWAY, NotLive.AWAY)
    if camera.state != CameraState.ONLINE:
        return Watchable(info.streams, _why_not(camera), NotLive.NOT_ONLINE)
    return Watchable(info.streams)


def _why_not(camera: Camera) -> str:
    return f"the camera is {camera.state.value} now{f': {camera.error}' if camera.error else ''}"
