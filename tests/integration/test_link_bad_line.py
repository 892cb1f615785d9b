"""An hour of a hamlet over a bad line: 10,000 events, none lost, none twice, in order, in both databases.

Hamlet and commune are networks of their own, worker and `camera-hub serve` processes of their own, killed by
SIGKILL. Between them is a relay, in the hamlet's network, with 300 ms there and back; behind it a cable on
which the kernel loses segments (iptables) and bounds the rate (tc). TCP over 30 % loss carries a few dozen
kB/s: some events go that way, and the thousands that waited over a line that loses 3 %. Some messages
arrive again later, out of their order; TCP itself keeps theirs.

A trigger in the database notes each fact as it takes effect; what is asserted is read from there, and from
the events. Files lie in memory where there is some: a killed process loses nothing of a file, and a power cut
is not what this shows.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from camera_hub.link.handshake import SiteKey
from camera_hub.store import Store
from camera_hub.store.database import sqlite_url
from camera_hub.store.facade import DATABASE
from tests.support.hub import Command, write_config
from tests.support.narrow_line import Line, narrow_line
from tests.support.needs import ROOT
from tests.support.networks import Network, join, networks
from tests.support.postgresql import postgresql
from tests.support.server import SITE
from tests.support.telling_worker import CAMERAS, EVENTS, facts, told
from tests.support.waiting import until_async

KBIT = 4000
DELAY_S = 0.15  # each way
SOME = 100  # facts over a line that loses 30 %
FRESH = 300  # that come about after the cut
CABLE = "cable"
COMMUNE, HAMLET = "10.9.3.1", "10.9.3.2"
PORT = 8787

NOTES = {
    "sqlite": [
        "CREATE TABLE noted (number INTEGER PRIMARY KEY, id TEXT, revision INTEGER)",
        "CREATE TRIGGER one AFTER INSERT ON events BEGIN"
        " INSERT INTO noted (id, revision) VALUES (NEW.id, NEW.revision); END",
        "CREATE TRIGGER two AFTER UPDATE ON events BEGIN"
        " INSERT INTO noted (id, revision) VALUES (NEW.id, NEW.revision); END",
    ],
    "postgresql": [
        "CREATE TABLE noted (number BIGSERIAL PRIMARY KEY, id TEXT, revision INTEGER)",
        "CREATE FUNCTION note() RETURNS TRIGGER LANGUAGE plpgsql AS $$ BEGIN"
        " INSERT INTO noted (id, revision) VALUES (NEW.id, NEW.revision); RETURN NEW; END $$",
        "CREATE TRIGGER one AFTER INSERT OR UPDATE ON events FOR EACH ROW EXECUTE FUNCTION note()",
    ],
}


class Database:
    """The commune's, as another program sees it."""

    def __init__(self, url: URL) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool)

    async def note(self) -> None:
        async with self._engine.begin() as connection:
            for statement in NOTES[self._engine.dialect.name]:
                await connection.execute(text(statement))

    async def rows(self, query: str) -> list[tuple[Any, ...]]:
        async with self._engine.connect() as connection:
            return [tuple(row) for row in (await connection.execute(text(query))).all()]

    async def count(self) -> int:
        """Facts that have taken effect."""
        ((count,),) = await self.rows("SELECT count(*) FROM noted")
        return int(count)

    async def reaches(self, count: int, timeout_s: float = 120) -> None:
        async def does() -> bool:
            return await self.count() >= count

        await until_async(does, timeout_s, 0.3)


@pytest.fixture
def folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    made = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    yield made
    shutil.rmtree(made)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, folder: Path) -> Iterator[URL]:
    if request.param == "sqlite":
        yield sqlite_url(folder / "data-commune" / DATABASE)
        return
    with postgresql() as server:
        # By its Unix socket, which is there in every network.
        yield server.url(folder).set(host=None, port=None, query=server.socket)


class Commune:
    """`camera-hub serve`, to be killed and started again."""

    def __init__(self, folder: Path, network: Network, key: SiteKey, url: URL) -> None:
        site = {"id": SITE, "name": "Xóm Khe Cốc", "key": key.public_text()}
        server: dict[str, object] = {"host": "0.0.0.0", "port": PORT, "sites": [site]}
        if url.get_backend_name() == "postgresql":
            server["database"] = url.set(drivername="postgresql").render_as_string()
        self._config = write_config(
            folder / "commune.yaml", site={"id": "tuc-tranh", "name": "Xã"}, server=server
        )
        self._network = network
        self._log = folder / "serve.log"
        self.running = self._start()

    def _start(self) -> Command:
        with self._network.inside():
            return Command(["serve", str(self._config)], self._log, sys.executable, {})

    def killed_and_started(self) -> None:
        self.running.end(signal.SIGKILL)
        self.running = self._start()


class Worker:
    """The hamlet's, to be killed and started again."""

    def __init__(self, folder: Path, network: Network, line: Line) -> None:
        self._command = [sys.executable, "-m", "tests.support.telling_worker", str(folder)]
        self._command.append(f"ws://127.0.0.1:{line.port}/api/link")
        self._network = network
        self.start()

    def start(self) -> None:
        with self._network.inside():
            self._process = subprocess.Popen(
                self._command, cwd=ROOT, env=os.environ, stdin=subprocess.PIPE, text=True
            )

    def go_on(self, until: int, rate: int = 0) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{until} {rate}\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()


