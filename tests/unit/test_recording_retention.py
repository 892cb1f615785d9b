"""Promise: the oldest finished segments go first, no more than is needed; a crash leaves nothing behind."""

import threading
from pathlib import Path

import msgspec
import pytest

from camera_hub.recording import Catalogue, Retention, Segment, files
from camera_hub.recording.retention import NOTHING, Freed
from tests.support import recorded

HOUR_US = 3_600_000_000
SIZE = 1000


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue.db")


def put(folder: Path, catalogue: Catalogue, hour: int, camera: str, state: str = "done") -> Segment:
    start_us = recorded.START_US + hour * HOUR_US
    path = files.segment_path(camera, "main", start_us)
    one = Segment(f"{camera}{hour}", camera, "main", path, start_us, 0, 1, SIZE, "h264", 160, 120, "done")
    one = msgspec.structs.replace(one, state=state)
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(bytes(SIZE))
    catalogue.put(one)
    return one


def left(folder: Path, catalogue: Catalogue) -> list[str]:
    rows = [one.path for one in catalogue.segments()]
    assert sorted(rows) == sorted(files.scan(folder))
    return [one.id for one in catalogue.segments()]


def test_the_oldest_go_over_all_cameras_until_it_fits(tmp_path: Path, catalogue: Catalogue) -> None:
    for hour, camera in enumerate(["a", "b", "a", "b", "a"]):
        put(tmp_path, catalogue, hour, camera)
    retention = Retention(tmp_path, catalogue, max_bytes=3 * SIZE + 1, keep_free_bytes=0)
    assert retention.recorded_bytes() == 5 * SIZE
    assert retention.enforce() == Freed(2, 2 * SIZE)
    assert left(tmp_path, catalogue) == ["a2", "b3", "a4"]
    assert retention.enforce() == NOTHING


def test_a_segment_being_written_stays_but_counts(tmp_path: Path, catalogue: Catalogue) -> None:
    put(tmp_path, catalogue, 0, "a", state="writing")
    put(tmp_path, catalogue, 1, "a")
    put(tmp_path, catalogue, 2, "a")
    retention = Retention(tmp_path, catalogue, max_bytes=2 * SIZE, keep_free_bytes=0)
    assert retention.recorded_bytes() == 3 * SIZE
    retention.enforce()
    assert left(tmp_path, catalogue) == ["a0", "a2"]
    Retention(tmp_path, catalogue, max_bytes=0, keep_free_bytes=0).enforce()
    assert left(tmp_path, catalogue) == ["a0"]


def test_free_space_is_kept(tmp_path: Path, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    for hour in range(4):
        put(tmp_path, catalogue, hour, "a")
    # The disk of the tests is everybody's: how full it is has to be told.
    monkeypatch.setattr(files, "free_bytes", lambda _: 10 * SIZE)
    retention = Retention(tmp_path, catalogue, max_bytes=10**9, keep_free_bytes=11 * SIZE)
    assert retention.enforce() == Freed(1, SIZE)
    assert retention.make_room(12 * SIZE) == Freed(2, 2 * SIZE)
    assert retention.make_room(10 * SIZE) == NOTHING
    assert left(tmp_path, catalogue) == ["a3"]
    assert retention.make_room(100 * SIZE) == Freed(1, SIZE)
    assert retention.make_room(100 * SIZE) == NOTHING


def test_folders_go_with_their_last_segment(tmp_path: Path, catalogue: Catalogue) -> None:
    put(tmp_path, catalogue, 0, "a")
    put(tmp_path, catalogue, 0, "b")
    newest = put(tmp_path, catalogue, 24, "a")
    Retention(tmp_path, catalogue, max_bytes=SIZE, keep_free_bytes=0).enforce()
    folders = sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*") if one.is_dir())
    assert folders == sorted(str(one) for one in Path(newest.path).parents if one != Path())
    assert tmp_path.exists()


@pytest.mark.parametrize("unlinked", [False, True])
def test_a_crash_in_between_is_finished_by_the_next_call(
    unlinked: bool, tmp_path: Path, catalogue: Catalogue
) -> None:
    put(tmp_path, catalogue, 0, "a")
    put(tmp_path, catalogue, 1, "a")
    (claimed,) = catalogue.claim_oldest(1)
    assert claimed.id == "a0"
    if unlinked:
        (tmp_path / claimed.path).unlink()
    assert catalogue.find("a", "main", 0, 2**60)[0].id == "a1"
    assert Retention(tmp_path, catalogue, 10**9, 0).enforce() == Freed(1, SIZE)
    assert left(tmp_path, catalogue) == ["a1"]


def test_several_at_once_delete_no_more_than_they_were_asked_for(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    for hour in range(40):
        put(tmp_path, catalogue, hour, "a")
    claimed: list[list[Segment]] = []

    def claim() -> None:
        with_own_connection = Catalogue(tmp_path / "catalogue.db")
        claimed.extend(with_own_connection.claim_oldest(SIZE) for _ in range(5))
        with_own_connection.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [one.id for batch in claimed for one in batch]
    assert len(ids) == len(set(ids)) == 20
    assert sorted(ids) == sorted(f"a{hour}" for hour in range(20))
