"""What every request passes: other sites' pages are kept out, large bodies refused, headers set."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from camera_hub.server.edge import MAX_BODY_BYTES, CsrfGuard
from tests.support.server import Server, running_app

BODY = {"username": "admin", "password": "wrong"}


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Origin": "http://hub.test"}, 401),
        ({"Origin": "http://HUB.test"}, 401),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://hub.test"}, 401),
        ({"Sec-Fetch-Site": "none"}, 401),
        ({"Origin": "http://evil.test"}, 403),
        ({"Origin": "http://hub.test:8080"}, 403),
        ({"Origin": "http://hub.test.evil.test"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "http://hub.test"}, 403),
    ],
)
async def test_what_another_site_asks_for_is_refused(
    server: Server, headers: dict[str, str], status: int
) -> None:
    answer = await server.client.post("/api/login", json=BODY, headers=headers)
    assert answer.status_code == status
    assert answer.json()["status"] == status


async def test_the_guard_holds_for_one_who_is_signed_in(server: Server) -> None:
    await server.sign_in()
    answer = await server.client.post("/api/logout", headers={"Origin": "http://evil.test"})
    assert answer.status_code == 403
    assert (await server.client.get("/api/session")).status_code == 200


async def test_a_form_cannot_pass_for_json(server: Server) -> None:
    answer = await server.client.post(
        "/api/login", content=json.dumps(BODY), headers={"Content-Type": "text/plain"}
    )
    assert answer.status_code == 422


async def test_other_sites_may_be_read_from_a_link(server: Server) -> None:
    answer = await server.client.get("/healthz", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


async def test_a_websocket_of_another_site_is_refused() -> None:
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    for origin in (b"http://evil.test", b"http://hub.test"):
        scope = {"type": "websocket", "headers": [(b"host", b"hub.test"), (b"origin", origin)]}
        await CsrfGuard(app)(scope, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}, {"type": "websocket.accept"}]


@pytest.mark.parametrize("length_told", [True, False])
async def test_a_body_that_is_too_large_is_refused(server: Server, length_told: bool) -> None:
    body = json.dumps({"username": "x" * MAX_BODY_BYTES, "password": "y"}).encode()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 10_000):
            yield body[start : start + 10_000]

    answer = await server.client.post(
        "/api/login",
        content=body if length_told else pieces(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("length", ["-1", "x", "1e3", "9" * 30])
async def test_a_length_that_is_none_is_refused(server: Server, length: str) -> None:
    request = httpx.Request("POST", "http://hub.test/api/login", headers={"Content-Length": length})
    assert (await server.client.send(request)).status_code == 413


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/session", "/api/nothing"])
async def test_every_answer_carries_the_security_headers(server: Server, path: str) -> None:
    headers = (await server.client.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "script-src" not in policy  # none but our own files, by default-src
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"]
