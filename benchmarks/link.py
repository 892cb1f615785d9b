"""What the link carries: facts a second into the database, bytes per event on the line, catching up.

    python -m benchmarks.link [--events 10000] [--folder DIR]

Worker's end and `camera-hub serve` are processes of their own, as in life, joined over TCP on this machine;
the cameras are not there, and the events lie in the worker's outbox beforehand, as after a cut. Beside it
the way of the first release: a transaction for each fact, and at most 16 on the line; a fifth of the events
have to do for it. SQLite, and PostgreSQL where it is installed, as it comes but for its port: both force each
transaction to the disk. What a whole commune costs is in `benchmarks.commune`.
Prints tables in Markdown.
"""

import argparse
import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import psutil
from sqlalchemy.engine import URL
from ulid import ULID

from camera_hub.ingest.outbox import Outbox
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import EventNews, encode
from camera_hub.model import Crossing, Event, EventKind
from camera_hub.store import Store
from tests.support.hub import write_config
from tests.support.link_worker import NAME
from tests.support.narrow_line import narrow_line
from tests.support.needs import ROOT
from tests.support.postgresql import Server, postgresql
from tests.support.server import SITE
from tests.support.waiting import free_port, until

CAMERAS = 7
BATCH = 256
WAIT_S = 900
PICTURE_BYTES = 45_000  # of a 640x360 picture as the worker makes it

SERVE = (
    "import camera_hub.link.server.taking as t; t.BATCH = {batch}; from camera_hub.cli import main; main()"
)
WORK = """
import asyncio, sys, pathlib
from camera_hub.link.worker import sending
from camera_hub.link.messages import Lane
from tests.support.link_worker import main
sending.WINDOW[Lane.EVENT] = {window}
asyncio.run(main(pathlib.Path(sys.argv[1]), int(sys.argv[2])))
"""
WAYS = {"batches": (BATCH, 256), "a transaction each": (1, 16)}
"""Name → facts kept together at most, facts on the line at most."""


def event(number: int) -> Event:
    """One as the detector tells it when it has closed: with a path, a zone, a line."""
    return Event(
        id=str(ULID()),
        camera=f"camera-{number % CAMERAS}",
        kind=EventKind.MOTION,
        start_us=1_780_000_000_000_000 + number * 1_000_000,
        end_us=1_780_000_000_000_000 + number * 1_000_000 + 6_000_000,
        revision=1,
        zones=("Lòng đường",),
        score=0.75,
        box=(0.25, 0.5, 0.125, 0.25),
        path=tuple((step * 200_000, 0.02 * step, 0.5 + 0.01 * step) for step in range(30)),
        stays=(("Lòng đường", 3_500_000),),
        crossings=(Crossing("Cổng xóm", "right", 1_250_000, "vào xóm"),),
        entry="left",
        exit="right",
        mean_speed=0.125,
        peak_speed=0.25,
    )


async def into_the_store(folder: Path, events: list[Event], url: URL | None, together: int) -> float:
    """Facts a second."""
    async with Store(folder, url=url) as store:
        told = [(one.id, one) for one in events]
        began = time.perf_counter()
        for at in range(0, len(told), together):
            await store.deliver_events(SITE, told[at : at + together])
        return len(told) / (time.perf_counter() - began)


def fill(folder: Path, events: list[Event], picture: bytes | None) -> None:
    """An outbox with these events; made in memory, since it is not what is measured."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as made:
        box = Outbox(Path(made) / "worker.db", [NAME])
        for one in events:
            box.put_event(one, picture, one.start_us)
        box.close()
        shutil.copytree(made, folder)


@asynccontextmanager
async def running(*command: str, log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, cwd=ROOT, env=os.environ, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        await process.wait()


async def listens(port: int) -> None:
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        await asyncio.sleep(0.2)


async def caught_up(
    folder: Path, filled: Path, way: str, url: URL | None = None
) -> tuple[float, float, float]:
    """Messages a second from the link's coming up on; CPU seconds of worker and of server; all told."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(filled, folder / "worker")
    key = SiteKey.load_or_make(folder / "worker" / "site.key")
    port = free_port()
    site = {"id": SITE, "name": "Bench", "key": key.public_text()}
    server = {"host": "127.0.0.1", "port": port, "sites": [site]}
    if url is not None:
        server["database"] = url.set(drivername="postgresql").render_as_string()
    config = write_config(folder / "server.yaml", site={"id": "tuc-tranh", "name": "Xã"}, server=server)
    batch, window = WAYS[way]
    box = Outbox(folder / "worker" / "worker.db", [NAME])
    waiting = box.depth
    async with running(
        "-c", SERVE.format(batch=batch), "serve", str(config), log=folder / "serve.log"
    ) as serve:
        await listens(port)
        serve_cpu_s = cpu_s(serve)
        worker = ("-c", WORK.format(window=window), str(folder / "worker"), str(port))
        async with running(*worker, log=folder / "worker.log") as work:
            await until(lambda: depth(box) < waiting, WAIT_S, 0.01)
            began, first = time.perf_counter(), depth(box)
            await until(lambda: not depth(box), WAIT_S)
            rate = first / (time.perf_counter() - began)
            costs = cpu_s(work), cpu_s(serve) - serve_cpu_s
    box.close()
    return rate, *costs


