"""Lamps in the dark: what a motorbike's headlamp throws on the ground and into the lens.

Relies on: optics. All of it is laid on the luma of main frames.
"""

import math
from functools import lru_cache

import cv2
import numpy as np

from camera_hub.simulate.optics import HEIGHT, WIDTH, Array, Optics
from camera_hub.simulate.vehicles import LAMP_Y, LAMP_Z

SMALL = 4  # beams are soft, and drawn this much smaller
BEAM = ((1.0, 0.35), (4.0, 1.1), (9.0, 2.0), (13.0, 2.3))
"""How wide (half, m) the beam is at a distance (m) ahead."""


@lru_cache(maxsize=32)
def glow(radius: int) -> Array:
    """A lamp in a lens: a bright core in a wide halo, (2 * radius + 1) square, 0..1."""
    y, x = np.mgrid[-radius : radius + 1, -radius : radius + 1].astype(np.float32) / radius
    away = np.hypot(x, y)
    rays = 1 + 0.25 * np.cos(6 * np.arctan2(y, x))
    halo = np.exp(-(away**2) * 60) + 0.33 * np.exp(-(away**2) * 9) * rays + 0.12 * (1 - away)
    return np.asarray(np.clip(halo, 0, 1) * np.clip(1.3 * (1 - away), 0, 1), np.float32)


def add_glow(luma: Array, u: float, v: float, radius: int, strength: float) -> None:
    """A lamp's light around (u, v), in place."""
    left, top = round(u) - radius, round(v) - radius
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = min(left + 2 * radius + 1, WIDTH), min(top + 2 * radius + 1, HEIGHT)
    if x1 > x0 and y1 > y0:
        light = glow(radius)[y0 - top : y1 - top, x0 - left : x1 - left] * (255 * strength)
        luma[y0:y1, x0:x1] = cv2.add(luma[y0:y1, x0:x1], np.clip(light, 0, 255).astype(np.uint8))


def headlamp(
    luma: Array, hides: Array, optics: Optics, place: tuple[float, float, float], strength: float
) -> None:
    """A headlamp at a mover's place (x, z, heading): its beam on the ground, its glare if it looks at us."""
    x, z, heading = place
    ahead, side = (math.sin(heading), math.cos(heading)), (math.cos(heading), -math.sin(heading))
    edge = [(d, w) for d, w in BEAM] + [(d, -w) for d, w in reversed(BEAM)]
    points = np.array(
        [[x + d * ahead[0] + w * side[0], 0.0, z + d * ahead[1] + w * side[1]] for d, w in edge]
    )
    seen = optics.project(points)
    if seen[:, 2].min() > 0.6:
        _beam(luma, seen[:, :2], strength)
    lamp = optics.project(np.array([[x + LAMP_Z * ahead[0], LAMP_Y, z + LAMP_Z * ahead[1]]]))[0]
    u, v, depth = (float(value) for value in lamp)
    if not (0 <= u < WIDTH and 0 <= v < HEIGHT) or hides[int(v), int(u)] < depth - 0.5 or depth < 1:
        return
    toward = -(ahead[0] * x + ahead[1] * z) / max(math.hypot(x, z), 0.1)
    if toward > 0:
        add_glow(luma, u, v, int(26 + 900 / (depth + 4)), strength * (0.25 + 0.75 * toward**3))
    else:
        back = optics.project(np.array([[x - 0.9 * ahead[0], 0.72, z - 0.9 * ahead[1]]]))[0]
        add_glow(luma, float(back[0]), float(back[1]), int(8 + 150 / (depth + 4)), 0.5 * strength)


def _beam(luma: Array, outline: Array, strength: float) -> None:
    left, top = np.floor(outline.min(axis=0)).astype(int) - 24
    right, bottom = np.ceil(outline.max(axis=0)).astype(int) + 24
    x0, y0, x1, y1 = max(int(left), 0), max(int(top), 0), min(int(right), WIDTH), min(int(bottom), HEIGHT)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return
    mask = np.zeros(((y1 - y0) // SMALL + 1, (x1 - x0) // SMALL + 1), np.float32)
    polygon = np.rint((outline - (x0, y0)) / SMALL).astype(np.int32)
    cv2.fillPoly(mask, [polygon], 1.0)
    soft = cv2.resize(cv2.GaussianBlur(mask, (0, 0), 3.0), (x1 - x0, y1 - y0)) * np.float32(strength)
    roi = luma[y0:y1, x0:x1]
    roi[:] = np.clip(roi * (1 + 1.3 * soft) + 9 * soft, 0, 255).astype(np.uint8)
