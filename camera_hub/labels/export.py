"""Goes through the events that somebody judged, and makes a labelled clip of each.

Relies on the server's data folder; the server may be running meanwhile. Who said what is written only where
that was asked for.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from camera_hub.config import Config
from camera_hub.labels import files, spans
from camera_hub.labels.footage import Footage, Recordings, own_clip
from camera_hub.model import HubError, Verdict
from camera_hub.store import EventFilter, MediaKind, Store, StoredEvent
from camera_hub.store.facade import DATABASE

PAGE = 200
LONGEST_US = 3_600_000_000  # an event that began earlier than this before a video does not reach into it


@dataclass(frozen=True)
class Wanted:
    """Which events, and how they are written. None means all; `since_us` <= start < `until_us`."""

    since_us: int | None = None
    until_us: int | None = None
    camera: str | None = None  # `<camera>` of any site, or `<site>.<camera>`
    names: bool = False  # write who said it, and their note


@dataclass
class Summary:
    """What came of it."""

    by_verdict: Counter[Verdict] = field(default_factory=Counter)
    without_clip: int = 0
    going_on: int = 0
    left_alone: int = 0

    def __str__(self) -> str:
        count = self.by_verdict
        kinds = [f"{count[Verdict.REAL]} real", f"{count[Verdict.FALSE]} false"]
        if count[Verdict.TEST]:
            kinds.append(f"{count[Verdict.TEST]} tests, as maybe")
        rest = [f"{self.without_clip} without clip"]
        if self.going_on:
            rest.append(f"{self.going_on} still going on")
        if self.left_alone:
            rest.append(f"{self.left_alone} left as they were")
        events = "event" if count.total() == 1 else "events"
        return f"{count.total()} {events} exported: {', '.join(kinds)}; {', '.join(rest)}."


async def export(config: Config, out: Path, wanted: Wanted, tell: Callable[[str], None]) -> Summary:
    """Writes the clips and labels into `out`; `tell` hears of each event that has none, and why.

    Raises HubError where the server's data cannot be read or the folder not written.
    """
    data = config.storage.path
    if not (data / DATABASE).is_file():
        raise HubError(
            f"{data} holds no server's data; give the configuration that `camera-hub serve` or `run` is "
            "started with, on the machine where it runs"
        )
    summary = Summary()
    recordings = Recordings(data)
    try:
        async with Store(data) as store:
            exporter = _Exporter(config, store, recordings, out, wanted.names)
            async for judged in _judged(store, wanted):
                await exporter.one(judged, summary, tell)
    except OSError as exc:
        raise files.in_words(exc, out) from exc
    finally:
        recordings.close()
    return summary


class _Exporter:
    def __init__(self, config: Config, store: Store, recordings: Recordings, out: Path, names: bool) -> None:
        self._config = config
        self._store = store
        self._recordings = recordings
        self._out = out
        self._names = names

    async def one(self, judged: StoredEvent, summary: Summary, tell: Callable[[str], None]) -> None:
        name = self._name(judged)
        if judged.event.end_us is None:
            summary.going_on += 1
            tell(f"{name}: still goes on; export it again when it has ended")
            return
        clip = self._out / f"{name}.mp4"
        footage = await asyncio.to_thread(files.read, clip) or await self._footage(judged)
        if footage is None or not _meet(judged, footage):
            summary.without_clip += 1
            tell(f"{name}: has no clip; it is still on its way, was never recorded, or has been removed")
            return
        labels = await self._labels(judged, footage, clip.name)
        written = await asyncio.to_thread(files.write, clip, footage.mp4, labels)
        if written is files.Written.OTHER:
            summary.left_alone += 1
            tell(f"{name}: lies there already and says otherwise; move both files away to export it anew")
            return
        assert judged.verdict is not None
        assert judged.verdict.verdict is not None
        summary.by_verdict[judged.verdict.verdict] += 1

    def _name(self, judged: StoredEvent) -> str:
        zone = ZoneInfo(self._config.site.timezone)
        at = datetime.fromtimestamp(judged.event.start_us / 1e6, UTC).astimezone(zone)
        return f"{judged.site}.{judged.event.camera}-{at:%Y-%m-%d-%H%M%S}-{judged.event.id}"

    async def _footage(self, judged: StoredEvent) -> Footage | None:
        if judged.site == self._config.site.id:
            found = await asyncio.to_thread(self._recordings.around, judged.event)
            if found is not None:
                return found
        media = await self._store.event_media(judged.event.id, MediaKind.CLIP)
        return None if media is None else await asyncio.to_thread(own_clip, self._store.folder, media)

    async def _labels(self, judged: StoredEvent, footage: Footage, clip: str) -> dict[str, Any]:
        overlapping = EventFilter(
            site=judged.site,
            camera=judged.event.camera,
            after_us=footage.start_us - LONGEST_US,
            before_us=footage.end_us,
        )
        events = [event async for event in _all(self._store, overlapping)]
        said = judged.verdict
        assert said is not None
        assert said.verdict is not None
        camera = f"{judged.site}.{judged.event.camera}"
        return {
            "clip": clip,
            **files.facts(footage),
            "source": f"Camera Hub, {camera}",
            "camera": camera,
            "event": judged.event.id,
            "verdict": said.verdict.value,
            **({"by": said.by_name or said.by, "note": said.note} if self._names else {}),
            "conditions": [],
            **spans.labels(events, (footage.start_us, footage.end_us), footage.gaps),
        }


def _meet(judged: StoredEvent, footage: Footage) -> bool:
    """Whether the video shows any of the event: a clip of another time would be labelled wrongly."""
    event = judged.event
    assert event.end_us is not None
    return footage.start_us <= event.end_us and event.start_us < footage.end_us


async def _judged(store: Store, wanted: Wanted) -> AsyncIterator[StoredEvent]:
    site, _, camera = (wanted.camera or "").rpartition(".")
    judged = EventFilter(
        site=site or None,
        camera=camera or None,
        after_us=wanted.since_us,
        before_us=wanted.until_us,
        judged=True,
    )
    async for event in _all(store, judged):
        yield event


async def _all(store: Store, wanted: EventFilter) -> AsyncIterator[StoredEvent]:
    """Page by page, the newest first."""
    cursor = None
    while True:
        page = await store.event_page(wanted, PAGE, cursor)
        for event in page.events:
            yield event
        if page.next is None:
            return
        cursor = page.next
