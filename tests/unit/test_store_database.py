"""A database that cannot be used says why in words; one that can is brought to this release's tables."""

import asyncio
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

import camera_hub
from camera_hub.store import (
    EventFilter,
    Outcome,
    Store,
    StoreBusyError,
    StoreDamagedError,
    StoreError,
    StoreNewerError,
)
from camera_hub.store.database import Database, sqlite_url
from camera_hub.store.facade import DATABASE
from camera_hub.store.migrate import MIGRATIONS
from camera_hub.store.tables import metadata
from tests.support.server import SITE, event, ulid
from tests.support.waiting import until


async def test_the_migrations_make_the_tables_that_the_queries_use(tmp_path: Path) -> None:
    async with Store(tmp_path):
        pass
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


async def test_what_the_first_release_kept_is_there_after_the_migrations(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / DATABASE}")
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        values = "'khe-coc', 'cong-lang', 'motion', 5, 9, 2, 0.5, '[\"Cổng\"]', null, '[[0, 0.5, 0.5]]'"
        columns = "site, camera, kind, start_us, end_us, revision, score, zones, box, path"
        connection.exec_driver_sql(f"INSERT INTO events (id, {columns}) VALUES ('{ulid(1)}', {values})")
    engine.dispose()
    async with Store(tmp_path) as store:
        kept = await store.event(ulid(1))
        assert kept is not None
        assert (kept.event.zones, kept.event.path) == (("Cổng",), ((0, 0.5, 0.5),))
        assert (kept.event.stays, kept.event.crossings, kept.event.entry) == ((), (), None)
        assert (await store.deliver_event(SITE, "m1", event(1, revision=3))).outcome is Outcome.APPLIED


async def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        await store.deliver_event(SITE, "m1", event())
    async with Store(tmp_path) as store:
        assert len((await store.event_page(EventFilter(), 10)).events) == 1
        assert (await store.deliver_event(SITE, "m1", event())).outcome is Outcome.DUPLICATE


async def test_what_was_acknowledged_outlives_a_killed_process(tmp_path: Path) -> None:
    program = (
        "import asyncio, os, pathlib, signal, sys\n"
        "from camera_hub.store import Store\n"
        "from tests.support.server import SITE, JPEG, START_US, event, ulid\n"
        "async def main():\n"
        "    async with Store(pathlib.Path(sys.argv[1])) as store:\n"
        "        for n in range(1, 20):\n"
        "            await store.deliver_event(SITE, f'm{n}', event(n))\n"
        "            await store.deliver_picture(SITE, f'p{n}', ulid(n), 'cong-lang', START_US, JPEG)\n"
        "            print(n, flush=True)\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "asyncio.run(main())\n"
    )
    run = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        check=False,
    )
    assert run.returncode == -9, run.stderr.decode()
    acknowledged = len(run.stdout.split())
    async with Store(tmp_path) as store:
        page = await store.event_page(EventFilter(), 100)
        assert len(page.events) == acknowledged
        assert all(stored.snapshot for stored in page.events)


async def test_a_database_of_a_newer_release_is_left_alone(tmp_path: Path) -> None:
    async with Store(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '0999'")
        database.execute("UPDATE meta SET value = '9.9.9' WHERE key = 'written_by'")
    with pytest.raises(StoreNewerError) as caught:
        await _open(tmp_path)
    assert "newer camera-hub (9.9.9" in str(caught.value)
    assert camera_hub.__version__ in str(caught.value)
    assert "restore the backup" in str(caught.value)


async def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / DATABASE).write_bytes(b"this is a letter, not a database" * 100)
    with pytest.raises(StoreDamagedError, match="not a database"):
        await _open(tmp_path)


async def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute("CREATE TABLE recipes (tea TEXT)")
    with pytest.raises(StoreDamagedError, match="some other program"):
        await _open(tmp_path)


async def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be made"):
        await _open(tmp_path / "file" / "data")


async def test_a_database_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / DATABASE).mkdir()
    with pytest.raises(StoreError, match="cannot be opened for writing"):
        await _open(tmp_path)


async def test_a_database_locked_for_long_is_said_to_be(tmp_path: Path) -> None:
    async with Store(tmp_path, busy_s=0.2) as store:
        with _locked(tmp_path):
            with pytest.raises(StoreBusyError, match="another program has held the database"):
                await store.deliver_event(SITE, "m1", event())
            await store.event_page(EventFilter(), 10)  # who only reads does not wait
        assert (await store.deliver_event(SITE, "m1", event())).outcome is Outcome.APPLIED


async def test_a_database_locked_at_the_start_is_said_to_be(tmp_path: Path) -> None:
    async with Store(tmp_path):
        pass
    with _locked(tmp_path), pytest.raises(StoreBusyError):
        await _open(tmp_path)


async def test_a_short_lock_is_waited_for(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        with _locked(tmp_path) as other:
            delivery = asyncio.create_task(store.deliver_event(SITE, "m1", event()))
            await asyncio.sleep(0.3)
            assert not delivery.done()
            other.execute("ROLLBACK")
        assert (await delivery).outcome is Outcome.APPLIED


async def test_two_that_start_at_once_make_the_tables_once(tmp_path: Path) -> None:
    async def start() -> None:
        async with Store(tmp_path) as store:
            await store.ping()

    await asyncio.gather(*(start() for _ in range(3)))


async def test_who_reads_before_it_writes_loses_no_write_of_another(tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        databases = [Database(sqlite_url(tmp_path / DATABASE)) for _ in range(3)]
        for database in databases:
            stack.push_async_callback(database.close)
        await _pick_tea(databases)


async def _pick_tea(databases: list[Database]) -> None:
    async with databases[0].write() as connection:
        await connection.exec_driver_sql("CREATE TABLE tea (kilos INTEGER)")
        await connection.exec_driver_sql("INSERT INTO tea VALUES (0)")

    async def pick(database: Database) -> None:
        async with database.write() as connection:
            kilos = (await connection.exec_driver_sql("SELECT kilos FROM tea")).scalar_one()
            await asyncio.sleep(0.01)
            await connection.exec_driver_sql("UPDATE tea SET kilos = ?", (kilos + 1,))

    await asyncio.gather(*(pick(database) for database in databases * 5))
    async with databases[0].read() as connection:
        assert (await connection.exec_driver_sql("SELECT kilos FROM tea")).scalar_one() == 15


async def test_a_store_that_cannot_be_opened_leaves_no_thread_behind(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / DATABASE)) as database, database:
        database.execute("CREATE TABLE recipes (tea TEXT)")
    before = set(threading.enumerate())
    store = Store(tmp_path)
    try:
        with pytest.raises(StoreDamagedError):
            await store.open()
        await until(lambda: not _new_threads(before))
    finally:
        await store.close()


def _new_threads(before: set[threading.Thread]) -> list[str]:
    """Those of the database; asyncio keeps its own for later."""
    new = set(threading.enumerate()) - before
    return [thread.name for thread in new if not thread.name.startswith("asyncio_")]


def test_the_package_carries_its_migrations() -> None:
    versions = Path(camera_hub.__file__).parent / "store" / "migrations" / "versions"
    assert (versions / "0001_begin.py").is_file()
    assert all(path.suffix == ".py" or path.name == "__pycache__" for path in versions.iterdir())


async def _open(folder: Path) -> None:
    store = Store(folder, busy_s=0.2)
    try:
        await store.open()
    finally:
        await store.close()


@contextmanager
def _locked(folder: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield database
