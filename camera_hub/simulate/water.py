"""Running water: light that travels down a stream.

Promises: the pattern comes round exactly at the clip's end. Laid on the luma of main frames.
"""

import cv2
import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.land import Land, Sight
from camera_hub.simulate.optics import Array

TILE_M = 7.0
SPEED = 0.9  # metres a second
DEEP = 13  # how much lighter and darker it gets, of 255


class Water:
    """The water that a picture of the land shows; `there` says whether any does."""

    def __init__(self, maps: Land, sight: Sight, open_ground: Array, duration_s: float) -> None:
        self.there = "stream" in maps.edges
        if not self.there:
            return
        cover = np.clip(-maps.read(maps.edges["stream"], sight.x, sight.z) * 4, 0, 1)
        cover = cover * (sight.y < -0.6) * (open_ground > 0) * np.clip(26 / sight.depth, 0, 1)
        rows, columns = np.flatnonzero(cover.max(axis=1) > 0.02), np.flatnonzero(cover.max(axis=0) > 0.02)
        if not len(rows):
            self.there = False
            return
        self._window = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        way = maps.read(maps.along["stream"], sight.x, sight.z)[self._window]
        across = maps.read(maps.edges["stream"], sight.x, sight.z)[self._window]
        self._way = way.astype(np.float32) * np.float32(noise.TILE / TILE_M)
        self._across = np.mod(across * 2.6 * np.float32(noise.TILE / TILE_M), noise.TILE).astype(np.float32)
        self._cover = (cover[self._window] * 255).astype(np.uint8)
        field = np.clip(noise.tile(77, 1.1, 0.15) * 0.5, -1, 1)
        self._ripples = np.clip(DEEP + DEEP * field, 0, 255).astype(np.uint8)
        self._rounds = max(1, round(SPEED * duration_s / TILE_M))
        self._duration_s = duration_s

    def lay(self, luma: Array, t: float) -> None:
        """The water at `t` onto `luma`, in place."""
        if not self.there:
            return
        shift = np.float32(self._rounds * t / self._duration_s * noise.TILE)
        way = np.mod(self._way - shift, noise.TILE)
        light = cv2.remap(self._ripples, self._across, way, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
        roi = luma[self._window]
        light = cv2.multiply(light, self._cover, scale=1 / 255)
        half = cv2.convertScaleAbs(self._cover, alpha=DEEP / 255)
        roi[:] = cv2.subtract(cv2.add(roi, light), half)
