"""What moves is an event, once, in time, with its place; what only changes is none."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from camera_hub.model import EventKind, Zone
from camera_hub.motion import Changed, Closed, MotionDetector, MotionSettings, Opened, Report
from tests.unit.motion_scenes import Luma, film, opened, spans, square, watch

Picture = NDArray[np.float64]
LEFT = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
RIGHT = Zone("right", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
TOP = Zone("top", ((0, 0), (1, 0), (1, 0.3), (0, 0.3)))


def walks(picture: Picture, t_s: float) -> None:
    """Somebody enters on the left at 3 s, and is out on the right at about 9 s."""
    if 3 <= t_s < 9.2:
        square(picture, (t_s - 3) * 55 - 7, 130)


def test_a_walker_is_one_event_opened_within_half_a_second() -> None:
    reports = watch(MotionDetector(), film(14, walks))
    [first] = opened(reports)
    assert first.start_us == pytest.approx(3e6, abs=4e5)
    assert first.t_us - 3e6 <= 600_000
    assert first.kind is EventKind.MOTION
    [(start, end)] = spans(reports)
    assert start == pytest.approx(3, abs=0.4)
    assert end == pytest.approx(9, abs=0.6)


def test_reports_tell_where_the_walker_went() -> None:
    reports = watch(MotionDetector(MotionSettings(zones=(TOP, LEFT, RIGHT))), film(14, walks))
    assert opened(reports)[0].zones == ("left",)
    last = reports[-1]
    assert isinstance(last, Closed)
    assert last.zones == ("left", "right")
    times, xs, ys = zip(*last.path, strict=True)
    assert list(times) == sorted(times)
    assert list(xs) == sorted(xs)
    assert xs[0] < 0.15
    assert xs[-1] > 0.85
    assert all(abs(y - 130 / 180) < 0.04 for y in ys)
    assert len(last.path) <= 64
    assert 0 < last.score <= 1


def test_reports_of_an_event_come_in_order_and_not_too_often() -> None:
    reports = watch(MotionDetector(), film(14, walks))
    assert [type(report) for report in reports] == [Opened, *[Changed] * (len(reports) - 2), Closed]
    assert {report.number for report in reports} == {1}
    assert 3 <= len(reports) <= 14
    middle = next(report for report in reports if report.t_us > 6e6)
    x, y, width, height = middle.box
    walker = ((middle.t_us / 1e6 - 3) * 55 - 7) / 320
    assert x - 0.03 <= walker <= x + width + 0.03
    assert y == pytest.approx(100 / 180, abs=0.05)
    assert height == pytest.approx(30 / 180, abs=0.06)


def test_the_best_picture_is_told_as_the_mover_comes_closer() -> None:
    def comes(picture: Picture, t_s: float) -> None:
        if 3 <= t_s < 9:
            size = 14 + (t_s - 3) * 12
            square(picture, 100 + (t_s - 3) * 20, 60 + size, width=size / 2, height=size)

    reports = watch(MotionDetector(), film(10, comes))
    assert isinstance(reports[0], Opened)
    assert reports[0].best
    better = [report for report in reports[1:] if report.best]
    assert len(better) >= 2
    assert better[-1].box[3] > reports[0].box[3] * 2


def test_two_visitors_with_a_pause_are_two_events() -> None:
    def two(picture: Picture, t_s: float) -> None:
        walks(picture, t_s)
        walks(picture, t_s - 11)

    found = spans(watch(MotionDetector(), film(24, two)))
    assert [round(start) for start, _ in found] == [3, 14]


def test_two_movers_at_once_are_one_event() -> None:
    def two(picture: Picture, t_s: float) -> None:
        walks(picture, t_s)
        if 4 <= t_s < 9:
            square(picture, 320 - (t_s - 4) * 60, 70)

    assert len(spans(watch(MotionDetector(), film(14, two)))) == 1


@pytest.mark.parametrize("fps", [5, 10, 25])
def test_the_frame_rate_does_not_matter(fps: int) -> None:
    [(start, end)] = spans(watch(MotionDetector(), film(14, walks, fps=fps)))
    assert start == pytest.approx(3, abs=0.5)
    assert end == pytest.approx(9, abs=0.7)


def test_someone_far_away_is_seen() -> None:
    def far(picture: Picture, t_s: float) -> None:
        if t_s >= 3:
            square(picture, 60 + (t_s - 3) * 9, 60, width=4, height=9)

    assert len(opened(watch(MotionDetector(), film(12, far)))) == 1


def test_what_parks_ends_the_event_and_leaves_no_ghost_when_it_goes() -> None:
    def parks(picture: Picture, t_s: float) -> None:
        if t_s >= 3:
            x = min((t_s - 3) * 60, 160) + max(0.0, t_s - 25) * 60
            square(picture, x, 130, width=50, height=30)

    found = spans(watch(MotionDetector(), film(45, parks)))
    assert len(found) == 2
    assert found[0][1] == pytest.approx(3 + 160 / 60, abs=1)
    assert found[1][0] == pytest.approx(25, abs=1)
    assert found[1][1] == pytest.approx(25 + 180 / 60, abs=1.5)


def test_what_was_there_from_the_first_frame_leaves_no_ghost() -> None:
    def leaves(picture: Picture, t_s: float) -> None:
        square(picture, 160 + max(0.0, t_s - 4) * 50, 130)

    [(start, end)] = spans(watch(MotionDetector(), film(20, leaves)))
    assert start == pytest.approx(4, abs=0.6)
    assert end == pytest.approx(4 + 165 / 50, abs=1)


def lamp(picture: Picture, t_s: float) -> None:
    if 4 <= t_s < 8:
        picture *= 1.5


def cloud(picture: Picture, t_s: float) -> None:
    picture *= 1 - 0.3 * np.sin(t_s * 0.8) ** 2


def glow(picture: Picture, t_s: float) -> None:
    """A headlight's soft light sweeps over the scene."""
    rows, columns = np.mgrid[0:180, 0:320]
    middle = (t_s - 4) * 160
    picture *= 1 + 1.2 * np.exp(-(((columns - middle) / 60) ** 2) - ((rows - 90) / 45) ** 2)


