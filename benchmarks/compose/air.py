"""What is between the camera and the scene, and what sways: wind, shimmer, water, flags, rain, snow, fog."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.compose.footage import Array
from benchmarks.compose.light import CELL, grid, smooth_noise


@dataclass
class Sway:
    """Plants in the wind, or a camera's pole: the picture is shifted by a field of travelling waves."""

    mask: Array  # 0..1 on the grid
    chance: np.random.Generator
    much: float  # px
    hertz: float
    gusty: float
    whole: float = 0.0  # px that the entire picture shakes

    def __post_init__(self) -> None:
        shape = self.mask.shape
        self._phase = [
            2.5 * smooth_noise(self.chance, (shape[0], shape[1]), scale) for scale in (5.0, 2.0, 1.2)
        ]
        self._gusts = self.chance.uniform(0, 6.28, 4)
        self._rates = self.hertz * self.chance.uniform(0.7, 1.4, 3) * (1.0, 1.7, 2.6)

    def shift(self, t: float) -> tuple[Array, Array]:
        """Columns and rows (px) to look aside, on the grid."""
        slow = (
            np.sin(0.5 * t + self._gusts[0])
            + np.sin(0.83 * t + self._gusts[1])
            + np.sin(1.9 * t + self._gusts[2])
        )
        gust = 1 + self.gusty * float(np.clip(slow / 2, -0.8, 1))
        waves = [
            np.sin(6.283 * rate * t + phase) for rate, phase in zip(self._rates, self._phase, strict=True)
        ]
        dx = self.much * gust * self.mask * (0.6 * gust + waves[0] + 0.5 * waves[1] + 0.3 * waves[2])
        dy = 0.4 * self.much * gust * self.mask * (waves[1] + 0.6 * waves[2])
        if self.whole:
            dx = dx + self.whole * np.sin(6.283 * 2.1 * t) * max(gust - 0.8, 0)
            dy = dy + 0.6 * self.whole * np.sin(6.283 * 2.7 * t + 1) * max(gust - 0.8, 0)
        return np.asarray(dx, np.float32), np.asarray(dy, np.float32)


@dataclass
class Shimmer:
    """Hot air over the ground, or water: a fine field that trembles, rising."""

    mask: Array
    chance: np.random.Generator
    much: float
    fine: float  # cells
    rise: float  # cells a second

    def __post_init__(self) -> None:
        self._tiles = [smooth_noise(self.chance, (96, 128), self.fine * scale) for scale in (1.0, 1.0, 0.6)]

    def shift(self, t: float) -> tuple[Array, Array]:
        h, w = self.mask.shape
        rows, columns = np.arange(h), np.arange(w)
        pulse = 0.75 + 0.25 * np.sin(0.9 * t)
        parts = []
        for number, tile in enumerate(self._tiles):
            up = self.rise * t * (1 + 0.7 * number)
            low, rest = int(np.floor(up)), up - np.floor(up)
            one = tile[np.ix_((rows + low) % 96, (columns + 17 * number) % 128)]
            other = tile[np.ix_((rows + low + 1) % 96, (columns + 17 * number) % 128)]
            parts.append(one + (other - one) * rest)
        dx = self.much * pulse * self.mask * (parts[0] * np.sin(5 * t) + parts[1] * np.cos(7 * t))
        dy = 0.7 * self.much * pulse * self.mask * (parts[1] + parts[2] * np.sin(9 * t))
        return np.asarray(dx, np.float32), np.asarray(dy, np.float32)


@dataclass
class Displacement:
    """All shifts together."""

    size: tuple[int, int]
    parts: list[Sway | Shimmer] = field(default_factory=list)

    def __post_init__(self) -> None:
        columns, rows = np.meshgrid(np.arange(self.size[0]), np.arange(self.size[1]))
        self._x, self._y = columns.astype(np.float32), rows.astype(np.float32)

    def bend(self, picture: Array, t: float) -> Array:
        """The picture, shifted."""
        if not self.parts:
            return picture
        fields = [part.shift(t) for part in self.parts]
        dx = cv2.resize(np.sum([f[0] for f in fields], axis=0), self.size, interpolation=cv2.INTER_CUBIC)
        dy = cv2.resize(np.sum([f[1] for f in fields], axis=0), self.size, interpolation=cv2.INTER_CUBIC)
        return np.asarray(
            cv2.remap(
                picture, self._x + dx, self._y + dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
            )
        )


