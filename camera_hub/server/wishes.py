"""What is wanted of the sites' cameras here, by whom, and what their workers made of it.

All of it is in the store, with its history; what is wanted now is in memory, too. A worker is told all that
is wanted of its site when it links, and each change at once; what it answers is kept. A site's changes go
one after another, the store first. What a site's configuration lets us change is its worker's to say.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

import structlog

from camera_hub.clock import Clock
from camera_hub.link.messages import Configured
from camera_hub.model import Setting, Wish
from camera_hub.store import Store, WishRecord

log = structlog.get_logger(__name__)

NO_WISH = "null"  # the setting is as the hamlet has it
MAX_DETAIL = 1000  # signs

_Place = tuple[str, str, Setting]
"""(site, camera, key)"""


class Links(Protocol):
    """The link's server end, as far as it is needed here."""

    async def configure(self, site: str, wishes: Sequence[Wish]) -> None: ...


class Wishes:
    """Call `load` once, after the store is open; set `links` and `on_change` before anything changes."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.links: Links | None = None
        self.on_change: Callable[[str, set[str]], None] = lambda *_: None
        """Called with the site and the cameras of which something else is wanted, or was answered."""
        self._store = store.wishes
        self._clock = clock
        self._records: dict[_Place, WishRecord] = {}
        self._changing: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)  # of each site, also the telling

    async def load(self) -> None:
        self._records = {_place(record): record for record in await self._store.newest()}

    def of_camera(self, site: str, camera: str) -> list[WishRecord]:
        """What is wanted of a camera now; of settings that are left to the hamlet, only what is not done."""
        found = [self._records.get((site, camera, key)) for key in Setting]
        return [one for one in found if one is not None and (one.value != NO_WISH or one.outcome is None)]

    async def site_linked(self, site: str) -> None:
        """Its worker is told all that is wanted."""
        async with self._changing[site]:
            of_cameras: dict[str, list[Wish]] = defaultdict(list)
            for record in self._records.values():
                if record.site == site:
                    of_cameras[record.camera].append(record.wish)
            for wishes in of_cameras.values():  # one by one, so that no message is too large
                await self._tell(site, wishes)

    async def history(self, site: str, camera: str, limit: int) -> list[WishRecord]:
        """What was ever wanted of a camera, the newest first."""
        return await self._store.history(site, camera, limit)

    async def want(
        self, site: str, camera: str, values: Mapping[Setting, str], by: str, by_name: str
    ) -> None:
        """Somebody wants other settings (JSON; `NO_WISH` leaves one to the hamlet) of a camera."""
        async with self._changing[site]:
            now_us = self._clock.wall_us()
            records = []
            for key, value in values.items():
                before = self._records.get((site, camera, key))
                version = 1 if before is None else before.version + 1
                records.append(WishRecord(site, camera, key, version, value, by, by_name, now_us))
            await self._store.put(records)
            self._records |= {_place(record): record for record in records}
            for record in records:
                value = record.value if len(record.value) <= 200 else "…"
                log.info(
                    "setting wanted", site=site, camera=camera, key=record.key.value, value=value, user=by
                )
            self.on_change(site, {camera})
            await self._tell(site, [record.wish for record in records])

    async def answered(self, site: str, told: Configured) -> None:
        """A worker says what became of what is wanted; what is wanted no more is passed over."""
        async with self._changing[site]:
            new = []
            for answer in told.answers:
                key = Setting(answer.key) if answer.key in list(Setting) else None
                record = None if key is None else self._records.get((site, answer.camera, key))
                if record is None or record.version != answer.version:
                    continue
                changed = replace(
                    record,
                    outcome=answer.outcome,
                    why=answer.why,
                    detail=answer.detail.replace("\0", "")[:MAX_DETAIL],
                    answered_us=self._clock.wall_us(),
                )
                if replace(changed, answered_us=record.answered_us) != record:
                    new.append(changed)
            if not new:
                return
            await self._store.answered(new)
            self._records |= {_place(record): record for record in new}
            for record in new:
                assert record.outcome is not None
                log.info(
                    "setting answered",
                    site=site,
                    camera=record.camera,
                    key=record.key.value,
                    outcome=record.outcome.value,
                    **({"detail": record.detail} if record.detail else {}),
                )
            self.on_change(site, {record.camera for record in new})

    async def forget(self, site: str) -> None:
        """The site was removed."""
        async with self._changing[site]:
            await self._store.remove_site(site)
            self._records = {place: one for place, one in self._records.items() if place[0] != site}

    async def _tell(self, site: str, wishes: Sequence[Wish]) -> None:
        if self.links is not None:
            await self.links.configure(site, wishes)


def _place(record: WishRecord) -> _Place:
    return record.site, record.camera, record.key
