"""Whoever opens a store in a folder gets a database of that folder's on a real PostgreSQL."""

from collections.abc import Iterator

import pytest

from camera_hub.store import facade
from tests.support.postgresql import Server, postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with postgresql() as running:
        yield running


@pytest.fixture(autouse=True)
def on_postgresql(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facade, "sqlite_url", lambda path: server.url(path.parent))
