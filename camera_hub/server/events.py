"""Events: what happened, with each one's picture and clip."""

from pathlib import Path as FilePath
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from camera_hub.model import EventKind, Refusal
from camera_hub.server.instants import InstantUs
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import CAMERA_ID_PATTERN, Event, Events, event_shape
from camera_hub.store import CURSOR_PATTERN, ULID_PATTERN, Cursor, EventFilter, MediaKind

router = APIRouter(tags=["events"])

EventId = Annotated[str, Path(pattern=f"^{ULID_PATTERN}$", description="A ULID")]
Tools = Annotated[Parts, Depends(parts_of)]
_MEDIA_PROBLEMS = problems(400, 404, 416)
_MEDIA_HEADERS = {"Cache-Control": "private, no-cache"}  # kept by the browser, asked again by its ETag


def _file_responses(media_type: str) -> dict[int | str, dict[str, Any]]:
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"description": "The whole file", "content": content},
        206: {"description": "The range that was asked for (RFC 9110, section 14)", "content": content},
        **_MEDIA_PROBLEMS,
    }


@router.get("/api/events", dependencies=[needs(Right.EVENTS)])
async def list_events(
    parts: Tools,
    site: Annotated[str | None, Query(pattern=r"^[a-z0-9-]{1,64}$")] = None,
    camera: Annotated[str | None, Query(pattern=CAMERA_ID_PATTERN, description="`<site>.<camera>`")] = None,
    zone: Annotated[str | None, Query(min_length=1, max_length=200, description="A zone's name")] = None,
    kind: EventKind | None = None,
    after: Annotated[
        InstantUs | None, Query(description="Events that start at this instant or later")
    ] = None,
    before: Annotated[InstantUs | None, Query(description="Events that start before this instant")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(pattern=CURSOR_PATTERN, description="`next` of the page before")
    ] = None,
) -> Events:
    """Events newest first, a page at a time. What arrives meanwhile neither shifts nor repeats a page."""
    camera_site, _, camera_name = (camera or "").partition(".")
    if camera and site and camera_site != site:
        return Events(events=[], next=None)
    wanted = EventFilter(
        site=camera_site or site,
        camera=camera_name or None,
        zone=zone,
        kind=kind,
        after_us=after,
        before_us=before,
    )
    page = await parts.store.event_page(wanted, limit, Cursor.parse(cursor) if cursor else None)
    return Events(
        events=[event_shape(event) for event in page.events],
        next=str(page.next) if page.next else None,
    )


@router.get("/api/events/{id}", dependencies=[needs(Right.EVENTS)], responses=problems(404))
async def get_event(id: EventId, parts: Tools) -> Event:  # noqa: A002 - the path's own word
    stored = await parts.store.event(id)
    if stored is None:
        raise Problem(
            404, f"There is no event {id}; it may have been removed after its time.", code=Refusal.NO_EVENT
        )
    return event_shape(stored)


@router.get(
    "/api/events/{id}/snapshot.jpg",
    dependencies=[needs(Right.EVENTS)],
    response_class=FileResponse,
    responses=_file_responses("image/jpeg"),
)
async def get_event_picture(id: EventId, parts: Tools) -> FileResponse:  # noqa: A002
    """The event's best picture so far."""
    return await _file(parts, id, MediaKind.PICTURE, "image/jpeg")


@router.get(
    "/api/events/{id}/clip.mp4",
    dependencies=[needs(Right.EVENTS)],
    response_class=FileResponse,
    responses=_file_responses("video/mp4"),
)
async def get_event_clip(id: EventId, parts: Tools) -> FileResponse:  # noqa: A002
    """The event's recorded video, whole or by byte ranges."""
    return await _file(parts, id, MediaKind.CLIP, "video/mp4")


async def _file(parts: Parts, event_id: str, kind: MediaKind, media_type: str) -> FileResponse:
    item = await parts.store.event_media(event_id, kind)
    missing = Problem(404, f"There is no {kind.value} of event {event_id}; it may still be on its way.")
    if item is None:
        raise missing
    path: FilePath = parts.store.folder / item.path
    try:
        stat = await run_in_threadpool(path.stat)
    except FileNotFoundError:
        raise missing from None  # removed between the question and now
    name = f"{event_id}{path.suffix}"
    return FileResponse(
        path,
        media_type=media_type,
        headers=_MEDIA_HEADERS,
        stat_result=stat,
        filename=name,
        content_disposition_type="inline",
    )
