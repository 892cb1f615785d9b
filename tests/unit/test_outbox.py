"""The outbox: nothing lost, nothing twice, the urgent first, bounded, and true over a restart."""

import contextlib
import sqlite3
from pathlib import Path

import pytest

from camera_hub.ingest.outbox import Outbox
from camera_hub.link.messages import EventClip, EventNews, EventPicture
from camera_hub.model import Event, EventKind, HubError
from tests.support import needs


def event(number: int, revision: int = 1, end_us: int | None = None, camera: str = "a") -> Event:
    return Event(
        id=f"E{number:04}",
        camera=camera,
        kind=EventKind.MOTION,
        start_us=number * 1_000_000,
        end_us=end_us,
        revision=revision,
    )


def clip_of(of: Event, size: int = 10) -> EventClip:
    return EventClip(
        id=f"C{of.id}", event_id=of.id, camera=of.camera, start_us=0, duration_us=1, mp4=b"m" * size
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "worker.db"


def test_facts_go_before_pictures_and_pictures_before_clips(path: Path) -> None:
    box = Outbox(path, ["s"])
    first, second = event(1), event(2)
    box.put_event(first, b"jpeg", 5, None)
    box.put_clip(clip_of(first), first)
    box.put_event(second, b"jpeg", 6, None)
    kinds = [type(m) for m in box.unacknowledged("s", frozenset(), 10)]
    assert kinds == [EventNews, EventNews, EventPicture, EventPicture, EventClip]
    assert box.depth == 5


def test_each_server_has_its_own_place(path: Path) -> None:
    box = Outbox(path, ["hamlet", "commune"])
    box.put_event(event(1), None, 0, None)
    (message,) = box.unacknowledged("hamlet", frozenset(), 10)
    box.acknowledge("hamlet", [message.id])
    box.acknowledge("hamlet", [message.id])
    assert box.unacknowledged("hamlet", frozenset(), 10) == []
    assert box.unacknowledged("commune", frozenset(), 10) == [message]
    assert box.depth == 1
    box.acknowledge("commune", [message.id])
    assert box.depth == 0


def test_what_is_on_the_wire_is_not_sent_again(path: Path) -> None:
    box = Outbox(path, ["s"])
    for number in range(3):
        box.put_event(event(number), None, 0, None)
    all_three = box.unacknowledged("s", frozenset(), 10)
    assert box.unacknowledged("s", frozenset({all_three[0].id}), 1) == [all_three[1]]


def test_all_is_there_after_a_restart(path: Path) -> None:
    box = Outbox(path, ["s"])
    box.put_event(event(1), b"jpeg", 5, 7)
    before = box.unacknowledged("s", frozenset(), 10)
    box.close()
    again = Outbox(path, ["s"])
    assert again.unacknowledged("s", frozenset(), 10) == before
    assert again.open_events() == [event(1)]
    assert again.clip_jobs(7) == [event(1)]
    assert again.depth == 2


def test_a_server_that_left_the_config_keeps_nothing(path: Path) -> None:
    box = Outbox(path, ["old", "new"])
    box.put_event(event(1), None, 0, None)
    box.close()
    assert Outbox(path, ["new"]).depth == 1
    assert Outbox(path, ["other"]).depth == 0


def test_an_event_is_open_until_it_is_closed(path: Path) -> None:
    box = Outbox(path, ["s"])
    box.put_event(event(1), None, 0, None)
    box.put_event(event(1, revision=2), None, 0, None)
    assert box.open_events() == [event(1, revision=2)]
    box.put_event(event(1, revision=3, end_us=9), None, 0, None)
    assert box.open_events() == []


def test_a_clip_job_outlives_a_clip_of_an_older_revision(path: Path) -> None:
    box = Outbox(path, ["s"])
    opened, closed = event(1), event(1, revision=2, end_us=9)
    box.put_event(opened, None, 0, 10)
    box.put_event(closed, None, 0, 20)
    box.put_clip(clip_of(opened), opened)
    assert box.clip_jobs(19) == []
    assert box.clip_jobs(20) == [closed]
    box.postpone_clip_job(closed, 30)
    assert box.clip_jobs(29) == []
    box.drop_clip_job(closed)
    assert box.clip_jobs(99) == []


def test_over_its_bound_clips_go_first_and_facts_never(path: Path) -> None:
    box = Outbox(path, ["s"], max_bytes=5000)
    box.put_event(event(1), b"p" * 2000, 5, None)
    box.put_clip(clip_of(event(1), 2000), event(1))
    box.put_event(event(2), b"p" * 2000, 5, None)
    kinds = [type(m) for m in box.unacknowledged("s", frozenset(), 10)]
    assert kinds == [EventNews, EventNews, EventPicture, EventPicture]
    for number in range(3, 60):
        box.put_event(event(number), None, 0, None)
    kinds = [type(m) for m in box.unacknowledged("s", frozenset(), 100)]
    assert kinds.count(EventNews) == 59
    assert box.shed >= 2


def test_a_newer_file_is_refused_in_words(path: Path) -> None:
    Outbox(path, ["s"]).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(HubError, match="newer camera-hub"):
        Outbox(path, ["s"])


def test_a_file_that_is_no_database_is_refused_in_words(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(HubError, match="move the file away"):
        Outbox(path, ["s"])


def fill(box: Outbox) -> None:
    for number in range(20, 400):
        box.put_event(event(number), b"p" * 10_000, 5, None)


def test_a_disk_that_fills_up_in_the_middle_loses_nothing(tmp_path: Path) -> None:
    with needs.small_disk(tmp_path / "disk", 2_000_000) as disk:
        box = Outbox(disk / "worker.db", ["s"])
        for number in range(20):
            box.put_event(event(number), b"p" * 10_000, 5, None)
        kept = box.unacknowledged("s", frozenset(), 100)
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 4096)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            fill(box)
        depth = box.depth
        assert depth == len(box.unacknowledged("s", frozenset(), 1000))
        (disk / "filler").unlink()
        box.put_event(event(500), None, 0, None)
        box.acknowledge("s", [message.id for message in kept])
        assert box.depth == depth + 1 - len(kept)
        box.close()
        assert Outbox(disk / "worker.db", ["s"]).depth == depth + 1 - len(kept)
