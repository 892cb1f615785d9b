"""Errors as people and programs get them: problem details, RFC 9457, for every error there is.

A module raises `Problem`; whatever else is raised becomes one here. No traceback leaves the server.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, Field
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from camera_hub.model import HubError, NotLive, NotRecorded, Refusal

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
_REMEDIES = {
    404: "There is nothing at this address.",
    405: "This address does not answer to this method.",
    416: "The file has no such range.",
}
_KEPT = ("allow", "content-range", "retry-after")


Code = NotLive | NotRecorded | Refusal


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(description="The parameter or the key, as in `query.limit`")
    what: str


class ProblemDetails(BaseModel):
    """Problem details as in RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    code: Code | None = Field(
        default=None,
        description="Why, for programs; `NotLive` where a stream cannot be watched live, "
        "`NotRecorded` where recordings cannot be looked at",
    )
    mistakes: list[Mistake] | None = Field(default=None, description="For a request that is not valid")


class Problem(Exception):  # noqa: N818 - the RFC's own word
    """An answer that is an error. `detail` is a sentence for people: what is wrong and what to do."""

    def __init__(
        self,
        status: int,
        detail: str,
        headers: Mapping[str, str] | None = None,
        code: Code | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.code = code


def problem_response(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    mistakes: list[Mistake] | None = None,
    code: Code | None = None,
) -> Response:
    """The problem as a response, also for those who are below the app: middleware."""
    details = ProblemDetails(
        title=HTTPStatus(status).phrase, status=status, detail=detail, code=code, mistakes=mistakes
    )
    return JSONResponse(
        details.model_dump(exclude_none=True),
        status,
        headers={"Cache-Control": "no-store", **(headers or {})},
        media_type=MEDIA_TYPE,
    )


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the problems that it answers with.

    `app.openapi` adds those that come before the route is asked: 400, 401, 403, 413, 422.
    """
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


class ProblemsOnly:
    """Makes a problem of every error that some library below answered in plain text, such as a bad range."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        replaced = False

        async def as_problem(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] >= 400:
                headers = Headers(raw=message["headers"])
                replaced = headers.get("content-type", "").startswith("text/plain")
                if replaced:
                    status = message["status"]
                    kept = {name: headers[name] for name in _KEPT if name in headers}
                    detail = _REMEDIES.get(status, "The request cannot be answered as it is.")
                    await problem_response(status, detail, kept)(scope, receive, send)
            if not replaced:
                await send(message)

        await self._app(scope, receive, as_problem)


def install(app: FastAPI) -> None:
    app.add_middleware(ProblemsOnly)
    app.add_exception_handler(Problem, _problem)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HubError, _hub)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Problem)
    return problem_response(exc.status, exc.detail, exc.headers, code=exc.code)


async def _http(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    detail = _REMEDIES.get(exc.status_code, str(exc.detail))
    headers = exc.headers
    if exc.status_code == 405:
        headers = {"Allow": ", ".join(sorted(_methods(request)))}
    return problem_response(exc.status_code, detail, headers)


def _methods(request: Request) -> set[str]:
    """All that the address answers to (RFC 9110, section 15.5.6); Starlette tells one route's alone."""
    return {
        method
        for context in iter_route_contexts(request.app.routes)
        if isinstance(context.original_route, Route)
        and compile_path(context.path or "")[0].match(request.url.path)
        for method in context.methods or ()
    }


async def _validation(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, RequestValidationError)
    # What was sent is not repeated: it may be a password.
    mistakes = [
        Mistake(where=".".join(str(part) for part in error["loc"]), what=error["msg"])
        for error in exc.errors()
    ]
    return problem_response(422, "The request is not valid; see `mistakes`.", mistakes=mistakes)


async def _hub(request: Request, exc: Exception) -> Response:
    log.error("a request failed", path=request.url.path, error=str(exc))
    return problem_response(503, str(exc), {"Retry-After": "5"})


async def _unexpected(request: Request, exc: Exception) -> Response:
    # uvicorn logs the traceback; Starlette raises the exception again after this answer.
    log.error("a request broke", path=request.url.path, error=type(exc).__name__)
    return problem_response(500, "Something broke on the server; its log says what.")
