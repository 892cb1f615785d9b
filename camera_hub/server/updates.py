"""Tells browsers what changed: server-sent events (WHATWG HTML, section 9.2).

An update carries an id `<start>-<number>`; a browser that comes back with it gets what it missed,
or, when that is no longer known, `event: reset`, which means: read everything again.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header
from fastapi.responses import StreamingResponse

from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.store import SessionRecord

HEARTBEAT_S = 15.0
RETRY_MS: Final = 2000

router = APIRouter(tags=["updates"])


@router.get(
    "/api/updates",
    response_class=StreamingResponse,
    responses={
        200: {
            "description": "Server-sent events: `event` with an Event, `alert` with an AlertShape, `camera` "
            "with a Camera, `site` with a Site, `reset` when everything is to be read again. A comment every "
            "15 s keeps the line open.",
            "content": {"text/event-stream": {"schema": {"type": "string"}}},
        },
        **problems(503),
    },
)
async def watch_updates(
    session: Annotated[SessionRecord, needs(Right.EVENTS)],
    parts: Annotated[Parts, Depends(parts_of)],
    last_event_id: Annotated[str | None, Header(max_length=64)] = None,
) -> StreamingResponse:
    """What changes, as it changes."""
    if parts.updates.full:
        raise Problem(503, "Too many browsers follow what changes; try again later.", {"Retry-After": "30"})
    return StreamingResponse(
        _stream(parts, session, last_event_id),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},  # nginx would hold the stream back otherwise
    )


async def _stream(parts: Parts, session: SessionRecord, last_id: str | None) -> AsyncIterator[bytes]:
    with parts.updates.subscribe(last_id) as client:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    data = await client.next()
            except TimeoutError:
                # Someone who signed out elsewhere must not go on listening.
                if not await parts.sessions.still_good(session):
                    return
                data = b": still here\n\n"
            if data is None:
                return
            yield data
