"""Light that changes while nothing moves: exposure, clouds, lamps, headlights, lightning.

Every source gives, for a time, a field on a coarse grid (an eighth of the working picture) that the
picture is multiplied by, and one that is added (glare). Fields are float32; add is in tones.
"""

from dataclasses import dataclass, field
from typing import Protocol

import cv2
import numpy as np

from benchmarks.compose.footage import Array

CELL = 8


def grid(size: tuple[int, int]) -> tuple[Array, Array]:
    """Columns and rows (px of the working picture) of the grid's cells."""
    w, h = -(-size[0] // CELL), -(-size[1] // CELL)
    x, y = np.meshgrid((np.arange(w) + 0.5) * CELL, (np.arange(h) + 0.5) * CELL)
    return x.astype(np.float32), y.astype(np.float32)


def smooth_noise(chance: np.random.Generator, shape: tuple[int, int], scale: float) -> Array:
    """Noise without seams, of mean 0 and deviation 1, smooth over `scale` cells."""
    noise = chance.standard_normal(shape).astype(np.float32)
    pad = int(3 * scale) + 1
    wide = cv2.GaussianBlur(np.pad(noise, pad, mode="wrap"), (0, 0), scale)[pad:-pad, pad:-pad]
    return np.asarray((wide - wide.mean()) / max(float(wide.std()), 1e-6), np.float32)


class Source(Protocol):
    """A light, or what shades one."""

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        """(times, plus) at time `t` s on the grid."""


@dataclass(frozen=True)
class Exposure:
    """Steps of the whole picture: (when, gain, how long it takes)."""

    steps: tuple[tuple[float, float, float], ...]

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        gain = 1.0
        for when, to, ramp in self.steps:
            share = min(max((t - when) / max(ramp, 1e-3), 0.0), 1.0)
            gain += (to - gain) * share
        return gain, 0.0


@dataclass(frozen=True)
class Clouds:
    """Shadows of clouds that drift."""

    tile: Array
    speed: tuple[float, float]  # cells a second
    deep: float
    edge: float
    cover: float

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        h, w = self.tile.shape
        sx, sy = np.float32((self.speed[0] * t) % w), np.float32((self.speed[1] * t) % h)
        part = cv2.remap(
            self.tile,
            (x / CELL + sx) % w,
            (y / CELL * 1.6 + sy) % h,
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
        shade = 1 / (1 + np.exp(-np.clip((np.asarray(part) - self.cover) / self.edge, -20, 20)))
        return np.asarray(1 - self.deep * shade, np.float32), 0.0


@dataclass(frozen=True)
class Lamp:
    """A lamp that is switched or flickers: its level over time, linear between the points."""

    place: tuple[float, float]
    reach: float  # px at which half its light is left
    strength: float
    levels: tuple[tuple[float, float], ...]
    glare: float = 0.0  # tones at the lamp itself
    size: float = 12.0

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        level = float(np.interp(t, [p[0] for p in self.levels], [p[1] for p in self.levels]))
        if level <= 0:
            return 1.0, 0.0
        away = (x - self.place[0]) ** 2 + (0.8 * (y - self.place[1])) ** 2
        times = 1 + level * self.strength / (1 + away / self.reach**2)
        plus = level * self.glare * np.exp(-away / (2 * self.size**2)) if self.glare else 0.0
        return np.asarray(times, np.float32), plus


@dataclass(frozen=True)
class Headlights:
    """A soft patch of light that sweeps: over the ground, up a wall, or the lamp itself in the picture."""

    times: tuple[float, float]
    path: tuple[tuple[float, float], ...]  # px, passed evenly
    wide: float
    high: float
    strength: float
    bars: float = 0.0  # dark stripes in it, px apart: what stands in the beam
    glare: float = 0.0

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        share = (t - self.times[0]) / (self.times[1] - self.times[0])
        if not 0 <= share <= 1:
            return 1.0, 0.0
        along = share * (len(self.path) - 1)
        px = float(np.interp(along, range(len(self.path)), [p[0] for p in self.path]))
        py = float(np.interp(along, range(len(self.path)), [p[1] for p in self.path]))
        fade = min(share / 0.15, (1 - share) / 0.15, 1.0)
        grown = 0.7 + 0.6 * share
        away = ((x - px) / (self.wide * grown)) ** 2 + ((y - py) / (self.high * grown)) ** 2
        patch = np.exp(-0.5 * away * np.sqrt(away + 0.2))
        if self.bars:
            patch = patch * (0.55 + 0.45 * np.tanh(3 * np.sin(2 * np.pi * (x + 0.8 * px) / self.bars)))
        plus = (
            fade * self.glare * np.exp(-((x - px) ** 2 + (y - py) ** 2) / (2 * (0.25 * self.wide) ** 2))
            if self.glare
            else 0.0
        )
        return np.asarray(1 + fade * self.strength * np.maximum(patch, 0), np.float32), plus


@dataclass(frozen=True)
class Lightning:
    """Flashes of a few frames."""

    flashes: tuple[tuple[float, float, float], ...]  # when, how strong, how long

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        gain = 1.0
        for when, strength, long in self.flashes:
            if when <= t < when + 4 * long:
                gain += strength * float(np.exp(-(t - when) / long))
        return gain, 12.0 * (gain - 1)


@dataclass(frozen=True)
class Infrared:
    """The camera's own lamp at night: bright near and in the middle, dark at the rim."""

    size: tuple[int, int]
    lit: float
    near: float

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        w, h = self.size
        away = ((x - 0.5 * w) / (0.62 * w)) ** 2 + ((y - 0.62 * h) / (0.75 * h)) ** 2
        return np.asarray(self.lit * np.exp(-1.1 * away) * (0.55 + self.near * (y / h)), np.float32), 0.0


@dataclass
class Lighting:
    """All sources together, over the working picture."""

    size: tuple[int, int]
    sources: list[Source] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._x, self._y = grid(self.size)

    def gain(self, t: float, x: float, y: float) -> float:
        """What the picture is multiplied by at one place (px)."""
        at_x, at_y = np.full((1, 1), x, np.float32), np.full((1, 1), y, np.float32)
        times = 1.0
        for source in self.sources:
            times *= float(np.mean(source.fields(t, at_x, at_y)[0]))
        return times

    def shine(self, picture: Array, t: float) -> Array:
        """The picture (uint8 BGR) in the light of `t`, uint8 BGR; bright light saturates softly."""
        times: Array | float = 1.0
        plus: Array | float = 0.0
        for source in self.sources:
            one, other = source.fields(t, self._x, self._y)
            times, plus = times * one, plus + other
        if isinstance(times, float) and isinstance(plus, float):
            if times == 1.0 and plus == 0.0:
                return picture
            table = np.clip(np.arange(256) * times + plus, 0, 255).astype(np.uint8)
            return np.asarray(cv2.LUT(picture, table))
        full = np.broadcast_to(np.asarray(times, np.float32), self._x.shape)
        gain = cv2.resize(np.ascontiguousarray(full), self.size, interpolation=cv2.INTER_LINEAR)
        lit = cv2.multiply(picture, cv2.merge([gain, gain, gain]), dtype=cv2.CV_8U)
        if not isinstance(plus, float) or plus:
            glare = np.broadcast_to(np.asarray(plus, np.float32), self._x.shape)
            glow = cv2.resize(
                np.ascontiguousarray(np.clip(glare, 0, 255)), self.size, interpolation=cv2.INTER_LINEAR
            )
            glow8 = np.asarray(glow, np.float32).astype(np.uint8)
            lit = cv2.add(lit, cv2.merge([glow8, glow8, glow8]))
        return np.asarray(lit)
