"""Promise: whatever timestamps a camera gives, decoding times only grow, none is after its presentation time,
and the stream keeps its pace."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.cameras.timeline import Timeline

STEP = 100_000  # 10 pictures a second


def placed(
    given_us: list[int | None], arrivals_us: list[int] | None = None, max_gap_us: int | None = 10_000_000
) -> list[int]:
    timeline = Timeline(STEP, max_gap_us)
    arrivals_us = arrivals_us or [n * STEP for n in range(len(given_us))]
    return [timeline.place(ts, ts, at)[1] for ts, at in zip(given_us, arrivals_us, strict=True)]


def test_good_timestamps_stay_as_they_are() -> None:
    given_us = [7_000_000 + n * STEP for n in range(50)]
    assert placed([*given_us]) == given_us


def test_missing_first_timestamp_as_ffmpeg_leaves_it() -> None:
    # The first picture of an RTSP stream has none, and the second counts from it.
    assert placed([None, 30_500, 130_500]) == [0, 30_500, 130_500]


def test_missing_first_timestamp_where_the_second_counts_from_elsewhere() -> None:
    assert placed([None, 7_030_500, 7_130_500]) == [0, STEP, 2 * STEP]


def test_missing_timestamps_go_on_in_step() -> None:
    assert placed([0, STEP, None, None, 4 * STEP]) == [0, STEP, 2 * STEP, 3 * STEP, 4 * STEP]


def test_a_clock_that_is_set_ahead_leaves_no_hole() -> None:
    hour = 3_600_000_000
    assert placed([0, STEP, hour, hour + STEP]) == [0, STEP, 2 * STEP, 3 * STEP]


def test_a_clock_that_is_set_back_goes_on() -> None:
    hour = 3_600_000_000
    assert placed([hour, hour + STEP, 0, STEP]) == [hour, hour + STEP, hour + 2 * STEP, hour + 3 * STEP]


def test_a_new_clock_after_a_pause_keeps_the_pause() -> None:
    assert placed([0, STEP, 10**12], [0, STEP, 4_000_000]) == [0, STEP, STEP + 3_900_000]


def test_a_short_pause_is_believed() -> None:
    assert placed([0, STEP, 5_000_000]) == [0, STEP, 5_000_000]


def test_a_clip_may_pause_as_long_as_it_likes() -> None:
    assert placed([0, STEP, 60_000_000], max_gap_us=None) == [0, STEP, 60_000_000]


def test_one_and_the_same_time_creeps_and_never_passes_for_progress() -> None:
    assert placed([0, 0, 0, 0]) == [0, 1, 2, 3]


def test_a_late_picture_is_no_new_clock() -> None:
    assert placed([0, STEP, STEP // 2, 2 * STEP]) == [0, STEP, STEP + 1, 2 * STEP]


def test_presentation_times_of_reordered_pictures_are_kept() -> None:
    timeline = Timeline(STEP)
    order = [(0, -200), (300, -100), (100, 0), (200, 100)]  # ms: I P B B
    assert [timeline.place(pts * 1000, dts * 1000, 0) for pts, dts in order] == [
        (pts * 1000, dts * 1000) for pts, dts in order
    ]


timestamps = st.none() | st.integers(-(2**50), 2**50) | st.integers(0, 5_000_000)


@given(st.lists(st.tuples(timestamps, timestamps, st.integers(0, 1_000_000)), max_size=50))
def test_whatever_comes_times_only_grow(rows: list[tuple[int | None, int | None, int]]) -> None:
    timeline = Timeline()
    now_us, out = 0, []
    for pts, dts, wait in rows:
        now_us += wait
        out.append(timeline.place(pts, dts, now_us))
    assert all(a[1] < b[1] for a, b in pairwise(out))
    assert all(pts >= dts for pts, dts in out)
    assert timeline.interval_us > 0


def test_what_comes_beside_goes_by_the_same_clock_and_not_further_than_it_can_be() -> None:
    timeline = Timeline(STEP, max_gap_us=500_000, max_back_us=500_000)
    assert timeline.beside(0, 0) is None
    for number in range(10):
        timeline.place(5_000_000 + number * STEP, 5_000_000 + number * STEP, number * STEP)
    assert timeline.beside(5_920_000, 920_000) == 5_920_000
    assert timeline.beside(None, 920_000) == 5_920_000
    assert timeline.beside(900_000_000, 930_000) == 5_930_000
    timeline.place(900_000_000, 900_000_000, 10 * STEP)  # the camera set its clock: pictures go on, sound too
    assert timeline.beside(900_020_000, 10 * STEP) == 6_020_000
    timeline.place(5_000_000, 5_000_000, 11 * STEP)
    assert timeline.beside(5_020_000, 11 * STEP) == 6_120_000