@contextlib.asynccontextmanager
async def bad_line() -> AsyncIterator[tuple[Network, Network, Line]]:
    """Hamlet, commune, and what is between them."""
    with networks("hamlet", "commune") as (hamlet, commune):
        join(hamlet, (f"{HAMLET}/24",), commune, (f"{COMMUNE}/24",), CABLE)
        for network in (hamlet, commune):
            network.sends(KBIT, CABLE)
        async with narrow_line(PORT, 10 * KBIT, DELAY_S, COMMUNE, hamlet.socket) as line:
            yield hamlet, commune, line


def lose(share: float, *both: Network) -> None:
    for network in both:
        network.loses(share, "-i", CABLE, protocol="tcp")


@pytest.mark.timeout(300)
async def test_ten_thousand_events_over_a_bad_line(folder: Path, database: URL) -> None:
    key, story = SiteKey.load_or_make(folder / "site.key"), facts()
    async with Store(folder / "data-commune", url=database):
        pass  # the tables are there
    noted = Database(database)
    await noted.note()
    async with bad_line() as (hamlet, commune_network, line):
        commune = Commune(folder, commune_network, key, database)
        worker = Worker(folder, hamlet, line)
        try:
            lose(0.3, hamlet, commune_network)
            worker.go_on(SOME, 40)
            await noted.reaches(SOME * 9 // 10)  # a revision may have come too late to be one
            assert hamlet.lost() + commune_network.lost() > 10

            line.is_down = True
            line.cut()
            lose(0.03, hamlet, commune_network)
            waiting = len(story) - FRESH
            worker.go_on(waiting // 2)
            await reaches_in(folder / "worker.db", waiting // 3)
            worker.kill()  # while it puts something in
            commune.killed_and_started()
            worker.start()
            worker.go_on(waiting)
            await reaches_in(folder / "worker.db", waiting)
            there = await noted.count()

            connections = len(borders(folder))
            line.is_down, before, began = False, line.up_bytes, time.monotonic()
            await until_async(lambda: asyncio.sleep(0, len(borders(folder)) > connections), 60)
            worker.go_on(len(story), 60)
            await noted.reaches(there + len(story) // 4)
            commune.killed_and_started()
            await noted.reaches(there + len(story) // 2)
            worker.kill()
            worker.start()
            worker.go_on(len(story), 60)
            await until_async(lambda: is_whole(noted), 120, 0.5)
            print(f"all there after {time.monotonic() - began:.0f} s, {line.up_bytes - before} bytes")
        finally:
            worker.kill()
            commune.running.end(signal.SIGKILL)

    # In less than a minute by what the line carries, whatever this machine does meanwhile.
    assert line.up_bytes - before < 60 * KBIT * 125

    expected = [
        (one.id, SITE, one.camera, one.start_us, one.end_us, one.revision)
        for one in (told(number, 2 if number % 10 == 0 else 1) for number in range(EVENTS))
    ]
    kept = await noted.rows("SELECT id, site, camera, start_us, end_us, revision FROM events ORDER BY id")
    assert kept == expected

    number_of = {told(number, revision).id: number for number, revision in story}
    effects = [
        (number_of[id_], revision)
        for id_, revision in await noted.rows("SELECT id, revision FROM noted ORDER BY number")
    ]
    assert len(set(effects)) == len(effects)  # none twice
    newest: dict[int, int] = {}
    for number, revision in effects:
        assert revision > newest.get(number, 0)
        newest[number] = revision

    # In the order of each camera, of those that waited when a connection began, and of the fresh ones, which
    # overtake them. An event that opened before that moment and closed after it belongs to both: left out.
    positions = {fact: at + 1 for at, fact in enumerate(story)}
    ends = borders(folder)
    last: dict[tuple[int, int], int] = defaultdict(int)
    for number in dict.fromkeys(number for number, _ in effects):
        opens = positions[number, 1]
        ages = {bisect_left(ends, at) for at in (opens, positions.get((number, 2), opens))}
        if len(ages) == 1:
            of = number % CAMERAS, ages.pop()
            assert opens > last[of]
            last[of] = opens

    # New events first.
    first = next(at for at, fact in enumerate(effects) if positions[fact] > waiting)
    assert first - there < waiting // 4


async def is_whole(noted: Database) -> bool:
    """Whether each event is there as it was told last."""
    ((count,),) = await noted.rows("SELECT count(*) FROM events WHERE end_us IS NOT NULL")
    return bool(count == EVENTS)


async def reaches_in(outbox: Path, number: int) -> None:
    """The story has come so far, and is in the outbox."""
    box = Database(sqlite_url(outbox))

    async def does() -> bool:
        rows = await box.rows("SELECT seq FROM sqlite_sequence WHERE name = 'message'")
        return bool(rows) and rows[0][0] >= number

    await until_async(does, 120, 0.1)


def borders(folder: Path) -> list[int]:
    """The newest fact's number at the beginning of each connection."""
    path = folder / "connections"
    return [int(line) for line in path.read_text().split()] if path.exists() else []
