"""Signing in and out, and one's own password."""

from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from camera_hub.server import people
from camera_hub.server.parts import Parts, parts_of
from camera_hub.server.passwords import PasswordsBusyError
from camera_hub.server.problems import Problem, problems
from camera_hub.server.rights import COOKIE, Right, needs, rights_of
from camera_hub.server.sessions import LONGEST_US
from camera_hub.server.shapes import Session, User
from camera_hub.store import SessionRecord, UserRecord

log = structlog.get_logger(__name__)

router = APIRouter(tags=["accounts"])

MIN_PASSWORD = 8
MAX_PASSWORD = 200


class Login(BaseModel):
    username: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=MAX_PASSWORD)


class PasswordChange(BaseModel):
    current: str = Field(min_length=1, max_length=MAX_PASSWORD)
    new: str = Field(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)


@router.post(
    "/api/login",
    dependencies=[needs(Right.PUBLIC)],
    responses=problems(401, 429),
)
async def login(
    given: Login, request: Request, response: Response, parts: Annotated[Parts, Depends(parts_of)]
) -> Session:
    """Signs in: sets the session's cookie. After some failures one has to wait (429)."""
    user = await parts.store.user(given.username)
    if not await _fits(parts, request, given.username, given.password, user):
        # A name that is nobody's may be a password in the wrong field.
        log.warning("sign-in refused", user=user.name if user else "nobody", address=_address(request))
        raise Problem(401, "The name or the password is not right.")
    assert user is not None
    response.set_cookie(
        COOKIE,
        await parts.sessions.begin(user.name),
        max_age=LONGEST_US // 1_000_000,
        path="/",
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )
    log.info("signed in", user=user.name, address=_address(request))
    return _session_shape(user)


@router.post("/api/logout", status_code=204)
async def logout(
    session: Annotated[SessionRecord, needs(Right.ACCOUNT)],
    request: Request,
    response: Response,
    parts: Annotated[Parts, Depends(parts_of)],
) -> None:
    """Ends the session."""
    await parts.sessions.end(session)
    secure = request.url.scheme == "https"
    response.delete_cookie(COOKIE, path="/", secure=secure, httponly=True, samesite="strict")


@router.get("/api/session")
async def get_session(session: Annotated[SessionRecord, needs(Right.ACCOUNT)]) -> Session:
    """Who is signed in."""
    return _session_shape(session.user)


@router.post("/api/password", status_code=204, responses=problems(429))
async def change_password(
    given: PasswordChange,
    session: Annotated[SessionRecord, needs(Right.ACCOUNT)],
    request: Request,
    parts: Annotated[Parts, Depends(parts_of)],
) -> None:
    """Changes one's own password; all other sessions of the user end."""
    user = session.user
    if not await _fits(parts, request, user.name, given.current, user):
        raise Problem(403, "The current password is not right.")
    await parts.store.set_password(user.name, await parts.passwords.hash(given.new), session.token_hash)
    await people.forget_first_login(parts.settings.data)
    log.info("password changed", user=user.name)


async def _fits(parts: Parts, request: Request, name: str, password: str, user: UserRecord | None) -> bool:
    address = _address(request)
    wait_s = parts.attempts.wait_s(address, name)
    if wait_s:
        raise Problem(429, f"Too many tries; wait {wait_s} s.", {"Retry-After": str(wait_s)})
    try:
        fits = await parts.passwords.fits(password, user.password_hash if user else None)
    except PasswordsBusyError as exc:
        raise Problem(429, str(exc), {"Retry-After": "5"}) from exc
    if fits:
        parts.attempts.succeeded(address, name)
    else:
        parts.attempts.failed(address, name)
    return fits


def _address(request: Request) -> str:
    return request.client.host if request.client else "?"


def _session_shape(user: UserRecord) -> Session:
    return Session(
        user=User(name=user.name, display_name=user.display_name, role=user.role),
        rights=sorted(right.value for right in rights_of(user.role)),
    )
