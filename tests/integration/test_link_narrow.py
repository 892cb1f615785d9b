"""The link over a narrow line, with cuts and kills: a fresh event overtakes, a clip goes on where it stopped.

What is measured is bytes on the line, not seconds: a second is what the line carries in one.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path

import pytest

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.outbox import ClipJob
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import EventClip, LiveOpened, LivePackets, LiveSize
from camera_hub.link.worker import end as worker_end_module
from camera_hub.link.worker.budget import Budget, Limits
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.link.worker.outgoing import ClipsOut
from camera_hub.model import Packet, StreamInfo
from camera_hub.server.serve import Assembled, assembled, listen
from camera_hub.server.settings import KnownSite, ServerSettings
from camera_hub.server.sites_state import SitesState
from camera_hub.server.wire import SharedFrames
from camera_hub.store import EventFilter, MediaKind, Store
from tests.support.hub import command, write_config
from tests.support.link_worker import open_outbox, worker_end
from tests.support.narrow_line import Line, narrow_line
from tests.support.needs import ROOT
from tests.support.server import SITE, START_US, event, ulid
from tests.support.waiting import free_port, until, until_async

KBIT = 2000
DELAY_S = 0.08
SECOND_BYTES = KBIT * 125
INFO = StreamInfo(codec="h264", width=1920, height=1080, fps=25.0, extradata=b"")


def clip(number: int, size: int, short: bool = True) -> EventClip:
    content = bytes(range(256)) * (size // 256)
    return EventClip(f"clip-{number}", ulid(number), "cong-lang", START_US, 6_000_000, content, short)


async def put_clip(outbox: AsyncOutbox, one: EventClip) -> None:
    await outbox.call(outbox.file.put_clip, one, ClipJob(event(1), one.short, 0))


@asynccontextmanager
async def server(
    folder: Path, key: SiteKey, keep_free_bytes: int = 0
) -> AsyncIterator[tuple[Assembled, Store, int]]:
    """A server in this process, over its real socket."""
    import uvicorn

    settings = ServerSettings(
        folder,
        port=0,
        sites=(KnownSite(SITE, "Xóm Khe Cốc", key.public_text()),),
        users=(),
        keep_free_bytes=keep_free_bytes,
    )
    with contextlib.closing(listen("127.0.0.1", 0)) as sock:
        async with Store(folder) as store, assembled(settings, store) as hub:
            config = uvicorn.Config(
                hub.app, ws=SharedFrames, ws_max_size=16 * 2**20, lifespan="off", log_config=None
            )
            running = uvicorn.Server(config)
            running.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
            task = asyncio.ensure_future(running._serve([sock]))
            try:
                yield hub, store, sock.getsockname()[1]
            finally:
                running.force_exit = running.should_exit = True
                await asyncio.wait([task], timeout=10)


@asynccontextmanager
async def dialling(end: WorkerEnd) -> AsyncIterator[WorkerEnd]:
    task = asyncio.ensure_future(end.run())
    try:
        yield end
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
def outbox(tmp_path: Path) -> AsyncOutbox:
    (tmp_path / "worker").mkdir()
    return open_outbox(tmp_path / "worker")


@pytest.fixture(autouse=True)
def quick_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_end_module, "BACKOFF_S", (0.2,))


async def has_event(store: Store, number: int) -> bool:
    return await store.event(ulid(number)) is not None


async def has_clip(store: Store, number: int) -> bool:
    return await store.event_media(ulid(number), MediaKind.CLIP) is not None


async def film(end: WorkerEnd, line: Line) -> None:
    """A main stream of twice what the line carries."""
    frame = 0
    end.live_opened(LiveOpened(camera="cong-lang", stream="main", info=INFO))
    while True:
        keyframe = frame % 50 == 0
        data = bytes(int(line.bytes_per_s * 2 / 25 * (13.25 if keyframe else 0.75)))
        packet = Packet(data=data, pts_us=frame, dts_us=frame, wall_us=frame, keyframe=keyframe)
        end.live_packets(LivePackets(camera="cong-lang", stream="main", packets=(packet,)))
        frame += 1
        await asyncio.sleep(1 / 25)


# The limit wider than the line is what happens when somebody believes what the provider promised.
@pytest.mark.parametrize("limit_kbit", [None, 20_000, 1500])
async def test_a_fresh_event_overtakes_clips_and_live(
    tmp_path: Path, outbox: AsyncOutbox, limit_kbit: int | None
) -> None:
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    budget = Budget(Limits(kbit=limit_kbit), UTC, SYSTEM_CLOCK)
    async with (
        server(tmp_path / "server", key) as (hub, store, port),
        narrow_line(port, KBIT, DELAY_S) as line,
    ):
        end = worker_end(tmp_path / "worker", line.port, outbox, budget)
        await put_clip(outbox, clip(1, 8_000_000))
        async with dialling(end):
            await until(lambda: end.connected)
            async with hub.live.channel(f"{SITE}.cong-lang", "main").subscribe():
                await until(lambda: end._watched.buffers)
                filming = asyncio.ensure_future(film(end, line))
                late: list[int] = []
                for number in range(10, 18):
                    # The line is full: of the clip, and of what is watched.
                    full = line.up_bytes + SECOND_BYTES // 2
                    await until(lambda full=full: line.up_bytes > full, 60)  # type: ignore[misc]
                    before = line.up_bytes
                    await outbox.call(outbox.file.put_event, event(number), None, 0)
                    end.outbox_changed()
                    await until_async(lambda number=number: has_event(store, number), 60, 0.01)  # type: ignore[misc]
                    late.append(line.up_bytes - before)
                filming.cancel()
        assert not await has_clip(store, 1)  # it was under way all the time
    # Within a second, of which the delay and the answer have their part.
    assert sorted(late)[-2] < SECOND_BYTES * 0.8, late


async def test_a_clip_goes_on_where_a_cut_stopped_it(
    tmp_path: Path, outbox: AsyncOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = record_wanted(monkeypatch)
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    one = clip(1, 2_000_000)
    async with (
        server(tmp_path / "server", key) as (_, store, port),
        narrow_line(port, 40_000) as line,
    ):
        await store.deliver_event(SITE, "m", event(1))
        line.most_up_bytes = 700_000
        await put_clip(outbox, one)
        async with dialling(worker_end(tmp_path / "worker", line.port, outbox)):
            await until_async(lambda: has_clip(store, 1), 60)
            await until(lambda: outbox.file.depth == 0)
        media = await store.event_media(ulid(1), MediaKind.CLIP)
        assert media is not None
        assert (store.folder / media.path).read_bytes() == one.mp4
        assert not list((store.folder / "arriving").rglob("*.part"))
    assert wanted[0] == 0
    assert 0 < wanted[1] < len(one.mp4)
    assert line.up_bytes < len(one.mp4) + 400_000  # and not all of it again


def record_wanted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The bytes from which on the server wants clips, as they are asked for."""
    found: list[int] = []
    original = ClipsOut.wanted

    def wanted(self: ClipsOut, clip_id: str, at: int) -> bool:
        if clip_id in self._out:
            found.append(at)
        return original(self, clip_id, at)

    monkeypatch.setattr(ClipsOut, "wanted", wanted)
    return found


