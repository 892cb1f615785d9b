"""Trees, palms, bananas, bamboo and bushes as textures, leaf by leaf.

A texture is (h, w, 4) float32: blue, green, red, cover; 0..1. Light falls from the upper left.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

from camera_hub.simulate.optics import Array

Tint = tuple[float, float, float]
_S = 4  # bits of sub-pixel precision


class _Brush:
    """Draws on a canvas of `w` by `h` px in uint8 BGRA."""

    def __init__(self, w: int, h: int, rng: np.random.Generator) -> None:
        self.canvas = np.zeros((h, w, 4), np.uint8)
        self.rng = rng
        self.w, self.h = w, h

    def tint(self, tint: Tint, gain: float, spread: float = 0.12) -> tuple[float, float, float, float]:
        own = gain * (1 + spread * float(self.rng.standard_normal()))
        b, g, r = (min(255.0, max(0.0, 255 * c * own)) for c in tint)
        return b, g, r, 255.0

    def leaf(
        self, x: float, y: float, long: float, wide: float, turn: float, colour: tuple[float, ...]
    ) -> None:
        cv2.ellipse(
            self.canvas,
            (round(x * 16), round(y * 16)),
            (max(8, round(long * 16)), max(6, round(wide * 16))),
            turn,
            0,
            360,
            colour,
            -1,
            cv2.LINE_8,
            _S,
        )

    def stroke(self, points: list[tuple[float, float]], colour: tuple[float, ...], thick: int) -> None:
        line = np.rint(np.array(points) * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.polylines(self.canvas, [line], False, colour, thick, cv2.LINE_8, _S)

    def shape(self, points: list[tuple[float, float]], colour: tuple[float, ...]) -> None:
        cv2.fillPoly(self.canvas, [np.rint(np.array(points) * 16).astype(np.int32)], colour, cv2.LINE_8, _S)

    def texture(self) -> Array:
        blurred = cv2.GaussianBlur(self.canvas, (3, 3), 0.7).astype(np.float32) / 255
        cover = np.maximum(blurred[..., 3:], 1e-4)
        blurred[..., :3] = np.clip(blurred[..., :3] / cover, 0, 1)
        return blurred


def _crown(
    brush: _Brush, cx: float, cy: float, rx: float, ry: float, tint: Tint, clumps: int, leaf: float
) -> None:
    """A crown of clumps, the far and low ones dark, the near and high ones light."""
    rng = brush.rng
    for i in range(clumps):
        near = i / clumps
        a, d = rng.uniform(0, 2 * math.pi), math.sqrt(rng.uniform(0, 1)) * (0.98 - 0.2 * near)
        x, y = cx + rx * d * math.cos(a), cy + ry * d * math.sin(a)
        size = rng.uniform(0.2, 0.34) * min(rx, ry)
        high = (cy - y) / ry * 0.5 + (cx - x) / rx * 0.22
        for _ in range(46):
            b, e = rng.uniform(0, 2 * math.pi), math.sqrt(rng.uniform(0, 1))
            lx, ly = x + size * 1.25 * e * math.cos(b), y + size * 0.85 * e * math.sin(b)
            lift = -0.28 * math.sin(b) * e - 0.14 * math.cos(b) * e
            gain = 0.5 + 0.32 * near + 0.34 * high + lift * 0.9
            brush.leaf(
                lx, ly, leaf * rng.uniform(0.7, 1.3), leaf * 0.55, rng.uniform(0, 180), brush.tint(tint, gain)
            )


def tree(rng: np.random.Generator) -> Array:
    """A broad-leaved tree, 8:9."""
    brush = _Brush(512, 576, rng)
    bark: Tint = (0.24, 0.3, 0.36)
    lean = float(rng.uniform(-24, 24))
    brush.shape([(236, 576), (284, 576), (268 + lean, 330), (246 + lean, 330)], brush.tint(bark, 0.85))
    brush.shape([(262, 576), (284, 576), (268 + lean, 330), (258 + lean, 330)], brush.tint(bark, 0.6))
    for _ in range(6):
        brush.stroke(
            [(256 + lean, 380), (256 + lean + rng.uniform(-130, 130), rng.uniform(150, 280))],
            brush.tint(bark, 0.7),
            7,
        )
    greens: tuple[Tint, ...] = ((0.16, 0.46, 0.32), (0.14, 0.4, 0.26), (0.18, 0.5, 0.4))
    tint = greens[int(rng.integers(3))]
    _crown(brush, 256 + lean, 215, 225, 185, tint, 70, 7.0)
    return brush.texture()


def bush(rng: np.random.Generator) -> Array:
    """A round bush, 3:2."""
    brush = _Brush(384, 256, rng)
    _crown(brush, 192, 165, 165, 95, (0.15, 0.44, 0.31), 34, 6.5)
    return brush.texture()


def palm(rng: np.random.Generator) -> Array:
    """An areca palm, 1:2: a slim ringed trunk and feathered fronds."""
    brush = _Brush(360, 720, rng)
    top = (180.0 + float(rng.uniform(-18, 18)), 190.0)
    for i in range(60):
        t = i / 60
        x, y = 180 + (top[0] - 180) * t, 720 - (720 - top[1]) * t
        ring = 0.72 if i % 4 == 0 else 1.0
        brush.shape(
            [(x - 7, y), (x + 7, y), (x + 6, y - 10), (x - 6, y - 10)],
            brush.tint((0.4, 0.47, 0.5), 0.85 * ring),
        )
    brush.shape(
        [(top[0] - 8, top[1] + 50), (top[0] + 8, top[1] + 50), (top[0] + 5, top[1]), (top[0] - 5, top[1])],
        brush.tint((0.2, 0.5, 0.36), 0.8),
    )
    for i in range(11):
        turn = -math.pi / 2 + (i - 5) * 0.42 + float(rng.uniform(-0.1, 0.1))
        _frond(brush, top, turn, float(rng.uniform(120, 160)), 0.55 + 0.05 * ((i * 7) % 11))
    return brush.texture()


def _frond(brush: _Brush, root: tuple[float, float], turn: float, long: float, gain: float) -> None:
    spine = []
    for k in range(14):
        t = k / 13
        x = root[0] + long * t * math.cos(turn)
        y = root[1] + long * t * math.sin(turn) + 95 * t**2.2
        spine.append((x, y))
    for k in range(2, 14):
        (x, y), (px, py) = spine[k], spine[k - 1]
        way = math.atan2(y - py, x - px)
        for side in (-1, 1):
            reach = 40 * math.sin(math.pi * (k + 1) / 15)
            end = (x + reach * math.cos(way + side * 0.95), y + reach * math.sin(way + side * 0.95) + 8)
            brush.stroke([(x, y), end], brush.tint((0.15, 0.48, 0.34), gain + (0.12 if side < 0 else 0)), 4)
    brush.stroke(spine, brush.tint((0.2, 0.5, 0.42), gain), 3)


def banana(rng: np.random.Generator) -> Array:
    """A clump of bananas, 1:1: broad torn leaves."""
    brush = _Brush(448, 448, rng)
    for x in (190.0, 236.0, 268.0):
        brush.shape(
            [(x - 14, 448), (x + 14, 448), (x + 8, 190), (x - 8, 190)], brush.tint((0.26, 0.5, 0.46), 0.75)
        )
    for i in range(15):
        root = (float(rng.choice([190.0, 236.0, 268.0])), float(rng.uniform(180, 230)))
        turn = -math.pi / 2 + float(rng.uniform(-1.5, 1.5))
        long, gain = float(rng.uniform(120, 190)), 0.6 + 0.5 * i / 15
        spine = [
            (
                root[0] + long * t * math.cos(turn),
                root[1] + long * t * math.sin(turn) + 70 * t**2,
            )
            for t in np.linspace(0, 1, 12)
        ]
        left, right = [], []
        for k, (x, y) in enumerate(spine):
            wide = 24 * math.sin(math.pi * min(0.98, (k + 0.6) / 12)) ** 0.7
            across = turn + math.pi / 2
            left.append((x + wide * math.cos(across), y + wide * math.sin(across)))
            right.append((x - wide * math.cos(across), y - wide * math.sin(across) + 4))
        brush.shape(spine + left[::-1], brush.tint((0.16, 0.52, 0.38), gain))
        brush.shape(spine + right[::-1], brush.tint((0.14, 0.46, 0.32), gain * 0.82))
        brush.stroke(spine, brush.tint((0.3, 0.62, 0.55), gain), 3)
    return brush.texture()


def bamboo(rng: np.random.Generator) -> Array:
    """A clump of bamboo, 1:1: culms that arch outward, feathery leaves."""
    brush = _Brush(576, 576, rng)
    for i in range(30):
        foot = 288 + float(rng.uniform(-60, 60))
        spread = float(rng.uniform(-1, 1))
        tall = float(rng.uniform(380, 550))
        near = 0.55 + 0.45 * i / 30
        culm = [
            (foot + spread * 210 * t**2.2, 576 - tall * t + abs(spread) * 110 * t**3)
            for t in np.linspace(0, 1, 14)
        ]
        brush.stroke(culm, brush.tint((0.24, 0.5, 0.46), near * 0.8), 5)
        for k in range(4, 14):
            for _ in range(9):
                x, y = culm[k][0] + rng.uniform(-44, 44), culm[k][1] + rng.uniform(-26, 34)
                turn = 60 + rng.uniform(-55, 55)
                gain = near * (0.62 + 0.4 * (1 - y / 576)) + 0.1
                brush.leaf(x, y, rng.uniform(8, 15), 2.4, turn, brush.tint((0.17, 0.5, 0.38), gain))
    return brush.texture()


def tuft(rng: np.random.Generator) -> Array:
    """A tuft of grass, 2:1."""
    brush = _Brush(160, 80, rng)
    for _ in range(70):
        x = 80 + float(rng.uniform(-50, 50))
        bend = float(rng.uniform(-28, 28))
        tall = float(rng.uniform(22, 74))
        brush.stroke(
            [(x, 80), (x + bend * 0.3, 80 - tall * 0.6), (x + bend, 80 - tall)],
            brush.tint((0.19, 0.46, 0.36), float(rng.uniform(0.55, 1.05))),
            2,
        )
    return brush.texture()


KINDS: dict[str, tuple[Callable[[np.random.Generator], Array], float, float]] = {
    "tree": (tree, 0.89, 0.30),
    "bush": (bush, 1.5, 0.05),
    "palm": (palm, 0.5, 0.32),
    "banana": (banana, 1.0, 0.22),
    "bamboo": (bamboo, 1.0, 0.4),
    "tuft": (tuft, 2.0, 0.05),
}
"""How each is drawn, its width by its height, and how far (metres) a good wind moves its top."""
