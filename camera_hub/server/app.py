"""Puts the server together: the parts, what every request passes, and the routes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from camera_hub import __version__
from camera_hub.alerts.engine import neighbours_of
from camera_hub.alerts.telling.push import PushKey
from camera_hub.alerts.times import Calendar
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live.transcode import Transcodes
from camera_hub.server import (
    accounts,
    alerts,
    camera_settings,
    cameras,
    cap,
    channel_routes,
    events,
    health,
    pages,
    problems,
    push_routes,
    rules,
    sites,
    texts,
    updates,
    verdicts,
)
from camera_hub.server.alert_desk import AlertDesk
from camera_hub.server.alert_messages import Messages
from camera_hub.server.alert_shapes import alert_shape
from camera_hub.server.attempts import Attempts
from camera_hub.server.broadcast import Updates
from camera_hub.server.channels import Channels
from camera_hub.server.deliverer import Deliverer
from camera_hub.server.edge import SAFE_METHODS, BodyLimit, CsrfGuard, SecurityHeaders
from camera_hub.server.parts import Parts
from camera_hub.server.passwords import Passwords
from camera_hub.server.problems import ProblemDetails
from camera_hub.server.rights import COOKIE, OPEN, Right, check_every_route, rights_by_path
from camera_hub.server.sessions import Sessions
from camera_hub.server.settings import ServerSettings
from camera_hub.server.sites_state import SitesState
from camera_hub.server.stills import LinkedSites, Stills
from camera_hub.store import Store

DESCRIPTION = (
    "Cameras, live and recorded, and what happened before them. Sign in by `POST /api/login`; the session "
    "is a cookie, or its token a bearer. Instants are ISO 8601 in UTC, errors problem details (RFC 9457)."
)


def create_app(
    settings: ServerSettings,
    store: Store,
    state: SitesState,
    updates_: Updates,
    linked: LinkedSites,
    *,
    passwords: Passwords | None = None,
    routers: Sequence[APIRouter] = (),
    transcodes: Transcodes | None = None,
    dashboard: Path = pages.DASHBOARD,
    clock: Clock = SYSTEM_CLOCK,
) -> FastAPI:
    """The app over an open store. `routers` bring further routes (link, live).

    Raises RuntimeError when a route names no right.
    """
    app = FastAPI(
        title="Camera Hub",
        version=__version__,
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
    )
    channels = Channels(store.alerts, settings.alerts.channels)
    zone = ZoneInfo(settings.timezone)
    calendar = Calendar(zone, settings.alerts.country)
    neighbours = neighbours_of(settings.alerts.neighbours)
    push_key = PushKey(settings.data / "push.key")
    messages = Messages(
        store,
        clock,
        zone,
        state.site_name,
        state.camera_info,
        push_key,
        settings.public_url,
        proxy=settings.alerts.proxy_url(),
    )
    deliverer = Deliverer(store.alerts, channels, clock, messages.write, messages.send, messages.gone)
    desk = AlertDesk(
        store,
        calendar,
        clock,
        on_alert=lambda stored: updates_.publish("alert", alert_shape(stored)),
        on_deliveries=deliverer.wake,
        targets=channels.targets,
        neighbours=neighbours,
    )
    app.state.parts = Parts(
        settings=settings,
        clock=clock,
        store=store,
        state=state,
        updates=updates_,
        stills=Stills(linked, clock),
        sessions=Sessions(store, clock),
        passwords=passwords or Passwords(),
        attempts=Attempts(clock),
        desk=desk,
        channels=channels,
        messages=messages,
        deliverer=deliverer,
        push_key=push_key,
        calendar=calendar,
        neighbours=neighbours,
        transcodes=transcodes,
    )
    problems.install(app)
    # The last one added is the first that a request meets.
    app.add_middleware(BodyLimit)
    app.add_middleware(CsrfGuard)
    app.add_middleware(SecurityHeaders)
    ours = (
        accounts,
        cameras,
        camera_settings,
        events,
        verdicts,
        alerts,
        rules,
        channel_routes,
        push_routes,
        cap,
        texts,
        sites,
        updates,
        health,
    )
    for router in (*(module.router for module in ours), *routers, pages.router(dashboard)):
        app.include_router(router)
    check_every_route(app)
    return app


def openapi(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of the app's routes."""
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = schema.setdefault("components", {})
    details = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
    parts = details.pop("$defs", {})
    components.setdefault("schemas", {}).update({"ProblemDetails": details, **parts})
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "The session's token: what the cookie holds",
        },
        "metrics": {"type": "http", "scheme": "bearer"},
    }
    for (path, method), needed in rights_by_path(app).items():
        operation = schema["paths"].get(path, {}).get(method.lower())
        if operation is not None:
            operation["security"] = _security(needed)
            _describe_common_problems(operation, method, needed)
    # FastAPI's own shapes of what is wrong with a request; ours are problem details.
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)
    return schema


def _describe_common_problems(operation: dict[str, Any], method: str, needed: set[Right]) -> None:
    """What `rights`, `edge` and FastAPI's validation answer before the route is asked."""
    answers = operation["responses"]
    common = [413] if needed <= OPEN else [401, 403, 413]
    if method not in SAFE_METHODS:
        common.append(403)
    if "requestBody" in operation:
        common.append(400)
    for status, answer in problems.problems(*common).items():
        answers.setdefault(str(status), answer)
    if "422" in answers:
        answers["422"] = problems.problems(422)[422]


def _security(needed: set[Right]) -> list[dict[str, list[str]]]:
    if needed <= OPEN:
        return []
    ways = ("session", "token", "metrics") if Right.METRICS in needed else ("session", "token")
    return [{way: []} for way in ways]


def _operation_id(route: APIRoute) -> str:
    return route.name
