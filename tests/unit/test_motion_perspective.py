"""What is far smaller or larger than a person at its place is no mover, once two places are measured."""

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.motion import MotionDetector, MotionSettings, PersonHeight
from camera_hub.motion.perspective import Perspective
from camera_hub.motion.regions import Region
from tests.unit.motion_scenes import film, opened, square, watch

SIZE = (320, 180)
HEIGHTS = (PersonHeight((0.5, 0.9), 0.5), PersonHeight((0.4, 0.5), 0.1))


def region(foot: float, width: float, height: float) -> Region:
    nothing = np.zeros((1, 1), bool)
    return Region(
        100, foot - height, 100 + width, foot, 100, foot, width * height, 1.0, 9.0, 50.0, 0.0, nothing
    )


def test_height_grows_evenly_from_the_horizon_on() -> None:
    rule = Perspective(HEIGHTS, SIZE)
    assert rule.person(162) == pytest.approx(90)
    assert rule.person(90) == pytest.approx(18)
    assert rule.person(126) == pytest.approx(54)
    assert rule.person(20) == pytest.approx(1.8)  # above the horizon, where nobody stands
    assert Perspective(HEIGHTS[::-1], SIZE).person(126) == pytest.approx(54)


@pytest.mark.parametrize(
    ("what", "foot", "width", "height", "possible"),
    [
        ("a person", 162, 32, 90, True),
        ("a motorbike and its rider", 162, 90, 90, True),
        ("a dog", 162, 42, 30, True),
        ("a buffalo", 162, 130, 80, True),
        ("a lorry, from the side", 126, 300, 130, True),
        ("a hen", 162, 16, 16, False),
        ("an insect at the lens", 90, 60, 60, False),
        ("a person far away", 90, 8, 18, True),
        ("a leaf near the camera", 175, 12, 12, False),
        ("who stands below the picture", 180, 140, 180, True),
        ("a hen below the picture", 180, 16, 16, False),
    ],
)
def test_sizes(what: str, foot: float, width: float, height: float, possible: bool) -> None:
    assert Perspective(HEIGHTS, SIZE).possible(region(foot, width, height)) is possible, what
    assert Perspective((), SIZE).possible(region(foot, width, height))


def test_the_detector_believes_only_what_fits() -> None:
    def crosses(picture: NDArray[np.float64], t_s: float) -> None:
        if 3 <= t_s < 8:
            square(picture, (t_s - 3) * 55, 150, width=8, height=10)

    fits = (PersonHeight((0.5, 0.9), 0.1), PersonHeight((0.4, 0.5), 0.05))
    assert opened(watch(MotionDetector(MotionSettings(person_height=fits)), film(9, crosses)))
    assert not opened(watch(MotionDetector(MotionSettings(person_height=HEIGHTS)), film(9, crosses)))
