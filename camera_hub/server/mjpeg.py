"""A camera as a stream of JPEG pictures, for kiosks and very old phones: `<img src="…/mjpeg">` and no script.

Promises: a picture a second at most, asked of the site once for all who look; one that is no longer live
is never left standing as if it were: it is darkened, crossed out, and its age stands on it. The format is
multipart/x-mixed-replace, as browsers have had it since Netscape's server push.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from camera_hub.live.limits import Limits
from camera_hub.live.whep import TooManyViewersError
from camera_hub.server.cameras import CameraId, find_camera
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import instant
from camera_hub.store import SessionRecord

EVERY_S = 1.0
STALE_US = 5_000_000  # without a new picture for so long, the last one is not live
STALE_EVERY_US = 5_000_000  # how often its age is told
STILL_GOOD_EVERY_US = 60_000_000
_NEXT = "picture"  # the boundary
_BOUNDARY = f"--{_NEXT}\r\n".encode()


class Kiosks:
    """All streams of pictures; `close` ends them, since none ends by itself."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._closed = asyncio.Event()

    def close(self) -> None:
        self._closed.set()

    async def closed_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._closed.wait()
        except TimeoutError:
            return False
        return True


def mjpeg_router(kiosks: Kiosks) -> APIRouter:
    """The route."""
    router = APIRouter(tags=["cameras"])

    @router.get(
        "/api/cameras/{id}/mjpeg",
        response_class=StreamingResponse,
        responses={
            200: {
                "description": "JPEG pictures, one after the other, at most one a second",
                "content": {"multipart/x-mixed-replace": {"schema": {"type": "string", "format": "binary"}}},
            },
            **problems(404, 503),
        },
    )
    async def watch_pictures(
        id: CameraId,  # noqa: A002 - the path's own word
        session: Annotated[SessionRecord, needs(Right.LIVE)],
        parts: Annotated[Parts, Depends(parts_of)],
        h: Annotated[int | None, Query(ge=90, le=2160, description="Height in px")] = None,
    ) -> StreamingResponse:
        """The camera's pictures as they come, for an `img` element."""
        camera = find_camera(parts, id)
        first = await parts.stills.still(camera.site, id.partition(".")[2], h)
        if first.jpeg is None:
            detail = (
                f"{camera.name}: {first.error or 'there is no picture'}; try again when the camera is back."
            )
            raise Problem(503, detail, {"Retry-After": "5"})
        try:
            give_back = kiosks.limits.take(session.user.name, id)
        except TooManyViewersError as exc:
            raise Problem(503, str(exc), {"Retry-After": "30"}, exc.code) from exc

        async def body() -> AsyncIterator[bytes]:
            try:
                async for part in _pictures(kiosks, parts, session, id, h):
                    yield part
            finally:
                give_back()

        return StreamingResponse(
            body(),
            media_type=f"multipart/x-mixed-replace; boundary={_NEXT}",
            headers={"X-Accel-Buffering": "no"},  # nginx would hold the stream back otherwise
        )

    return router


async def _pictures(
    kiosks: Kiosks, parts: Parts, session: SessionRecord, camera_id: str, height: int | None
) -> AsyncIterator[bytes]:
    site, _, camera = camera_id.partition(".")
    jpeg, at_us = b"", 0
    now_us = new_us = told_us = good_us = parts.clock.monotonic_us()
    yield _BOUNDARY
    while True:
        still = await parts.stills.still(site, camera, height)
        now_us = parts.clock.monotonic_us()
        if still.jpeg is not None and still.at_us != at_us:
            jpeg, at_us, new_us, told_us = still.jpeg, still.at_us, now_us, now_us
            yield _part(jpeg, at_us)
        elif jpeg and now_us - new_us > STALE_US and now_us - told_us > STALE_EVERY_US:
            told_us = now_us
            age_s = max(0, parts.clock.wall_us() - at_us) // 1_000_000
            yield _part(await asyncio.to_thread(crossed_out, jpeg, age_s), at_us)
        if now_us - good_us > STILL_GOOD_EVERY_US:
            if not await parts.sessions.still_good(session):
                return
            good_us = now_us
        if await kiosks.closed_within(EVERY_S):
            return


def _part(jpeg: bytes, at_us: int) -> bytes:
    """A picture with the boundary behind it: browsers show a part once they see where it ends."""
    taken = instant(at_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\nX-Picture-Time: {taken}\r\n\r\n"
    return b"".join((head.encode(), jpeg, b"\r\n", _BOUNDARY))


def crossed_out(jpeg: bytes, age_s: int) -> bytes:
    """The picture grey, dark and crossed out, with its age on it: "0:02:05"."""
    import cv2  # nothing else in the server needs it
    import numpy as np

    grey = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return jpeg
    height, width = grey.shape
    picture = cv2.cvtColor((grey * 0.4).astype(np.uint8), cv2.COLOR_GRAY2BGR)
    red, thick = (60, 60, 230), max(2, height // 120)
    cv2.line(picture, (0, 0), (width, height), red, thick, cv2.LINE_AA)
    cv2.line(picture, (0, height), (width, 0), red, thick, cv2.LINE_AA)
    words = f"-{age_s // 3600}:{age_s // 60 % 60:02}:{age_s % 60:02}"
    size = height / 240
    place = (width // 30, height - height // 20)
    cv2.putText(picture, words, place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), thick, cv2.LINE_AA)
    return cv2.imencode(".jpg", picture)[1].tobytes()