def flag(picture: Picture, t_s: float) -> None:
    picture[60:90, 100:140] = 90 + 70 * np.sin(np.arange(40) / 4 + t_s * 9)


def clock(picture: Picture, t_s: float) -> None:
    digits = np.random.default_rng(int(t_s)).integers(0, 2, (3, 8)) * 200 + 20
    picture[4:16, 4:36] = digits.repeat(4, axis=0).repeat(4, axis=1)


def rain(picture: Picture, t_s: float) -> None:
    rng = np.random.default_rng(int(t_s * 1000))
    for x, y in zip(rng.integers(0, 319, 60), rng.integers(0, 160, 60), strict=True):
        picture[y : y + 14, x] += 70


def switch(picture: Picture, t_s: float) -> None:
    """The infrared filter goes: another picture of the same place."""
    if t_s >= 5:
        picture[:] = 60 + (picture * 7.3) % 90


@pytest.mark.parametrize("change", [lamp, cloud, glow, flag, clock, rain, switch])
def test_what_only_changes_is_no_event(change: object) -> None:
    assert callable(change)
    assert watch(MotionDetector(), film(16, change)) == []


@pytest.mark.parametrize("noise", [0.0, 3.0, 9.0])
def test_noise_is_no_event(noise: float) -> None:
    assert watch(MotionDetector(), film(12, noise=noise)) == []


@pytest.mark.parametrize("change", [lamp, clock, rain])
def test_a_walker_is_found_all_the_same(change: object) -> None:
    def both(picture: Picture, t_s: float) -> None:
        walks(picture, t_s - 8)
        assert callable(change)
        change(picture, t_s)

    found = opened(watch(MotionDetector(), film(20, both)))
    assert found
    assert found[0].start_us == pytest.approx(11e6, abs=2e6)


def test_what_moves_inside_a_mask_is_never_seen() -> None:
    band = Zone("lane", ((0, 0.5), (1, 0.5), (1, 0.8), (0, 0.8)))
    assert watch(MotionDetector(MotionSettings(masks=(band,))), film(14, walks)) == []
    elsewhere = Zone("sky", ((0, 0), (1, 0), (1, 0.2), (0, 0.2)))
    assert len(opened(watch(MotionDetector(MotionSettings(masks=(elsewhere,))), film(14, walks)))) == 1


