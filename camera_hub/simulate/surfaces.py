"""Textures of what people built: plaster, tiles, brick, doors, signs, fences; drawn, never photographed.

A texture is (h, w, 4) float32: blue, green, red, cover; 0..1; `PX` pixels to the metre.
"""

import cv2
import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.lettering import letters
from camera_hub.simulate.optics import Array

PX = 44
Tint = tuple[float, float, float]


def _field(height: int, width: int, rng: np.random.Generator, slope: float, metres: float) -> Array:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / PX
    field = noise.tile(int(rng.integers(8)) + 40, slope, 0.3)
    return noise.sample(field, x + float(rng.uniform(0, 9)), y + float(rng.uniform(0, 9)), metres)


def blank(width_m: float, height_m: float, tint: Tint) -> Array:
    """A plain texture of this size (metres)."""
    texture = np.ones((max(4, round(height_m * PX)), max(4, round(width_m * PX)), 4), np.float32)
    texture[..., :3] = tint
    return texture


def shade(texture: Array, by: Array) -> None:
    """Multiply the colours, in place."""
    texture[..., :3] *= by[..., None] if by.ndim == 2 else by


def plaster(width_m: float, height_m: float, tint: Tint, rng: np.random.Generator) -> Array:
    """A rendered and painted wall, weathered from below and under the eaves."""
    texture = blank(width_m, height_m, tint)
    h, w = texture.shape[:2]
    shade(texture, 1 + 0.035 * _field(h, w, rng, 0.7, 4.0) + 0.05 * _field(h, w, rng, 1.5, 12.0))
    up = (np.arange(h, dtype=np.float32)[::-1, None] / PX) + 0.12 * _field(h, w, rng, 1.2, 5.0)
    damp = noise.smoothstep(0.75, 0.0, up)
    texture[..., :3] = texture[..., :3] * (1 - 0.45 * damp[..., None]) + 0.45 * damp[..., None] * np.array(
        (0.16, 0.22, 0.24), np.float32
    )
    streaks = noise.smoothstep(0.9, 2.2, _field(1, w, rng, 0.6, 6.0)) * np.linspace(1, 0.1, h)[:, None]
    shade(texture, 1 - 0.25 * streaks)
    eaves = np.clip(1 - np.arange(h, dtype=np.float32)[:, None] / (0.75 * PX), 0, 1) ** 0.7
    shade(texture, np.repeat(1 - 0.42 * eaves, w, axis=1))
    return texture


def brick(width_m: float, height_m: float, rng: np.random.Generator, worn: float = 0.3) -> Array:
    """A brick wall with a cap, patches of old render on it."""
    texture = blank(width_m, height_m, (0.28, 0.36, 0.56))
    h, w = texture.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) / PX
    row = np.floor(y / 0.085)
    column = np.floor(x / 0.22 + 0.5 * (row % 2))
    own = np.sin(row * 127.1 + column * 311.7) * 43758.5
    shade(texture, 0.85 + 0.3 * (own - np.floor(own)))
    mortar = (np.mod(y, 0.085) < 0.018) | (np.mod(x / 0.22 + 0.5 * (row % 2), 1.0) < 0.06)
    texture[mortar, :3] = (0.42, 0.46, 0.5)
    render = noise.smoothstep(0.2 - worn, 0.5 - worn, _field(h, w, rng, 1.4, 9.0))[..., None]
    texture[..., :3] = texture[..., :3] * (1 - render) + render * np.array((0.48, 0.54, 0.56), np.float32)
    shade(texture, 1 + 0.07 * _field(h, w, rng, 0.8, 4.0))
    moss = noise.smoothstep(0.5, 0.0, y[::-1] + 0.14 * _field(h, w, rng, 1.2, 4.0))[..., None] * 0.6
    texture[..., :3] = texture[..., :3] * (1 - moss) + moss * np.array((0.14, 0.24, 0.2), np.float32)
    texture[: max(2, int(0.08 * PX)), :, :3] = (0.52, 0.56, 0.58)
    return texture


def tiles(
    width_m: float, height_m: float, rng: np.random.Generator, tint: Tint = (0.19, 0.27, 0.55)
) -> Array:
    """A roof of clay tiles; each row shades the one below, some tiles are darker."""
    texture = blank(width_m, height_m, tint)
    h, w = texture.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32) / PX
    row = np.floor(y / 0.26)
    column = np.floor(x / 0.21 + 0.5 * (row % 2))
    own = np.sin(row * 12.98 + column * 78.23) * 43758.5
    own -= np.floor(own)
    down = np.mod(y / 0.26, 1.0)
    round_ = np.abs(np.mod(x / 0.21 + 0.5 * (row % 2), 1.0) - 0.5) * 2
    shade(texture, (0.78 + 0.3 * own) * (0.72 + 0.4 * down) * (1.05 - 0.25 * round_**2))
    moss = noise.smoothstep(0.4, 1.8, _field(h, w, rng, 1.4, 10.0))[..., None] * 0.5
    texture[..., :3] = texture[..., :3] * (1 - moss) + moss * np.array((0.13, 0.19, 0.2), np.float32)
    texture[: int(0.16 * PX), :, :3] *= 0.75
    return texture


def sheet(width_m: float, height_m: float, tint: Tint, rng: np.random.Generator) -> Array:
    """Corrugated iron with rust."""
    texture = blank(width_m, height_m, tint)
    h, w = texture.shape[:2]
    x = np.arange(w, dtype=np.float32)[None, :] / PX
    shade(texture, np.repeat(0.86 + 0.16 * np.sin(x * 2 * np.pi / 0.2), h, axis=0))
    rust = noise.smoothstep(0.3, 2.0, _field(h, w, rng, 1.3, 8.0))[..., None] * 0.7
    texture[..., :3] = texture[..., :3] * (1 - rust) + rust * np.array((0.16, 0.26, 0.42), np.float32)
    return texture


