"""Every route names the right it needs; an app with one that does not, does not start."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fastapi import APIRouter, FastAPI

from camera_hub.server.rights import (
    OPEN,
    RIGHTS,
    Right,
    Role,
    check_every_route,
    needs,
    rights_by_path,
    role_of,
)
from tests.support.server import Server, running_app


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        yield running


def test_a_careless_route_is_named() -> None:
    careless = APIRouter()

    @careless.get("/api/secrets")
    async def secrets() -> None: ...

    app = FastAPI(openapi_url=None)
    app.include_router(careless)
    with pytest.raises(RuntimeError, match="/api/secrets"):
        check_every_route(app)


def test_a_careless_websocket_is_named() -> None:
    app = FastAPI(openapi_url=None)

    @app.websocket("/api/peek")
    async def peek() -> None: ...

    with pytest.raises(RuntimeError, match="/api/peek"):
        check_every_route(app)


def test_a_right_of_the_router_counts() -> None:
    careful = APIRouter(dependencies=[needs(Right.EVENTS)])

    @careful.get("/api/secrets")
    async def secrets() -> None: ...

    app = FastAPI(openapi_url=None)
    app.include_router(careful)
    check_every_route(app)


def test_fastapis_own_pages_would_be_careless() -> None:
    with pytest.raises(RuntimeError, match=r"openapi\.json"):
        check_every_route(FastAPI())


async def test_only_health_sign_in_and_the_shell_are_open(server: Server) -> None:
    found = rights_by_path(server.app)
    open_ones = {path for (path, _), rights in found.items() if rights <= OPEN}
    assert open_ones == {"/healthz", "/readyz", "/api/login", "/{path:page}"}
    assert len(found) > 15


async def test_every_other_route_refuses_without_a_session(server: Server) -> None:
    tried = 0
    for (path, method), rights in rights_by_path(server.app).items():
        if rights <= OPEN:
            continue
        address = path.replace("{id}", "khe-coc.cong-lang" if "cameras" in path else "0" * 26)
        for cookie in ({}, {"cookie": "camera_hub_session=invented"}):
            answer = await server.client.request(method, address, headers=cookie)
            assert answer.status_code == 401, f"{method} {address}"
            assert answer.headers["content-type"] == "application/problem+json"
            tried += 1
    assert tried > 20


async def test_who_lacks_a_right_is_told_so(server: Server) -> None:
    await server.sign_in("to-tuan-tra", "đi tuần ban đêm")
    answer = await server.client.get("/metrics")
    assert answer.status_code == 403
    assert (await server.client.get("/api/events")).status_code == 200


def test_every_role_has_rights_and_none_is_open() -> None:
    assert set(RIGHTS) == set(Role)
    assert all(rights and not rights & OPEN for rights in RIGHTS.values())
    assert role_of("police") is Role.POLICE
    assert role_of("from a newer release") is Role.VIEWER
