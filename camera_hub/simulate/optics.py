"""The pinhole through which a practice scene is seen.

World coordinates are metres: x to the right, y up, z forward along the ground from the point
below the camera. Picture coordinates are pixels of the main stream: u to the right, v down.
Promises: `project` and `ground` undo each other on the ground, to rounding.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

WIDTH, HEIGHT = 1280, 720


@dataclass(frozen=True)
class Optics:
    """A camera on a pole at (0, height_m, 0), tilted down by `pitch_deg`; no roll, no lens distortion."""

    height_m: float
    pitch_deg: float
    hfov_deg: float
    width: int = WIDTH
    height: int = HEIGHT

    @cached_property
    def focal(self) -> float:
        """The focal length in px."""
        return self.width / 2 / math.tan(math.radians(self.hfov_deg) / 2)

    @cached_property
    def sin(self) -> float:
        return math.sin(math.radians(self.pitch_deg))

    @cached_property
    def cos(self) -> float:
        return math.cos(math.radians(self.pitch_deg))

    @property
    def horizon(self) -> float:
        """The row (px) of the horizon."""
        return self.height / 2 - self.focal * self.sin / self.cos

    def scaled(self, by: float) -> "Optics":
        """The same view on a picture `by` times as large."""
        return Optics(
            self.height_m, self.pitch_deg, self.hfov_deg, round(self.width * by), round(self.height * by)
        )

    def project(self, points: Array) -> Array:
        """World points (N, 3) to (N, 3): u, v and the depth along the optical axis in metres."""
        x, y, z = points[:, 0], points[:, 1], points[:, 2]
        below = self.height_m - y
        depth = np.maximum(below * self.sin + z * self.cos, 0.05)
        u = self.width / 2 + self.focal * x / depth
        v = self.height / 2 + self.focal * (below * self.cos - z * self.sin) / depth
        return np.stack([u, v, depth], axis=1)

    def at_depth(self, u: Array, v: Array, depth: Array) -> tuple[Array, Array, Array]:
        """The world point (x, y, z) that is seen at (u, v) at this depth."""
        right = (u - self.width / 2) / self.focal * depth
        down = (v - self.height / 2) / self.focal * depth
        y = self.height_m - depth * self.sin - down * self.cos
        z = depth * self.cos - down * self.sin
        return right, y, z

    def ground(self, u: float, v: float) -> tuple[float, float]:
        """(x, z) on the ground seen at (u, v), which lies below the horizon."""
        down = (v - self.height / 2) / self.focal
        depth = self.height_m / (self.sin + down * self.cos)
        return (u - self.width / 2) / self.focal * depth, depth * (self.cos - down * self.sin)
