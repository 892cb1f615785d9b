"""Promise: the catalogue knows every segment, survives being lost, and says what is wrong with it."""

import sqlite3
import threading
from pathlib import Path

import msgspec
import pytest
import structlog.testing

from camera_hub.recording import Catalogue, CatalogueError, Recorder, Segment, files, schema
from tests.support import recorded
from tests.support.clocks import HandClock

MINUTE_US = 60_000_000


def row(number: int, **changes: object) -> Segment:
    start_us = recorded.START_US + number * MINUTE_US
    path = files.segment_path("cong-lang", "main", start_us)
    whole = Segment(
        f"{number:026}", "cong-lang", "main", path, start_us, 0, MINUTE_US, 100, "h264", 160, 120, "done"
    )
    return msgspec.structs.replace(whole, **changes)


def record(
    folder: Path, catalogue: Catalogue, camera: str = "cong-lang", times: int = 1, segment_s: int = 2
) -> Recorder:
    """Six seconds, `times` over; the last segment is still being written."""
    info, packets = recorded.stream()
    recorder = Recorder(
        folder, catalogue, camera, "main", segment_s, HandClock(recorded.START_US), lambda _: None
    )
    recorder.start(info)
    for packet in recorded.repeated(packets, times):
        recorder.write(packet)
    return recorder


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue.db")


def test_rows_come_back_as_they_were_put(catalogue: Catalogue, tmp_path: Path) -> None:
    rows = [row(0), row(1), row(2, state="writing", duration_us=0, bytes=0)]
    for one in rows:
        catalogue.put(one)
    assert catalogue.segments() == rows
    catalogue.put(msgspec.structs.replace(rows[2], state="done", duration_us=5, bytes=6))
    assert Catalogue(tmp_path / "catalogue.db").segments("done")[2].bytes == 6
    catalogue.forget([rows[0].id, "unknown"])
    assert [one.id for one in catalogue.segments()] == [rows[1].id, rows[2].id]


def test_find_gives_what_overlaps(catalogue: Catalogue) -> None:
    for one in (row(0), row(1), row(2, state="deleting"), row(3, state="writing", duration_us=0)):
        catalogue.put(one)
    catalogue.put(row(0, id="other", camera="nha-van-hoa", path="other"))

    def found(start_s: int, end_s: int) -> list[int]:
        start_us = recorded.START_US
        rows = catalogue.find(
            "cong-lang", "main", start_us + start_s * 1_000_000, start_us + end_s * 1_000_000
        )
        return [int(one.id) for one in rows]

    assert found(0, 60) == [0]
    assert found(59, 61) == [0, 1]
    assert found(60, 120) == [1]
    assert found(-50, 0) == []
    assert found(120, 170) == []
    assert found(200, 300) == [3]
    assert found(0, 1000) == [0, 1, 3]


def test_an_untouched_recording_breaks_no_invariant(catalogue: Catalogue, tmp_path: Path) -> None:
    recorder = record(tmp_path, catalogue, times=2)
    assert catalogue.check(tmp_path, deep=True) == []
    recorder.close()
    assert catalogue.check(tmp_path, deep=True) == []
    assert [one.state for one in catalogue.segments()] == ["done"] * 6


def test_check_sees_each_broken_invariant(catalogue: Catalogue, tmp_path: Path) -> None:
    record(tmp_path, catalogue, times=2).close()
    rows = catalogue.segments()
    (tmp_path / rows[0].path).unlink()
    with (tmp_path / rows[1].path).open("ab") as file:
        file.write(b"more")
    catalogue.put(msgspec.structs.replace(rows[2], duration_us=1))
    catalogue.put(msgspec.structs.replace(rows[3], start_us=rows[3].start_us + 3_600_000_000))
    catalogue.forget([rows[4].id])
    catalogue.put(msgspec.structs.replace(rows[5], bytes=0))

    problems = "\n".join(catalogue.check(tmp_path, deep=True))
    for path, words in [
        (rows[0].path, "a row without a file"),
        (rows[1].path, "bytes where its row says"),
        (rows[1].path, "are whole fragments"),
        (rows[2].path, "lasts"),
        (rows[3].path, "does not lie where"),
        (rows[4].path, "a file without a row"),
        (rows[5].path, "holds nothing"),
    ]:
        assert any(path in line and words in line for line in problems.splitlines()), (words, problems)


