"""People sign in and out safely: the cookie, wrong passwords, waiting, expiry, a changed password."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from camera_hub.server.attempts import FREE_FAILURES
from camera_hub.server.people import FILE
from camera_hub.server.sessions import IDLE_US, LONGEST_US
from tests.support.server import SECOND_US, Server, running_app

PASSWORD = "chè xanh Khe Cốc"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        yield running


async def test_a_sign_in_makes_a_session(server: Server) -> None:
    answer = await server.sign_in()
    assert answer.status_code == 200
    assert answer.json() == {
        "user": {"name": "admin", "display_name": "Quản trị", "role": "admin"},
        "rights": [
            "account",
            "alerts",
            "channels",
            "configure",
            "duty",
            "enrol",
            "events",
            "live",
            "metrics",
            "rules",
            "sites",
            "verdicts",
        ],
    }
    session = await server.client.get("/api/session")
    assert session.json() == answer.json()


async def test_a_program_signs_in_by_the_sessions_token(server: Server) -> None:
    await server.sign_in()
    token = server.client.cookies["camera_hub_session"]
    server.client.cookies.clear()

    async def status(authorization: str) -> int:
        answer = await server.client.get("/api/session", headers={"Authorization": authorization})
        return answer.status_code

    assert await status(f"Bearer {token}") == 200
    assert await status(f"bearer {token}") == 200
    assert await status(f"Bearer {token}x") == 401
    assert await status(f"Basic {token}") == 401
    assert await status("Bearer ") == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(server: Server) -> None:
    cookie = (await server.sign_in()).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "secure" not in cookie.lower()
    transport = httpx.ASGITransport(server.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://hub.test") as https:
        answer = await https.post("/api/login", json={"username": "admin", "password": PASSWORD})
    assert "secure" in answer.headers["set-cookie"].lower()


async def test_the_store_knows_neither_token_nor_password(server: Server) -> None:
    await server.sign_in()
    token = server.client.cookies["camera_hub_session"]
    await server.store.close()
    content = b"".join(path.read_bytes() for path in server.store.folder.rglob("*") if path.is_file())
    assert b"$argon2id$" in content
    assert token.encode() not in content
    assert PASSWORD.encode() not in content


@pytest.mark.parametrize(
    ("name", "password"),
    [("admin", "wrong"), ("nobody", PASSWORD), ("ADMIN", PASSWORD), ("admin", " " + PASSWORD)],
)
async def test_a_wrong_name_and_a_wrong_password_look_the_same(
    server: Server, name: str, password: str
) -> None:
    answer = await server.sign_in(name, password)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "The name or the password is not right."
    assert "set-cookie" not in answer.headers


async def test_who_guesses_has_to_wait_and_is_told_how_long(server: Server) -> None:
    for _ in range(FREE_FAILURES):
        assert (await server.sign_in(password="wrong")).status_code == 401
    refused = await server.sign_in()
    assert refused.status_code == 429
    wait_s = int(refused.headers["retry-after"])
    assert str(wait_s) in refused.json()["detail"]
    assert (await server.sign_in("to-tuan-tra", "đi tuần ban đêm")).status_code == 200
    server.clock.go(wait_s)
    assert (await server.sign_in()).status_code == 200


async def test_the_current_password_cannot_be_guessed_faster(server: Server) -> None:
    await server.sign_in()
    change = {"current": "wrong", "new": "một mật khẩu mới"}
    for _ in range(FREE_FAILURES):
        assert (await server.client.post("/api/password", json=change)).status_code == 403
    assert (await server.client.post("/api/password", json=change)).status_code == 429


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"username": "admin"},
        {"username": "", "password": PASSWORD},
        {"username": "admin", "password": "x" * 1000},
        {"username": ["admin"], "password": PASSWORD},
        [],
        "admin",
    ],
)
async def test_a_body_that_is_not_right_is_explained_and_not_repeated(server: Server, body: object) -> None:
    answer = await server.client.post("/api/login", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["mistakes"][0]["where"].startswith("body")
    assert "xxxx" not in answer.text


async def test_a_lone_surrogate_is_a_mistake_and_no_breakdown(server: Server) -> None:
    answer = await server.client.post(
        "/api/login",
        content=b'{"username": "\\ud800", "password": "\\udfff"}',
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422


async def test_signing_out_ends_the_session_on_the_server(server: Server) -> None:
    await server.sign_in()
    token = server.client.cookies["camera_hub_session"]
    assert (await server.client.post("/api/logout")).status_code == 204
    assert "camera_hub_session" not in server.client.cookies
    answer = await server.client.get("/api/session", headers={"Cookie": f"camera_hub_session={token}"})
    assert answer.status_code == 401


async def test_a_session_that_is_used_lasts_and_then_ends(server: Server) -> None:
    await server.sign_in()
    step_s = IDLE_US / SECOND_US / 2
    for _ in range(LONGEST_US // (IDLE_US // 2)):
        assert (await server.client.get("/api/session")).status_code == 200
        server.clock.go(step_s)
    server.clock.go(step_s)
    assert (await server.client.get("/api/session")).status_code == 401


async def test_a_session_that_is_not_used_ends(server: Server) -> None:
    await server.sign_in()
    server.clock.go(IDLE_US / SECOND_US + 1)
    assert (await server.client.get("/api/session")).status_code == 401


async def test_a_new_password_counts_at_once_and_ends_the_other_sessions(server: Server) -> None:
    (server.store.folder / FILE).touch()
    await server.sign_in()
    other = {"Cookie": f"camera_hub_session={server.client.cookies['camera_hub_session']}"}
    await server.sign_in()
    change = {"current": PASSWORD, "new": "một mật khẩu mới"}
    assert (await server.client.post("/api/password", json=change)).status_code == 204
    assert (await server.client.get("/api/session")).status_code == 200
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(server.app), base_url="http://hub.test"
    ) as elsewhere:
        assert (await elsewhere.get("/api/session", headers=other)).status_code == 401
    assert (await server.sign_in()).status_code == 401
    assert (await server.sign_in(password="một mật khẩu mới")).status_code == 200
    assert not (server.store.folder / FILE).exists()


async def test_a_new_password_that_is_too_short_is_refused(server: Server) -> None:
    await server.sign_in()
    answer = await server.client.post("/api/password", json={"current": PASSWORD, "new": "short"})
    assert answer.status_code == 422