def test_a_sensitive_camera_sees_fainter_things() -> None:
    def faint(picture: Picture, t_s: float) -> None:
        if 3 <= t_s < 9:
            x = round((t_s - 3) * 55)
            picture[100:130, x : x + 14] -= 22

    def count(sensitivity: str) -> int:
        settings = MotionSettings(sensitivity="high" if sensitivity == "high" else "low")
        return len(opened(watch(MotionDetector(settings), film(14, faint))))

    assert count("high") == 1
    assert count("low") <= count("high")


def test_twice_and_on_any_number_of_threads_it_tells_the_same() -> None:
    def run(threads: int) -> list[Report]:
        before = cv2.getNumThreads()
        cv2.setNumThreads(threads)
        try:
            return watch(MotionDetector(), film(12, walks, size=(640, 360), noise=4))
        finally:
            cv2.setNumThreads(before)

    once = run(1)
    assert once
    assert run(1) == once
    assert run(2) == once
    assert run(5) == once


def test_a_jump_in_time_or_a_new_size_closes_the_event_and_starts_anew() -> None:
    for jump_us, size in ((60_000_000, (320, 180)), (-2_000_000, (320, 180)), (80_000, (640, 360))):
        detector = MotionDetector()
        reports: list[Report] = []
        t_us = 0
        for luma, t_us in film(6, walks):
            reports += detector.process(luma, t_us)
        assert len(opened(reports)) == 1
        # From here on somebody stands where nobody stood before: that is the new scene.
        for luma, later_us in film(4, lambda picture, t_s: square(picture, 50, 90), size=size):
            reports += detector.process(luma, t_us + jump_us + later_us)
        closed = [report for report in reports if isinstance(report, Closed)]
        assert len(opened(reports)) == len(closed) == 1
        assert closed[0].end_us <= t_us


def test_events_are_numbered_over_restarts() -> None:
    detector = MotionDetector()
    first = watch(detector, film(12, walks))
    again = watch(detector, film(12, walks))
    assert [report.number for report in opened(first + again)] == [1, 2]


def test_flush_closes_what_is_open_and_only_that() -> None:
    detector = MotionDetector()
    assert detector.flush(0) == []
    for luma, t_us in film(6, walks):
        detector.process(luma, t_us)
    [closed] = detector.flush(6_000_000)
    assert isinstance(closed, Closed)
    assert detector.flush(6_000_000) == []


def test_padded_and_sliced_rows_are_read_right() -> None:
    def padded() -> list[tuple[Luma, int]]:
        frames = []
        for luma, t_us in film(8, walks):
            wide = np.full((180, 384), 255, np.uint8)
            wide[:, :320] = luma
            frames.append((wide[:, :320], t_us))
        return frames

    assert watch(MotionDetector(), iter(padded())) == watch(MotionDetector(), film(8, walks))


def test_what_is_not_luma_is_refused() -> None:
    for wrong in (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), np.zeros((0, 4), np.uint8)):
        with pytest.raises(ValueError, match="luma must be"):
            MotionDetector().process(wrong, 0)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    width=st.integers(1, 700),
    height=st.integers(1, 700),
    levels=st.lists(st.sampled_from(["black", "white", "noise", "half"]), min_size=1, max_size=6),
    step_us=st.integers(-3_000_000, 3_000_000),
)
def test_any_picture_is_taken(width: int, height: int, levels: list[str], step_us: int) -> None:
    detector = MotionDetector(MotionSettings(zones=(LEFT,), masks=(TOP,)))
    rng = np.random.default_rng(width * height)
    reports: list[Report] = []
    for n, level in enumerate(levels * 3):
        luma = np.zeros((height, width), np.uint8)
        if level == "white":
            luma[:] = 255
        elif level == "noise":
            luma = rng.integers(0, 256, (height, width), np.uint8)
        elif level == "half":
            luma[:, width // 2 :] = 255
        reports += detector.process(luma, n * step_us)
    reports += detector.flush(0)
    for report in reports:
        assert 0 <= report.score <= 1
        assert all(0 <= edge <= 1.0001 for edge in report.box)
        assert all(np.isfinite(point).all() for point in report.path)
