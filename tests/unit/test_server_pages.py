"""The dashboard's files are served with the right caching, and nothing beside them is."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.server import Server, running_app


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    dashboard = tmp_path / "dashboard"
    (dashboard / "assets").mkdir(parents=True)
    (dashboard / "index.html").write_text("<title>bảng theo dõi</title>")
    (dashboard / "favicon.svg").write_text("<svg/>")
    (dashboard / "assets" / "index-3f2a.js").write_text("start()")
    (tmp_path / "secret.txt").write_text("secret")
    (dashboard / "link.txt").symlink_to(tmp_path / "secret.txt")
    async with running_app(tmp_path / "data", dashboard) as running:
        yield running


@pytest.mark.parametrize("path", ["/", "/events", "/cameras/khe-coc.cong-lang", "/apiary", "/index.html"])
async def test_the_dashboards_own_pages_get_the_shell(server: Server, path: str) -> None:
    answer = await server.client.get(path)
    assert answer.status_code == 200
    assert "bảng theo dõi" in answer.text
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-type"].startswith("text/html")


async def test_hashed_files_are_kept_for_ever(server: Server) -> None:
    answer = await server.client.get("/assets/index-3f2a.js")
    assert answer.text == "start()"
    assert "immutable" in answer.headers["cache-control"]
    assert "javascript" in answer.headers["content-type"]
    other = await server.client.get("/favicon.svg")
    assert other.headers["cache-control"] == "no-cache"


async def test_head_answers_like_get(server: Server) -> None:
    answer = await server.client.head("/")
    assert (answer.status_code, answer.text) == (200, "")


@pytest.mark.parametrize(
    "path", ["/assets/old-1234.js", "/assets/", "/robots.txt", "/%00.txt", "/assets/%00"]
)
async def test_a_file_that_is_not_there_is_not_the_shell(server: Server, path: str) -> None:
    answer = await server.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "path",
    [
        "/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/assets/../../secret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/assets%2f..%2f..%2fsecret.txt",
        "/link.txt",
        "//etc/passwd",
        "/%2fetc%2fpasswd",
        "/" + "a" * 5000,
    ],
)
async def test_nothing_outside_the_folder_is_served(server: Server, path: str) -> None:
    answer = await server.client.get(path)
    assert answer.status_code in (200, 404)
    assert answer.status_code == 404 or "bảng theo dõi" in answer.text
    assert "secret" not in answer.text
    assert "root:" not in answer.text


@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/events/"])
async def test_a_wrong_api_address_is_not_the_shell(server: Server, path: str) -> None:
    answer = await server.client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_dashboard_that_is_not_built_says_how_to_build_it(tmp_path: Path) -> None:
    async with running_app(tmp_path, tmp_path / "nothing") as server:
        answer = await server.client.get("/")
    assert answer.status_code == 503
    assert "make dashboard" in answer.text
