"""What the cameras found goes into the outbox, in order; a full disk delays it and loses nothing."""

import asyncio
import sqlite3
from collections.abc import Callable

import msgspec
import structlog

from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.clips import dues
from camera_hub.ingest.messages import EventFound

log = structlog.get_logger(__name__)

AGAIN_S = 2.0
MOST_WAITING = 1000  # events in memory while the disk takes none


class EventKeeper:
    """`put` from anywhere on the loop; `run` is the task that keeps."""

    def __init__(
        self,
        outbox: AsyncOutbox,
        has_clip: Callable[[str], bool],
        make_room: Callable[[], object],
        on_kept: Callable[[], None],
    ) -> None:
        """`has_clip` says whether a camera is recorded; `make_room` blocks and frees some disk."""
        self._outbox = outbox
        self._has_clip = has_clip
        self._make_room = make_room
        self._on_kept = on_kept
        self._waiting: asyncio.Queue[EventFound] = asyncio.Queue(MOST_WAITING)

    def put(self, found: EventFound) -> None:
        if self._waiting.full():
            lost = self._waiting.get_nowait()
            self._waiting.task_done()
            log.error("the disk takes no events; the oldest is lost", event_id=lost.event.id)
        self._waiting.put_nowait(found)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            found = await self._waiting.get()
            while not await self._kept(found):
                await self._free_some_disk()
                await asyncio.sleep(AGAIN_S)
            self._waiting.task_done()
            self._on_kept()

    async def all_kept(self) -> None:
        """Wait until nothing waits."""
        await self._waiting.join()

    async def close_left_open(self, camera: str | None = None) -> None:
        """Close events that nobody is left to close: one camera's, or at the start all."""
        await self.all_kept()
        for event in await self._outbox.call(self._outbox.file.open_events):
            if camera in (None, event.camera):
                last_us = event.start_us + (event.path[-1][0] if event.path else 0)
                closed = msgspec.structs.replace(event, end_us=last_us, revision=event.revision + 1)
                self.put(EventFound(event=closed, jpeg=None, picture_us=0))

    async def _free_some_disk(self) -> None:
        try:
            await asyncio.to_thread(self._make_room)
        except (OSError, sqlite3.OperationalError) as exc:
            log.error("cannot make room for events; trying again", error=str(exc))

    async def _kept(self, found: EventFound) -> bool:
        clips = dues(found.event) if self._has_clip(found.event.camera) else ()
        try:
            await self._outbox.call(
                self._outbox.file.put_event, found.event, found.jpeg, found.picture_us, clips
            )
        except sqlite3.Error as exc:
            log.error("cannot keep an event; trying again", event_id=found.event.id, error=str(exc))
            return False
        return True
