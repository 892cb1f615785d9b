"""The ranges of recordings that one server is sent: read a little ahead, and no more than it asked for.

Promises: of a range at most `AHEAD_BYTES` wait here, read in a thread; nothing is read or sent beyond what
the server has asked for, nor after it said stop; whatever ends a range is told in words. What is to be played
is of the lane of live views, what is to be kept of that of long video; `Sending` has them wait their turn.
"""

import asyncio
import sqlite3
from collections.abc import Callable

import structlog

from camera_hub.link.messages import (
    Lane,
    NotRecordedError,
    RangeBegins,
    RangeEnded,
    RangeMore,
    RangePiece,
    RangeStop,
    RangeWanted,
    WorkerMessage,
)
from camera_hub.link.worker.budget import Budget
from camera_hub.link.worker.protocols import OpenRange, Recordings
from camera_hub.model import NotRecorded

log = structlog.get_logger(__name__)

MOST = 4  # at once, of one server
AHEAD_BYTES = 128 * 1024


class _RangeOut:
    """One range. `begins` goes first, then what is in `ahead`, and `ended` last."""

    def __init__(self, wanted: RangeWanted) -> None:
        self.wanted = wanted
        self.lane = Lane.VIDEO if wanted.file else Lane.LIVE
        self.begins: RangeBegins | None = None
        self.ended: RangeEnded | None = None
        self.ahead = b""
        self.up_to = wanted.window
        self.sent = 0
        self.stopped = False
        self.changed = asyncio.Event()

    @property
    def ready(self) -> bool:
        can_send = bool(self.ahead) and self.sent < self.up_to
        return self.begins is not None or can_send or (self.ended is not None and not self.ahead)

    def take(self, max_bytes: int) -> WorkerMessage | None:
        """What goes next; None when nothing can."""
        if self.begins is not None:
            begins, self.begins = self.begins, None
            return begins
        count = min(max_bytes, self.up_to - self.sent)
        if not self.ahead:
            return self.ended
        if count <= 0:
            return None
        data, self.ahead = self.ahead[:count], self.ahead[count:]
        self.sent += len(data)
        self.changed.set()
        return RangePiece(request=self.wanted.request, data=data)

    def end(self, error: str = "", code: NotRecorded | None = None) -> None:
        self.ended = RangeEnded(request=self.wanted.request, error=error, code=code)


class RangesOut:
    """One connection's."""

    def __init__(self, recordings: Recordings, budget: Budget, wake: Callable[[], None]) -> None:
        """`wake` is called when there is something to send."""
        self._recordings = recordings
        self._budget = budget
        self._wake = wake
        self._ranges: dict[int, _RangeOut] = {}
        self._reading: set[asyncio.Task[None]] = set()

    # -- what the server says --------------------------------------------------------------

    def hear(self, message: RangeWanted | RangeMore | RangeStop) -> RangeEnded | None:
        """Do as the server says; what comes back says why not, and is to be sent at once."""
        match message:
            case RangeWanted():
                return self._want(message)
            case RangeMore(request=request, up_to=up_to):
                self._more(request, up_to)
            case RangeStop(request=request):
                self._stop(request)
        return None

    def _want(self, wanted: RangeWanted) -> RangeEnded | None:
        shut = self._closed(Lane.VIDEO if wanted.file else Lane.LIVE)
        if len(self._ranges) >= MOST:
            words = f"{MOST} look at this hamlet's recordings already, as many as may; try again later"
            shut = words, NotRecorded.TOO_MANY_LOOK
        if shut is not None:
            return RangeEnded(request=wanted.request, error=shut[0], code=shut[1])
        out = self._ranges[wanted.request] = _RangeOut(wanted)
        task = asyncio.create_task(self._read(out))
        self._reading.add(task)
        task.add_done_callback(self._reading.discard)
        return None

    def _more(self, request: int, up_to: int) -> None:
        out = self._ranges.get(request)
        if out is not None:
            out.up_to = max(out.up_to, up_to)
            out.changed.set()

    def _stop(self, request: int) -> None:
        out = self._ranges.pop(request, None)
        if out is not None:
            out.stopped = True
            out.changed.set()

    def clear(self) -> None:
        """The connection has gone."""
        for request in list(self._ranges):
            self._stop(request)

    # -- what the connection asks ----------------------------------------------------------

    def ready(self, lane: Lane) -> bool:
        return any(out.ready for out in self._ranges.values() if out.lane is lane)

    def take(self, lane: Lane, max_bytes: int) -> WorkerMessage | None:
        """The lane's next message, of each range in its turn."""
        for request, out in list(self._ranges.items()):
            if out.lane is not lane:
                continue
            message = out.take(max_bytes)
            if message is None:
                continue
            del self._ranges[request]
            if not isinstance(message, RangeEnded):
                self._ranges[request] = out  # behind the others
            return message
        return None

    def shut(self) -> list[RangeEnded]:
        """The ends of those whose lane the uplink has closed meanwhile; to be called now and then."""
        ended = []
        for request, out in list(self._ranges.items()):
            why = self._closed(out.lane)
            if why is not None:
                self._stop(request)
                ended.append(RangeEnded(request=request, error=why[0], code=why[1]))
                self._wake()
        return ended

    def _closed(self, lane: Lane) -> tuple[str, NotRecorded] | None:
        """In words why the uplink lets a lane send nothing now; None where it may."""
        if self._budget.is_open(lane):
            return None
        if self._budget.is_open(Lane.LIVE) and self._budget.limits.hours is not None:
            begin, end = self._budget.limits.hours
            words = f"long video is sent from {begin:%H:%M} to {end:%H:%M} only; play it, or come back then"
            return words, NotRecorded.LINE_HOURS
        words = "the hamlet's line has used up its volume of today; try again after midnight"
        return words, NotRecorded.LINE_SPENT

    # -- reading ---------------------------------------------------------------------------

    async def _read(self, out: _RangeOut) -> None:
        try:
            source = await self._recordings.open_range(out.wanted)
        except NotRecordedError as exc:
            out.end(str(exc), exc.code)
            self._wake()
            return
        try:
            out.begins = RangeBegins(
                request=out.wanted.request,
                start_us=source.start_us,
                codec=source.codec,
                width=source.width,
                height=source.height,
                size=source.size,
            )
            self._wake()
            await self._read_ahead(source, out)
        except (OSError, EOFError, sqlite3.Error) as exc:
            log.error("recordings cannot be read", camera=out.wanted.camera, error=str(exc))
            out.end(
                "a recording cannot be read further there: the hamlet's disk or the file is damaged; "
                "try a little later in it",
                NotRecorded.UNREADABLE,
            )
        finally:
            await asyncio.to_thread(source.close)
            self._wake()

    async def _read_ahead(self, source: OpenRange, out: _RangeOut) -> None:
        while not out.stopped:
            out.changed.clear()
            wanted = out.up_to - out.sent - len(out.ahead)
            if len(out.ahead) > AHEAD_BYTES // 2 or wanted <= 0:
                await out.changed.wait()
                continue
            data = await asyncio.to_thread(source.read, min(AHEAD_BYTES - len(out.ahead), wanted))
            if not data:
                out.end()
                return
            out.ahead += data
            self._wake()
