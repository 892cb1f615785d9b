"""Houses, gates, walls, fences, poles and the like, as surfaces.

Each kind of `Thing` has a builder here; `size` means what the builder says. Plants are built here
too, as upright textures. Relies on: surfaces and plants for the textures, stage for Surface.
"""

import math
from collections.abc import Callable

import cv2
import numpy as np

from camera_hub.simulate import plants, surfaces
from camera_hub.simulate.noise import generator
from camera_hub.simulate.optics import Array, Optics
from camera_hub.simulate.scene import Thing
from camera_hub.simulate.stage import Surface, upright
from camera_hub.simulate.surfaces import Tint

WALLS: tuple[Tint, ...] = (
    (0.52, 0.72, 0.80),
    (0.74, 0.78, 0.80),
    (0.62, 0.70, 0.60),
    (0.60, 0.66, 0.78),
    (0.76, 0.72, 0.62),
)
DOORS: tuple[Tint, ...] = ((0.16, 0.24, 0.38), (0.42, 0.34, 0.2), (0.24, 0.36, 0.24))
ROOFS: tuple[Tint, ...] = ((0.19, 0.27, 0.55), (0.24, 0.3, 0.48), (0.25, 0.29, 0.47))
GREY: Tint = (0.55, 0.58, 0.6)


class Frame:
    """A thing's own axes: x to its right, z to its back, its front towards -z; to the world."""

    def __init__(self, thing: Thing) -> None:
        self.x, self.z = thing.x, thing.z
        self.c, self.s = math.cos(math.radians(thing.turn_deg)), math.sin(math.radians(thing.turn_deg))

    def at(self, x: float, y: float, z: float) -> tuple[float, float, float]:
        return self.x + x * self.c + z * self.s, y, self.z - x * self.s + z * self.c

    def quad(self, *points: tuple[float, float, float]) -> Array:
        return np.array([self.at(*point) for point in points])

    def wall(self, ax: float, az: float, bx: float, bz: float, low: float, high: float) -> Array:
        """An upright rectangle from a (left) to b (right) as seen from its front."""
        return self.quad((ax, high, az), (bx, high, bz), (bx, low, bz), (ax, low, az))


def _box(
    frame: Frame,
    x: tuple[float, float],
    z: tuple[float, float],
    y: tuple[float, float],
    skin: Callable[[float, float], Array],
) -> list[Surface]:
    (x0, x1), (z0, z1), (y0, y1) = x, z, y
    tall = y1 - y0
    return [
        Surface(frame.wall(x0, z0, x1, z0, y0, y1), skin(x1 - x0, tall)),
        Surface(frame.wall(x1, z0, x1, z1, y0, y1), skin(z1 - z0, tall)),
        Surface(frame.wall(x0, z1, x0, z0, y0, y1), skin(z1 - z0, tall)),
        Surface(frame.wall(x1, z1, x0, z1, y0, y1), skin(x1 - x0, tall)),
        Surface(frame.quad((x0, y1, z1), (x1, y1, z1), (x1, y1, z0), (x0, y1, z0)), skin(x1 - x0, z1 - z0)),
    ]


