"""Polygons cover what they say, masks a little more, and a foot decides where a mover stands."""

import numpy as np

from camera_hub.model import Zone
from camera_hub.motion.frame import CELL
from camera_hub.motion.zones import Zones, raster

SIZE = (80, 40)


def test_raster_covers_its_polygon() -> None:
    half = raster(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)), SIZE)
    assert half[:, :39].all()
    assert not half[:, 42:].any()
    triangle = raster(((0, 0), (1, 0), (0, 1)), SIZE)
    assert 0.47 < triangle.mean() < 0.55


def test_raster_takes_what_lies_outside() -> None:
    assert raster(((-5, -5), (9, -5), (9, 9), (-5, 9)), SIZE).all()
    assert not raster(((2, 2), (3, 2), (3, 3)), SIZE).any()


def test_zones_are_touched_by_foot_or_body() -> None:
    left = Zone("left", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
    right = Zone("right", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
    zones = Zones((left, right), (), SIZE)
    cells = np.zeros((SIZE[1] // CELL, SIZE[0] // CELL), bool)
    cells[2:6, 2:5] = True
    assert zones.touched((14.0, 24.0), cells) == ("left",)
    cells[2:6, 12:15] = True
    assert zones.touched((14.0, 24.0), cells) == ("left", "right")
    assert zones.touched((500.0, -3.0), np.zeros_like(cells)) == ("right",)


def test_a_mask_hides_its_rim_too() -> None:
    mask = Zone("road", ((0.25, 0.25), (0.75, 0.25), (0.75, 0.75), (0.25, 0.75)))
    zones = Zones((), (mask,), SIZE)
    assert zones.hidden is not None
    assert zones.hidden[9:31, 19:61].all()
    assert not zones.hidden[:6].any()
    assert 0.6 < zones.visible_share < 0.8
    assert Zones((), (), SIZE).hidden is None
