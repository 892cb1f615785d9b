"""What a site recorded, as the server asks for it: which times there are, and ranges, piece by piece.

Promises: of a range no more than `WINDOW_BYTES` are on their way or wait here; it is asked for as it is
read, so that a reader who rests has the site rest too; it is let go at once when its reader leaves, and ends
in words when the link does, when the site says so, or when nothing comes for long. A site that sends more
than it was asked for is cut off.
"""

import asyncio
import itertools
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from camera_hub.link.messages import (
    WINDOW_BYTES,
    LinkError,
    NotRecordedError,
    RangeBegins,
    RangeEnded,
    RangeMore,
    RangePiece,
    RangeStop,
    RangeWanted,
    ServerMessage,
    Spans,
    SpansWanted,
)
from camera_hub.model import NotRecorded, StreamName

ANSWER_S = 15.0
SILENT_S = 30.0  # a line so narrow, or so busy with what goes before, carries no recordings


class RangeIn:
    """One range, as it comes. Made by `RangesIn.open`."""

    def __init__(self, request: int, send: Callable[[ServerMessage], Awaitable[None]]) -> None:
        self.begins: RangeBegins | None = None
        self._request = request
        self._send = send
        self._pieces: deque[bytes] = deque()
        self._received = self._read = 0
        self._up_to = WINDOW_BYTES
        self._ended: RangeEnded | None = None
        self._changed = asyncio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether the site sends no more of it."""
        return self._ended is not None

    async def read(self) -> bytes:
        """The next bytes; none at the end. Raises NotRecordedError when it breaks off."""
        while not self._pieces:
            if self._ended is not None:
                if self._ended.error:
                    raise NotRecordedError(self._ended.error, self._ended.code or NotRecorded.UNEXPECTED)
                return b""
            await self._until_changed(SILENT_S)
        data = self._pieces.popleft()
        self._read += len(data)
        if self._ended is None and self._up_to - self._read <= WINDOW_BYTES // 2:
            self._up_to = self._read + WINDOW_BYTES
            await self._send(RangeMore(request=self._request, up_to=self._up_to))
        return data

    async def until_begun(self) -> RangeBegins:
        """What comes. Raises NotRecordedError when nothing does."""
        while self.begins is None:
            if self._ended is not None:
                raise NotRecordedError(self._ended.error, self._ended.code or NotRecorded.UNEXPECTED)
            await self._until_changed(SILENT_S)
        return self.begins

    def hear(self, message: RangeBegins | RangePiece | RangeEnded) -> None:
        """What the site sent of it. Raises LinkError for more than was asked for."""
        match message:
            case RangeBegins():
                self.begins = message
            case RangePiece(data=data):
                self._received += len(data)
                if self._received > self._up_to:
                    raise LinkError("more of a recording came than was asked for")
                self._pieces.append(data)
            case RangeEnded():
                self._ended = message
        self._changed.set()

    async def _until_changed(self, limit_s: float) -> None:
        self._changed.clear()
        try:
            async with asyncio.timeout(limit_s):
                await self._changed.wait()
        except TimeoutError:
            raise NotRecordedError(
                "nothing came from the hamlet for long; its line is too narrow or busy, try again later",
                NotRecorded.LINE_SILENT,
            ) from None


class RangesIn:
    """One linked site's."""

    def __init__(self, send: Callable[[ServerMessage], Awaitable[None]]) -> None:
        self._send_to_site = send
        self._spans: dict[int, asyncio.Future[Spans]] = {}
        self._ranges: dict[int, RangeIn] = {}
        self._requests = itertools.count(1)
        self._closed = False

    async def spans(self, camera: str, from_us: int, to_us: int) -> Spans:
        """Which times of a camera are recorded. Raises NotRecordedError."""
        request = next(self._requests)
        answer: asyncio.Future[Spans] = asyncio.get_running_loop().create_future()
        self._spans[request] = answer
        try:
            async with asyncio.timeout(ANSWER_S):
                await self._send(SpansWanted(request=request, camera=camera, from_us=from_us, to_us=to_us))
                spans = await answer
        except TimeoutError:
            raise NotRecordedError(
                "the hamlet did not answer in time; try again", NotRecorded.LINE_SILENT
            ) from None
        finally:
            self._spans.pop(request, None)
        if spans.error:
            raise NotRecordedError(spans.error, spans.code or NotRecorded.UNEXPECTED)
        return spans

    @asynccontextmanager
    async def open(
        self, camera: str, stream: StreamName, from_us: int, to_us: int, *, file: bool = False
    ) -> AsyncIterator[RangeIn]:
        """A range that has begun; the site is told to stop when it is left. Raises NotRecordedError."""
        request = next(self._requests)
        coming = self._ranges[request] = RangeIn(request, self._send)
        try:
            await self._send(
                RangeWanted(
                    request=request,
                    camera=camera,
                    stream=stream,
                    from_us=from_us,
                    to_us=to_us,
                    window=WINDOW_BYTES,
                    file=file,
                )
            )
            await coming.until_begun()
            yield coming
        finally:
            self._ranges.pop(request, None)
            if not coming.has_ended and not self._closed:
                await asyncio.shield(self._stop(request))

    def hear(self, message: Spans | RangeBegins | RangePiece | RangeEnded) -> None:
        """What the site sent. Raises LinkError; what nobody waits for any more is let go."""
        if isinstance(message, Spans):
            answer = self._spans.get(message.request)
            if answer is not None and not answer.done():
                answer.set_result(message)
            return
        coming = self._ranges.get(message.request)
        if coming is not None:
            coming.hear(message)

    def close(self) -> None:
        """The link has gone: all who wait are told."""
        self._closed = True
        words, code = "the link to the hamlet was lost; it is tried again by itself", NotRecorded.SITE_AWAY
        for answer in self._spans.values():
            if not answer.done():
                answer.set_exception(NotRecordedError(words, code))
        for request, coming in self._ranges.items():
            if not coming.has_ended:
                coming.hear(RangeEnded(request=request, error=words, code=code))

    async def _send(self, message: ServerMessage) -> None:
        try:
            if not self._closed:
                await self._send_to_site(message)
                return
        except (EOFError, TimeoutError):
            pass
        raise NotRecordedError("the link to the hamlet was lost", NotRecorded.SITE_AWAY)

    async def _stop(self, request: int) -> None:
        try:
            await self._send_to_site(RangeStop(request=request))
        except (EOFError, TimeoutError):
            return  # it has gone, and sends nothing
