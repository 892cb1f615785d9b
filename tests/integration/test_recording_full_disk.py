"""Promise: a full disk costs the oldest recordings, never the newest; no disk stops the recorder for ever."""

import contextlib
import os
import sqlite3
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from camera_hub.model import Packet, RecordingCause
from camera_hub.recording import Catalogue, Recorder, Retention, cut_clip
from tests.support import needs, recorded
from tests.support.clocks import HandClock

DISK_BYTES = 4 << 20


class Setup:
    """Two streams of a camera, recorded onto a small disk."""

    def __init__(self, disk: Path, catalogue: Path | None = None) -> None:
        self.folder = disk / "recordings"
        self.clock = HandClock(recorded.START_US)
        self.catalogue = Catalogue(catalogue or self.folder / "catalogue.db")
        self.retention = Retention(self.folder, self.catalogue, max_bytes=2**60, keep_free_bytes=0)
        self.recorders = [
            Recorder(
                self.folder, self.catalogue, "cong-lang", stream, 6, self.clock, self.retention.make_room
            )
            for stream in ("main", "sub")
        ]
        self.info, self.packets = recorded.stream(kbit_s=400)
        for recorder in self.recorders:
            recorder.start(self.info)

    def feed(self, packets: tuple[Packet, ...]) -> None:
        for packet in packets:
            self.clock.now_us = packet.wall_us - recorded.START_US
            for recorder in self.recorders:
                recorder.write(packet)

    def problems(self) -> set[str]:
        return {recorder.problem for recorder in self.recorders}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with needs.small_disk(tmp_path / "disk", DISK_BYTES) as disk:
        yield disk


def test_the_oldest_goes_and_the_newest_stays(disk: Path) -> None:
    setup = Setup(disk)
    packets = recorded.repeated(setup.packets, 40)  # four minutes of two streams: several times the disk
    assert 2 * sum(len(one.data) for one in packets) > 3 * DISK_BYTES
    setup.feed(packets)
    assert setup.problems() == {""}
    for recorder in setup.recorders:
        recorder.close()
        assert recorder.lost == 0

    assert setup.catalogue.check(setup.folder, deep=True) == []
    end_us = recorded.START_US + 240_000_000
    for stream in ("main", "sub"):
        rows = [one for one in setup.catalogue.segments() if one.stream == stream]
        assert rows[0].start_us > recorded.START_US  # the oldest went
        assert rows[-1].start_us + rows[-1].duration_us == pytest.approx(end_us, abs=1000)
        assert all(a.start_us + a.duration_us == b.start_us for a, b in pairwise(rows))  # nothing between
    clip = cut_clip(
        setup.folder, setup.catalogue, "cong-lang", "main", end_us - 20_000_000, end_us, max_bytes=10**7
    )
    assert clip is not None
    assert len(recorded.shown_us(clip.mp4)) == 200


def test_where_not_even_the_catalogue_has_room_the_oldest_goes(disk: Path) -> None:
    setup = Setup(disk)
    setup.feed(recorded.repeated(setup.packets, 3))
    for recorder in setup.recorders:
        recorder.close()
    oldest = setup.catalogue.segments()[0]
    with sqlite3.connect(setup.folder / "catalogue.db") as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # and so gives back what room its log had
    db.close()
    _fill(disk / "somebody-elses")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        setup.catalogue.claim_oldest(1)

    setup.feed(recorded.later(setup.packets, 18_000_000))
    assert setup.problems() == {""}
    for recorder in setup.recorders:
        recorder.close()
    assert setup.catalogue.check(setup.folder, deep=True) == []
    assert oldest not in setup.catalogue.segments()
    newest = setup.catalogue.segments()[-2:]
    assert [one.start_us for one in newest] == [recorded.START_US + 18_000_000] * 2
    assert [one.duration_us for one in newest] == [6_000_000] * 2


def test_a_fragment_that_only_half_fits_leaves_its_file_whole(disk: Path) -> None:
    setup = Setup(disk)
    del setup.recorders[1:]  # so that there is nothing finished which could go
    setup.feed(setup.packets[:45])
    filler = disk / "somebody-elses"
    _fill(filler)
    os.truncate(filler, filler.stat().st_size - 100_000)
    setup.feed((*setup.packets[45:], *recorded.later(setup.packets, 6_000_000)[:5]))
    assert all("The disk is full" in problem for problem in setup.problems())
    filler.unlink()
    for recorder in setup.recorders:
        recorder.close()
    assert setup.catalogue.check(setup.folder, deep=True) == []
    assert [one.duration_us for one in setup.catalogue.segments()] == [4_000_000]


def test_where_nothing_can_go_it_says_so_and_goes_on_when_there_is_room(disk: Path) -> None:
    setup = Setup(disk)
    filler = disk / "somebody-elses"
    _fill(filler)
    setup.feed(setup.packets)
    assert all("The disk is full and no older recording can go" in problem for problem in setup.problems())
    assert {recorder.cause for recorder in setup.recorders} == {RecordingCause.DISK_FULL}

    filler.unlink()
    setup.feed(recorded.later(setup.packets, 60_000_000))
    assert setup.problems() == {""}
    for recorder in setup.recorders:
        recorder.close()
    assert setup.catalogue.check(setup.folder, deep=True) == []
    assert sum(one.duration_us for one in setup.catalogue.segments()) >= 2 * 6_000_000


def test_a_disk_that_is_read_only_is_a_problem_until_it_is_mended(disk: Path, tmp_path: Path) -> None:
    setup = Setup(disk, tmp_path / "catalogue.db")  # no file may be open where a disk turns read-only
    setup.feed(setup.packets[:45])
    for recorder in setup.recorders:
        recorder.close()
    _remount(disk, "ro")
    setup.feed(recorded.later(setup.packets, 6_000_000))
    assert all("cannot be written (Read-only file system)" in problem for problem in setup.problems())
    _remount(disk, "rw")
    setup.feed(recorded.later(setup.packets, 60_000_000))
    assert setup.problems() == {""}
    for recorder in setup.recorders:
        recorder.close()
    assert setup.catalogue.check(setup.folder, deep=True) == []


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


def _remount(disk: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)