def depth(box: Outbox) -> int:
    """As the file says: the one who writes it is another process."""
    box._count()
    return box.depth


def cpu_s(process: asyncio.subprocess.Process) -> float:
    times = psutil.Process(process.pid).cpu_times()
    return times.user + times.system


async def on_the_line(folder: Path, filled: Path, count: int) -> float:
    """Bytes per event that a line carries towards the server, all that belongs to it included."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(filled, folder / "worker")
    key = SiteKey.load_or_make(folder / "worker" / "site.key")
    port = free_port()
    site = {"id": SITE, "name": "Bench", "key": key.public_text()}
    server = {"host": "127.0.0.1", "port": port, "sites": [site]}
    config = write_config(folder / "server.yaml", site={"id": "tuc-tranh", "name": "Xã"}, server=server)
    box = Outbox(folder / "worker" / "worker.db", [NAME])
    async with (
        running("-m", "camera_hub", "serve", str(config), log=folder / "serve.log"),
        narrow_line(port, 50_000) as line,
    ):
        await listens(port)
        worker = ("-c", WORK.format(window=BATCH), str(folder / "worker"), str(line.port))
        async with running(*worker, log=folder / "worker.log"):
            await until(lambda: not depth(box), WAIT_S)
    box.close()
    return line.up_bytes / count


async def main(folder: Path, count: int, server: Server | None) -> None:
    events = [event(number) for number in range(count)]
    print(f"An event's last word is {len(encode(EventNews(str(ULID()), events[0])))} bytes.\n")
    print("| facts into the database | facts a second |\n|---|---:|")
    databases = {"SQLite": False, **({} if server is None else {"PostgreSQL": True})}

    def fresh_url(is_server: bool, name: str) -> URL | None:
        return server.url(folder / name) if server is not None and is_server else None

    for name, is_server in databases.items():
        for together in (BATCH, 1):
            fresh = [event(number) for number in range(count // 5)]
            where = f"store-{name}-{together}"
            rate = await into_the_store(folder / where, fresh, fresh_url(is_server, where), together)
            print(f"| {name}, {together} a transaction | {rate:.0f} |", flush=True)

    fill(folder / "all", events, None)
    fill(folder / "fifth", events[: count // 5], None)
    print("\n| catching up after an outage | facts a second | CPU s per 1000, worker | ... server |")
    print("|---|---:|---:|---:|")
    for name, is_server in databases.items():
        for way, filled, number in (("batches", "all", count), ("a transaction each", "fifth", count // 5)):
            url = fresh_url(is_server, f"run-{way}")
            rate, worker_s, server_s = await caught_up(folder / "run", folder / filled, way, url)
            costs = f"{1000 * worker_s / number:.2f} | {1000 * server_s / number:.2f}"
            print(f"| {name}, {way} | {rate:.0f} | {costs} |", flush=True)

    few = events[: max(count // 20, 1)]
    fill(folder / "few", few, None)
    fill(folder / "pictures", few, os.urandom(PICTURE_BYTES))
    print("\n| on the line, towards the server | bytes per word of an event |\n|---|---:|")
    for name, filled in (("facts", "few"), (f"facts and a picture of {PICTURE_BYTES} bytes", "pictures")):
        print(f"| {name} | {await on_the_line(folder / 'run', folder / filled, len(few)):.0f} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="where the files lie; default: a temporary folder")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as made, ExitStack() as stack:
        installed = Path("/usr/lib/postgresql").is_dir()
        database = stack.enter_context(postgresql(fsync=True)) if installed else None
        asyncio.run(main(Path(made), options.events, database))
