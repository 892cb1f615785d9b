"""Looking back: which times of a camera are recorded at its site, a range to play, a range to keep.

The site is asked over its link, and sends only as fast as the viewer takes it; when the viewer leaves, it is
told to stop. Nothing is kept here.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from datetime import datetime
from typing import Annotated, Protocol

import structlog
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field
from starlette.types import Receive, Scope, Send

from camera_hub.link.messages import NotRecordedError, Spans, StreamSpans
from camera_hub.link.server.ranges import RangeIn, RangesIn
from camera_hub.model import NotRecorded, StreamName
from camera_hub.server.cameras import CameraId, find_camera
from camera_hub.server.instants import InstantUs
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import Camera, Uplink, instant, instant_or_none
from camera_hub.store import SessionRecord

log = structlog.get_logger(__name__)

HOUR_US = 3_600_000_000
MOST_ASKED_US = 8 * 24 * HOUR_US
MOST_PLAYED_US = 24 * HOUR_US
MOST_KEPT_US = HOUR_US
IN_ALL, PER_USER = 32, 4  # ranges at once
STILL_GOOD_EVERY_S = 60.0
ROOM = 1.3  # a line should have this many times what a stream takes
_RETRY_S = "5"
_NOT_FOUND = (NotRecorded.NOTHING_THERE, NotRecorded.NO_SUCH_CAMERA)

Tools = Annotated[Parts, Depends(parts_of)]
From = Annotated[InstantUs, Query(alias="from", description="RFC 3339")]
Watcher = Annotated[SessionRecord, needs(Right.EVENTS)]


class RecordedSpan(BaseModel):
    """A time without a gap, of one shape of picture."""

    start: datetime
    end: datetime
    codec: str
    width: int = Field(description="px")
    height: int = Field(description="px")


class RecordedStream(BaseModel):
    stream: StreamName
    kbit_s: float = Field(description="What it takes to play it at its own pace, on the average")
    share: float = Field(description="How much of the time that was asked for is recorded, 0..1")
    spans: list[RecordedSpan]


class Recordings(BaseModel):
    """What is recorded of a camera; between the spans are gaps."""

    until: datetime = Field(
        description="This answer holds until then: sooner than asked where there are very many gaps"
    )
    oldest: datetime | None = Field(description="Since when there are recordings; null where there are none")
    first: StreamName | None = Field(
        description="The stream to begin with: the small one where the site's line is narrow"
    )
    streams: list[RecordedStream] = Field(description="Those that have any")


class LooksBack(Protocol):
    """The link's server end, as far as these routes need it."""

    def recordings(self, site: str) -> RangesIn:
        """Raises NotRecordedError."""


class Places:
    """How many ranges may be under way: in all, and of one user."""

    def __init__(self, in_all: int = IN_ALL, per_user: int = PER_USER) -> None:
        self._in_all = in_all
        self._per_user = per_user
        self._users: Counter[str] = Counter()

    @contextmanager
    def one(self, user: str) -> Iterator[None]:
        """A place while it lasts. Raises NotRecordedError."""
        if self._users[user] >= self._per_user:
            raise NotRecordedError(
                f"you look back at {self._per_user} recordings already, as many as one user may; close one",
                NotRecorded.TOO_MANY_OF_YOURS,
            )
        if self._users.total() >= self._in_all:
            raise NotRecordedError(
                f"{self._in_all} look back already, as many as may; try again later",
                NotRecorded.TOO_MANY_LOOK,
            )
        self._users[user] += 1
        try:
            yield
        finally:
            self._users[user] -= 1


