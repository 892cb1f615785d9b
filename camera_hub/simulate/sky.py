"""The sky, and the mountains before it."""

import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.light import Light
from camera_hub.simulate.optics import Array, Optics

RANGES = ((0.055, 0.72, 1.0), (0.038, 0.5, 1.7), (0.02, 0.3, 2.6))
"""Mountains from far to near: height over the horizon (of the picture), haze, raggedness."""


def draw(optics: Optics, light: Light, seed: int) -> Array:
    """Sky and mountains over the whole picture, (height, width, 3) BGR."""
    h, w = optics.height, optics.width
    v, u = np.mgrid[0:h, 0:w].astype(np.float32)
    up = np.clip((optics.horizon - v) / h, 0.0, 1.0)[..., None]
    low, top = np.array(light.sky_low, np.float32), np.array(light.sky_top, np.float32)
    sky = low + (top - low) * np.clip(up * 2.2, 0, 1) ** 0.7
    away = 60.0 / np.maximum(up[..., 0] * h + 26.0, 1.0)
    field = noise.sample(noise.tile(seed + 5, 1.7, 0.4), (u - w / 2) * away / 260, away * 9, 16.0)
    field += 0.35 * noise.sample(noise.tile(seed + 6, 1.2, 0.2), (u - w / 2) * away / 260, away * 9, 5.0)
    veil = noise.smoothstep(0.0, 1.8, field)[..., None] * (0.0 if light.infrared else 0.6)
    bright = np.minimum(low * 1.12 + 0.03, 1.0)
    sky = sky + (bright - sky) * veil
    x = np.arange(w, dtype=np.float32)
    for i, (height, haze, rough) in enumerate(RANGES):
        rng = noise.generator("range", seed, i)
        line = noise.sample(
            noise.tile(seed * 3 + i, 1.5, 0.5),
            x[None, :] / w * 6 * rough + rng.uniform(0, 9),
            x[None, :] * 0,
            12.0,
        )[0]
        bumps = noise.sample(noise.tile(9, 0.9, 0.1), x[None, :] / w * 9, x[None, :] * 0 + i, 9.0)[0]
        ridge = optics.horizon - h * (height * (1 + 0.55 * line) + 0.0022 * bumps)
        cover = np.clip(v - ridge[None, :] + 0.5, 0, 1)[..., None]
        green = np.array((0.2, 0.27, 0.2), np.float32) * np.array(light.ambient, np.float32) * 1.4
        wood = 1 + 0.10 * noise.sample(noise.tile(21, 0.9, 0.1), u / 60, v / 30, 9.0)[..., None]
        rock = (green * wood) * (1 - haze) + np.array(light.haze, np.float32) * haze
        sky = sky + (rock - sky) * cover
    return np.asarray(sky, np.float32)
