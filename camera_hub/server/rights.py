"""Who may do what. Every route names the right that it needs; an app with one that does not, does not start.

A route says `dependencies=[needs(Right.LIVE)]`, or takes the session: `session: Annotated[SessionRecord,
needs(Right.ACCOUNT)]`. Without a session the answer is 401, without the right 403.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from starlette.requests import HTTPConnection

from camera_hub.model import Refusal
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.problems import Problem
from camera_hub.store import SessionRecord

COOKIE = "camera_hub_session"


class Role(StrEnum):
    VIEWER = "viewer"  # the village security team
    POLICE = "police"
    ADMIN = "admin"


class Right(StrEnum):
    PUBLIC = "public"  # anybody, without a session
    WORKER = "worker"  # a worker, who proves itself by its key inside the link
    ACCOUNT = "account"  # one's own session and password, and what is common to all
    LIVE = "live"  # cameras as they are now
    EVENTS = "events"  # what happened, with pictures and clips
    ALERTS = "alerts"  # what somebody must see, and being told of it
    DUTY = "duty"  # acknowledging, assigning and closing alerts
    RULES = "rules"  # which events make alerts
    CHANNELS = "channels"  # ways to tell people, with their secrets
    VERDICTS = "verdicts"  # saying what an event was: real, false, a test
    SITES = "sites"  # how the sites do
    ENROL = "enrol"  # which sites there are and whose worker may link
    CONFIGURE = "configure"  # cameras' settings: what is looked for, what is recorded
    METRICS = "metrics"  # numbers for machines; also by the metrics token


OPEN = frozenset({Right.PUBLIC, Right.WORKER})

_ALL_ROLES = frozenset({Right.ACCOUNT, Right.LIVE, Right.EVENTS, Right.ALERTS, Right.SITES})
_POLICE = _ALL_ROLES | {Right.VERDICTS, Right.DUTY, Right.RULES}
RIGHTS: dict[Role, frozenset[Right]] = {
    Role.VIEWER: _ALL_ROLES,
    Role.POLICE: _POLICE,
    Role.ADMIN: _POLICE | {Right.CHANNELS, Right.ENROL, Right.CONFIGURE, Right.METRICS},
}


def rights_of(role: str) -> frozenset[Right]:
    """What a role may do, by its name."""
    return RIGHTS[role_of(role)]


def role_of(name: str) -> Role:
    """The role by its name; one that this release does not know may do the least."""
    try:
        return Role(name)
    except ValueError:
        return Role.VIEWER


class Needs:
    """The dependency that a route needs `right`."""

    def __init__(self, right: Right) -> None:
        self.right = right

    async def __call__(
        self, connection: HTTPConnection, parts: Annotated[Parts, Depends(parts_of)]
    ) -> SessionRecord | None:
        if self.right in OPEN:
            return None
        if self.right is Right.METRICS and parts.token_opens_metrics(connection.headers.get("authorization")):
            return None
        session = await parts.sessions.find(_token(connection))
        if session is None:
            raise Problem(401, "Sign in first.")
        if self.right not in rights_of(session.user.role):
            raise Problem(403, "Your account may not do this; ask an administrator.", code=Refusal.NO_RIGHT)
        return session


def _token(connection: HTTPConnection) -> str | None:
    """The session's token: the cookie's, or a program's as `Authorization: Bearer` (RFC 6750)."""
    scheme, _, given = connection.headers.get("authorization", "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else connection.cookies.get(COOKIE)


_NEEDS = {right: Needs(right) for right in Right}


def needs(right: Right) -> Any:
    """For a route's dependencies, or for the parameter that takes the session."""
    return Depends(_NEEDS[right])


def check_every_route(app: FastAPI) -> None:
    """Raises RuntimeError naming the routes that name no right."""
    careless = [
        f"{context.path} ({context.name})"
        for context in iter_route_contexts(app.routes)
        if not list(_rights(getattr(context, "dependant", None)))
    ]
    if careless:
        raise RuntimeError(f"these routes name no right: {', '.join(careless)}")


def rights_by_path(app: FastAPI) -> dict[tuple[str, str], set[Right]]:
    """What each (path, method) needs, for tests and docs; a WebSocket's method is `WS`."""
    return {
        (context.path or "", method): set(_rights(getattr(context, "dependant", None)))
        for context in iter_route_contexts(app.routes)
        for method in (getattr(context, "methods", None) or {"WS"})
    }


def _rights(dependant: Dependant | None) -> Iterator[Right]:
    if dependant is None:
        return
    if isinstance(dependant.call, Needs):
        yield dependant.call.right
    for below in dependant.dependencies:
        yield from _rights(below)
