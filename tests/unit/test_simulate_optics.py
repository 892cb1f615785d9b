"""The pinhole of the practice hamlet: projecting and looking back undo each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.simulate.optics import Optics
from camera_hub.simulate.places import SCENES


@given(st.floats(-20, 20), st.floats(4, 80))
def test_the_ground_seen_at_a_projected_point_is_where_it_was(x: float, z: float) -> None:
    optics = Optics(4.6, 13, 72)
    u, v, _ = optics.project(np.array([[x, 0.0, z]]))[0]
    assert optics.ground(float(u), float(v)) == pytest.approx((x, z), rel=1e-6, abs=1e-6)


@given(st.floats(-20, 20), st.floats(0, 6), st.floats(4, 80))
def test_a_point_and_its_depth_give_the_place_back(x: float, y: float, z: float) -> None:
    optics = Optics(5.2, 14, 74)
    seen = optics.project(np.array([[x, y, z]]))
    back = optics.at_depth(seen[:, 0], seen[:, 1], seen[:, 2])
    assert [float(value[0]) for value in back] == pytest.approx([x, y, z], abs=1e-6)


def test_farther_is_smaller_and_nearer_to_the_horizon() -> None:
    optics = SCENES["cong-lang"].optics
    heights, feet = [], []
    for z in (8.0, 16.0, 32.0, 64.0):
        foot, head = optics.project(np.array([[0.0, 0.0, z], [0.0, 1.6, z]]))
        heights.append(foot[1] - head[1])
        feet.append(foot[1] - optics.horizon)
    assert heights == sorted(heights, reverse=True)
    assert feet == sorted(feet, reverse=True)
    assert feet[-1] > 0


def test_a_larger_picture_of_the_same_view_shows_the_same_at_scaled_places() -> None:
    optics = Optics(4.6, 13, 72)
    point = np.array([[3.0, 1.0, 20.0]])
    u, v, depth = optics.project(point)[0]
    assert optics.scaled(1.5).project(point)[0] == pytest.approx([u * 1.5, v * 1.5, depth])
