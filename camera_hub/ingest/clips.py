"""An event's video for those who are told of it: cut from the recordings, by stream copy.

First a short clip, of the seconds around the best picture: it is soon cut and soon sent, also over a narrow
line. When the event has ended, all of it, which goes when the line has nothing better to do and takes the
short one's place. Of a short event there is one clip, of all of it, sent as a short one. Jobs live in the
outbox, so that a worker killed in between cuts them after its next start.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path

import structlog
from ulid import ULID

from camera_hub.clock import Clock
from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.outbox import ClipJob, Due
from camera_hub.link.messages import EventClip
from camera_hub.model import Event, StreamName
from camera_hub.recording import Catalogue, cut_clip

log = structlog.get_logger(__name__)

BEFORE_US = 2_000_000
AFTER_US = 2_000_000
MOST_US = 60_000_000
MAX_BYTES = 8 * 1024 * 1024
SETTLE_US = 4_000_000  # the recorder's last fragment is on disk by then
SHORT_US = 6_000_000
ALL_IS_SHORT_US = 8_000_000  # so long, with what is before and after, an event has but one clip
GIVE_UP_US = 60_000_000
RETRY_US = 2_000_000
LOOK_S = 1.0


def dues(event: Event) -> tuple[Due, ...]:
    """When the event's clips can be cut, by what is told of it now."""
    if event.end_us is None:
        return (Due(True, event.start_us + SHORT_US + SETTLE_US, only_sooner=event.revision > 1),)
    due_us = event.end_us + AFTER_US + SETTLE_US
    return Due(True, due_us, only_sooner=event.revision > 1), Due(False, due_us)


def span(job: ClipJob, now_us: int) -> tuple[int, int]:
    """The clip's times, [from, to), wall."""
    event = job.event
    first_us = event.start_us - BEFORE_US
    last_us = now_us - SETTLE_US if event.end_us is None else event.end_us + AFTER_US
    if not job.short or is_all(job):
        return first_us, min(last_us, event.start_us + MOST_US)
    middle_us = job.best_us or event.start_us + SHORT_US // 2
    to_us = min(max(middle_us - SHORT_US // 2, first_us) + SHORT_US, last_us)
    return max(to_us - SHORT_US, first_us), to_us


def is_all(job: ClipJob) -> bool:
    """Whether the clip is of all the event, and no other is needed."""
    end_us = job.event.end_us
    if not job.short:
        return True
    return end_us is not None and end_us - job.event.start_us + BEFORE_US + AFTER_US <= ALL_IS_SHORT_US


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

    async def _do(self, job: ClipJob) -> None:
        event = job.event
        clip = await asyncio.to_thread(self._cut, job)
        if clip is not None:
            await self._outbox.call(self._outbox.file.put_clip, clip, job, job.short and is_all(job))
            self._on_clip()
        elif self._clock.wall_us() - (event.end_us or event.start_us) > GIVE_UP_US:
            if not job.short:
                log.warning(
                    "no recording for an event; it goes without a clip",
                    event_id=event.id,
                    camera=event.camera,
                )
            await self._outbox.call(self._outbox.file.drop_clip_job, job)
        else:
            later_us = self._clock.wall_us() + RETRY_US
            await self._outbox.call(self._outbox.file.postpone_clip_job, job, later_us)

    def _cut(self, job: ClipJob) -> EventClip | None:
        camera = job.event.camera
        stream = self._stream_of(camera)
        if stream is None:
            return None
        from_us, to_us = span(job, self._clock.wall_us())
        clip = cut_clip(self._recordings, self._catalogue, camera, stream, from_us, to_us, MAX_BYTES)
        if clip is None:
            return None
        return EventClip(
            id=str(ULID()),
            event_id=job.event.id,
            camera=camera,
            start_us=clip.start_us,
            duration_us=clip.duration_us,
            mp4=clip.mp4,
            short=job.short,
        )
