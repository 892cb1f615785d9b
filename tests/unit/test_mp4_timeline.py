"""Promise: whatever timestamps a camera sends, a segment's times grow; good ones are taken as they are."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.model import Packet
from camera_hub.mp4.timeline import SILENCE_US, STEP_US, Timeline


def packet(dts_us: int, wall_us: int | None = None, pts_us: int | None = None) -> Packet:
    return Packet(
        b"", dts_us if pts_us is None else pts_us, dts_us, dts_us if wall_us is None else wall_us, False
    )


wild_us = st.integers(-(2**62), 2**62)
steps_us = st.one_of(st.integers(0, 100_000), st.integers(-3_000_000, 30_000_000), wild_us)


@given(st.lists(st.tuples(steps_us, steps_us, steps_us), max_size=40))
def test_times_always_grow_and_fit_their_fields(steps: list[tuple[int, int, int]]) -> None:
    timeline = Timeline()
    dts_us = wall_us = 0
    times = []
    for dts_step, wall_step, offset in steps:
        dts_us, wall_us = dts_us + dts_step, wall_us + wall_step
        place = timeline.place(packet(dts_us, wall_us, dts_us + offset))
        times.append(place.time_us)
        assert -(2**31) <= place.offset_us < 2**31
    assert times[:1] in ([], [0])
    assert all(STEP_US <= b - a <= SILENCE_US + STEP_US for a, b in pairwise(times))


@given(st.lists(st.integers(STEP_US, 1_000_000), max_size=40), wild_us)
def test_good_timestamps_are_taken_as_they_are(steps: list[int], origin_us: int) -> None:
    timeline = Timeline()
    dts_us = origin_us
    for step_us in steps:
        assert timeline.place(packet(dts_us)).time_us == dts_us - origin_us
        dts_us += step_us
    assert timeline.repaired == 0
    assert not timeline.jumped


def test_one_late_timestamp_moves_only_its_own_packet() -> None:
    timeline = Timeline()
    times = [timeline.place(packet(us)).time_us for us in (0, 100_000, 90_000, 300_000)]
    assert times == [0, 100_000, 101_000, 300_000]
    assert timeline.repaired == 1


def test_a_jump_of_the_cameras_clock_is_bridged_by_the_wall_clock() -> None:
    for jump_us in (-3_600_000_000, 3_600_000_000):
        timeline = Timeline()
        timeline.place(packet(0, 0))
        timeline.place(packet(100_000, 100_000))
        assert timeline.place(packet(100_000 + jump_us, 220_000)).time_us == 220_000
        assert timeline.place(packet(200_000 + jump_us, 320_000)).time_us == 320_000
        assert timeline.jumped
        assert timeline.repaired == 1


def test_a_gap_that_both_clocks_saw_is_kept_until_it_is_silence() -> None:
    timeline = Timeline()
    timeline.place(packet(0))
    assert not timeline.silence_before(packet(9_000_000))
    assert timeline.place(packet(9_000_000)).time_us == 9_000_000
    assert timeline.silence_before(packet(20_000_000))
    assert not timeline.silence_before(packet(20_000_000, wall_us=9_100_000))  # the camera's clock alone
    assert timeline.repaired == 0


def test_presentation_times_that_make_no_sense_are_left_out() -> None:
    timeline = Timeline()
    assert timeline.place(packet(-200_000, 0, pts_us=0)).offset_us == 200_000
    assert timeline.place(packet(-100_000, 100_000, pts_us=9_000_000_000)).offset_us == 0
    assert timeline.repaired == 1