def grown_mask(size: tuple[int, int], boxes: list[tuple[float, float, float, float]]) -> Array:
    """Soft ellipses in boxes (px) as a mask on the grid; stems stand still, tops sway."""
    x, y = grid(size)
    mask = np.zeros_like(x)
    for left, top, right, low in boxes:
        cx, cy, rx, ry = (
            (left + right) / 2,
            (top + low) / 2,
            max((right - left) / 2, 8),
            max((low - top) / 2, 8),
        )
        inside = 1.3 - np.sqrt(((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2)
        mask = np.maximum(
            mask, np.clip(inside * 2, 0, 1) * np.clip(1.15 - (y - top) / (low - top + 1), 0.25, 1)
        )
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.2), np.float32)


@dataclass
class Rain:
    """Streaks, new in every frame; some large ones near the lens."""

    size: tuple[int, int]
    chance: np.random.Generator
    dense: float
    bright: float
    slant: float

    @property
    def lets(self) -> float:
        """The share of contrast that comes through."""
        return 1.0

    def __post_init__(self) -> None:
        w, h = self.size
        self._tiles = [self._tile(w + 64, h + 64) for _ in range(7)]

    def _tile(self, w: int, h: int) -> Array:
        tile = np.zeros((h, w), np.float32)
        for _ in range(int(self.dense * w * h / 900)):
            near = self.chance.random() ** 3
            long = (0.02 + 0.09 * near) * h
            x, y = self.chance.uniform(0, w), self.chance.uniform(-long, h)
            tone = self.bright * self.chance.uniform(0.3, 1.0) * (1 - 0.4 * near)
            end = (round((x + self.slant * long) * 8), round((y + long) * 8))
            cv2.line(
                tile, (round(x * 8), round(y * 8)), end, float(tone), 1 + int(near > 0.7), cv2.LINE_AA, 3
            )
        return np.asarray(cv2.GaussianBlur(tile, (0, 0), 0.7)).astype(np.uint8)

    def fall(self, picture: Array, t: float, chance: np.random.Generator) -> Array:
        tile = self._tiles[int(chance.integers(len(self._tiles)))]
        x, y = int(chance.integers(64)), int(chance.integers(64))
        part = tile[y : y + self.size[1], x : x + self.size[0]]
        if chance.random() < 0.5:
            part = part[:, ::-1] if abs(self.slant) < 0.08 else part
        return np.asarray(cv2.add(picture, cv2.merge([part, part, part])))


@dataclass
class Snow:
    """Flakes that fall and drift, each on its way; few are large and near."""

    size: tuple[int, int]
    chance: np.random.Generator
    many: int
    bright: float
    wind: float

    @property
    def lets(self) -> float:
        """The share of contrast that comes through."""
        return 1.0

    def __post_init__(self) -> None:
        w, h = self.size
        near = self.chance.random(self.many) ** 4
        self._near = near
        self._x, self._y = self.chance.uniform(0, w, self.many), self.chance.uniform(0, h, self.many)
        self._fall = (0.12 + 0.8 * near) * h * self.chance.uniform(0.8, 1.25, self.many)
        self._phase = self.chance.uniform(0, 6.28, self.many)
        self._radius = np.maximum(w / 640 * (0.7 + 5 * near), 0.7)

    def fall(self, picture: Array, t: float, chance: np.random.Generator) -> Array:
        w, h = self.size
        x = (self._x + self.wind * w * t * (0.2 + self._near) + 0.02 * w * np.sin(1.7 * t + self._phase)) % (
            w + 40
        ) - 20
        y = (self._y + self._fall * t) % (h + 40) - 20
        layers = [np.zeros((h, w), np.uint8), np.zeros((h, w), np.uint8)]
        for cx, cy, radius, near in zip(x, y, self._radius, self._near, strict=True):
            layer = layers[int(near > 0.25)]
            tone = self.bright * (1 - 0.55 * near)
            cv2.circle(layer, (round(cx * 8), round(cy * 8)), round(radius * 8), tone, -1, cv2.LINE_AA, 3)
        soft = cv2.add(cv2.blur(layers[0], (3, 3)), cv2.blur(layers[1], (7, 7)))
        return np.asarray(cv2.add(picture, cv2.merge([soft, soft, soft])))