def _house(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: width, depth, wall, roof (metres)."""
    width, depth, wall, roof = thing.size
    frame = Frame(thing)
    tint, wood = WALLS[thing.look % len(WALLS)], DOORS[thing.look % len(DOORS)]
    front = surfaces.plaster(width, wall, tint, rng)
    bays = max(1, int(width / 3.2))
    for i in range(bays):
        middle = width * (i + 0.5) / bays
        lit = glow * float(rng.random() < 0.6)
        if i == bays // 2:
            surfaces.door(front, middle - 0.75, 1.5, min(2.35, wall - 0.4), wood, 2)
        else:
            surfaces.window(front, middle - 0.6, wall - 2.15, 1.2, 1.25, wood, lit)
    side = surfaces.plaster(depth, wall, tint, rng)
    surfaces.window(side, depth / 2 - 0.5, wall - 2.1, 1.0, 1.15, wood, glow)
    w, d, over, drop = width / 2, depth / 2, 0.55, 0.35
    built = [
        Surface(frame.wall(-w, -d, w, -d, 0, wall), front),
        Surface(frame.wall(w, -d, w, d, 0, wall), side),
        Surface(frame.wall(-w, d, -w, -d, 0, wall), side),
        Surface(frame.wall(w, d, -w, d, 0, wall), surfaces.plaster(width, wall, tint, rng)),
    ]
    gable = surfaces.plaster(depth, roof, tint, rng)
    h, n = gable.shape[:2]
    y, x = np.mgrid[0:h, 0:n]
    gable[..., 3] = np.abs(x / n - 0.5) * 2 <= (y + 1) / h
    ends = frame.wall(w, -d, w, d, wall, wall + roof), frame.wall(-w, d, -w, -d, wall, wall + roof)
    built += [Surface(corners, gable) for corners in ends]
    slope = math.hypot(d + over, roof + drop)
    cover = surfaces.tiles(width + 2 * over, slope, rng, ROOFS[thing.look % len(ROOFS)])
    top, low = wall + roof + 0.05, wall - drop
    a, b = w + over, d + over
    built += [
        Surface(frame.quad((-a, top, 0), (a, top, 0), (a, low, -b), (-a, low, -b)), cover),
        Surface(frame.quad((a, top, 0), (-a, top, 0), (-a, low, b), (a, low, b)), cover),
    ]
    if thing.text:
        board = surfaces.blank(width * 0.6, 0.75, (0.1, 0.1, 0.55))
        surfaces.sign(board, thing.text, 0, 0, width * 0.6, 0.75, (0.1, 0.08, 0.62), (0.25, 0.85, 0.95))
        b2 = width * 0.3
        out = -d - (2.15 if thing.look >= 5 else 0.7)
        built.append(Surface(frame.wall(-b2, out, b2, out, wall - 0.6, wall + 0.3), board))
    if thing.look >= 5:
        built += _porch(frame, w, d, wall, rng)
    return built


def _porch(frame: Frame, w: float, d: float, wall: float, rng: np.random.Generator) -> list[Surface]:
    """Columns and a roof before the front, and a step."""
    built: list[Surface] = []
    for x in np.linspace(-w + 0.2, w - 0.2, 5):
        column = surfaces.plaster(0.32, wall - 0.35, (0.78, 0.8, 0.82), rng)
        built.append(Surface(frame.wall(x - 0.16, -d - 1.8, x + 0.16, -d - 1.8, 0, wall - 0.35), column))
        built.append(Surface(frame.wall(x + 0.16, -d - 1.8, x + 0.16, -d - 1.5, 0, wall - 0.35), column))
    roof = surfaces.tiles(2 * w + 0.6, 2.2, rng, ROOFS[1])
    out = w + 0.3
    built.append(
        Surface(
            frame.quad(
                (-out, wall + 0.15, -d),
                (out, wall + 0.15, -d),
                (out, wall - 0.4, -d - 2.1),
                (-out, wall - 0.4, -d - 2.1),
            ),
            roof,
        )
    )
    return built + _box(
        frame, (-w, w), (-d - 2.0, -d), (0, 0.22), lambda a, b: surfaces.plaster(a, b, GREY, rng)
    )


def _gate(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: clear width, height. Two pillars, a beam with the village's name, a small roof."""
    wide, tall = thing.size
    frame = Frame(thing)
    ochre: Tint = (0.46, 0.68, 0.80)

    def skin(a: float, b: float) -> Array:
        return surfaces.plaster(a, b, ochre, rng)

    built: list[Surface] = []
    for side in (-1, 1):
        centre = side * (wide / 2 + 0.45)
        built += _box(frame, (centre - 0.45, centre + 0.45), (-0.45, 0.45), (0, tall), skin)
        built += _box(frame, (centre - 0.6, centre + 0.6), (-0.6, 0.6), (0, 0.5), skin)
        built += _box(frame, (centre - 0.58, centre + 0.58), (-0.58, 0.58), (tall, tall + 0.18), skin)
    half = wide / 2 + 0.9
    beam = surfaces.plaster(2 * half, 0.95, ochre, rng)
    surfaces.sign(beam, thing.text, 0.3, 0.16, 2 * half - 0.6, 0.66, (0.1, 0.08, 0.58), (0.25, 0.85, 0.95))
    low = tall - 0.92
    built += [
        Surface(frame.wall(-half, -0.3, half, -0.3, low, low + 0.95), beam),
        Surface(frame.wall(half, 0.3, -half, 0.3, low, low + 0.95), beam),
    ]
    roof = surfaces.tiles(2 * half + 0.8, 1.0, rng, ROOFS[0])
    a, top = half + 0.4, tall + 0.85
    built += [
        Surface(frame.quad((-a, top, 0), (a, top, 0), (a, tall, -0.85), (-a, tall, -0.85)), roof),
        Surface(frame.quad((a, top, 0), (-a, top, 0), (-a, tall, 0.85), (a, tall, 0.85)), roof),
    ]
    return built


def _wall(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: length, height, thickness. Brick."""
    long, tall, thick = thing.size
    return _box(
        Frame(thing),
        (-long / 2, long / 2),
        (-thick / 2, thick / 2),
        (0, tall),
        lambda a, b: surfaces.brick(a, b, rng, 0.1 + 0.1 * thing.look),
    )


def _sheet_wall(thing: Thing, texture: Array, height: float, length: float) -> list[Surface]:
    """One upright surface that is seen from both sides."""
    frame = Frame(thing)
    half = length / 2
    return [
        Surface(frame.wall(-half, 0, half, 0, 0, height), texture),
        Surface(frame.wall(half, 0, -half, 0, 0, height), texture),
    ]


def _fence(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: length, height. Bamboo."""
    long, tall = thing.size
    return _sheet_wall(thing, surfaces.pickets(long, tall, rng), tall, long)


def _rail(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: length, height. A bridge's railing, white."""
    long, tall = thing.size
    return _sheet_wall(thing, surfaces.bars(long, tall, (0.78, 0.82, 0.84), 1.2, 0.16), tall, long)


def _deck(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: length, depth below the ground. The side of a bridge's slab."""
    long, deep = thing.size
    side = surfaces.plaster(long, deep, (0.5, 0.54, 0.56), rng)
    surfaces.rectangle(side, 0, 0.35, long, deep, (0.1, 0.12, 0.12))
    frame = Frame(thing)
    half = long / 2
    return [
        Surface(frame.wall(-half, 0, half, 0, -deep, 0.06), side, casts=False),
        Surface(frame.wall(half, 0, -half, 0, -deep, 0.06), side, casts=False),
    ]


def _goal(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: width, height."""
    wide, tall = thing.size
    frame = surfaces.blank(wide, tall, (0.9, 0.92, 0.93))
    w = frame.shape[1]
    frame[..., 3] = 0.0
    frame[:5, :, 3] = frame[:, :5, 3] = frame[:, w - 5 :, 3] = 1.0
    at = Frame(thing)
    net = surfaces.mesh(wide, tall)
    half = wide / 2
    return [
        Surface(at.quad((-half, tall, 0), (half, tall, 0), (half, 0, 1.2), (-half, 0, 1.2)), net),
        Surface(at.wall(-half, 0, half, 0, 0, tall), frame),
    ]


def _pole(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: height. Concrete, with a crossbar; look 1 has a lamp, look 2 a flag."""
    (tall,) = thing.size
    shaft = surfaces.plaster(0.26, tall, (0.62, 0.65, 0.66), rng)
    h, w = shaft.shape[:2]
    surfaces.shade(shaft, np.repeat(np.linspace(1.1, 0.65, w)[None, :], h, axis=0))
    built = [Surface(upright(thing.x, thing.z, 0.26, tall), shaft)]
    if thing.look == 0:
        bar = surfaces.blank(1.5, 0.12, (0.4, 0.42, 0.44))
        built.append(Surface(upright(thing.x, thing.z - 0.05, 1.5, 0.12, tall - 0.5), bar))
        built.append(Surface(upright(thing.x, thing.z - 0.05, 1.1, 0.1, tall - 1.1), bar))
    elif thing.look == 1:
        arm = surfaces.blank(1.3, 0.09, (0.45, 0.46, 0.48))
        head = surfaces.blank(0.55, 0.16, (0.9, 0.95, 1.0) if glow else (0.6, 0.62, 0.64))
        built.append(Surface(upright(thing.x + 0.6, thing.z - 0.05, 1.3, 0.09, tall - 0.2), arm))
        built.append(Surface(upright(thing.x + 1.3, thing.z - 0.06, 0.55, 0.16, tall - 0.3), head))
    else:
        flag = surfaces.blank(1.5, 1.0, (0.14, 0.1, 0.78))
        points = ((k * math.pi / 5, 0.28 if k % 2 == 0 else 0.112) for k in range(10))
        star = np.array([(0.75 + r * math.sin(a), 0.5 - r * math.cos(a)) for a, r in points])
        cv2.fillPoly(
            flag,
            [np.rint(star * surfaces.PX).astype(np.int32)],
            (0.15, 0.85, 0.98, 1.0),
        )
        built.append(
            Surface(upright(thing.x + 0.85, thing.z - 0.05, 1.5, 1.0, tall - 1.15), flag, sways_m=0.1)
        )
    return built


def _stack(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: width, height. A stack of straw around its pole."""
    wide, tall = thing.size
    texture = surfaces.blank(wide, tall, (0.36, 0.58, 0.68))
    h, w = texture.shape[:2]
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    reach = np.clip(1.0 - (1 - y / h) ** 2.2, 0.02, 1)
    off = np.abs(x / w - 0.5) * 2
    texture[..., 3] = off < reach * (0.96 + 0.04 * np.sin(y * 0.9))
    straw = cv2.GaussianBlur(rng.standard_normal((h, w)).astype(np.float32), (3, 9), 0)
    surfaces.shade(texture, np.clip(1.05 - 0.45 * (x / w) + 0.5 * straw, 0.3, 1.3))
    return [Surface(upright(thing.x, thing.z, wide, tall), texture)]


def _plant(thing: Thing, rng: np.random.Generator, glow: float) -> list[Surface]:
    """size: height."""
    (tall,) = thing.size
    draw, shape, sways = plants.KINDS[thing.kind]
    texture = draw(rng)
    if rng.random() < 0.5:
        texture = np.ascontiguousarray(texture[:, ::-1])
    still = thing.kind == "tuft" or tall / max(thing.z, 1) < 0.06
    return [
        Surface(
            upright(thing.x, thing.z, tall * shape, tall),
            texture,
            sways_m=0.0 if still else sways * tall / 5,
            leafy=True,
        )
    ]


BUILDERS: dict[str, Callable[[Thing, np.random.Generator, float], list[Surface]]] = {
    "house": _house,
    "gate": _gate,
    "wall": _wall,
    "fence": _fence,
    "rail": _rail,
    "deck": _deck,
    "goal": _goal,
    "pole": _pole,
    "stack": _stack,
    **dict.fromkeys(plants.KINDS, _plant),
}


def build(things: tuple[Thing, ...], seed: int, glow: float, optics: Optics) -> list[Surface]:
    """All surfaces that face the camera; `glow` 0..1 is how much light is on in the houses."""
    built: list[Surface] = []
    eye = np.array([0.0, optics.height_m, 0.0])
    for number, thing in enumerate(things):
        rng = generator("thing", seed, number, thing.kind)
        for surface in BUILDERS[thing.kind](thing, rng, glow):
            toward = eye - surface.corners.mean(axis=0)
            if float(surface.normal @ toward) > 0:
                built.append(surface)
    return built
