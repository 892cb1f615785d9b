"""Looking back over the link: real ends, a real line between them, a worker's folder with a past.

A viewer is an HTTP client. What is measured is bytes on the line and in the answers.
"""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import httpx
import pytest
import uvicorn

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.lookback import Lookback
from camera_hub.link import messages
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import RangeWanted, Skill
from camera_hub.link.worker import end as worker_end
from camera_hub.link.worker.budget import Budget, Limits
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.recording import Catalogue, Range
from camera_hub.server.serve import assembled, listen
from camera_hub.server.settings import ConfigUser, KnownSite, ServerSettings
from camera_hub.server.wire import SharedFrames
from camera_hub.store import EventFilter, Store
from tests.support.lane import make_lane
from tests.support.link_worker import NAME, Hamlet, open_outbox
from tests.support.narrow_line import Line, narrow_line
from tests.support.past import record_past
from tests.support.server import CAMERAS, SITE, event
from tests.support.waiting import until, until_async

CAMERA = f"/api/cameras/{SITE}.cong-lang/recordings"
S = 1_000_000
START = datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)
PASSWORD = "đi tuần ban đêm"


def at(seconds: float) -> str:
    return (START + timedelta(seconds=seconds)).isoformat()


def at_us(seconds: float) -> int:
    return round((START.timestamp() + seconds) * S)


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A worker's folder: 0 s to 60 s and 100 s to 130 s are recorded, both streams."""
    folder = tmp_path_factory.mktemp("worker")
    main = make_lane(folder / "main.mp4", seconds=8, crossings=((1, 7),), size=(1280, 720))
    sub = make_lane(folder / "sub.mp4", seconds=8, crossings=((1, 7),), size=(320, 180))
    times = [(at_us(0), at_us(60)), (at_us(100), at_us(130))]
    record_past(folder, "cong-lang", {"main": main, "sub": sub}, times, segment_s=20)
    return folder


class Past(Lookback):
    """That past, and what was opened of it."""

    def __init__(self, folder: Path) -> None:
        recordings = folder / "recordings"
        streams = {info.id: info.streams for info in CAMERAS}
        super().__init__(recordings, Catalogue(recordings / "catalogue.db"), streams)
        self.open: list[Range] = []

    async def open_range(self, asked: RangeWanted) -> Range:
        found = await super().open_range(asked)
        self.open.append(found)
        return found


class Apart:
    """Hamlet and commune with a line between them, and somebody who looks."""

    def __init__(
        self,
        end: WorkerEnd,
        past: Past,
        outbox: AsyncOutbox,
        line: Line,
        viewer: httpx.AsyncClient,
        store: Store,
    ) -> None:
        self.end = end
        self.past = past
        self.outbox = outbox
        self.line = line
        self.viewer = viewer
        self.store = store

    async def get(self, path: str, status: int = 200, **query: object) -> httpx.Response:
        named = {name.rstrip("_"): value for name, value in query.items()}
        answer = await self.viewer.get(CAMERA + path, params=named)  # type: ignore[arg-type]
        assert answer.status_code == status, answer.text
        return answer


@asynccontextmanager
async def apart(
    folder: Path, past: Path, kbit: float = 100_000, limits: Limits | None = None
) -> AsyncIterator[Apart]:
    key = SiteKey.load_or_make(folder / "site.key")
    sites = (KnownSite(SITE, "Xóm Khe Cốc", key.public_text()),)
    settings = ServerSettings(
        folder / "server", port=0, sites=sites, users=(ConfigUser("an", "An", "viewer", PASSWORD),)
    )
    hamlet, outbox = Hamlet(), open_outbox(folder)
    hamlet.recordings = recorded = Past(past)
    budget = Budget(limits or Limits(), UTC, SYSTEM_CLOCK)
    async with contextlib.AsyncExitStack() as stack:
        sock = stack.enter_context(contextlib.closing(listen("127.0.0.1", 0)))
        store = await stack.enter_async_context(Store(settings.data))
        hub = await stack.enter_async_context(assembled(settings, store))
        running = uvicorn.Server(
            uvicorn.Config(hub.app, ws=SharedFrames, ws_max_size=16 * 2**20, lifespan="off", log_config=None)
        )
        serving = asyncio.ensure_future(running._serve([sock]))
        try:
            port = sock.getsockname()[1]
            line = await stack.enter_async_context(narrow_line(port, kbit, 0.02))
            url = f"ws://127.0.0.1:{line.port}/api/link"
            end = WorkerEnd(NAME, url, key, SITE, "Xóm", "1", hamlet, outbox.for_server(NAME), budget=budget)
            dialling = asyncio.ensure_future(end.run())
            viewer = await stack.enter_async_context(
                httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
            )
            signed = await viewer.post("/api/login", json={"username": "an", "password": PASSWORD})
            assert signed.status_code == 200, signed.text
            await until(lambda: end.connected)
            yield Apart(end, recorded, outbox, line, viewer, store)
            dialling.cancel()
            await asyncio.gather(dialling, return_exceptions=True)
        finally:
            running.force_exit = running.should_exit = True
            await asyncio.wait([serving], timeout=10)
            outbox.close()


