"""The light of day, dusk and night: sun and sky, a lamp on a pole, the camera's own infrared.

Colours are blue, green, red factors. Promises: ground, walls and movers are lit by the same rules.
"""

import math
from dataclasses import dataclass

import numpy as np

from camera_hub.simulate.optics import Array, Optics
from camera_hub.simulate.scene import Scene

Factor = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """How a scene is lit."""

    toward_sun: Factor  # unit vector x, y, z
    sun: Factor
    ambient: Factor
    haze: Factor  # what far things fade to
    haze_m: float
    sky_top: Factor
    sky_low: Factor
    shadow: float  # how dark a shadow of the sun is, 0..1
    infrared: bool = False
    lamp: tuple[float, float, float] | None = None
    lamp_colour: Factor = (0.0, 0.0, 0.0)

    @property
    def fall(self) -> tuple[float, float]:
        """How far the shadow of a point one metre up falls: (x, z) metres."""
        x, y, z = self.toward_sun
        return -x / y, -z / y


def _sun(azimuth_deg: float, elevation_deg: float) -> Factor:
    a, e = math.radians(azimuth_deg), math.radians(elevation_deg)
    return math.sin(a) * math.cos(e), math.sin(e), math.cos(a) * math.cos(e)


def light_of(scene: Scene, conditions: frozenset[str]) -> Light:
    """The light that these conditions give."""
    wet = "rain" in conditions
    if "night" in conditions:
        return Light(
            _sun(10, 80), (0, 0, 0), (0.05, 0.05, 0.05), (0.03, 0.03, 0.03), 400.0,
            (0.02, 0.02, 0.02), (0.06, 0.06, 0.06), 0.0, infrared=True,
        )  # fmt: skip
    if "dusk" in conditions:
        return Light(
            _sun(scene.sun_deg, 60), (0.10, 0.08, 0.08), (0.62, 0.47, 0.42),
            (0.52, 0.42, 0.42) if not wet else (0.46, 0.41, 0.38), 190.0 if not wet else 110.0,
            (0.52, 0.36, 0.28) if not wet else (0.46, 0.40, 0.36),
            (0.56, 0.60, 0.84) if not wet else (0.60, 0.55, 0.52), 0.0,
            lamp=scene.lamp, lamp_colour=(0.55, 0.95, 1.25),
        )  # fmt: skip
    if wet or "clouds" in conditions:
        dim = 0.85 if wet else 1.0
        soft = 0.16 if wet else 0.5
        return Light(
            _sun(scene.sun_deg, 52), (0.9 * soft * dim, 0.95 * soft * dim, soft * dim),
            ((1.16 - 0.62 * soft) * dim, (1.14 - 0.66 * soft) * dim, (1.10 - 0.68 * soft) * dim),
            (0.80, 0.77, 0.73), 150.0 if wet else 260.0,
            (0.78, 0.73, 0.68), (0.86, 0.84, 0.80), 0.35 * soft * 2,
        )  # fmt: skip
    return Light(
        _sun(scene.sun_deg, 48), (0.78, 0.90, 0.97), (0.60, 0.52, 0.47), (0.86, 0.80, 0.73), 240.0,
        (0.86, 0.62, 0.40), (0.93, 0.88, 0.80), 0.62,
    )  # fmt: skip


def infrared_gain(x: Array, y: Array, z: Array, optics: Optics) -> Array:
    """How strongly the lamp beside the lens lights a place: a cone that fades with distance."""
    away = np.sqrt(x**2 + (y - optics.height_m) ** 2 + z**2)
    axis = (-(y - optics.height_m)) * optics.sin + z * optics.cos
    cosine = np.clip(axis / np.maximum(away, 0.1), 0.0, 1.0)
    cone = np.exp(-((1.0 - cosine) ** 2) / 0.022)
    return np.asarray(0.10 + 1.25 * cone / (1.0 + (away / 13.0) ** 2))


def lamp_gain(light: Light, x: Array, y: Array, z: Array, up: Array | float = 1.0) -> Array:
    """What the lamp on its pole adds at a place whose normal points up by `up`; 0..about 1."""
    if light.lamp is None:
        return np.zeros_like(x)
    lx, ly, lz = light.lamp
    square = (x - lx) ** 2 + (y - ly) ** 2 + (z - lz) ** 2
    down = np.clip((ly - y) / np.sqrt(np.maximum(square, 0.01)), 0.0, 1.0)
    return np.asarray(1.5 * (0.25 + 0.75 * down * up) / (1.0 + square / 44.0))


def body_gain(light: Light, x: float, z: float, depth: float, optics: Optics) -> Factor:
    """The factor for a mover that stands at (x, z)."""
    place = np.array([x]), np.array([1.0]), np.array([z])
    if light.infrared:
        g = float(infrared_gain(*place, optics)[0]) * 1.1
        return g, g, g
    lamp = float(lamp_gain(light, *place)[0])
    b, g, r = (
        0.92 * (a + 0.62 * s + lamp * c)
        for a, s, c in zip(light.ambient, light.sun, light.lamp_colour, strict=True)
    )
    return b, g, r
