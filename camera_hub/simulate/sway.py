"""Leaves and flags in the wind: layers of the plate, bent anew for every frame.

Promises: the movement comes round exactly at the clip's end, so that it loops.
"""

import math

import cv2
import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.plate import Layer
from camera_hub.simulate.solids import Picture

GUST_HZ, SWING_HZ, FLUTTER_HZ = 0.13, 0.42, 1.15


def strength(conditions: frozenset[str]) -> float:
    """How strongly the wind blows, 0..1."""
    return 1.0 if "wind" in conditions else 0.5 if "rain" in conditions else 0.22


class Swaying:
    """One layer in the wind."""

    def __init__(self, layer: Layer, number: int, seed: int, duration_s: float, wind: float) -> None:
        rng = noise.generator("sway", seed, number)
        self._pad = pad = int(layer.sways_px * wind * 1.5) + 3
        self.layer = layer
        self._pixels = cv2.copyMakeBorder(layer.pixels, pad, pad, pad, pad, cv2.BORDER_CONSTANT)
        h, w = self._pixels.shape[:2]
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        high = np.clip((h - pad - y) / max(1, h - 2 * pad), 0, 1) ** 1.5
        self._reach = high * np.float32(layer.sways_px * wind)
        ripple = np.float32(min(0.35 * layer.sways_px, 2.2) * wind + 0.25) * np.sqrt(high)
        phase = noise.sample(noise.tile(31, 1.6, 0.6), x + number * 13, y, 420.0) * 3
        self._ripple = ripple * np.cos(phase), ripple * np.sin(phase)
        self._x, self._y = x, y
        self._turns = [
            max(1, round(hz * duration_s * float(rng.uniform(0.8, 1.25))))
            for hz in (GUST_HZ, SWING_HZ, FLUTTER_HZ)
        ]
        self._shifts = rng.uniform(0, 2 * math.pi, 3)
        self._duration_s = duration_s

    def at(self, t: float) -> Picture:
        """The layer as it is at `t`."""
        gust, swing, flutter = (
            2 * math.pi * n * t / self._duration_s + shift
            for n, shift in zip(self._turns, self._shifts, strict=True)
        )
        bend = np.float32(0.55 + 0.45 * math.sin(gust)) * np.float32(math.sin(swing) + 0.35)
        c, s = np.float32(math.cos(flutter)), np.float32(math.sin(flutter))
        a, b = self._ripple
        map_x = self._x + bend * self._reach + c * a + s * b
        map_y = self._y + s * a - c * b
        bent = cv2.remap(self._pixels, map_x, map_y, cv2.INTER_LINEAR)
        return Picture(bent, self.layer.left - self._pad, self.layer.top - self._pad, self.layer.depth)
