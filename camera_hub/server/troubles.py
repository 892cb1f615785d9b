"""What is wrong with cameras, sites and this server, as troubles with a begin and an end: away, disk, clock …

`Troubles.look` compares what the sites tell with what is known to be wrong, keeps each beginning and end, and
hands it to the alerts. A server that has just started waits before it calls a site away.
"""

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import structlog
from ulid import ULID

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.clock import Clock
from camera_hub.model import CameraState, RecordingCause
from camera_hub.server.shapes import Camera, Site
from camera_hub.server.sites_state import SitesState
from camera_hub.store import StoreError
from camera_hub.store.alert_records import Trouble
from camera_hub.store.alert_store import AlertStore

log = structlog.get_logger(__name__)

EVERY_S = 2.0
SILENT_S = 60.0  # a site that has not been heard for so long is away
CAMERA_AWAY_S = 10.0  # shorter than that is a hiccup, and told nowhere but in the camera's state
CLOCK_OFF_S = 10.0
# Less than both is nearly nothing; a large disk that recordings fill as they may has more than the second.
FULL_SHARE, FULL_BYTES = 0.01, 500_000_000
SERVER = ""  # what a trouble of the server itself has in a site's place
_DISK = (RecordingCause.DISK_FULL, RecordingCause.NOT_WRITABLE, RecordingCause.DISK_FAILING)

_Key = tuple[AlertKind, str, str]


class Troubles:
    def __init__(
        self,
        state: SitesState,
        store: AlertStore,
        clock: Clock,
        on_trouble: Callable[[Trouble], None],
        data: Path,
    ) -> None:
        """`data` lies on the server's own disk."""
        self._state = state
        self._store = store
        self._clock = clock
        self._on_trouble = on_trouble
        self._data = data
        self._began_us = clock.monotonic_us()
        self._known: dict[_Key, Trouble] = {}
        self._loaded = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except StoreError as exc:
                log.error("troubles cannot be kept now; trying again", error=str(exc))
            await asyncio.sleep(EVERY_S)

    async def look(self) -> None:
        """Raises StoreError; what could not be kept is found again next time."""
        if not self._loaded:
            for trouble in await self._store.open_troubles():
                self._known[trouble.kind, trouble.site, trouble.camera] = trouble
            self._loaded = True
        now_us = self._clock.wall_us()
        wrong = dict(self._wrong(now_us))
        for key, since_us in wrong.items():
            if key not in self._known:
                await self._keep(key, Trouble(str(ULID()), *key, start_us=since_us))
        for key, trouble in list(self._known.items()):
            if key not in wrong and self._may_end(key):
                await self._keep(key, msgspec.structs.replace(trouble, end_us=now_us))
                del self._known[key]

    async def _keep(self, key: _Key, trouble: Trouble) -> None:
        await self._store.put_trouble(trouble)
        self._known[key] = trouble
        log.info(
            "trouble" if trouble.end_us is None else "trouble over",
            kind=trouble.kind.value,
            site=trouble.site,
            camera=trouble.camera,
        )
        self._on_trouble(trouble)

    @property
    def _up_s(self) -> float:
        return (self._clock.monotonic_us() - self._began_us) / 1e6

    def _may_end(self, key: _Key) -> bool:
        """What is wrong with a site that is not linked is not over: nobody knows."""
        site = next((site for site in self._state.sites() if site.id == key[1]), None)
        return site is None or site.connected

    def _wrong(self, now_us: int) -> Iterator[tuple[_Key, int]]:
        """What is wrong now, and since when."""
        disk = shutil.disk_usage(self._data)
        if _is_full(disk.free, disk.total):
            yield (AlertKind.DISK, SERVER, ""), now_us
        for site in self._state.sites():
            yield from self._site(site, now_us)
        for camera in self._state.cameras():
            since_us = _us(camera) or now_us
            gone = camera.state not in (CameraState.ONLINE, CameraState.AWAY)
            if gone and now_us - since_us >= CAMERA_AWAY_S * 1e6:
                yield (AlertKind.CAMERA_AWAY, camera.site, camera.id.partition(".")[2]), since_us

    def _site(self, site: Site, now_us: int) -> Iterator[tuple[_Key, int]]:
        heard_us = None if site.last_contact is None else round(site.last_contact.timestamp() * 1e6)
        if not site.connected:
            silent = heard_us is not None and now_us - heard_us >= SILENT_S * 1e6
            if heard_us is not None and silent and self._up_s >= SILENT_S:
                yield (AlertKind.SITE_AWAY, site.id, ""), heard_us
            return
        cameras = [camera for camera in self._state.cameras() if camera.site == site.id]
        full = site.disk_total_bytes and _is_full(site.disk_free_bytes or 0, site.disk_total_bytes)
        if full or any(camera.recording_cause in _DISK for camera in cameras):
            yield (AlertKind.DISK, site.id, ""), now_us
        if site.clock_offset_s is not None and abs(site.clock_offset_s) > CLOCK_OFF_S:
            yield (AlertKind.CLOCK, site.id, ""), now_us
        if site.floods:
            yield (AlertKind.FLOOD, site.id, ""), now_us


def _is_full(free_bytes: int, total_bytes: int) -> bool:
    return free_bytes < min(total_bytes * FULL_SHARE, FULL_BYTES)


def _us(camera: Camera) -> int | None:
    return None if camera.since is None else round(camera.since.timestamp() * 1e6)
