"""What the server keeps stays within its bounds, and its disk has room for what comes."""

import asyncio
import random

import structlog

from camera_hub.server.sessions import IDLE_US
from camera_hub.server.settings import ServerSettings
from camera_hub.store import Store, StoreError

log = structlog.get_logger(__name__)

TIDY_EVERY_S = 3600.0
FIRST_TIDY_S = 60.0
ROOM_EVERY_S = 10.0


async def keep_tidy(settings: ServerSettings, store: Store) -> None:
    """Every hour, what is too old goes, and what is too much."""
    await asyncio.sleep(FIRST_TIDY_S)
    while True:
        try:
            await store.tidy(settings.keep_events_days, round(settings.keep_media_gb * 1e9), IDLE_US)
        except StoreError as exc:
            log.error("tidying the store failed; it is tried again", error=str(exc))
        await asyncio.sleep(TIDY_EVERY_S * random.uniform(0.9, 1.1))  # noqa: S311 - no secret


async def keep_room(settings: ServerSettings, store: Store) -> None:
    """Some of the disk stays free, whoever fills it.

    Half of what is to stay free: where a worker records on the same disk, its recordings go first.
    """
    while True:
        try:
            await store.make_room(settings.keep_free_bytes // 2)
        except (StoreError, OSError) as exc:
            log.error("no room can be made; it is tried again", error=str(exc))
        await asyncio.sleep(ROOM_EVERY_S)
