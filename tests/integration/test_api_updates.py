"""What changes reaches every browser that follows, over a real socket; those who may not follow do not."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from camera_hub.link.messages import EventNews, EventPicture, Health
from camera_hub.model import CameraHealth, CameraState
from camera_hub.server import updates
from camera_hub.server.parts import Parts
from camera_hub.server.serve import Started, serve
from camera_hub.server.settings import KnownSite, ServerSettings
from tests.support.server import JPEG, SITE, START_US, USERS, event, hello, ulid
from tests.support.server_thread import remembered_hub
from tests.support.waiting import until

LOGIN = {"username": "to-tuan-tra", "password": "đi tuần ban đêm"}


@dataclass
class Follower:
    """A browser's EventSource: what it was told, in order."""

    events: list[tuple[str, Any]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    comments: int = 0
    opened: bool = False  # the server follows up on us from here on
    ended: bool = False

    async def follow(self, client: httpx.AsyncClient, last_id: str | None = None) -> None:
        headers = {} if last_id is None else {"Last-Event-ID": last_id}
        kind = ""
        async with client.stream("GET", "/api/updates", headers=headers, timeout=60) as answer:
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                name, _, value = line.partition(": ")
                match name:
                    case "event":
                        kind = value
                    case "id":
                        self.ids.append(value)
                    case "data":
                        self.events.append((kind, json.loads(value)))
                    case "retry":
                        self.opened = True
                    case "":
                        self.comments += line.startswith(":")
        self.ended = True

    def of(self, kind: str) -> list[Any]:
        return [data for name, data in self.events if name == kind]


@dataclass
class Live:
    """A server on a socket, and a browser that is signed in."""

    parts: Parts
    client: httpx.AsyncClient

    async def deliver(self, number: int, revision: int = 1) -> None:
        message = EventNews(id=f"m{number}-{revision}", event=event(number, revision=revision))
        await self.parts.state.deliver(SITE, message)


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    sites = (KnownSite(SITE, "Xóm Khe Cốc", "key"),)
    listening: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    with remembered_hub() as hubs:
        settings = ServerSettings(tmp_path, port=0, sites=sites, users=USERS[1:])
        task = asyncio.create_task(serve(settings, started=listening.set_result))
        started = await asyncio.wait_for(listening, 30)
        async with httpx.AsyncClient(base_url=started.url) as client:
            assert (await client.post("/api/login", json=LOGIN)).status_code == 200
            yield Live(hubs[0].app.state.parts, client)
        task.cancel()
        await asyncio.wait([task])


@asynccontextmanager
async def _following(live: Live, last_id: str | None = None) -> AsyncIterator[Follower]:
    follower = Follower()
    task = asyncio.create_task(follower.follow(live.client, last_id))
    try:
        await until(lambda: follower.opened)
        yield follower
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_events_cameras_and_sites_are_told_as_they_change(live: Live) -> None:
    async with _following(live) as one, _following(live) as other:
        await live.parts.state.site_connected(hello())
        await live.deliver(1)
        await live.parts.state.deliver(SITE, EventPicture("p1", ulid(1), "cong-lang", START_US, JPEG))
        await live.deliver(1, revision=2)
        await live.parts.state.site_gone(SITE)
        await until(lambda: len(one.of("site")) == len(other.of("site")) == 2)
        for follower in (one, other):
            assert [told["snapshot"] for told in follower.of("event")] == [False, True, True]
            assert [told["connected"] for told in follower.of("site")] == [True, False]
            assert [told["state"] for told in follower.of("camera")] == ["connecting"] * 2 + ["away"] * 2
        shown = (await live.client.get(f"/api/events/{ulid(1)}")).json()
        assert one.of("event")[-1] == shown


async def test_a_camera_that_fails_is_told_at_once_and_measures_do_not_flood(live: Live) -> None:
    def health(state: CameraState, error: str = "") -> Health:
        camera = CameraHealth(camera="cong-lang", state=state, since_us=START_US, error=error)
        return Health(
            at_us=1,
            cameras=(camera,),
            outbox_depth=0,
            disk_free_bytes=1,
            disk_total_bytes=1,
            recorded_bytes=1,
        )

    await live.parts.state.site_connected(hello())
    async with _following(live) as follower:
        for _ in range(50):
            await live.parts.state.health(SITE, health(CameraState.ONLINE))
        await live.parts.state.health(SITE, health(CameraState.STALLED, "nothing new comes"))
        await until(lambda: [told["state"] for told in follower.of("camera")][-1:] == ["stalled"])
        assert follower.of("camera")[-1]["error"] == "nothing new comes"
        assert len(follower.of("camera")) < 10


async def test_what_is_told_twice_is_published_once(live: Live) -> None:
    async with _following(live) as follower:
        for _ in range(3):
            await live.deliver(1)
        await live.deliver(2)
        await until(lambda: len(follower.of("event")) >= 2)
        assert [told["id"] for told in follower.of("event")] == [ulid(1), ulid(2)]


async def test_a_browser_that_comes_back_gets_what_it_missed(live: Live) -> None:
    async with _following(live) as first:
        await live.deliver(1)
        await until(lambda: first.ids)
    await live.deliver(2)
    async with _following(live, first.ids[-1]) as back:
        await until(lambda: back.events)
        assert [told["id"] for told in back.of("event")] == [ulid(2)]
    async with _following(live, "another-start-7") as stranger:
        await until(lambda: stranger.events)
        assert stranger.events == [("reset", {})]


async def test_a_browser_that_leaves_is_forgotten(live: Live) -> None:
    async with _following(live):
        assert live.parts.updates.clients == 1
    await live.deliver(1)
    await until(lambda: live.parts.updates.clients == 0)


async def test_the_line_is_kept_open_and_ends_with_the_session(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "HEARTBEAT_S", 0.05)
    async with _following(live) as follower:
        await until(lambda: follower.comments >= 2)
        assert (await live.client.post("/api/logout")).status_code == 204
        await until(lambda: follower.ended)


async def test_nobody_follows_without_a_session(live: Live) -> None:
    live.client.cookies.clear()
    assert (await live.client.get("/api/updates")).status_code == 401


async def test_one_browser_too_many_is_told_so(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("camera_hub.server.broadcast.MAX_CLIENTS", 1)
    async with _following(live):
        answer = await live.client.get("/api/updates")
        assert answer.status_code == 503
        assert answer.headers["retry-after"]
