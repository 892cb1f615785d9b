"""Whoever may judge an event does so over HTTP, everybody sees it at once, and nobody else may."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from camera_hub.link.messages import EventNews
from tests.support.server import SITE, START_US, Server, event, hello, running_app, ulid

PATH = f"/api/events/{ulid(1)}"


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.state.site_connected(hello())
        await running.state.deliver(SITE, EventNews(id="m1", event=event(1)))
        await running.sign_in("cong-an", "giữ yên thôn xóm")
        yield running


async def _put(server: Server, **said: Any) -> httpx.Response:
    return await server.client.put(f"{PATH}/verdict", json=said)


async def test_an_officer_says_what_it_was_and_takes_it_back(server: Server) -> None:
    answer = await _put(server, verdict="false", note="  mèo nhà  ")
    assert answer.status_code == 200, answer.text
    said = {"verdict": "false", "note": "mèo nhà", "by": "Công an xã", "at": "2026-05-28T20:26:40Z"}
    assert answer.json()["verdict"] == said
    assert (await server.client.get(PATH)).json() == answer.json()
    assert (await server.client.get("/api/events")).json()["events"][0]["verdict"] == said
    taken_back = await server.client.delete(f"{PATH}/verdict")
    assert (taken_back.status_code, taken_back.json()["verdict"]) == (200, None)
    assert (await server.client.get(PATH)).json()["verdict"] is None


async def test_every_browser_is_told_once(server: Server) -> None:
    with server.updates.subscribe() as follower:
        await _put(server, verdict="real")
        await _put(server, verdict="real")
        await server.client.delete(f"{PATH}/verdict")
        await server.client.delete(f"{PATH}/verdict")
        told = await follower.next()
    assert told is not None
    events = [json.loads(line[6:]) for line in told.decode().splitlines() if line.startswith("data: ")]
    assert [one["verdict"] and one["verdict"]["verdict"] for one in events] == ["real", None]
    assert all(one["id"] == ulid(1) for one in events)


async def test_what_the_site_tells_later_keeps_the_verdict(server: Server) -> None:
    await _put(server, verdict="real")
    later = event(1, revision=2, end_us=START_US + 4_000_000)
    await server.state.deliver(SITE, EventNews(id="m2", event=later))
    found = (await server.client.get(PATH)).json()
    assert (found["duration_s"], found["verdict"]["verdict"]) == (4, "real")


async def test_a_viewer_sees_a_verdict_but_gives_none(server: Server) -> None:
    await _put(server, verdict="test")
    signed_in = await server.sign_in("to-tuan-tra", "đi tuần ban đêm")
    assert "verdicts" not in signed_in.json()["rights"]
    for answer in (await _put(server, verdict="real"), await server.client.delete(f"{PATH}/verdict")):
        assert (answer.status_code, answer.json()["code"]) == (403, "no-right")
    assert (await server.client.get(PATH)).json()["verdict"]["verdict"] == "test"


async def test_an_event_that_is_not_there_has_no_verdict(server: Server) -> None:
    path = f"/api/events/{ulid(99)}/verdict"
    for answer in (
        await server.client.put(path, json={"verdict": "real"}),
        await server.client.delete(path),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "no-event")


@pytest.mark.parametrize(
    "body", [{}, {"verdict": None}, {"verdict": "maybe"}, {"verdict": "real", "note": "x" * 501}]
)
async def test_nonsense_is_refused(server: Server, body: dict[str, Any]) -> None:
    answer = await _put(server, **body)
    assert (answer.status_code, bool(answer.json()["mistakes"])) == (422, True)
    assert (await server.client.get(PATH)).json()["verdict"] is None
