"""A commune of 20 sites and 150 cameras: what it costs its server when nothing happens, and its days.

    python -m benchmarks.commune [--seconds 60] [--days 10]

Simulated workers, all in one process, speak the real protocol: `WorkerEnd` with the health of their cameras
every five seconds. The server's CPU is counted with none linked, with 20 sites and 150 cameras, the same with
three people who follow the dashboard, and 100 sites with 750 cameras. Then the store is filled with 10,000
events a day, each with a picture and a clip (their rows; the files are not made), and the requests of the
dashboard's first pages are timed over HTTP, each 20 times. SQLite, and PostgreSQL where it is installed.
Prints tables in Markdown.
"""

import argparse
import asyncio
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path

import httpx
import psutil
import structlog
from msgspec.structs import replace
from sqlalchemy import insert, text
from sqlalchemy.engine import URL
from ulid import ULID

from benchmarks.link import event, listens, running
from benchmarks.measuring import cpu_s
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import Health
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.model import CameraHealth, CameraInfo, CameraState, Event, StreamHealth
from camera_hub.server.rights import COOKIE
from camera_hub.store import Store
from camera_hub.store.tables import media
from tests.support import link_worker
from tests.support.hub import PASSWORD, users, write_config
from tests.support.memory_outbox import Box
from tests.support.postgresql import Server, postgresql
from tests.support.waiting import free_port, until

SITES, CAMERAS = 20, 150
MANY = 100
FOLLOWERS = 3
A_DAY = 10_000
TOGETHER = 5000  # events that are put in at once
DAY_US = 86_400 * 1_000_000
TIMES = 20
PAGES = {
    "the wall's last events": "/api/events?limit=30",
    "the wall's tampers": "/api/events?kind=tamper&limit=30",
    "events": "/api/events?limit=50",
    "events of one camera": "/api/events?camera=site-3.camera-27&limit=50",
    "the inbox": "/api/alerts?limit=50",
    "new alerts": "/api/alerts?state=new&limit=50",
    "cameras": "/api/cameras",
    "sites": "/api/sites",
}


