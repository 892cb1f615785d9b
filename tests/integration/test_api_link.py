"""What a real worker's end brings over the link is on the API, and goes away with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
    Configure,
    Configured,
    Durable,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Still,
    StillRequest,
)
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.link.worker.protocols import Recordings
from camera_hub.model import CameraHealth, CameraInfo, CameraState, StreamName
from camera_hub.server.serve import Started, serve
from camera_hub.server.settings import KnownSite, ServerSettings
from tests.support.memory_outbox import Box
from tests.support.no_recordings import NoRecordings
from tests.support.server import CAMERAS, JPEG, SITE, START_US, USERS, event, ulid
from tests.support.server_thread import remembered_hub
from tests.support.waiting import until, until_async

MESSAGES: tuple[Durable, ...] = (
    EventPicture("p1", ulid(1), "cong-lang", START_US, JPEG),
    EventNews("m1", event(1, revision=1)),
    EventClip("c1", ulid(1), "cong-lang", START_US, 6_000_000, b"mp4" * 1000),
    EventNews("m2", event(1, revision=2, end_us=START_US + 5_000_000)),
)


class Hamlet:
    """A worker's inside with two cameras that are online."""

    recordings: Recordings = NoRecordings()

    def cameras(self) -> tuple[CameraInfo, ...]:
        return CAMERAS

    def health(self) -> Health:
        cameras = tuple(CameraHealth(one.id, CameraState.ONLINE, START_US) for one in CAMERAS)
        return Health(
            at_us=START_US,
            cameras=cameras,
            outbox_depth=0,
            disk_free_bytes=1,
            disk_total_bytes=2,
            recorded_bytes=0,
        )

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None: ...

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None: ...

    def unwatch_all(self, server: str) -> None: ...

    async def still(self, request: StillRequest) -> Still:
        return Still(request=request.request, jpeg=JPEG, at_us=START_US)

    async def configure(self, server: str, wanted: Configure) -> Configured:
        return Configured(())


@pytest.fixture
def key() -> SiteKey:
    return SiteKey.make()


@pytest.fixture
async def started(tmp_path: Path, key: SiteKey) -> AsyncIterator[Started]:
    sites = (KnownSite(SITE, "Xóm Khe Cốc", key.public_text()),)
    settings = ServerSettings(tmp_path, port=0, sites=sites, users=USERS[1:])
    listening: asyncio.Future[Started] = asyncio.get_running_loop().create_future()
    with remembered_hub():
        task = asyncio.create_task(serve(settings, started=listening.set_result))
        yield await asyncio.wait_for(listening, 30)
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def browser(started: Started) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=started.url) as client:
        body = {"username": USERS[1].name, "password": USERS[1].password}
        assert (await client.post("/api/login", json=body)).status_code == 200
        yield client


