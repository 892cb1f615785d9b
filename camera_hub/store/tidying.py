"""What is kept stays within its bounds, the oldest first; files that no row names go."""

import asyncio
import contextlib
import shutil
from pathlib import Path

import structlog

from camera_hub.clock import Clock
from camera_hub.store import alerts, arriving, events, inbox, media, users
from camera_hub.store.database import Database, StoreError

log = structlog.get_logger(__name__)

DAY_US = 86_400 * 1_000_000
_INBOX_KEEP_DAYS = 120  # longer than any worker's outbox keeps a message
_LITTER_AGE_S = 3600.0  # a younger file may belong to a row that is about to be committed
_BATCH = 200


class Tidying:
    """`Store.tidy` and `Store.make_room`."""

    def __init__(self, database: Database, folder: Path, clock: Clock) -> None:
        self._database = database
        self._folder = folder
        self._clock = clock

    async def tidy(self, keep_days: int, max_media_bytes: int, session_idle_us: int) -> None:
        now_us = self._clock.wall_us()
        before_us = now_us - keep_days * DAY_US
        async with self._database.write() as connection:
            await users.remove_expired(connection, now_us, session_idle_us)
            await inbox.forget_before(connection, now_us - max(keep_days, _INBOX_KEEP_DAYS) * DAY_US)
        # In small transactions, so that events which arrive meanwhile do not wait.
        while True:
            async with self._database.write() as connection:
                await alerts.remove_before(connection, before_us, _BATCH)
                ids = await events.oldest_before(connection, before_us, _BATCH)
                litter = await events.remove(connection, ids)
                litter += await events.remove_media_before(connection, before_us, _BATCH)
                excess = await events.media_bytes(connection) - max_media_bytes
                if excess > 0:
                    litter += await events.remove_oldest_media(connection, excess, _BATCH)
            await remove_files(self._folder, litter)
            if not ids and not litter:
                break
            log.info("old events removed", events=len(ids), files=len(litter))
        await self._remove_litter()
        await asyncio.to_thread(arriving.tidy, self._folder)

    async def make_room(self, free_bytes: int) -> None:
        while (lacking := free_bytes - await asyncio.to_thread(self._free_bytes)) > 0:
            async with self._database.write() as connection:
                gone = await events.remove_oldest_media(connection, lacking, _BATCH)
            if not gone:
                break
            await remove_files(self._folder, gone)
            log.warning("the disk is nearly full; the oldest pictures and clips went", files=len(gone))

    def _free_bytes(self) -> int:
        return shutil.disk_usage(self._folder).free

    async def _remove_litter(self) -> None:
        found = await asyncio.to_thread(lambda: list(media.older_than(self._folder, _LITTER_AGE_S)))
        for start in range(0, len(found), _BATCH):
            paths = found[start : start + _BATCH]
            async with self._database.read() as connection:
                known = await events.known_paths(connection, paths)
            await remove_files(self._folder, [path for path in paths if path not in known])
        await asyncio.to_thread(media.remove_empty_folders, self._folder, _LITTER_AGE_S)


async def remove_files(folder: Path, paths: list[str]) -> None:
    """Removes media files; one that cannot be removed now is litter, and `Tidying.tidy` tries again."""
    with contextlib.suppress(StoreError):
        await asyncio.to_thread(media.remove, folder, paths)