class Hamlet(link_worker.Hamlet):
    """A worker's inside, with cameras that are all well."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self._names = names
        self._began_us = time.time_ns() // 1000

    def cameras(self) -> tuple[CameraInfo, ...]:
        return tuple(CameraInfo(id=name, name=name, streams=("main", "sub")) for name in self._names)

    def health(self) -> Health:
        now_us = time.time_ns() // 1000
        streams = (
            StreamHealth("main", "h264", 1920, 1080, 25.0, 4000.0 + now_us % 100, 2.0, now_us, 0),
            StreamHealth("sub", "h264", 640, 360, 10.0, 500.0 + now_us % 10, 2.0, now_us, 0),
        )
        cameras = tuple(
            CameraHealth(name, CameraState.ONLINE, self._began_us, streams=streams, decoded_share=0.01)
            for name in self._names
        )
        return Health(now_us, cameras, 0, 10**12, 2 * 10**12, 5 * 10**11)


def site_of(number: int) -> str:
    return f"site-{number}"


def cameras_of(number: int, sites: int = SITES) -> list[str]:
    """Their ids, at most; each is in one site."""
    return [f"camera-{camera}" for camera in range(CAMERAS * sites // SITES) if camera % sites == number]


@asynccontextmanager
async def served(
    folder: Path, url: URL | None, keys: list[SiteKey]
) -> AsyncIterator[tuple[int, httpx.AsyncClient]]:
    """`camera-hub serve`: its process id, and somebody signed in."""
    port = free_port()
    sites = [
        {"id": site_of(number), "name": f"Xóm {number}", "key": key.public_text()}
        for number, key in enumerate(keys)
    ]
    server: dict[str, object] = {"host": "127.0.0.1", "port": port, "sites": sites}
    if url is not None:
        server["database"] = url.set(drivername="postgresql").render_as_string()
    config = write_config(
        folder / "commune.yaml", site={"id": "xa", "name": "Xã"}, server=server, users=users()
    )
    async with running("-m", "camera_hub", "serve", str(config), log=folder / "serve.log") as process:
        await listens(port)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            login = {"username": users()[0]["name"], "password": PASSWORD}
            answer = await client.post("/api/login", json=login)
            client.headers["Cookie"] = f"{COOKIE}={answer.cookies[COOKIE]}"
            yield process.pid, client


async def cpu_share(pid: int, seconds: float) -> float:
    """Of a core, 0..1."""
    before, began = cpu_s(pid), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_s(pid) - before) / (time.monotonic() - began)


@asynccontextmanager
async def linked(keys: list[SiteKey], port: int) -> AsyncIterator[None]:
    """A worker for each key, all linked."""
    ends = [
        WorkerEnd(
            "commune",
            f"ws://127.0.0.1:{port}/api/link",
            key,
            site_of(number),
            f"Xóm {number}",
            "1",
            Hamlet(cameras_of(number, len(keys))),
            Box([]),
        )
        for number, key in enumerate(keys)
    ]
    tasks = []
    for end in ends:
        tasks.append(asyncio.create_task(end.run()))
        await asyncio.sleep(5 / len(ends))  # so that their beats are not in step
    try:
        await until(lambda: all(end.connected for end in ends), 60)
        await asyncio.sleep(5)
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def follow(client: httpx.AsyncClient, count: list[int]) -> None:
    async with client.stream("GET", "/api/updates", timeout=None) as answer:
        async for data in answer.aiter_bytes():
            count[0] += len(data)


async def idle(folder: Path, url: Callable[[str], URL | None], seconds: float, name: str) -> None:
    """Prints a row for each number of sites."""

    async def row(sites: int, followers: int) -> None:
        keys, where = [SiteKey.make() for _ in range(sites)], f"idle-{sites}-{followers}"
        (folder / where).mkdir()
        async with served(folder / where, url(where), keys) as (pid, client):
            count = [0]
            async with AsyncExitStack() as stack:
                if sites:
                    await stack.enter_async_context(linked(keys, client.base_url.port or 0))
                tasks = [asyncio.create_task(follow(client, count)) for _ in range(followers)]
                await asyncio.sleep(2)
                count[0] = 0
                share = await cpu_share(pid, seconds)
                memory = psutil.Process(pid).memory_full_info().pss / 2**20
                for task in tasks:
                    task.cancel()
        cameras = CAMERAS * sites // SITES
        each = f"{100 * 100 * share / sites:.1f}" if sites else ""
        told = f"{count[0] / 1000 / seconds / followers:.1f}" if followers else ""
        print(
            f"| {name} | {sites} | {cameras} | {followers} | {100 * share:.2f} | {each} | {told} "
            f"| {memory:.0f} |",
            flush=True,
        )

    await row(0, 0)
    await row(SITES, 0)
    await row(SITES, FOLLOWERS)
    await row(MANY, 0)


def event_of(number: int, start_us: int) -> Event:
    camera = number * 7919 % CAMERAS
    made = replace(event(number), camera=f"camera-{camera}", start_us=start_us, end_us=start_us + 6_000_000)
    return replace(made, id=str(ULID.from_timestamp(start_us / 1e6)))


async def filled(folder: Path, url: URL | None, days: int) -> None:
    """Days of events, up to now."""
    async with Store(folder, url=url) as store:
        now_us = time.time_ns() // 1000
        apart_us = DAY_US // A_DAY
        for begin in range(0, days * A_DAY, TOGETHER):
            by_site: dict[str, list[Event]] = {}
            for number in range(begin, begin + TOGETHER):
                one = event_of(number, now_us - (days * A_DAY - number) * apart_us)
                camera = int(one.camera.partition("-")[2])
                by_site.setdefault(site_of(camera % SITES), []).append(one)
            for site, events in by_site.items():
                await store.deliver_events(site, [(str(ULID()), one) for one in events])
            rows = [
                {
                    "event_id": one.id,
                    "kind": kind,
                    "site": site,
                    "path": f"media/{site}/2026-11/{one.id}.{kind}",
                    "bytes": size,
                    "sha256": "0" * 64,
                    "at_us": one.start_us,
                }
                for site, events in by_site.items()
                for one in events
                for kind, size in (("picture", 4_500), ("clip", 40_000))
            ]
            async with store._database.write() as connection:
                await connection.execute(insert(media), rows)
                # As if all had been heard by the rules.
                await connection.execute(text("DELETE FROM unjudged"))


async def bytes_of(folder: Path, url: URL | None) -> int:
    query = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
    if url is not None:
        query = "SELECT pg_database_size(current_database())"
    async with Store(folder, url=url) as store, store._database.read() as connection:
        return int((await connection.execute(text(query))).scalar_one())


async def timed(ask: Callable[[], Awaitable[httpx.Response]]) -> tuple[float, float]:
    """p50 and the longest, in ms."""
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        (await ask()).raise_for_status()
        took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return took[TIMES // 2], took[-1]


async def pages(folder: Path, url: URL | None, name: str, days: int) -> None:
    """Prints the size of the database, and a row for each request."""
    data = folder / "pages" / "data-commune"
    (folder / "pages").mkdir()
    empty = await bytes_of(data, url)
    await filled(data, url, days)
    size = await bytes_of(data, url)
    per = (size - empty) / (days * A_DAY)
    print(f"\n{name}: {size / 1e6:.0f} MB after {days} days, {per:.0f} bytes an event.\n", flush=True)
    keys = [SiteKey.make() for _ in range(SITES)]
    async with served(folder / "pages", url, keys) as (_, client), linked(keys, client.base_url.port or 0):
        print(f"| {name}, {days * A_DAY} events | p50, ms | most of {TIMES}, ms |\n|---|---:|---:|")
        for what, path in PAGES.items():
            p50, most = await timed(lambda path=path: client.get(path))  # type: ignore[misc]
            print(f"| {what} | {p50:.1f} | {most:.1f} |", flush=True)


async def main(folder: Path, seconds: float, days: int, server: Server | None) -> None:
    databases = ["SQLite"] if server is None else ["SQLite", "PostgreSQL"]
    for name in databases:
        (folder / name).mkdir()
    if seconds:
        await all_idle(folder, seconds, databases, server)
    for name in databases:
        url = server.url(folder / "pages") if server is not None and name != "SQLite" else None
        await pages(folder / name, url, name, days)


async def all_idle(folder: Path, seconds: float, databases: list[str], server: Server | None) -> None:
    print(
        "| database | sites | cameras | dashboards | CPU, % of a core | ... per 100 sites "
        "| kbyte/s to each dashboard | PSS, MB |\n|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    for name in databases:

        def url(of: str, name: str = name) -> URL | None:
            return server.url(folder / of) if server is not None and name != "SQLite" else None

        await idle(folder / name, url, seconds, name)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--seconds", type=float, default=60, help="how long each number of sites is watched; 0: not at all"
    )
    parser.add_argument("--days", type=int, default=10, help="days of events")
    parser.add_argument("--folder", type=Path, help="where the files lie; default: a temporary folder")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory(dir=options.folder) as made, ExitStack() as stack:
        installed = Path("/usr/lib/postgresql").is_dir()
        database = stack.enter_context(postgresql(fsync=True)) if installed else None
        asyncio.run(main(Path(made), options.seconds, options.days, database))
    print(f"\n{os.cpu_count()} cores.", file=sys.stderr)
