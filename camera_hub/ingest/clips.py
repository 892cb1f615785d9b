"""An event's video for those who are told of it: cut from the recordings, by stream copy.

Jobs live in the outbox, so that a worker killed in between cuts them after its next start.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import structlog
from ulid import ULID

from camera_hub.clock import Clock
from camera_hub.ingest.outbox import AsyncOutbox
from camera_hub.link.messages import EventClip
from camera_hub.model import Event, StreamName
from camera_hub.recording import Catalogue, cut_clip

log = structlog.get_logger(__name__)

BEFORE_US = 2_000_000
AFTER_US = 2_000_000
MOST_US = 60_000_000
MAX_BYTES = 8 * 1024 * 1024
SETTLE_US = 4_000_000  # the recorder's last fragment is on disk by then
FIRST_AFTER_US = 15_000_000  # a long event gets a first clip while it goes on
GIVE_UP_US = 60_000_000
RETRY_US = 2_000_000
LOOK_S = 1.0


def due_us(event: Event) -> int | None:
    """When the event's video can be cut: soon after its end, and once early in a long one."""
    if event.end_us is not None:
        return event.end_us + AFTER_US + SETTLE_US
    if event.revision == 1:
        return event.start_us + FIRST_AFTER_US
    return None


class ClipCutter:
    """Takes clip jobs from the outbox, one after the other."""

    def __init__(
        self,
        outbox: AsyncOutbox,
        recordings: Path,
        catalogue: Catalogue,
        stream_of: Callable[[str], StreamName | None],
        on_clip: Callable[[], None],
        clock: Clock,
    ) -> None:
        """`stream_of` names the recorded stream that clips of a camera are cut from."""
        self._outbox = outbox
        self._recordings = recordings
        self._catalogue = catalogue
        self._stream_of = stream_of
        self._on_clip = on_clip
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                done = await self._do_next()
            except (OSError, sqlite3.OperationalError) as exc:
                log.error("cannot cut an event's clip now; trying again", error=str(exc))
                await asyncio.sleep(RETRY_US / 1e6)
                continue
            if not done:
                await asyncio.sleep(LOOK_S)

    async def _do_next(self) -> bool:
        """Whether there was a job."""
        jobs = await self._outbox.call(self._outbox.file.clip_jobs, self._clock.wall_us())
        for job in jobs:
            await self._do(job)
        return bool(jobs)

    async def _do(self, job: Event) -> None:
        clip = await asyncio.to_thread(self._cut, job)
        if clip is not None:
            await self._outbox.call(self._outbox.file.put_clip, clip, job)
            self._on_clip()
        elif self._clock.wall_us() - (job.end_us or job.start_us) > GIVE_UP_US:
            log.warning(
                "no recording for an event; it goes without a clip", event_id=job.id, camera=job.camera
            )
            await self._outbox.call(self._outbox.file.drop_clip_job, job)
        else:
            later_us = self._clock.wall_us() + RETRY_US
            await self._outbox.call(self._outbox.file.postpone_clip_job, job, later_us)

    def _cut(self, job: Event) -> EventClip | None:
        stream = self._stream_of(job.camera)
        if stream is None:
            return None
        end_us = job.end_us if job.end_us is not None else self._clock.wall_us() - SETTLE_US
        clip = cut_clip(
            self._recordings,
            self._catalogue,
            job.camera,
            stream,
            job.start_us - BEFORE_US,
            min(end_us + AFTER_US, job.start_us + MOST_US),
            MAX_BYTES,
        )
        if clip is None:
            return None
        return EventClip(
            id=str(ULID()),
            event_id=job.id,
            camera=job.camera,
            start_us=clip.start_us,
            duration_us=clip.duration_us,
            mp4=clip.mp4,
        )