async def test_a_worker_killed_in_mid_clip_goes_on_where_it_stopped(
    tmp_path: Path, outbox: AsyncOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered: list[int | None] = []
    original = SitesState.clip_offered

    async def clip_offered(self: SitesState, *arguments: object) -> int | None:
        offered.append(await original(self, *arguments))  # type: ignore[arg-type]
        return offered[-1]

    monkeypatch.setattr(SitesState, "clip_offered", clip_offered)
    folder = tmp_path / "worker"
    key = SiteKey.load_or_make(folder / "site.key")
    one = clip(1, 2_000_000, short=False)
    await put_clip(outbox, one)
    outbox.close()
    async with (
        server(tmp_path / "server", key) as (_, store, port),
        narrow_line(port, 4_000) as line,
    ):
        await store.deliver_event(SITE, "m", event(1))
        for stop_at in (600_000, None):
            arguments = ("-m", "tests.support.link_worker", str(folder), str(line.port))
            process = await asyncio.create_subprocess_exec(
                sys.executable, *arguments, cwd=ROOT, env=os.environ
            )
            try:
                if stop_at is not None:
                    await until(lambda stop_at=stop_at: line.up_bytes > stop_at, 60)  # type: ignore[misc]
                else:
                    await until_async(lambda: has_clip(store, 1), 60)
            finally:
                process.send_signal(signal.SIGKILL)
                await process.wait()
        media = await store.event_media(ulid(1), MediaKind.CLIP)
        assert media is not None
        assert (store.folder / media.path).read_bytes() == one.mp4
    assert offered[0] == 0
    assert offered[1] is not None
    assert 300_000 < offered[1] < len(one.mp4)


async def test_a_server_killed_in_mid_clip_goes_on_where_it_stopped(
    tmp_path: Path, outbox: AsyncOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = record_wanted(monkeypatch)
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    port = free_port()
    site = {"id": SITE, "name": "Xóm Khe Cốc", "key": key.public_text()}
    section = {"host": "127.0.0.1", "port": port, "sites": [site]}
    config = write_config(tmp_path / "server.yaml", site={"id": "tuc-tranh", "name": "Xã"}, server=section)
    one = clip(1, 2_000_000)
    await put_clip(outbox, one)
    await outbox.call(outbox.file.put_event, event(1), None, 0)
    async with (
        narrow_line(port, 4_000) as line,
        dialling(worker_end(tmp_path / "worker", line.port, outbox)),
    ):
        with command("serve", str(config), log=tmp_path / "one.log") as first:
            await until(lambda: line.up_bytes > 600_000, 60)
            first.process.kill()
        with command("serve", str(config), log=tmp_path / "two.log"):
            await until(lambda: outbox.file.depth == 0, 60)
    async with Store(tmp_path / "data-server") as store:
        media = await store.event_media(ulid(1), MediaKind.CLIP)
        assert media is not None
        assert (store.folder / media.path).read_bytes() == one.mp4
    assert wanted[0] == 0
    assert wanted[-1] > 300_000


async def test_a_clip_that_arrives_damaged_is_sent_anew(tmp_path: Path, outbox: AsyncOutbox) -> None:
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    one = clip(1, 1_000_000)
    await put_clip(outbox, one)
    async with (
        server(tmp_path / "server", key) as (hub, store, port),
        narrow_line(port, 20_000) as line,
    ):
        await store.deliver_event(SITE, "m", event(1))
        async with dialling(worker_end(tmp_path / "worker", line.port, outbox)):
            arriving = tmp_path / "server" / "arriving"
            await until(lambda: any(path.stat().st_size for path in arriving.rglob("*.part")))
            (path,) = arriving.rglob("*.part")
            with path.open("r+b") as file:
                file.write(b"not what was sent")
            await until(lambda: outbox.file.depth == 0, 60)
        media = await store.event_media(ulid(1), MediaKind.CLIP)
        assert media is not None
        assert (store.folder / media.path).read_bytes() == one.mp4
        assert hub.state.clips_damaged == 1


async def test_new_events_go_before_those_that_waited_and_each_in_their_order(
    tmp_path: Path, outbox: AsyncOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    original = SitesState.deliver_events

    async def deliver_events(self: SitesState, site: str, news: object) -> None:
        await original(self, site, news)  # type: ignore[arg-type]
        told.extend(one.event.start_us for one in news)  # type: ignore[attr-defined]

    monkeypatch.setattr(SitesState, "deliver_events", deliver_events)
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    for number in range(1000):
        outbox.file.put_event(event(number, start_us=number), None, 0)
    async with (
        server(tmp_path / "server", key) as (_, store, port),
        narrow_line(port, KBIT, DELAY_S) as line,
    ):
        async with dialling(worker_end(tmp_path / "worker", line.port, outbox)) as end:
            await until(lambda: len(told) > 100)
            for number in range(5000, 5005):
                await outbox.call(outbox.file.put_event, event(number, start_us=number), None, 0)
            end.outbox_changed()
            await until(lambda: outbox.file.depth == 0, 60)
        assert len((await store.event_page(EventFilter(), 200)).events) == 200
    assert len(told) == 1005
    fresh = [n for n in told if n >= 5000]
    assert fresh == sorted(fresh)
    waited = [n for n in told if n < 5000]
    assert waited == sorted(waited)
    assert told.index(5000) < 900  # with hundreds on the line already


async def test_live_is_fitted_to_the_line(tmp_path: Path, outbox: AsyncOutbox) -> None:
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    async with (
        server(tmp_path / "server", key) as (hub, _, port),
        narrow_line(port, 500) as line,
        dialling(worker_end(tmp_path / "worker", line.port, outbox)) as end,
    ):
        await until(lambda: end.connected)
        channel = hub.live.channel(f"{SITE}.cong-lang", "main")
        async with channel.subscribe():
            await until(lambda: end._watched.buffers)
            filming = asyncio.ensure_future(film(end, line))
            # The small stream is asked for in place of the full one, and shown as what was asked for.
            await until(lambda: ("cong-lang", "sub") in end._hamlet.watched, 60)  # type: ignore[attr-defined]
            assert ("cong-lang", "main") not in end._hamlet.watched  # type: ignore[attr-defined]
            filming.cancel()
            small = StreamInfo(codec="h264", width=640, height=360, fps=10.0, extradata=b"")
            end.live_opened(LiveOpened(camera="cong-lang", stream="sub", info=small))
            await until(lambda: channel.info == small, 60)
            assert end._health().link.live is LiveSize.SUB  # type: ignore[union-attr]
