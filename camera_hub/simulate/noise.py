"""Randomness with a form: seeded generators, and noise that repeats without a seam.

Promises: the same words give the same numbers, on every run.
"""

import hashlib
from functools import lru_cache

import cv2
import numpy as np

from camera_hub.simulate.optics import Array

TILE = 512


def generator(*words: object) -> np.random.Generator:
    """A random generator of its own for what these words name."""
    digest = hashlib.blake2b("/".join(map(str, words)).encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest, "big")))


@lru_cache(maxsize=24)
def tile(seed: int, slope: float, longest: float = 1.0) -> Array:
    """Noise (TILE, TILE) float32, mean 0 and deviation 1, that repeats at its borders.

    Its amplitude falls with frequency to the power of `slope`: 0 is white, 1 rough, 2 cloudy.
    Waves longer than `longest` of the tile are left out.
    """
    rng = generator("tile", seed, slope, longest)
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE)))
    fy = np.fft.fftfreq(TILE)[:, None] * TILE
    fx = np.fft.rfftfreq(TILE)[None, :] * TILE
    frequency = np.hypot(fx, fy)
    frequency[0, 0] = 1.0
    weight = frequency**-slope
    weight[frequency < 1.0 / longest] = 0.0
    weight[0, 0] = 0.0
    field = np.fft.irfft2(spectrum * weight, s=(TILE, TILE))
    return np.asarray((field - field.mean()) / field.std(), np.float32)


def sample(field: Array, x: Array, z: Array, metres: float) -> Array:
    """The tile laid over the ground, `metres` long and wide, read at (x, z)."""
    scale = np.float32(TILE / metres)
    rows, columns = field.shape
    map_x = np.mod(x.astype(np.float32) * scale, columns).astype(np.float32)
    map_z = np.mod(z.astype(np.float32) * scale, rows).astype(np.float32)
    found: Array = cv2.remap(field, map_x, map_z, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return found


def smoothstep(low: float, high: float, value: Array) -> Array:
    """0 below `low`, 1 above `high`, smooth between."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)