@pytest.fixture(autouse=True)
def quick_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_end, "BACKOFF_S", (0.2,))


def shown_s(answer: httpx.Response) -> list[float]:
    """When each picture is shown, in seconds from the past's beginning."""
    begins = (datetime.fromisoformat(answer.headers["x-start-time"]) - START).total_seconds()
    with av.open(io.BytesIO(answer.content), "r") as video:
        return [begins + (frame.time or 0.0) for frame in video.decode(video=0)]


async def test_what_is_recorded_what_plays_and_what_is_kept(tmp_path: Path, past: Path) -> None:
    async with apart(tmp_path, past) as both:
        found = (await both.get("", from_=at(-100), to=at(300))).json()
        assert [one["stream"] for one in found["streams"]] == ["main", "sub"]
        for one in found["streams"]:
            spans = [[span["start"], span["end"]] for span in one["spans"]]
            times = [[(datetime.fromisoformat(t) - START).total_seconds() for t in span] for span in spans]
            assert times == [[0, 60], [100, 130]]
            assert one["share"] == pytest.approx(90 / 400, abs=0.001)
        assert found["first"] == "main"
        assert datetime.fromisoformat(found["oldest"]) == START

        # From the keyframe before, over segments; its clock is the recording's.
        answer = await both.get("/play", from_=at(15.3), to=at(30), stream="main")
        assert answer.headers["x-codec"].startswith("avc1.")
        assert answer.headers["x-picture-size"] == "1280x720"
        shown = shown_s(answer)
        assert [shown[0], shown[-1]] == pytest.approx([14, 29.9], abs=0.01)
        assert max(b - a for a, b in pairwise(shown)) < 0.11

        # Over the gap, and from within it.
        shown = shown_s(await both.get("/play", from_=at(50), stream="sub"))
        assert shown[-1] == pytest.approx(129.9, abs=0.01)
        assert max(b - a for a, b in pairwise(shown)) == pytest.approx(40.1, abs=0.01)
        assert shown_s(await both.get("/play", from_=at(70), to=at(101)))[0] == pytest.approx(100, abs=0.01)

        kept = await both.get("/download.mp4", from_=at(50), to=at(110), stream="sub")
        assert kept.headers["content-disposition"] == (
            f'attachment; filename="{SITE}.cong-lang-20261120T010253Z.mp4"'
        )
        assert len(kept.content) == int(kept.headers["content-length"])
        with av.open(io.BytesIO(kept.content), "r") as video:
            assert len(list(video.decode(video=0))) == 200
        assert both.past.open[0].read(1) == b""  # closed


async def test_what_cannot_be_had_is_said_in_words(tmp_path: Path, past: Path) -> None:
    async def code(answer: httpx.Response) -> Any:
        problem = answer.json()
        assert problem["detail"].endswith(".")
        return problem.get("code")

    async with apart(tmp_path, past) as both:
        assert await code(await both.get("/play", 404, from_=at(1000))) == "nothing-there"
        assert await code(await both.get("/download.mp4", 404, from_=at(70), to=at(90))) == "nothing-there"
        assert (await both.get("", from_=at(1000), to=at(2000))).json()["streams"] == []
        for query in (
            {"from_": at(10), "to": at(10)},
            {"from_": at(10), "to": at(0)},
            {"from_": at(0), "to": at(9 * 86_400)},
            {"from_": "yesterday", "to": at(0)},
            {"to": at(0)},
        ):
            await both.get("", 422, **query)
        await both.get("/download.mp4", 422, from_=at(0), to=at(3601))
        await both.get("/play", 422, from_=at(0), to=at(86_401))
        await both.get("/play", 422, from_=at(0), stream="third")
        nowhere = f"/api/cameras/{SITE}.nowhere/recordings/play"
        assert (await both.viewer.get(nowhere, params={"from": at(0)})).status_code == 404


async def test_damaged_and_retired_files_are_gaps(tmp_path: Path, past: Path) -> None:
    catalogue = Catalogue(past / "recordings" / "catalogue.db")
    second, third = catalogue.find("cong-lang", "sub", at_us(25), at_us(55))
    content = {one.path: (past / "recordings" / one.path).read_bytes() for one in (second, third)}
    try:
        (past / "recordings" / second.path).write_bytes(b"\0" * 5000)
        (past / "recordings" / third.path).unlink()
        async with apart(tmp_path, past) as both:
            shown = shown_s(await both.get("/play", from_=at(10), to=at(105), stream="sub"))
            gaps = [(a, b) for a, b in pairwise(shown) if b - a > 0.2]
            assert sum(gaps, ()) == pytest.approx((19.9, 100), abs=0.01)
    finally:
        for path, data in content.items():
            (past / "recordings" / path).write_bytes(data)
        catalogue.close()


