"""What a server that looks back asks of the worker's recordings: which times there are, and a range to read.

Everything that touches the disk runs in a thread. What cannot be had is said in words.
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path

import structlog

from camera_hub.link.messages import (
    MAX_SPANS,
    NotRecordedError,
    RangeWanted,
    RecordedSpan,
    Spans,
    SpansWanted,
    StreamSpans,
)
from camera_hub.model import NotRecorded, StreamName
from camera_hub.recording import Catalogue, Range, open_file, open_range, recorded

log = structlog.get_logger(__name__)

MAX_FILE_BYTES = 4_000_000_000  # of one MP4 file: its tables count in 32 bits
_NO_CAMERA = "the hamlet has no such camera any more"
_UNREADABLE = "the hamlet's recordings cannot be read now; see its disk, and try again"


class Lookback:
    """One worker's."""

    def __init__(
        self, folder: Path, catalogue: Catalogue, streams: Mapping[str, tuple[StreamName, ...]]
    ) -> None:
        """`streams` are those of each camera."""
        self._folder = folder
        self._catalogue = catalogue
        self._streams = streams

    async def spans(self, asked: SpansWanted) -> Spans:
        try:
            return await asyncio.to_thread(self._spans, asked)
        except NotRecordedError as exc:
            return Spans(request=asked.request, to_us=asked.to_us, error=str(exc), code=exc.code)

    async def open_range(self, asked: RangeWanted) -> Range:
        """Raises NotRecordedError."""
        found = await asyncio.to_thread(self._open, asked)
        if found is None:
            raise NotRecordedError("nothing is recorded of this camera then", NotRecorded.NOTHING_THERE)
        return found

    def _spans(self, asked: SpansWanted) -> Spans:
        streams: list[StreamSpans] = []
        to_us = asked.to_us
        try:
            for stream in self._streams_of(asked.camera):
                found = recorded(
                    self._folder, self._catalogue, asked.camera, stream, asked.from_us, asked.to_us
                )
                if len(found.spans) > MAX_SPANS:
                    to_us = min(to_us, found.spans[MAX_SPANS].start_us)
                spans = tuple(RecordedSpan(*span) for span in found.spans[:MAX_SPANS])
                if spans:
                    streams.append(StreamSpans(stream=stream, kbit_s=found.kbit_s, spans=spans))
            oldest_us = self._catalogue.oldest_us(asked.camera)
        except (OSError, sqlite3.Error) as exc:
            raise _unreadable(asked.camera, exc) from exc
        return Spans(request=asked.request, to_us=to_us, streams=tuple(streams), oldest_us=oldest_us)

    def _open(self, asked: RangeWanted) -> Range | None:
        self._streams_of(asked.camera)
        where = (self._folder, self._catalogue, asked.camera, asked.stream, asked.from_us, asked.to_us)
        try:
            return open_file(*where, MAX_FILE_BYTES) if asked.file else open_range(*where)
        except (OSError, EOFError, sqlite3.Error) as exc:
            raise _unreadable(asked.camera, exc) from exc

    def _streams_of(self, camera: str) -> tuple[StreamName, ...]:
        streams = self._streams.get(camera)
        if streams is None:
            raise NotRecordedError(_NO_CAMERA, NotRecorded.NO_SUCH_CAMERA)
        return streams


def _unreadable(camera: str, exc: Exception) -> NotRecordedError:
    log.error("recordings cannot be read", camera=camera, error=str(exc))
    return NotRecordedError(_UNREADABLE, NotRecorded.UNREADABLE)
