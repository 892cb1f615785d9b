"""Polygons in fractions of the picture as rasters of pixels and cells.

Promises that a mask hides every pixel it touches, and says which zones a mover touches. A
polygon may reach beyond the picture; the part inside counts.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.model import Zone
from camera_hub.motion.frame import CELL

SHIFT = 4  # sub-pixel bits of OpenCV's polygon filler
RIM = 2  # px
TOUCHES = 0.3  # share of a mover's cells that makes it touch a zone in which its foot is not


def raster(polygon: tuple[tuple[float, float], ...], size: tuple[int, int]) -> NDArray[np.bool_]:
    """`polygon` in a picture of `size` (width, height) px: True where it covers or touches a pixel."""
    picture = np.zeros((size[1], size[0]), np.uint8)
    corners = np.array(polygon, np.float64).reshape(-1, 2)
    # A pixel's centre has whole coordinates in OpenCV, half ones here.
    scaled = (np.clip(corners, -4.0, 5.0) * size - 0.5) * (1 << SHIFT)
    if len(corners):
        cv2.fillPoly(picture, [np.rint(scaled).astype(np.int32)], 1, shift=SHIFT)
    return picture.astype(bool)


class Zones:
    """The zones and masks of one camera at one picture size."""

    def __init__(self, zones: tuple[Zone, ...], masks: tuple[Zone, ...], size: tuple[int, int]) -> None:
        """`size` is (width, height) px of the small picture."""
        self._size = size
        self.names = tuple(zone.name for zone in zones)
        self._rasters = [raster(zone.polygon, size) for zone in zones]
        self._cells = [mask[CELL // 2 :: CELL, CELL // 2 :: CELL] for mask in self._rasters]
        hidden = np.zeros((size[1], size[0]), bool)
        for mask in masks:
            hidden |= raster(mask.polygon, size)
        if masks:  # scaling and smoothing smear what moves inside over the rim
            hidden = cv2.dilate(
                hidden.astype(np.uint8), np.ones((2 * RIM + 1, 2 * RIM + 1), np.uint8)
            ).astype(bool)
        self.hidden: NDArray[np.bool_] | None = hidden if masks else None
        self.visible: NDArray[np.bool_] = ~hidden[CELL // 2 :: CELL, CELL // 2 :: CELL]
        self.visible_share = max(float(self.visible.mean()), 1e-6)

    def touched(self, foot: tuple[float, float], cells: NDArray[np.bool_] | None = None) -> tuple[str, ...]:
        """Names of the zones that hold the foot point (px) or a good part of the mover's cells."""
        if not self.names:
            return ()
        column = min(max(int(foot[0]), 0), self._size[0] - 1)
        row = min(max(int(foot[1]) - 1, 0), self._size[1] - 1)
        total = 1 if cells is None else max(1, int(cells.sum()))
        return tuple(
            name
            for name, inside, grid in zip(self.names, self._rasters, self._cells, strict=True)
            if inside[row, column] or (cells is not None and int((grid & cells).sum()) >= TOUCHES * total)
        )
