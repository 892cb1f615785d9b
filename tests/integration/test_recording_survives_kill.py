"""Promise: killed at any moment, all up to the last fragment plays; at most that fragment's 2 s are lost."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from camera_hub.recording import Catalogue, Retention, cut_clip
from camera_hub.recording.fragments import FRAGMENT_US
from tests.support import recorded

PROCESS = Path(recorded.__file__).with_name("recording_process.py")
SPEED = 40.0


@pytest.fixture
def stream(tmp_path: Path) -> Path:
    path = tmp_path / "stream"
    path.write_bytes(msgspec.msgpack.encode(recorded.stream()))
    return path


@contextmanager
def recording(folder: Path, stream: Path, camera: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that records, until it is killed."""
    command = [sys.executable, str(PROCESS), str(folder), str(stream), camera, str(SPEED)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_for(process: subprocess.Popen[bytes], until_us: int) -> int:
    """Read what it prints until it has recorded so much; the last time it told."""
    assert process.stdout is not None
    last_us = 0
    for line in process.stdout:
        last_us = int(line)
        if last_us >= until_us:
            break
    assert process.poll() is None
    return last_us


def last_told(process: subprocess.Popen[bytes], last_us: int) -> int:
    """The last packet that a killed process had taken."""
    assert process.stdout is not None
    whole = [line for line in process.stdout.read().splitlines() if line]
    return int(whole[-1]) if whole else last_us


@pytest.mark.parametrize("seed", range(4))
def test_killed_at_any_moment_it_loses_one_fragment_at_most(seed: int, stream: Path, tmp_path: Path) -> None:
    chance = random.Random(seed)
    folder = tmp_path / "recordings"
    taken_us = []
    for _ in range(2):  # and again, where the first left off
        with recording(folder, stream, "cong-lang") as process:
            last_us = wait_for(process, chance.randrange(3_000_000, 20_000_000))
            time.sleep(chance.uniform(0, 0.1))  # anywhere within a packet
            process.kill()
            process.wait()
            taken_us.append(last_told(process, last_us))

    catalogue = Catalogue(folder / "catalogue.db")
    catalogue.salvage(folder, "cong-lang")
    assert catalogue.check(folder, deep=True) == []
    rows = catalogue.segments()
    assert {one.state for one in rows} == {"done"}
    recorded_us = sum(one.duration_us for one in rows)
    assert recorded_us >= sum(taken_us) - 2 * (FRAGMENT_US + 100_000)
    for one in rows:
        assert len(recorded.shown_us(folder / one.path)) == one.duration_us // 100_000


def test_others_record_on_and_read_on_meanwhile(stream: Path, tmp_path: Path) -> None:
    folder = tmp_path / "recordings"
    catalogue = Catalogue(folder / "catalogue.db")
    segment_bytes = sum(len(one.data) for one in recorded.stream()[1])
    max_bytes = 8 * segment_bytes
    retention = Retention(folder, catalogue, max_bytes, keep_free_bytes=0)
    with (
        recording(folder, stream, "cong-lang") as first,
        recording(folder, stream, "nha-van-hoa") as second,
        recording(folder, stream, "doi-che") as third,
    ):
        wait_for(first, 20_000_000)
        first.kill()
        freed = 0
        for until_us in range(20_000_000, 80_000_000, 5_000_000):
            for process in (second, third):
                wait_for(process, until_us)
            freed += retention.enforce().segments
            newest = catalogue.segments("done")[-1]
            clip = cut_clip(folder, catalogue, newest.camera, "main", newest.start_us, 2**60, 10**7)
            assert clip is not None
            assert clip.start_us == newest.start_us
            assert clip.duration_us >= newest.duration_us
            assert len(recorded.shown_us(clip.mp4)) >= newest.duration_us // 100_000
        assert freed > 0
    catalogue.salvage(folder)
    assert catalogue.check(folder, deep=True) == []
    assert {one.camera for one in catalogue.segments()} >= {"nha-van-hoa", "doi-che"}
    retention.enforce()
    assert retention.recorded_bytes() <= max_bytes