async def test_an_older_worker_is_told_to_be_updated(
    tmp_path: Path, past: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = messages.WORKER_SKILLS - {Skill.RECORDINGS}
    monkeypatch.setattr("camera_hub.link.handshake.WORKER_SKILLS", older)
    async with apart(tmp_path, past) as both:
        answer = await both.get("", 503, from_=at(0), to=at(10))
        assert answer.json()["code"] == "site-too-old"
        assert "update" in answer.json()["detail"]


async def test_when_nobody_looks_the_line_is_quiet_and_facts_pass_meanwhile(
    tmp_path: Path, past: Path
) -> None:
    second = 1000 * 125
    async with apart(tmp_path, past, kbit=1000) as both:
        query = {"from": at(0), "stream": "main"}
        async with both.viewer.stream("GET", f"{CAMERA}/play", params=query) as answer:
            assert answer.status_code == 200
            came = answer.aiter_raw(16_384)
            await anext(came)
            # The line is full of the range; a fact goes past it.
            before = both.line.up_bytes
            await until(lambda: both.line.up_bytes > before + second // 4, 30)
            before = both.line.up_bytes
            await both.outbox.call(both.outbox.file.put_event, event(1), None, 0)
            both.end.outbox_changed()
            await until_async(lambda: _has_event(both.store), 20)
            assert both.line.up_bytes - before < second
        # Nobody looks any more: what was on the line arrives, and then nothing.
        left = both.line.up_bytes
        await until(lambda: not both.end._ranges._ranges, 20)
        await asyncio.sleep(1)
        assert both.line.up_bytes - left < second
        before = both.line.up_bytes
        await asyncio.sleep(1)
        assert both.line.up_bytes - before < second // 20
        assert both.past.open[-1].read(1) == b""


async def _has_event(store: Store) -> bool:
    return bool((await store.event_page(EventFilter(), 1)).events)


async def test_one_who_rests_has_the_site_rest(tmp_path: Path, past: Path) -> None:
    async with (
        apart(tmp_path, past) as both,
        both.viewer.stream("GET", f"{CAMERA}/play", params={"from": at(0), "stream": "main"}) as answer,
    ):
        came = answer.aiter_raw(16_384)
        await anext(came)
        (out,) = both.end._ranges._ranges.values()
        sent = 0
        async with asyncio.timeout(30):
            while out.sent != sent:  # what the line and both ends take is full at last
                sent = out.sent
                await asyncio.sleep(1)
        assert await _drained(came) > sent


async def test_a_link_cut_in_the_middle_ends_it_and_it_goes_on_when_the_link_is_back(
    tmp_path: Path, past: Path
) -> None:
    async with apart(tmp_path, past, kbit=1000) as both:
        query = {"from": at(0), "stream": "main"}
        async with both.viewer.stream("GET", f"{CAMERA}/play", params=query) as answer:
            came = answer.aiter_raw(4096)
            await anext(came)
            both.line.is_down = True
            both.line.cut()
            with pytest.raises(httpx.RemoteProtocolError):
                await _drained(came)
        await until(lambda: not both.end.connected)
        gone = await both.get("/play", 503, from_=at(0))
        assert gone.json()["code"] == "site-away"
        assert gone.headers["retry-after"]
        both.line.is_down = False
        await until(lambda: both.end.connected, 20)
        shown = shown_s(await both.get("/play", from_=at(0), to=at(3)))
        assert len(shown) == 30


async def _drained(came: AsyncIterator[bytes]) -> int:
    return sum([len(piece) async for piece in came])


async def test_no_more_than_some_at_once(tmp_path: Path, past: Path) -> None:
    async with apart(tmp_path, past, kbit=1000) as both, contextlib.AsyncExitStack() as held:
        query = {"from": at(0), "stream": "main"}
        for _ in range(4):
            answer = await held.enter_async_context(both.viewer.stream("GET", f"{CAMERA}/play", params=query))
            assert answer.status_code == 200
        refused = await both.get("/play", 503, from_=at(0))
        assert refused.json()["code"] == "too-many-of-yours"
        await held.aclose()
        await until_async(lambda: _plays(both), 20)


async def _plays(both: Apart) -> bool:
    answer = await both.viewer.get(f"{CAMERA}/play", params={"from": at(0), "to": at(1)})
    return answer.status_code == 200


async def test_on_a_narrow_line_the_small_stream_is_offered_first(tmp_path: Path, past: Path) -> None:
    async with apart(tmp_path, past, limits=Limits(kbit=100)) as both:
        await until_async(lambda: _first(both, "sub"), 20)


async def _first(both: Apart, stream: str) -> bool:
    found = await both.get("", from_=at(0), to=at(60))
    return bool(found.json()["first"] == stream)