def recordings_router(linked: LooksBack, places: Places | None = None) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["recordings"])
    held = places or Places()

    @router.get(
        "/api/cameras/{id}/recordings", dependencies=[needs(Right.EVENTS)], responses=problems(404, 503)
    )
    async def list_recordings(
        id: CameraId,  # noqa: A002 - the path's own word
        parts: Tools,
        from_: From,
        to: Annotated[InstantUs, Query(description="At most eight days after `from`")],
    ) -> Recordings:
        """Which times of a camera are recorded."""
        camera = find_camera(parts, id)
        _check(from_, to, MOST_ASKED_US, "eight days")
        try:
            found = await linked.recordings(camera.site).spans(_name(camera), from_, to)
        except NotRecordedError as exc:
            raise _problem(exc) from exc
        site = parts.state.site(camera.site)
        return _recordings(found, from_, site.uplink if site else None)

    @router.get(
        "/api/cameras/{id}/recordings/play",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "Fragmented MP4, its time 0 at `X-Start-Time`; it runs as the wall clock did",
                "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
            },
            **problems(404, 422, 503),
        },
    )
    async def play_recording(
        id: CameraId,  # noqa: A002
        parts: Tools,
        session: Watcher,
        from_: From,
        to: Annotated[
            InstantUs | None, Query(description="At most a day after `from`, which is the default")
        ] = None,
        stream: StreamName = "sub",
    ) -> StreamingResponse:
        """What is recorded from the keyframe before `from` on, for a player; gaps are jumps in its time."""
        camera = find_camera(parts, id)
        until_us = from_ + MOST_PLAYED_US if to is None else to
        _check(from_, until_us, MOST_PLAYED_US, "a day")
        return await _response(parts, session, camera, stream, from_, until_us, file=False)

    @router.get(
        "/api/cameras/{id}/recordings/download.mp4",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "An MP4 file; in a gap its picture stands still",
                "content": {"video/mp4": {"schema": {"type": "string", "format": "binary"}}},
            },
            **problems(404, 422, 503),
        },
    )
    async def download_recording(
        id: CameraId,  # noqa: A002
        parts: Tools,
        session: Watcher,
        from_: From,
        to: Annotated[InstantUs, Query(description="At most an hour after `from`")],
        stream: StreamName = "sub",
    ) -> StreamingResponse:
        """A range as a file to keep. It is sent when the site's line has nothing more urgent."""
        camera = find_camera(parts, id)
        _check(from_, to, MOST_KEPT_US, "an hour")
        return await _response(parts, session, camera, stream, from_, to, file=True)

    async def _response(
        parts: Parts,
        session: SessionRecord,
        camera: Camera,
        stream: StreamName,
        from_us: int,
        to_us: int,
        *,
        file: bool,
    ) -> StreamingResponse:
        async with AsyncExitStack() as stack:
            try:
                stack.enter_context(held.one(session.user.name))
                asked = linked.recordings(camera.site).open(_name(camera), stream, from_us, to_us, file=file)
                coming = await stack.enter_async_context(asked)
            except NotRecordedError as exc:
                raise _problem(exc) from exc
            begins = coming.begins
            assert begins is not None
            log.info(
                "recording kept" if file else "recording watched",
                camera=camera.id,
                stream=stream,
                user=session.user.name,
                start_us=begins.start_us,
            )
            headers = {
                "Cache-Control": "no-store",
                "X-Start-Time": _text(begins.start_us),
                "X-Codec": begins.codec,
                "X-Picture-Size": f"{begins.width}x{begins.height}",
            }
            if begins.size is not None:
                headers["Content-Length"] = str(begins.size)
            if file:
                name = f"{camera.id}-{instant(begins.start_us):%Y%m%dT%H%M%SZ}.mp4"
                headers["Content-Disposition"] = f'attachment; filename="{name}"'
            body = _body(coming, lambda: parts.sessions.still_good(session))
            return _RangeResponse(body, headers, stack.pop_all())

    return router


class _BrokenOffError(Exception):
    """The range ends before its end: the viewer has to see that it does."""


class _RangeResponse(StreamingResponse):
    """Lets the range go, however the response ends; one that broke off ends without its last chunk."""

    def __init__(self, body: AsyncIterator[bytes], headers: dict[str, str], held: AsyncExitStack) -> None:
        super().__init__(body, headers=headers, media_type="video/mp4")
        self._held = held

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            try:
                await super().__call__(scope, receive, send)
            except _BrokenOffError:
                return


async def _body(coming: RangeIn, still_good: Callable[[], Awaitable[bool | None]]) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    look_at = loop.time() + STILL_GOOD_EVERY_S
    while True:
        try:
            data = await coming.read()
        except NotRecordedError as exc:
            log.info("a recording broke off", reason=str(exc))
            raise _BrokenOffError from exc
        if not data:
            return
        if loop.time() > look_at:
            if not await still_good():
                raise _BrokenOffError
            look_at = loop.time() + STILL_GOOD_EVERY_S
        yield data


def _recordings(found: Spans, from_us: int, uplink: Uplink | None) -> Recordings:
    length_us = max(found.to_us - from_us, 1)
    return Recordings(
        until=instant(found.to_us),
        oldest=instant_or_none(found.oldest_us),
        first=_first(found.streams, uplink),
        streams=[
            RecordedStream(
                stream=one.stream,
                kbit_s=round(one.kbit_s, 1),
                share=round(sum(span.end_us - span.start_us for span in one.spans) / length_us, 4),
                spans=[
                    RecordedSpan(
                        start=instant(span.start_us),
                        end=instant(span.end_us),
                        codec=span.codec,
                        width=span.width,
                        height=span.height,
                    )
                    for span in one.spans
                ],
            )
            for one in found.streams
        ],
    )


def _first(streams: tuple[StreamSpans, ...], uplink: Uplink | None) -> StreamName | None:
    """The full picture where the line has room for it."""
    if not streams:
        return None
    rates = {one.stream: one.kbit_s for one in streams}
    known = [kbit for kbit in (uplink.limit_kbit, uplink.line_kbit) if kbit] if uplink else []
    if "main" in rates and (len(rates) == 1 or not known or min(known) >= ROOM * rates["main"]):
        return "main"
    return "sub"


def _check(from_us: int, to_us: int, most_us: int, words: str) -> None:
    if not from_us < to_us <= from_us + most_us:
        raise Problem(422, f"`to` has to be after `from`, by at most {words}.")


def _problem(exc: NotRecordedError) -> Problem:
    words = str(exc)
    detail = f"{words[:1].upper()}{words[1:]}."
    if exc.code in _NOT_FOUND:
        return Problem(404, detail, code=exc.code)
    return Problem(503, detail, {"Retry-After": _RETRY_S}, exc.code)


def _name(camera: Camera) -> str:
    return camera.id.partition(".")[2]


def _text(wall_us: int) -> str:
    return instant(wall_us).isoformat(timespec="microseconds").replace("+00:00", "Z")
