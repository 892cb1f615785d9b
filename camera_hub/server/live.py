"""Live views over HTTP: WHEP (draft-ietf-wish-whep) for WebRTC viewers.

Reads the request, calls `WhepSessions`, shapes the answer; what can be watched is told by `find_camera`.
A session belongs to the user who made it, by its unguessable URL.
"""

from collections.abc import Callable
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, Field

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live.feed import NotLiveError
from camera_hub.live.fragment import read_fragment
from camera_hub.live.hub import LiveHub
from camera_hub.live.ice import IceServers
from camera_hub.live.limits import TooManyViewersError
from camera_hub.live.offer import MAX_OFFER_BYTES, OfferError
from camera_hub.live.whep import WhepSessions
from camera_hub.model import NotLive, StreamName
from camera_hub.server.problems import Problem, problems

SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"  # RFC 8840
RETRY_S = "2"  # when a camera that is away may be asked for again


class LiveCamera(Protocol):
    """What live needs to know of a camera."""

    @property
    def streams(self) -> tuple[StreamName, ...]:
        """The streams that it has, at least one."""

    @property
    def unavailable(self) -> str:
        """Why nothing can be shown live now, in words; empty when all is well."""

    @property
    def code(self) -> NotLive | None:
        """The same for programs."""


class User(Protocol):
    @property
    def name(self) -> str: ...


class Watcher(Protocol):
    """The session of a signed-in user, as `rights.needs` gives it."""

    @property
    def user(self) -> User: ...


class ServerClock(BaseModel):
    now_us: int = Field(description="µs since 1970")


_CameraId = Annotated[str, Path(max_length=200, description="The global id: `site.camera`")]
_SessionId = Annotated[str, Path(max_length=100)]
_StreamChoice = Annotated[
    StreamName,
    Query(description="The small stream or the full one; where one is missing, the other is shown"),
]
_Transcode = Annotated[
    bool,
    Query(
        description="Encoded anew as H.264 without B-frames by the server, for browsers that do not play the "
        "stream as it is; see `live.transcode`"
    ),
]


