"""What holds of the detector whatever it is given."""

import math
from collections.abc import Iterable, Iterator

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from camera_hub.model import Line, Zone
from camera_hub.motion import (
    Changed,
    Closed,
    MotionDetector,
    MotionSettings,
    Opened,
    PersonHeight,
    Report,
    Sensitivity,
)
from tests.unit.motion_scenes import Luma, film, opened, square, watch

SIDES = ("left", "right", "top", "bottom", "inside")
ALL = MotionSettings(
    zones=(Zone("half", ((0, 0), (0.5, 0), (0.5, 1), (0, 1))),),
    masks=(Zone("corner", ((0.9, 0.9), (1, 0.9), (1, 1), (0.9, 1))),),
    lines=(Line("across", ((0.1, 0.5), (0.9, 0.6))),),
    person_height=(PersonHeight((0.5, 0.9), 0.5), PersonHeight((0.5, 0.2), 0.05)),
)
unhurried = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
sensitivities: st.SearchStrategy[Sensitivity] = st.sampled_from(["low", "normal", "high"])


def numbers(value: object) -> Iterator[float]:
    """All numbers in what a report or a sight is made of."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, int | float):
        yield float(value)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from numbers(each)


def check(detector: MotionDetector, frames: Iterable[tuple[Luma, int]]) -> list[Report]:
    """The reports on `frames`, after a look at each."""
    reports: list[Report] = []
    t_us = 0
    for luma, t_us in frames:
        reports += detector.process(luma, t_us)
        assert all(map(math.isfinite, numbers(msgspec.to_builtins(detector.sight))))
    reports += detector.flush(t_us)
    going_on: Report | None = None
    for report in reports:
        check_report(report)
        if isinstance(report, Opened):
            assert going_on is None
        else:
            assert going_on is not None
            assert report.number == going_on.number
            assert report.start_us == going_on.start_us
            assert set(going_on.zones) <= set(report.zones)
        going_on = None if isinstance(report, Closed) else report
    assert going_on is None
    return reports


def check_report(report: Report) -> None:
    assert isinstance(report, Opened | Changed | Closed)
    assert all(map(math.isfinite, numbers(msgspec.to_builtins(report))))
    assert 0 <= report.score <= 1
    assert all(0 <= length <= 1 for length in report.box)
    assert report.box[0] + report.box[2] <= 1.0001
    assert report.box[1] + report.box[3] <= 1.0001
    times = [t_us for t_us, _, _ in report.path]
    assert times == sorted(times)
    assert all(0 <= t_us <= report.t_us - report.start_us for t_us in times)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for _, x, y in report.path)
    assert report.start_us <= report.t_us
    assert report.entry in SIDES
    assert report.exit is None or report.exit in SIDES
    assert report.mean_speed >= 0
    assert report.peak_speed >= 0
    assert tuple(zone for zone, _ in report.stays) == report.zones
    assert all(stay_us >= 0 for _, stay_us in report.stays)
    assert all(0 <= crossing.at_us <= report.t_us - report.start_us for crossing in report.crossings)
    if isinstance(report, Closed):
        assert report.start_us <= report.end_us <= report.t_us


@given(
    st.integers(1, 400),
    st.integers(1, 300),
    st.sampled_from(["black", "white", "noise", "blinks"]),
    sensitivities,
)
@example(1, 1, "noise", "high")
@example(1, 300, "blinks", "high")
@example(400, 1, "noise", "high")
@example(321, 181, "blinks", "normal")
@unhurried
def test_any_size_of_picture(width: int, height: int, what: str, sensitivity: Sensitivity) -> None:
    rng = np.random.default_rng(1)

    def picture(n: int) -> Luma:
        if what == "noise":
            return rng.integers(0, 256, (height, width), np.uint8)
        bright = what == "white" or (what == "blinks" and n % 4 < 2)
        return np.full((height, width), 255 if bright else 0, np.uint8)

    detector = MotionDetector(msgspec.structs.replace(ALL, sensitivity=sensitivity))
    reports = check(detector, ((picture(n), n * 83_000) for n in range(30)))
    if what in ("black", "white"):
        assert reports == []


@pytest.mark.parametrize("size", [(1, 180), (320, 1), (1, 1), (7, 500), (1921, 3)])
@pytest.mark.parametrize("luma", [0, 255])
def test_strips_and_plain_pictures_are_quiet(size: tuple[int, int], luma: int) -> None:
    plain = np.full((size[1], size[0]), luma, np.uint8)
    assert check(MotionDetector(ALL), ((plain, n * 100_000) for n in range(60))) == []


@given(st.integers(2, 120), st.integers(2, 90), st.integers(0, 3), st.booleans())
@unhurried
def test_rows_may_have_padding_and_pictures_may_be_views(
    width: int, height: int, padding: int, flipped: bool
) -> None:
    rng = np.random.default_rng(2)
    frames = [rng.integers(0, 256, (height, width + padding), np.uint8) for _ in range(12)]
    views = [frame[::-1, ::-1][:, :width] if flipped else frame[:, :width] for frame in frames]
    seen = [check(MotionDetector(ALL), ((luma, n * 99_000) for n, luma in enumerate(views)))]
    seen += [
        check(MotionDetector(ALL), ((np.ascontiguousarray(luma), n * 99_000) for n, luma in enumerate(views)))
    ]
    assert seen[0] == seen[1]


@given(
    st.lists(
        st.tuples(
            st.sampled_from([1, 40_000, 83_000, 400_000, 1_900_000, 9_000_000, -1_000_000, 0]),
            st.floats(0, 1),
            st.floats(0, 1),
            st.integers(4, 60),
        ),
        min_size=1,
        max_size=40,
    ),
    sensitivities,
)
@unhurried
def test_any_times_and_places(steps: list[tuple[int, float, float, int]], sensitivity: Sensitivity) -> None:
    """A figure that is anywhere, of any size, at times that jump and go back."""
    rng = np.random.default_rng(3)
    ground = rng.uniform(60, 160, (90, 160))

    def frames() -> Iterator[tuple[Luma, int]]:
        t_us = 0
        for n in range(12):
            yield ground.astype(np.uint8), n * 83_000
        t_us = 12 * 83_000
        for step_us, x, y, size in steps:
            t_us += step_us
            picture = ground.copy()
            square(picture, x * 160, y * 90, width=size / 2, height=size)
            yield picture.astype(np.uint8), t_us

    check(MotionDetector(msgspec.structs.replace(ALL, sensitivity=sensitivity)), frames())


def rectangle(left: float, top: float, right: float, bottom: float) -> Zone:
    return Zone("mask", ((left, top), (right, top), (right, bottom), (left, bottom)))


def inside(report: Report, left: float, top: float, right: float, bottom: float) -> bool:
    """Whether the whole box of what moves lies in the rectangle."""
    x, y, width, height = report.box
    return left <= x and x + width <= right and top <= y and y + height <= bottom


def two_walk(picture: NDArray[np.float64], t_s: float) -> None:
    """One walks along the lower lane at 70 % of the height, one along the upper at 30 %."""
    if 2 <= t_s < 6:
        square(picture, (t_s - 2) * 40, 63, width=8, height=18)
        square(picture, 160 - (t_s - 2) * 40, 27, width=6, height=14)


@given(st.floats(0, 0.8), st.floats(0, 0.8), st.floats(0.1, 1), st.floats(0.1, 1))
@unhurried
def test_a_mask_anywhere_never_adds_an_event_inside_it(
    left: float, top: float, across: float, down: float
) -> None:
    right, bottom = min(1, left + across), min(1, top + down)
    masked = MotionSettings(masks=(rectangle(left, top, right, bottom),), sensitivity="high")
    frames = list(film(8, two_walk, size=(160, 90)))
    free = check(MotionDetector(MotionSettings(sensitivity="high")), frames)
    reports = check(MotionDetector(masked), frames)
    assert not any(inside(report, left, top, right, bottom) for report in reports)
    assert len(opened(free)) == 1
    if left == 0 and top == 0 and right == 1 and bottom == 1:
        assert reports == []


@given(st.floats(-0.3, 0.9), st.floats(0.35, 0.75))
@unhurried
def test_what_moves_only_inside_a_mask_is_never_seen(left: float, width: float) -> None:
    """The figure goes to and fro within the mask, wherever the mask has been moved to."""
    right = min(1.0, left + width)
    assume(right - max(left, 0) > 0.3)
    first, last = max(left, 0) * 160 + 6, right * 160 - 6

    def to_and_fro(picture: NDArray[np.float64], t_s: float) -> None:
        if t_s >= 2:
            share = abs((t_s * 0.7) % 2 - 1)
            square(picture, first + share * (last - first), 70, width=8, height=24)

    mask = rectangle(left, 0.3, right, 0.95)
    frames = list(film(7, to_and_fro, size=(160, 90)))
    assert check(MotionDetector(MotionSettings(masks=(mask,))), frames) == []
    assert check(MotionDetector(), frames) != []


@given(
    st.floats(0, 6),
    st.floats(-3, 3),
    st.floats(0, 12),
    st.floats(0.05, 2),
    st.integers(0, 1000),
    sensitivities,
)
@unhurried
def test_a_quiet_clip_stays_quiet_when_time_runs_backward(
    noise: float, drift: float, swing: float, hertz: float, seed: int, sensitivity: Sensitivity
) -> None:
    """Sensor noise, light that grows or falls by `drift` % a second, and a lamp that swings by `swing` %."""

    def light(picture: NDArray[np.float64], t_s: float) -> None:
        picture *= 1 + drift / 100 * t_s + swing / 100 * math.sin(math.tau * hertz * t_s)

    forward = list(film(10, light, noise=noise, seed=seed, size=(160, 90)))
    times = [t_us for _, t_us in forward]
    backward = [(luma, t_us) for (luma, _), t_us in zip(reversed(forward), times, strict=True)]
    chosen = MotionSettings(sensitivity=sensitivity)
    assert check(MotionDetector(chosen), forward) == []
    assert check(MotionDetector(chosen), backward) == []


@given(st.sampled_from([5.0, 10.0, 25.0, 60.0]), sensitivities)
@settings(deadline=None, max_examples=8)
def test_a_detector_that_is_used_again_tells_the_same(fps: float, sensitivity: Sensitivity) -> None:
    frames = list(film(7, two_walk, fps=fps, size=(160, 90)))
    detector = MotionDetector(msgspec.structs.replace(ALL, sensitivity=sensitivity))
    first = watch(detector, iter(frames))
    again = watch(detector, iter(frames))
    renumbered = [
        msgspec.structs.replace(report, number=report.number - len(opened(first))) for report in again
    ]
    assert renumbered == first