def test_a_lost_catalogue_is_made_from_the_files(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    catalogue = Catalogue(path)
    record(tmp_path, catalogue, "cong-lang").close()
    record(tmp_path, catalogue, "nha-van-hoa", times=2).close()
    before = [msgspec.structs.replace(one, id="") for one in catalogue.segments()]
    catalogue.close()
    for file in tmp_path.glob("catalogue.*"):
        file.unlink()

    with structlog.testing.capture_logs() as logs:
        again = Catalogue(path)
    assert any(entry["log_level"] == "error" for entry in logs)
    key = lambda one: (one.start_us, one.camera)  # noqa: E731
    after = [msgspec.structs.replace(one, id="") for one in again.segments()]
    assert sorted(after, key=key) == sorted(before, key=key)
    assert again.check(tmp_path, deep=True) == []
    assert again.rebuild(tmp_path) == 0


@pytest.mark.parametrize("damage", ["not a database", "torn page"])
def test_a_damaged_catalogue_is_moved_aside_and_made_anew(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    catalogue = Catalogue(path)
    record(tmp_path, catalogue).close()
    before = [one.path for one in catalogue.segments()]
    catalogue.close()
    data = path.read_bytes()
    torn = data[:4096] + b"\xff" * 4096 + data[8192:]
    path.write_bytes(b"lightning struck here" * 300 if damage == "not a database" else torn)

    with structlog.testing.capture_logs() as logs:
        again = Catalogue(path)
    assert [one.path for one in again.segments()] == before
    assert again.check(tmp_path) == []
    assert [entry for entry in logs if entry["log_level"] == "error" and "damaged" in entry["event"]]
    assert len(list(tmp_path.glob("catalogue.db.damaged-*"))) == 1


def test_a_damaged_catalogue_is_left_to_those_who_use_it(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    catalogue = Catalogue(path)
    catalogue.put(row(0))
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = path.read_bytes()
    path.write_bytes(data[:4096] + b"\xff" * 4096 + data[8192:])
    with pytest.raises(CatalogueError, match="start it again"):
        Catalogue(path)
    catalogue.close()


def test_a_newer_version_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    Catalogue(path).close()
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(CatalogueError, match=r"newer Camera Hub \(version 99.*install that version"):
        Catalogue(path)
    assert path.exists()


def test_a_locked_catalogue_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_S", 0.1)
    path = tmp_path / "catalogue.db"
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CatalogueError, match="no other program holds it"):
        Catalogue(path)
    holder.close()


def test_a_folder_that_cannot_be_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CatalogueError, match="choose another storage path"):
        Catalogue(tmp_path / "file" / "recordings" / "catalogue.db")


def test_many_may_make_it_at_once(tmp_path: Path) -> None:
    opened: list[Catalogue] = []
    threads = [
        threading.Thread(target=lambda: opened.append(Catalogue(tmp_path / "catalogue.db"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 8
    for number, one in enumerate(opened):
        one.put(row(number))
    assert len(opened[0].segments()) == 8


def test_salvage_ends_what_was_cut_off(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, segment_s=60)  # and the process dies here
    record(tmp_path, catalogue, "nha-van-hoa", segment_s=60)  # another, which lives
    left = next(one for one in catalogue.segments("writing") if one.camera == "cong-lang")
    whole = (tmp_path / left.path).stat().st_size
    with (tmp_path / left.path).open("ab") as file:
        file.write(b"\x00\x00\x00\x20prft and half a fragment")

    assert catalogue.salvage(tmp_path, "cong-lang") == 1
    (mended,) = catalogue.segments("done")
    assert mended == msgspec.structs.replace(left, state="done", duration_us=4_000_000, bytes=whole)
    assert len(recorded.shown_us(tmp_path / left.path)) == 40
    assert [one.camera for one in catalogue.segments("writing")] == ["nha-van-hoa"]
    assert catalogue.salvage(tmp_path, "cong-lang") == 0
    assert catalogue.check(tmp_path, deep=True) == []


def test_salvage_removes_what_holds_nothing(tmp_path: Path, catalogue: Catalogue) -> None:
    for number, content in enumerate((b"", bytes(4096), b"\x00\x00\x00\x18ftypiso6 and half a head", None)):
        one = row(number, state="writing", duration_us=0, bytes=0)
        catalogue.put(one)
        if content is not None:
            (tmp_path / one.path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / one.path).write_bytes(content)
    catalogue.salvage(tmp_path)
    assert catalogue.segments() == []
    assert list(files.scan(tmp_path)) == []
    assert catalogue.check(tmp_path) == []


def test_salvage_finds_files_whose_rows_a_power_cut_took(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, times=2).close()
    rows = catalogue.segments()
    catalogue.forget([one.id for one in rows[3:]])
    stranger = tmp_path / Path(rows[0].path).parent / "holiday.mp4"
    stranger.write_bytes(b"somebody put this here by mistake")
    assert catalogue.salvage(tmp_path, "cong-lang") == 3
    assert [one.path for one in catalogue.segments()] == [one.path for one in rows]
    assert stranger.exists()
