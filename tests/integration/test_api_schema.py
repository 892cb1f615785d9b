"""The OpenAPI description is true: schemathesis, which we did not write, holds every answer against it."""

import asyncio
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from camera_hub.server.openapi import openapi_schema
from camera_hub.server.parts import Parts
from camera_hub.server.rights import COOKIE
from camera_hub.server.sessions import IDLE_US
from camera_hub.server.settings import KnownSite, ServerSettings
from tests.support.server import JPEG, SITE, START_US, USERS, event, hello, ulid
from tests.support.server_thread import RunningServer, server_in_thread

# Streams without an end; test_api_updates and test_api_mjpeg follow them.
ENDLESS = ("watch_updates", "watch_pictures")

# JSON Schema cannot say that a span's end comes after its beginning, nor that a line leads somewhere.
BEYOND_SCHEMA = (
    "put_rule",
    "try_on_the_past",
    "change_settings",
    "list_recordings",
    "play_recording",
    "download_recording",
)

TOKEN = "A-session-token-that-every-request-carries-"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with a linked site and some events."""
    folder = tmp_path_factory.mktemp("schema")
    sites = (KnownSite(SITE, "Xóm Khe Cốc", "key"),)
    with server_in_thread(ServerSettings(folder, port=0, sites=sites, users=USERS)) as running:
        running.run(_fill(running.hub.app.state.parts))
        yield running


async def _fill(parts: Parts) -> None:
    await parts.state.site_connected(hello())
    for number in range(1, 6):
        await parts.store.deliver_event(SITE, f"m{number}", event(number))
    await parts.store.deliver_picture(SITE, "p1", ulid(1), "cong-lang", START_US, JPEG)


async def _sign_in(parts: Parts) -> None:
    """The administrator's session, also after it was ended by a sign-out."""
    hashed = hashlib.sha256(TOKEN.encode()).hexdigest()
    if await parts.store.session(hashed, IDLE_US) is None:
        await parts.store.add_session(hashed, "admin", parts.clock.wall_us() + IDLE_US)


schema = schemathesis.openapi.from_dict(openapi_schema()).exclude(operation_id=[*ENDLESS])


@schema.auth()
class Cookie:
    """The administrator's session."""

    def get(self, case: Any, context: Any) -> str:
        return TOKEN

    def set(self, case: Any, data: str, context: Any) -> None:
        case.cookies = {**(case.cookies or {}), COOKIE: data}


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def sdp(context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode(errors="surrogatepass")


@schema.parametrize()
@settings(max_examples=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: Any, server: RunningServer) -> None:
    server.run(_sign_in(server.hub.app.state.parts))
    answer = case.call(base_url=server.url, timeout=20)
    beyond = case.operation.definition.raw["operationId"] in BEYOND_SCHEMA and answer.status_code == 422
    case.validate_response(answer, excluded_checks=[positive_data_acceptance] if beyond else [])
    if case.operation.definition.raw["security"] and case.meta.generation.mode.is_positive:
        assert answer.status_code != 401, "the test is not signed in, and so it tests nothing"


def test_each_operation_has_a_name_of_its_own_and_its_problems() -> None:
    names = []
    for path, methods in openapi_schema()["paths"].items():
        for operation in methods.values():
            names.append(operation["operationId"])
            assert operation["summary"], path
            assert not any("HTTPValidationError" in str(answer) for answer in operation["responses"].values())
            if operation["security"]:
                assert "401" in operation["responses"], path
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and name == name.lower() for name in names)


def test_the_description_needs_no_database(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert asyncio.run(asyncio.to_thread(openapi_schema))["openapi"].startswith("3.1")
    assert list(tmp_path.iterdir()) == []
