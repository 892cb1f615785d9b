"""Cameras: which there are, how they do, and each one's picture as it is now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import Right, needs
from camera_hub.server.shapes import CAMERA_ID_PATTERN, Camera, Cameras, instant

router = APIRouter(tags=["cameras"])

CameraId = Annotated[
    str, Path(pattern=CAMERA_ID_PATTERN, description="`<site>.<camera>`, as in `khe-coc.cong-lang`")
]
Tools = Annotated[Parts, Depends(parts_of)]


@router.get("/api/cameras", dependencies=[needs(Right.LIVE)])
async def list_cameras(parts: Tools) -> Cameras:
    """All cameras of all sites."""
    return Cameras(cameras=parts.state.cameras())


@router.get("/api/cameras/{id}", dependencies=[needs(Right.LIVE)], responses=problems(404))
async def get_camera(id: CameraId, parts: Tools) -> Camera:  # noqa: A002 - the path's own word
    return find_camera(parts, id)


@router.get(
    "/api/cameras/{id}/latest.jpg",
    dependencies=[needs(Right.LIVE)],
    response_class=Response,
    responses={
        200: {
            "description": "The picture",
            "content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "X-Picture-Time": {
                    "description": "When it was taken",
                    "schema": {"type": "string", "format": "date-time"},
                }
            },
        },
        **problems(404, 503),
    },
)
async def latest_picture(
    id: CameraId,  # noqa: A002 - the path's own word
    parts: Tools,
    h: Annotated[int | None, Query(ge=90, le=2160, description="Height in px")] = None,
) -> Response:
    """The camera's picture as it is now, at most a second old."""
    camera = find_camera(parts, id)
    still = await parts.stills.still(camera.site, id.partition(".")[2], h)
    if still.jpeg is None:
        detail = f"{camera.name}: {still.error or 'there is no picture'}; try again when the camera is back."
        raise Problem(503, detail, {"Retry-After": "5"})
    taken = instant(still.at_us).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Response(still.jpeg, media_type="image/jpeg", headers={"X-Picture-Time": taken})


def find_camera(parts: Parts, camera_id: str) -> Camera:
    """The camera by its global id. Raises Problem 404."""
    camera = parts.state.camera(camera_id)
    if camera is None:
        raise Problem(404, f"There is no camera {camera_id}.")
    return camera