@asynccontextmanager
async def worker(
    started: Started, key: SiteKey, box: Box, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[WorkerEnd]:
    url = f"ws://127.0.0.1:{started.port}/api/link"
    end = WorkerEnd("commune", url, key, SITE, "Xóm Khe Cốc", "0.1.0", Hamlet(), box, clock=clock)
    task = asyncio.create_task(end.run())
    try:
        yield end
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _states(browser: httpx.AsyncClient) -> set[str]:
    cameras: list[dict[str, Any]] = (await browser.get("/api/cameras")).json()["cameras"]
    return {camera["state"] for camera in cameras}


async def test_what_a_worker_brings_is_there_and_its_outbox_is_empty(
    started: Started, browser: httpx.AsyncClient, key: SiteKey
) -> None:
    box = Box(MESSAGES)
    async with worker(started, key, box):
        await until(lambda: not box.waiting)
    found = (await browser.get(f"/api/events/{ulid(1)}")).json()
    assert (found["duration_s"], found["snapshot"], found["clip"]) == (5.0, True, True)
    assert (await browser.get(f"/api/events/{ulid(1)}/snapshot.jpg")).content == JPEG
    assert (await browser.get(f"/api/events/{ulid(1)}/clip.mp4")).content == b"mp4" * 1000


async def test_what_is_sent_again_by_a_worker_that_forgot_is_there_once(
    started: Started, browser: httpx.AsyncClient, key: SiteKey
) -> None:
    for _ in range(2):
        box = Box(MESSAGES)
        async with worker(started, key, box):
            await until(lambda box=box: not box.waiting)  # type: ignore[misc]
    assert len((await browser.get("/api/events")).json()["events"]) == 1


async def test_cameras_come_and_go_with_the_link(
    started: Started, browser: httpx.AsyncClient, key: SiteKey
) -> None:
    latest = "/api/cameras/khe-coc.cong-lang/latest.jpg"
    async with worker(started, key, Box()):

        async def online() -> bool:
            return await _states(browser) == {"online"}

        await until_async(online)
        picture = await browser.get(latest)
        assert (picture.status_code, picture.content) == (200, JPEG)

    async def away() -> bool:
        return await _states(browser) == {"away"}

    await until_async(away)
    assert (await browser.get(latest)).status_code == 503
    offer = {"Content-Type": "application/sdp"}
    whep = await browser.post("/api/cameras/khe-coc.cong-lang/whep", content="v=0\r\n", headers=offer)
    assert whep.status_code == 503


async def test_a_worker_with_a_wrong_key_is_refused_in_words(
    started: Started, browser: httpx.AsyncClient
) -> None:
    async with worker(started, SiteKey.make(), Box(MESSAGES)) as end:
        await until(lambda: end.error)
        assert "key is not the one" in end.error
    assert (await browser.get("/api/events")).json()["events"] == []
    assert (await browser.get("/api/sites")).json()["sites"][0]["connected"] is False


async def test_a_browser_of_another_site_may_not_link(started: Started) -> None:
    url = f"ws://127.0.0.1:{started.port}/api/link"
    with pytest.raises(InvalidStatus) as caught:
        async with connect(url, origin="http://evil.test"):  # type: ignore[arg-type]
            pass
    assert caught.value.response.status_code == 403


async def test_words_where_bytes_belong_end_the_link(started: Started) -> None:
    async with connect(f"ws://127.0.0.1:{started.port}/api/link") as link:
        await link.recv()
        await link.send("xin chào")
        with pytest.raises(ConnectionClosed):
            await asyncio.wait_for(link.recv(), 20)


DECADE_S = 3652 * 86_400


class OffClock:
    """The machine's clock, set wrong."""

    def __init__(self, off_s: int) -> None:
        self._off_us = off_s * 1_000_000

    def wall_us(self) -> int:
        return SYSTEM_CLOCK.wall_us() + self._off_us

    def monotonic_us(self) -> int:
        return SYSTEM_CLOCK.monotonic_us()


@pytest.mark.parametrize("off_s", [DECADE_S, -DECADE_S])
async def test_a_worker_whose_clock_is_ten_years_off(
    started: Started, browser: httpx.AsyncClient, key: SiteKey, off_s: int
) -> None:
    """Its card says how far; its event is kept, stands where it belongs, and is marked."""
    clock = OffClock(off_s)
    before_us = SYSTEM_CLOCK.wall_us()
    told = event(1, start_us=clock.wall_us())
    right = EventNews("m0", event(9, start_us=before_us - 9_000_000))
    async with worker(started, key, box := Box([right])):
        await until(lambda: not box.waiting)
    box = Box([EventNews("m1", told), EventPicture("p1", told.id, "cong-lang", told.start_us, JPEG)])
    async with worker(started, key, box, clock):
        await until(lambda: not box.waiting)
        (site,) = (await browser.get("/api/sites")).json()["sites"]
        assert site["clock_offset_s"] == pytest.approx(off_s, abs=1)
        first, second = (await browser.get("/api/events")).json()["events"]
    assert (first["id"], second["id"]) == (ulid(1), ulid(9))
    assert first["clock_off_s"] == pytest.approx(off_s, abs=1)
    assert second["clock_off_s"] is None
    start_us = datetime.fromisoformat(first["start"]).timestamp() * 1e6
    assert start_us == pytest.approx(before_us, abs=20e6)
    assert first["snapshot"]