@dataclass
class Fog:
    """Grey that drifts, thicker far away (higher in the picture)."""

    size: tuple[int, int]
    chance: np.random.Generator
    thick: float
    tone: float
    drift: float  # cells a second
    patchy: float

    @property
    def lets(self) -> float:
        """The share of contrast that comes through."""
        return 1 - self.thick

    def __post_init__(self) -> None:
        self._tile = smooth_noise(self.chance, (64, 256), 9.0)

    def fall(self, picture: Array, t: float, chance: np.random.Generator) -> Array:
        x, y = grid(self.size)
        column = np.float32((self.drift * t) % 256)
        noise = cv2.remap(
            self._tile, (x / CELL + column) % 256, y / CELL % 64, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        depth = 1.1 - 0.55 * y / self.size[1]
        amount = np.clip(self.thick * depth * (1 + self.patchy * np.asarray(noise)), 0, 0.9)
        full = cv2.resize(amount.astype(np.float32), self.size, interpolation=cv2.INTER_LINEAR)
        kept = cv2.multiply(picture, cv2.merge([1 - full] * 3), dtype=cv2.CV_8U)
        grey = np.asarray(full * self.tone).astype(np.uint8)
        return np.asarray(cv2.add(kept, cv2.merge([grey, grey, grey])))


@dataclass
class Flag:
    """A flag at a pole, red with a yellow star, or washing on a line."""

    place: tuple[float, float]
    wide: int
    washing: bool
    chance: np.random.Generator

    def __post_init__(self) -> None:
        h, w = max(int(self.wide * 0.66), 8), max(self.wide, 12)
        cloth = np.zeros((h, w, 3), np.float32)
        cloth[:] = (60, 60, 190) if not self.washing else self.chance.uniform(70, 220, 3)
        if self.washing:
            for column in range(0, w, max(w // 5, 3)):
                cloth[:, column : column + max(w // 10, 2)] *= float(self.chance.uniform(0.5, 1.1))
        else:
            turn = np.arange(10) * np.pi / 5 - np.pi / 2
            radius = np.where(np.arange(10) % 2 == 0, 0.3 * h, 0.12 * h)
            star = np.stack([w / 2 + radius * np.cos(turn), h / 2 + radius * np.sin(turn)], 1)
            cv2.fillPoly(cloth, [star.astype(np.int32)], (60, 220, 235))
        self._cloth, self._phase = cloth, float(self.chance.uniform(0, 6))
        self._hertz = float(self.chance.uniform(0.8, 1.8))

    def wave(self, picture: Array, t: float, gain: float) -> None:
        """Draws it into the picture (uint8 BGR)."""
        h, w = self._cloth.shape[:2]
        pad = h // 2
        x, y = np.meshgrid(np.arange(w, dtype=np.float32), np.arange(h + 2 * pad, dtype=np.float32))
        along = x / w if not self.washing else (y / (h + 2 * pad))
        gust = 0.7 + 0.3 * np.sin(0.6 * t + self._phase)
        angle = 6.283 * (self._hertz * t - 1.3 * x / w) + self._phase
        lift = gust * 0.22 * h * along * np.sin(angle)
        cloth = cv2.remap(
            self._cloth, x, y - pad - lift.astype(np.float32), cv2.INTER_LINEAR, borderValue=(-1, -1, -1)
        )
        alpha = (cloth[:, :, :1] >= 0).astype(np.float32)
        shade = (1 + 0.3 * gust * along * np.cos(angle))[:, :, None]
        x0, y0 = int(self.place[0]), int(self.place[1]) - pad
        left, top = max(x0, 0), max(y0, 0)
        right, low = min(x0 + w, picture.shape[1]), min(y0 + h + 2 * pad, picture.shape[0])
        if left < right and top < low:
            part = slice(top - y0, low - y0), slice(left - x0, right - x0)
            under = picture[top:low, left:right]
            colour = np.clip(cloth * shade * gain, 0, 255)[part]
            picture[top:low, left:right] = (under + (colour - under) * alpha[part]).astype(np.uint8)
