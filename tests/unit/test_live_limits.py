"""Viewers are counted in all, by camera and by user; the one too many is told which it is."""

import pytest

from camera_hub.live.limits import Limits, TooManyViewersError
from camera_hub.model import NotLive


def test_each_limit_has_its_own_words() -> None:
    limits = Limits(in_all=4, per_camera=3, per_user=2)
    held = [limits.take("lan", "a.lane"), limits.take("lan", "a.yard")]
    with pytest.raises(TooManyViewersError, match="you have 2 live views open") as yours:
        limits.take("lan", "a.gate")
    assert yours.value.code is NotLive.TOO_MANY_YOURS
    held += [limits.take("minh", "a.lane"), limits.take("hoa", "a.lane")]
    with pytest.raises(TooManyViewersError, match="4 live views are open"):
        limits.take("minh", "a.yard")
    with pytest.raises(TooManyViewersError, match="3 watch this camera"):
        limits.take("minh", "a.lane")
    held[2]()
    limits.take("minh", "a.lane")


def test_a_place_is_given_back_once() -> None:
    limits = Limits(in_all=2)
    first, _ = limits.take("lan", "a.lane"), limits.take("lan", "a.lane")
    first()
    first()
    limits.take("lan", "a.lane")
    with pytest.raises(TooManyViewersError):
        limits.take("lan", "a.lane")
    assert not Limits()._cameras
