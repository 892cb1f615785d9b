"""The server starts or says why not, says how it is, and ends although somebody still listens."""

import asyncio
import contextlib
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import partial
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from camera_hub.model import HubError
from camera_hub.server import serve as serving_module
from camera_hub.server.people import FILE
from camera_hub.server.serve import Started, listen, serve
from camera_hub.server.settings import ServerSettings
from camera_hub.store import Store, StoreNewerError
from camera_hub.store.facade import DATABASE
from tests.support.server import USERS
from tests.support.server_thread import remembered_hub
from tests.support.waiting import free_port, until


@asynccontextmanager
async def serving(settings: ServerSettings) -> AsyncIterator[tuple[Started, "asyncio.Task[None]"]]:
    listening: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    with remembered_hub():
        task = asyncio.create_task(serve(settings, started=listening.set_result))
        try:
            await until(lambda: listening.done() or task.done(), timeout_s=30)
            if task.done():
                task.result()
            yield listening.result(), task
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, HubError):
                await task


async def test_a_fresh_server_can_be_entered_with_its_first_login(tmp_path: Path) -> None:
    async with serving(ServerSettings(tmp_path, port=0)) as (started, _):
        login = started.first_login
        assert login is not None
        body = {"username": login.name, "password": login.password}
        async with httpx.AsyncClient(base_url=started.url) as client:
            assert (await client.post("/api/login", json=body)).status_code == 200
            change = {"current": login.password, "new": "một mật khẩu mới"}
            assert (await client.post("/api/password", json=change)).status_code == 204
        assert not (tmp_path / FILE).exists()
    async with serving(ServerSettings(tmp_path, port=0)) as (again, _):
        assert again.first_login is None


async def test_a_port_that_is_taken_is_named_with_the_remedy(tmp_path: Path) -> None:
    with listen("127.0.0.1", 0) as other:
        port = other.getsockname()[1]
        with pytest.raises(HubError, match=rf"port {port} .* taken .* server\.port"):
            async with serving(ServerSettings(tmp_path, port=port)):
                pass


@pytest.mark.parametrize("host", ["192.0.2.200", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_named(host: str) -> None:
    with pytest.raises(HubError, match=host):
        listen(host, free_port())


def test_the_url_can_be_opened() -> None:
    assert Started("0.0.0.0", 8787, None).url == "http://127.0.0.1:8787"
    assert Started("::", 8787, None).url == "http://[::1]:8787"
    assert Started("::1", 8787, None).url == "http://[::1]:8787"
    assert Started("127.0.0.1", 1, None).url == "http://127.0.0.1:1"


async def test_a_second_server_on_the_folder_says_so_and_leaves(tmp_path: Path) -> None:
    async with serving(ServerSettings(tmp_path, port=0)) as (started, _):
        with pytest.raises(HubError, match=r"another camera-hub serve \(process \d+\) uses this folder"):
            async with serving(ServerSettings(tmp_path, port=0)):
                pass
        async with httpx.AsyncClient(base_url=started.url) as client:
            assert (await client.get("/readyz")).status_code == 200


async def test_a_newer_database_keeps_the_server_from_starting(tmp_path: Path) -> None:
    async with serving(ServerSettings(tmp_path, port=0)):
        pass
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
    with pytest.raises(StoreNewerError, match="newer camera-hub"):
        async with serving(ServerSettings(tmp_path, port=0)):
            pass


async def test_alive_and_ready_are_two_things(tmp_path: Path) -> None:
    async with (
        serving(ServerSettings(tmp_path, port=0)) as (started, _),
        httpx.AsyncClient(base_url=started.url) as client,
    ):
        assert (await client.get("/healthz")).json() == {"status": "alive"}
        assert (await client.get("/readyz")).json() == {"status": "ready"}
        with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
            database.execute("DROP TABLE meta")
        assert (await client.get("/healthz")).status_code == 200
        broken = await client.get("/readyz")
        assert broken.status_code == 503
        assert "meta" not in broken.text
        assert broken.headers["content-type"] == "application/problem+json"


async def test_a_locked_database_is_told_in_words_and_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving_module, "Store", partial(Store, busy_s=0.2))
    body = {"username": USERS[1].name, "password": USERS[1].password}
    async with (
        serving(ServerSettings(tmp_path, port=0, users=USERS[1:])) as (started, _),
        httpx.AsyncClient(base_url=started.url, timeout=60) as client,
    ):
        with closing(sqlite3.connect(tmp_path / DATABASE, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            locked = await client.post("/api/login", json=body)
            assert locked.status_code == 503
            assert "another program has held the database" in locked.json()["detail"]
            assert (await client.get("/readyz")).status_code == 200
        assert (await client.post("/api/login", json=body)).status_code == 200
        assert (await client.get("/api/events")).status_code == 200


async def test_an_error_of_ours_is_a_problem_without_its_inside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: object) -> None:
        raise ZeroDivisionError("a secret of the inside")

    monkeypatch.setattr("camera_hub.server.sites_state.SitesState.sites", broken)
    body = {"username": USERS[1].name, "password": USERS[1].password}
    async with (
        serving(ServerSettings(tmp_path, port=0, users=USERS[1:])) as (started, _),
        httpx.AsyncClient(base_url=started.url) as client,
    ):
        await client.post("/api/login", json=body)
        answer = await client.get("/api/sites")
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


async def test_it_ends_although_somebody_follows_links_and_dawdles(tmp_path: Path) -> None:
    body = {"username": USERS[1].name, "password": USERS[1].password}
    settings = ServerSettings(tmp_path, port=0, users=USERS[1:])
    async with serving(settings) as (started, task), httpx.AsyncClient(base_url=started.url) as client:
        await client.post("/api/login", json=body)
        address = ("127.0.0.1", started.port)
        with (
            socket.create_connection(address) as dawdler,
            socket.create_connection(address),
        ):
            dawdler.sendall(b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
            async with (
                client.stream("GET", "/api/updates", timeout=60) as updates,
                connect(f"ws://127.0.0.1:{started.port}/api/link") as link,
            ):
                lines = updates.aiter_lines()
                assert await anext(lines) == "retry: 2000"
                await link.recv()  # the challenge, which we leave without an answer
                task.cancel()
                done, _ = await asyncio.wait([task], timeout=20)
                assert done
                assert not [
                    line async for line in lines if line
                ]  # it ended as it should, and was not cut off
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address).close()
