"""Promise: a full disk of the commune's server costs nothing of what a hamlet tells but the oldest pictures.

On a real small disk. Filled by somebody else, the server takes no more, and has everything once there is
room; filled by its own, the oldest go.
"""

import asyncio
import shutil
from pathlib import Path

import pytest

from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.link.handshake import SiteKey
from camera_hub.link.worker import end as worker_end_module
from camera_hub.server import tidying
from camera_hub.store import MediaKind, Store
from tests.integration.test_link_narrow import dialling, server
from tests.support import needs
from tests.support.link_worker import open_outbox, worker_end
from tests.support.server import JPEG, START_US, event, ulid
from tests.support.waiting import until, until_async

MB = 1_000_000
PICTURE = JPEG + bytes(200_000)


@pytest.fixture
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncOutbox:
    monkeypatch.setattr(worker_end_module, "BACKOFF_S", (0.2,))
    (tmp_path / "worker").mkdir()
    return open_outbox(tmp_path / "worker")


async def put_events(outbox: AsyncOutbox, count: int) -> None:
    for number in range(1, count + 1):
        await outbox.call(outbox.file.put_event, event(number), PICTURE, START_US)


async def pictures(store: Store, count: int) -> list[int]:
    """The events that have their picture."""
    found = []
    for number in range(1, count + 1):
        media = await store.event_media(ulid(number), MediaKind.PICTURE)
        if media is not None and (store.folder / media.path).read_bytes() == PICTURE:
            found.append(number)
    return found


async def test_what_cannot_be_kept_is_kept_once_there_is_room(tmp_path: Path, outbox: AsyncOutbox) -> None:
    count = 30
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    await put_events(outbox, count)
    with needs.small_disk(tmp_path / "disk", 16 * MB) as disk:
        others = disk / "others"
        others.write_bytes(bytes(12 * MB))
        async with server(disk / "server", key) as (_, store, port):
            end = worker_end(tmp_path / "worker", port, outbox)
            async with dialling(end):
                await until(lambda: not end.connected and outbox.file.depth < 2 * count, 60)
                await asyncio.sleep(1)
                assert outbox.file.depth > 0
                assert len(await pictures(store, count)) < count
                others.unlink()
                await until(lambda: outbox.file.depth == 0, 60)
            assert await pictures(store, count) == list(range(1, count + 1))


async def test_its_own_oldest_pictures_make_room(
    tmp_path: Path, outbox: AsyncOutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tidying, "ROOM_EVERY_S", 0.05)
    count = 60
    key = SiteKey.load_or_make(tmp_path / "worker" / "site.key")
    await put_events(outbox, count)
    with needs.small_disk(tmp_path / "disk", 10 * MB) as disk:
        async with server(disk / "server", key, keep_free_bytes=6 * MB) as (_, store, port):
            async with dialling(worker_end(tmp_path / "worker", port, outbox)):
                await until(lambda: outbox.file.depth == 0, 60)

            async def has_room() -> bool:
                return shutil.disk_usage(disk).free >= 3 * MB

            await until_async(has_room)
            kept = await pictures(store, count)
            assert kept == list(range(kept[0], count + 1))
            assert 1 < kept[0] < count
            for number in range(1, count + 1):
                assert await store.event(ulid(number)) is not None