def rectangle(texture: Array, x: float, y: float, w: float, h: float, tint: Tint) -> None:
    """A filled rectangle; metres from the texture's top left."""
    texture[
        max(0, round(y * PX)) : max(0, round((y + h) * PX)),
        max(0, round(x * PX)) : max(0, round((x + w) * PX)),
        :3,
    ] = tint


def window(texture: Array, x: float, y: float, w: float, h: float, frame: Tint, glow: float = 0.0) -> None:
    """A window with bars and wooden shutters' frame; `glow` 0..1 lights it from inside."""
    rectangle(texture, x - 0.08, y - 0.08, w + 0.16, h + 0.2, (0.6, 0.64, 0.66))
    rectangle(texture, x, y, w, h, frame)
    glass: Tint = (0.16 + 0.5 * glow, 0.15 + 1.0 * glow, 0.13 + 1.3 * glow)
    part = w / 2
    for i in range(2):
        rectangle(texture, x + i * part + 0.05, y + 0.05, part - 0.1, h - 0.1, glass)
        for k in range(1, 4):
            rectangle(texture, x + i * part + k * part / 4, y + 0.05, 0.02, h - 0.1, frame)
    rectangle(texture, x - 0.1, y + h + 0.04, w + 0.2, 0.07, (0.5, 0.54, 0.56))


def door(texture: Array, x: float, w: float, h: float, tint: Tint, leaves: int = 2) -> None:
    """A panelled door that stands at the texture's foot."""
    tall = texture.shape[0] / PX
    rectangle(texture, x - 0.1, tall - h - 0.1, w + 0.2, h + 0.1, (0.55, 0.6, 0.62))
    leaf = w / leaves
    for i in range(leaves):
        rectangle(texture, x + i * leaf + 0.015, tall - h, leaf - 0.03, h, tint)
        dark: Tint = (tint[0] * 0.7, tint[1] * 0.7, tint[2] * 0.7)
        for top, high in ((0.15, 0.35), (0.42, 0.5)):
            rectangle(texture, x + i * leaf + 0.1, tall - h * (1 - top), leaf - 0.2, h * high, dark)


def sign(texture: Array, words: str, x: float, y: float, w: float, h: float, ground: Tint, ink: Tint) -> None:
    """A board with words on it."""
    rectangle(texture, x, y, w, h, ground)
    high, wide = max(6, round(h * PX)), max(6, round(w * PX))
    mask = letters(words, 4 * high, 12)
    rows = np.flatnonzero(mask.max(axis=1) > 0.05)
    mask = mask[rows[0] : rows[-1] + 1]
    scale = min(0.8 * high / mask.shape[0], 0.94 * wide / mask.shape[1])
    mask = cv2.resize(mask, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    top = round(y * PX) + (high - mask.shape[0]) // 2
    left = round(x * PX) + (wide - mask.shape[1]) // 2
    roi = texture[top : top + mask.shape[0], left : left + mask.shape[1], :3]
    mask = mask[: roi.shape[0], : roi.shape[1], None]
    roi[:] = roi * (1 - mask) + mask * np.array(ink, np.float32)


def pickets(width_m: float, height_m: float, rng: np.random.Generator) -> Array:
    """A bamboo fence, open between its canes."""
    texture = blank(width_m, height_m, (0.36, 0.56, 0.62))
    texture[..., 3] = 0.0
    h, w = texture.shape[:2]
    canvas = np.zeros((h, w), np.float32)
    tone = np.ones((h, w), np.float32)
    x = 0.05
    while x < width_m:
        top = int(rng.uniform(0.0, 0.14) * h)
        lean = rng.uniform(-0.03, 0.03) * PX
        a, b = (round(x * PX + lean), top), (round(x * PX), h)
        cv2.line(canvas, a, b, 1.0, 2)
        cv2.line(tone, a, b, float(rng.uniform(0.6, 1.15)), 2)
        x += float(rng.uniform(0.07, 0.12))
    for y in (0.25, 0.72):
        cv2.line(canvas, (0, int(y * h)), (w, int(y * h)), 1.0, 3)
    texture[..., 3] = canvas
    shade(texture, tone)
    return texture


def bars(width_m: float, height_m: float, tint: Tint, every_m: float, thick_m: float) -> Array:
    """A railing: posts, a rail on top and one halfway."""
    texture = blank(width_m, height_m, tint)
    h, w = texture.shape[:2]
    x = np.arange(w, dtype=np.float32) / PX
    y = np.arange(h, dtype=np.float32)[:, None] / PX
    posts = np.mod(x, every_m) < thick_m
    rails = (y < thick_m * 1.1) | (np.abs(y - height_m * 0.5) < thick_m / 2)
    texture[..., 3] = np.maximum(posts[None, :], rails).astype(np.float32)
    shade(texture, np.repeat(1 - 0.25 * y / height_m, w, axis=1))
    return texture


def mesh(width_m: float, height_m: float) -> Array:
    """A goal's net."""
    texture = blank(width_m, height_m, (0.85, 0.87, 0.87))
    h, w = texture.shape[:2]
    y, x = np.mgrid[0:h, 0:w]
    step = max(4, int(0.16 * PX))
    texture[..., 3] = 0.5 * (((x + y) % step < 1) | ((x - y) % step < 1))
    return texture
