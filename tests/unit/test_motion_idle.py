"""Where nothing goes on the detector says so; frames that are left out then cost no event and make none."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.motion import MotionDetector
from tests.unit.motion_scenes import Luma, film, opened, spans, square, watch

Picture = NDArray[np.float64]
QUIET_S = 40.0  # then somebody comes


def comes(picture: Picture, t_s: float) -> None:
    if QUIET_S <= t_s < QUIET_S + 6.2:
        square(picture, (t_s - QUIET_S) * 55 - 7, 130)


def sparse(frames: Iterator[tuple[Luma, int]], every_s: float, until_s: float) -> Iterator[tuple[Luma, int]]:
    """All frames of the first 10 s and from `until_s` on, and between them one each `every_s`."""
    last_us = 0
    for luma, t_us in frames:
        if t_us < 10_000_000 or t_us >= until_s * 1e6 or t_us - last_us >= every_s * 1e6 - 1:
            last_us = t_us
            yield luma, t_us


def test_it_is_idle_when_settled_and_busy_while_something_is_followed() -> None:
    detector = MotionDetector()
    idle = []
    for luma, t_us in film(60, comes):
        detector.process(luma, t_us)
        idle.append((t_us / 1e6, detector.idle))
    assert not any(yes for t_s, yes in idle if t_s < 5)
    assert all(yes for t_s, yes in idle if 7 < t_s < QUIET_S)
    assert not any(yes for t_s, yes in idle if QUIET_S + 0.5 < t_s < QUIET_S + 8)
    assert idle[-1][1]
    detector.flush(60_000_000)
    assert not detector.idle


@pytest.mark.parametrize("every_s", [1, 2, 4, 8])
@pytest.mark.parametrize("noise", [1.5, 6.0])
def test_who_comes_after_frames_left_out_is_found_from_his_start(every_s: float, noise: float) -> None:
    frames = film(QUIET_S + 10, comes, noise=noise)
    [(start, end)] = spans(watch(MotionDetector(), sparse(frames, every_s, QUIET_S - 0.5)))
    assert start == pytest.approx(QUIET_S, abs=0.5)
    assert end == pytest.approx(QUIET_S + 6, abs=0.7)


@pytest.mark.parametrize("every_s", [2, 8])
def test_light_that_changes_between_two_frames_is_no_event(every_s: float) -> None:
    def switch(picture: Picture, t_s: float) -> None:
        if t_s >= 25:
            picture[:] = 60 + (picture * 7.3) % 90
        comes(picture, t_s)

    def dims(picture: Picture, t_s: float) -> None:
        picture *= 1 - 0.4 * min(t_s / QUIET_S, 1)
        comes(picture, t_s)

    for change in (switch, dims):
        reports = watch(MotionDetector(), sparse(film(QUIET_S + 10, change), every_s, QUIET_S - 0.5))
        [first] = opened(reports)
        assert first.start_us / 1e6 == pytest.approx(QUIET_S, abs=0.5)


def test_somebody_who_is_first_seen_in_a_frame_after_a_gap_is_not_background() -> None:
    [(start, _)] = spans(watch(MotionDetector(), sparse(film(QUIET_S + 10, comes), 8, QUIET_S + 2)))
    assert start == pytest.approx(QUIET_S + 2, abs=0.5)


def test_a_gap_while_something_moves_is_a_new_scene() -> None:
    frames = [(luma, t_us) for luma, t_us in film(QUIET_S + 10, comes)]
    cut = [(luma, t_us) for luma, t_us in frames if not QUIET_S + 2 < t_us / 1e6 < QUIET_S + 5]
    found = spans(watch(MotionDetector(), iter(cut)))
    assert found[0][1] <= QUIET_S + 2.1
