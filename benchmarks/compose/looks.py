"""How a camera renders what it sees: colours by the time of day, infrared, its noise."""

import cv2
import numpy as np

from benchmarks.compose.footage import Array


def table(gain: float, gamma: float, tint: tuple[float, float, float], lift: float = 0.0) -> Array:
    """A 256 x 3 table for the channels (BGR): brightness, contrast, colour."""
    tones = np.arange(256) / 255.0
    curve = 255 * gain * tones**gamma + lift
    return np.clip(np.stack([curve * share for share in tint], 1), 0, 255).astype(np.uint8)


def by_day(chance: np.random.Generator) -> Array:
    return table(float(chance.uniform(0.85, 1.08)), float(chance.uniform(0.85, 1.2)), (1.0, 1.0, 1.0))


def gloomy(chance: np.random.Generator) -> Array:
    """Rain, snow, fog: flat and a little dark."""
    return table(float(chance.uniform(0.6, 0.85)), float(chance.uniform(0.8, 1.0)), (1.02, 1.0, 0.96), 14.0)


def at_dusk(chance: np.random.Generator, light: str) -> Array:
    """Dark and blue; a plate that was taken at dusk needs little of it."""
    gain = float(chance.uniform(0.7, 1.0) if light == "dusk" else chance.uniform(0.4, 0.62))
    return table(gain, float(chance.uniform(0.95, 1.25)), (1.1, 0.98, 0.88), 3.0)


def dark(chance: np.random.Generator, light: str) -> Array:
    """Night with lamps, in colour."""
    gain = float(chance.uniform(0.5, 0.8) if light in ("dusk", "night") else chance.uniform(0.28, 0.45))
    return table(gain, float(chance.uniform(0.9, 1.15)), (1.05, 0.98, 0.95), 6.0)


def infrared(chance: np.random.Generator, light: str) -> Array:
    """Grey, flat at first: the camera's lamp does the rest."""
    if light == "night":
        return table(float(chance.uniform(0.9, 1.2)), float(chance.uniform(0.8, 1.0)), (1, 1, 1), 3.0)
    return table(float(chance.uniform(0.85, 1.15)), float(chance.uniform(1.0, 1.3)), (1, 1, 1), 6.0)


def of(look: str, light: str, chance: np.random.Generator) -> Array:
    """The table of a look (day, gloomy, dusk, dark, infrared) for a plate that was taken in `light`."""
    if look in ("day", "gloomy"):
        return by_day(chance) if look == "day" else gloomy(chance)
    return {"dusk": at_dusk, "dark": dark, "infrared": infrared}[look](chance, light)


def brightness(picture: Array) -> float:
    """Its mean, 0..255."""
    return float(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).mean())
