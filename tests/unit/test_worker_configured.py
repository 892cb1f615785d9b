"""A worker does what is kept of what servers want, tells all who should know, and does none by halves."""

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from camera_hub.config import CameraConfig, Config, LinkServerConfig, SiteConfig, StorageConfig, StreamsConfig
from camera_hub.folder import write_whole
from camera_hub.ingest import wishes
from camera_hub.ingest.worker import Worker
from camera_hub.link.messages import Configure, Configured
from camera_hub.model import Answer, Wish, WishOutcome
from tests.support.clocks import START_US, HandClock


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """With two servers that it never dials; the first may not change what is recorded."""
    gate = CameraConfig(id="cong-lang", name="Cổng làng", streams=StreamsConfig(main="rtsp://10.0.0.2/1"))
    lane = CameraConfig(id="cau", name="Cầu", streams=StreamsConfig(main="rtsp://10.0.0.3/1"))
    config = Config(
        site=SiteConfig(id="khe-coc", name="Khe Cốc"),
        storage=StorageConfig(path=tmp_path),
        cameras=(gate, lane),
    )
    first = LinkServerConfig(name="xa", url="ws://127.0.0.1:1/api/link")
    second = LinkServerConfig(name="huyen", url="ws://127.0.0.1:2/api/link", may_change=("detect", "record"))
    made = Worker(config, [first, second], HandClock())
    yield made
    made._outbox.close()


def wish(key: str, value: object) -> Configure:
    return Configure((Wish("cong-lang", key, json.dumps(value), 1, START_US),))


def outcomes(told: Configured) -> list[WishOutcome]:
    return [answer.outcome for answer in told.answers]


def specs(worker: Worker) -> dict[str, tuple[bool, bool, str]]:
    """Of each camera: whether it detects and records, and its name."""
    keepers = worker._keepers.values()
    return {one.camera: (one.spec.detect, one.spec.record, one.spec.camera.name) for one in keepers}


async def test_only_what_is_wanted_changes_and_the_server_that_loses_is_told(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, Configured]] = []
    changed: list[str] = []
    for end in worker.links:
        monkeypatch.setattr(end, "wishes_answered", lambda what, name=end.server: told.append((name, what)))
        monkeypatch.setattr(end, "cameras_changed", lambda name=end.server: changed.append(name))
    assert outcomes(await worker.configure("xa", wish("record", False))) == [WishOutcome.REFUSED]
    assert outcomes(await worker.configure("xa", wish("detect", False))) == [WishOutcome.APPLIED]
    assert specs(worker) == {"cong-lang": (False, True, "Cổng làng"), "cau": (True, True, "Cầu")}
    assert (told, changed) == ([], [])
    assert outcomes(await worker.configure("huyen", wish("detect", True))) == [WishOutcome.APPLIED]
    overruled = Answer("cong-lang", "detect", 1, WishOutcome.OVERRULED, None, "huyen")
    assert told == [("xa", Configured((overruled,)))]
    await worker.configure("xa", wish("name", "Cổng mới"))
    assert specs(worker)["cong-lang"] == (True, True, "Cổng mới")
    assert worker.cameras()[0].name == "Cổng mới"
    assert changed == ["xa", "huyen"]


async def test_what_is_on_disk_is_done_also_when_the_link_breaks_meanwhile(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, on = threading.Event(), threading.Event()

    def slowly(path: Path, content: bytes) -> None:
        writing.set()
        on.wait(10)
        write_whole(path, content)

    monkeypatch.setattr(wishes, "write_whole", slowly)
    asked = asyncio.create_task(worker.configure("huyen", wish("record", False)))
    await asyncio.to_thread(writing.wait, 10)
    asked.cancel()
    await asyncio.sleep(0)
    on.set()
    with contextlib.suppress(asyncio.CancelledError):
        await asked
    assert asked.cancelled()
    assert specs(worker)["cong-lang"] == (True, False, "Cổng làng")
