"""Promise: a recorder records what it can, says in words why it cannot, and never raises."""

import sqlite3
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from camera_hub.model import Packet, RecordingCause, StreamInfo
from camera_hub.recording import Catalogue, Recorder, schema
from tests.support import recorded
from tests.support.clocks import HandClock


class Setup:
    """A recorder with what it needs; `feed` gives it packets, its clock going with them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = HandClock(recorded.START_US)
        self.catalogue = Catalogue(folder / "catalogue.db")
        self.asked_for_room: list[int] = []
        self.recorder = Recorder(
            folder, self.catalogue, "cong-lang", "main", 2, self.clock, self.asked_for_room.append
        )
        self.info, self.packets = recorded.stream()

    def feed(self, packets: tuple[Packet, ...]) -> None:
        for packet in packets:
            self.clock.now_us = packet.wall_us - recorded.START_US
            self.recorder.write(packet)

    def pictures(self) -> list[int]:
        """Pictures in each finished segment."""
        done = self.catalogue.segments("done")
        assert self.catalogue.check(self.folder, deep=True) == []
        return [len(recorded.shown_us(self.folder / one.path)) for one in done]


@pytest.fixture
def setup(tmp_path: Path) -> Setup:
    return Setup(tmp_path)


def test_segments_are_cut_at_keyframes_and_join(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    setup.feed(setup.packets)
    setup.recorder.close()
    assert setup.pictures() == [20, 20, 20]
    rows = setup.catalogue.segments("done")
    assert [one.start_us - recorded.START_US for one in rows] == [0, 2_000_000, 4_000_000]
    assert [one.stream_us for one in rows] == [0, 2_000_000, 4_000_000]
    assert [one.duration_us for one in rows] == [2_000_000] * 3
    assert rows[0].path == "2023-11-14/22/cong-lang/main/13.20.123.mp4"
    assert setup.recorder.problem == ""
    assert setup.recorder.lost == 0


def test_recording_begins_at_a_keyframe(setup: Setup) -> None:
    setup.recorder.write(setup.packets[0])  # not even started
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[5:30])
    setup.recorder.close()
    assert setup.pictures() == [10]
    assert setup.recorder.lost == 16


def test_new_parameters_begin_a_new_segment(setup: Setup) -> None:
    other_info, other = recorded.stream(size=(176, 144))
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[:10])
    setup.recorder.start(other_info)
    setup.feed(recorded.later(other, 1_000_000)[:10])
    setup.feed(recorded.later(setup.packets, 2_000_000)[:10])  # changed without a new opening
    setup.recorder.close()
    assert setup.pictures() == [10, 10, 10]
    assert [one.width for one in setup.catalogue.segments()][:2] == [160, 176]


def test_after_a_pause_it_goes_on_by_itself(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[:15])
    setup.recorder.close()
    setup.recorder.close()
    setup.feed(setup.packets[15:30])
    setup.recorder.close()
    assert setup.pictures() == [15, 10]


def test_a_silence_is_a_gap_between_segments(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[:15])
    setup.feed(recorded.later(setup.packets[15:30], 60_000_000))
    setup.recorder.close()
    assert setup.pictures() == [15, 10]
    first, second = setup.catalogue.segments()
    assert first.start_us + first.duration_us < recorded.START_US + 1_600_000
    assert second.start_us == recorded.START_US + 62_000_000


def test_a_jump_of_the_cameras_clock_costs_nothing(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[:30])
    setup.feed(recorded.later(setup.packets[30:], -500_000_000, 0))
    setup.recorder.close()
    assert sum(setup.pictures()) == 60
    assert setup.recorder.repaired == 1
    rows = setup.catalogue.segments()
    assert sum(one.duration_us for one in rows) == 6_000_000
    assert rows[-1].stream_us == 4_000_000 - 500_000_000


def test_a_wall_clock_set_back_overwrites_nothing(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[:20])
    setup.feed(recorded.later(setup.packets[:20], 2_000_000, 0))
    setup.recorder.close()
    assert setup.pictures() == [20, 20]


def test_no_keyframe_is_a_problem_in_words(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    for round_ in range(8):
        setup.feed(recorded.later(setup.packets[1:20], round_ * 6_000_000))
    assert "no keyframe" in setup.recorder.problem
    assert setup.recorder.cause is RecordingCause.NO_KEYFRAME
    setup.feed(recorded.later(setup.packets, 60_000_000))
    assert setup.recorder.problem == ""
    setup.recorder.close()
    assert setup.pictures() == [20, 20, 20]


@pytest.mark.parametrize(
    ("info", "words"),
    [
        (StreamInfo("mjpeg", 640, 360, 10.0, b""), "codec mjpeg cannot be recorded"),
        (StreamInfo("hevc", 160, 120, 10.0, b""), "parameter sets"),
    ],
)
def test_a_stream_that_cannot_be_recorded_is_a_problem_in_words(
    info: StreamInfo, words: str, setup: Setup
) -> None:
    setup.recorder.start(info)
    setup.feed(setup.packets)
    assert words in setup.recorder.problem
    assert setup.recorder.cause is RecordingCause.DAMAGED_STREAM
    assert setup.recorder.lost == len(setup.packets)
    setup.recorder.start(setup.info)
    setup.feed(recorded.later(setup.packets, 6_000_000))
    assert setup.recorder.problem == ""


def test_a_folder_in_the_way_is_a_problem_until_it_is_gone(setup: Setup) -> None:
    in_the_way = setup.folder / "2023-11-14"
    in_the_way.write_text("a file where a folder should be")
    setup.recorder.start(setup.info)
    setup.feed(setup.packets)
    assert "cannot be written (Not a directory)" in setup.recorder.problem
    assert setup.recorder.cause is RecordingCause.NOT_WRITABLE
    assert setup.asked_for_room == []
    in_the_way.unlink()
    setup.feed(recorded.later(setup.packets, 60_000_000))
    assert setup.recorder.problem == ""
    setup.recorder.close()
    assert setup.pictures() == [20, 20, 20]


def test_it_tries_again_with_growing_pauses(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    in_the_way = setup.folder / "2023-11-14"
    in_the_way.write_text("a file where a folder should be")
    tried_us = []
    open_file = setup.recorder._open_file

    def counted(info: StreamInfo, packet: Packet) -> object:
        tried_us.append(setup.clock.now_us)
        return open_file(info, packet)

    monkeypatch.setattr(setup.recorder, "_open_file", counted)
    setup.recorder.start(setup.info)
    setup.feed(recorded.repeated(setup.packets, 20))
    pauses = [b - a for a, b in pairwise(tried_us)]
    assert pauses[0] == 2_000_000  # every keyframe at first
    assert pauses[:6] == sorted(pauses[:6])
    assert all(24_000_000 <= pause <= 32_000_000 for pause in pauses[6:])


def test_a_locked_catalogue_stops_no_recording(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "BUSY_S", 0.05)
    setup = Setup(setup.folder)
    holder = sqlite3.connect(setup.folder / "catalogue.db")
    holder.execute("BEGIN IMMEDIATE")
    setup.recorder.start(setup.info)
    setup.feed(setup.packets[:45])
    assert setup.catalogue.segments() == []
    assert setup.recorder.problem == ""
    holder.rollback()
    setup.feed(setup.packets[45:])
    setup.recorder.close()
    assert setup.pictures() == [20, 20, 20]
    holder.close()


@pytest.mark.parametrize("fps", [None, 0.0, -1.0, 90_000.0, float("nan"), float("inf")])
@pytest.mark.parametrize("size", [0, -1, 70_000])
def test_what_a_stream_says_of_itself_may_be_nonsense(fps: float | None, size: int, setup: Setup) -> None:
    setup.recorder.start(StreamInfo("h264", size, size, fps, b"\x00\x00\x01\x67"))
    setup.feed(setup.packets)
    setup.recorder.close()
    assert setup.recorder.problem == ""
    assert setup.pictures() == [20, 20, 20]


def test_nothing_comes_out_of_it_whatever_goes_in(setup: Setup) -> None:
    setup.recorder.start(setup.info)
    wild = [0, -1, 2**40, -(2**40), 2**55, 5, 5, 5]
    for data in (setup.packets[0].data, b"", b"\x00\x00\x01", b"\x00\x00\x01\x67", b"\xff" * 100):
        for dts_us in wild:
            for wall_us in wild:
                setup.recorder.write(Packet(data, dts_us, dts_us, wall_us, True))
    setup.recorder.close()
    assert setup.catalogue.check(setup.folder, deep=True) == []


def test_repairs_are_counted(setup: Setup) -> None:
    stuck = tuple(msgspec.structs.replace(one, dts_us=0, pts_us=0) for one in setup.packets[:10])
    setup.recorder.start(setup.info)
    setup.feed(stuck)
    setup.recorder.close()
    assert setup.pictures() == [10]
    assert setup.recorder.repaired == 9