def live_router(
    hub: LiveHub,
    sessions: WhepSessions,
    find_camera: Callable[[str], LiveCamera | None],
    watcher: Any,
    ice: IceServers | None = None,
    clock: Clock = SYSTEM_CLOCK,
) -> APIRouter:
    """The routes. `watcher` is the right that they need: `needs(Right.LIVE)`."""
    router = _clock_router(watcher, clock)

    def with_servers(response: Response, session: Watcher) -> Response:
        for link in [] if ice is None else ice.links(session.user.name, clock.wall_us()):
            response.headers.append("Link", link)
        return response

    @router.post(
        "/api/cameras/{camera}/whep",
        status_code=201,
        response_class=Response,
        responses={
            201: {"description": "The session, with the SDP answer", "content": {SDP: {}}},
            **problems(400, 404, 413, 415, 422, 503),
        },
        openapi_extra={"requestBody": {"required": True, "content": {SDP: {"schema": {"type": "string"}}}}},
    )
    async def watch(
        request: Request,
        camera: _CameraId,
        session: Annotated[Watcher, watcher],
        stream: _StreamChoice = "sub",
        transcode: _Transcode = False,
    ) -> Response:
        """Watch a camera: an SDP offer in, an SDP answer out."""
        found = find_camera(camera)
        if found is None:
            raise Problem(404, f"There is no camera {camera}.")
        offer = await _text(request, SDP)
        if not offer.startswith("v=0"):
            raise Problem(400, "The body is not SDP: it does not begin with v=0.")
        if found.unavailable:
            raise _unavailable(found.unavailable, found.code)
        shown = stream if stream in found.streams else found.streams[0]
        # What is transcoded is small, and the sub stream may be one that does not go.
        smaller = shown == "main" and "sub" in found.streams and not transcode
        try:
            made, answer = await sessions.create(
                offer,
                hub.transcoded(camera, shown) if transcode else hub.channel(camera, shown),
                session.user.name,
                lesser=(lambda: hub.channel(camera, "sub")) if smaller else None,
            )
        except OfferError as exc:
            raise Problem(422, str(exc)) from exc
        except (TooManyViewersError, NotLiveError) as exc:
            raise _unavailable(str(exc), exc.code) from exc
        headers = {
            "Location": f"{request.url.path}/{made}",
            "ETag": f'"{made}"',
            "Accept-Patch": FRAGMENT,
            "Cache-Control": "no-store",
        }
        return with_servers(Response(answer, status_code=201, media_type=SDP, headers=headers), session)

    @router.options("/api/cameras/{camera}/whep", status_code=204, response_class=Response)
    async def options(camera: _CameraId, session: Annotated[Watcher, watcher]) -> Response:
        """What may be posted here, and the STUN and TURN servers for it."""
        headers = {"Allow": "OPTIONS, POST", "Accept-Post": SDP, "Accept-Patch": FRAGMENT}
        return with_servers(Response(status_code=204, headers=headers), session)

    @router.delete(
        "/api/cameras/{camera}/whep/{live_session}",
        status_code=204,
        response_class=Response,
        responses=problems(404),
    )
    async def leave(
        camera: _CameraId, live_session: _SessionId, session: Annotated[Watcher, watcher]
    ) -> Response:
        """End a session."""
        if not await sessions.delete(live_session, session.user.name):
            raise Problem(404, "You have no such live session; it may have ended already.")
        return Response(status_code=204)

    @router.patch(
        "/api/cameras/{camera}/whep/{live_session}",
        status_code=204,
        response_class=Response,
        responses={
            200: {"description": "ICE began anew; our side of it", "content": {FRAGMENT: {}}},
            204: {"description": "The candidates are known"},
            **problems(400, 404, 412, 413, 415, 428),
        },
        openapi_extra={
            "requestBody": {"required": True, "content": {FRAGMENT: {"schema": {"type": "string"}}}}
        },
    )
    async def trickle(
        request: Request,
        camera: _CameraId,
        live_session: _SessionId,
        session: Annotated[Watcher, watcher],
        if_match: Annotated[str | None, Header(description="The session's ETag, or `*`")] = None,
    ) -> Response:
        """The viewer's candidates, or its new ICE credentials after its network changed."""
        owner = session.user.name
        tag = sessions.tag(live_session, owner)
        if tag is None:
            raise Problem(404, "You have no such live session; it may have ended already.")
        if if_match is None:
            raise Problem(428, "Send If-Match with the session's ETag, or * to begin ICE anew.")
        if "*" not in (asked := [one.strip() for one in if_match.split(",")]) and f'"{tag}"' not in asked:
            raise Problem(412, "The session's ICE began anew since; this is of the one before.")
        try:
            answer = await sessions.patch(live_session, owner, read_fragment(await _text(request, FRAGMENT)))
        except OfferError as exc:
            raise Problem(400, str(exc)) from exc
        except NotLiveError as exc:
            raise Problem(404, str(exc)) from exc
        if answer is None:
            return Response(status_code=204)
        headers = {"ETag": f'"{sessions.tag(live_session, owner)}"', "Cache-Control": "no-store"}
        return with_servers(Response(answer, media_type=FRAGMENT, headers=headers), session)

    return router


def _clock_router(watcher: Any, clock: Clock) -> APIRouter:
    router = APIRouter(tags=["live"])

    @router.get("/api/clock", dependencies=[watcher])
    async def tell_clock() -> ServerClock:
        """The server's clock, for telling the true delay of a live picture where the viewer's is wrong."""
        return ServerClock(now_us=clock.wall_us())

    return router


async def _text(request: Request, media_type: str) -> str:
    """The request's body, of this media type. Raises Problem."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise Problem(415, f"Send it with Content-Type: {media_type}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_OFFER_BYTES:
            raise Problem(413, f"SDP has at most {MAX_OFFER_BYTES} bytes here.")
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Problem(400, "The body is not SDP: it is not in UTF-8.") from None


def _unavailable(detail: str, code: NotLive | None) -> Problem:
    return Problem(503, detail, {"Retry-After": RETRY_S}, code)
