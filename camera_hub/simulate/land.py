"""The ground of a scene: its heights and what grows and lies on it, as maps; and how it is seen.

The maps cover x -EXTENT..EXTENT and z 0..2*EXTENT metres in squares of STEP metres. `Sight`
marches along the columns of the picture from near to far (a height field seen by a pinhole).
Relies on: scene, noise, optics.
"""

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.optics import Array, Optics
from camera_hub.simulate.scene import Band, Point, Scene

EXTENT = 100.0
STEP = 0.18
COARSE = 3
NEAR, FAR, SLICES = 1.2, 185.0, 760
HEDGE_M, ROW_M = 0.8, 1.55


def distance_along(points: tuple[Point, ...], x: Array, z: Array) -> tuple[Array, Array]:
    """For each place its distance to the line and how far along the line that is; metres."""
    best = np.full(x.shape, 1e9, np.float32)
    along = np.zeros(x.shape, np.float32)
    start = 0.0
    for (ax, az), (bx, bz) in itertools.pairwise(points):
        dx, dz = bx - ax, bz - az
        length = math.hypot(dx, dz)
        t = np.clip(((x - ax) * dx + (z - az) * dz) / length**2, 0.0, 1.0)
        gap = np.hypot(x - ax - t * dx, z - az - t * dz)
        nearer = gap < best
        best[nearer] = gap[nearer]
        along[nearer] = start + t[nearer] * length
        start += length
    return best, along


def rounded(points: tuple[Point, ...], every_m: float = 0.5) -> tuple[Point, ...]:
    """The line through the points without corners (Catmull-Rom), a point every `every_m` or so."""
    ends = [points[0], *points, points[-1]]
    line: list[Point] = []
    for p0, p1, p2, p3 in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        steps = max(2, int(math.dist(p1, p2) / every_m))
        for i in range(steps):
            t = i / steps
            x, z = (
                0.5
                * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
                for a, b, c, d in zip(p0, p1, p2, p3, strict=True)
            )
            line.append((x, z))
    return (*line, points[-1])


@dataclass
class Land:
    """The maps (rows z, columns x), all float32."""

    height: Array  # metres, hedges and all
    base: Array  # metres, without what grows
    tea: Array  # 0..1
    hedge: Array  # 0..1: the height within a hedge
    edges: dict[str, Array]  # kind of band: metres to its edge, inside below 0
    along: dict[str, Array]  # kind of band: metres along it
    patches: dict[str, Array]  # kind of patch: 0..1

    def read(self, field: Array, x: Array, z: Array) -> Array:
        """A map's values at (x, z)."""
        column = ((x + EXTENT) / STEP).astype(np.float32)
        row = (z / STEP).astype(np.float32)
        found: Array = cv2.remap(field, column, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return found


def lay(scene: Scene, seed: int) -> Land:
    """The scene's land."""
    side = np.arange(-EXTENT, EXTENT, STEP, dtype=np.float32)
    x, z = np.meshgrid(side, np.arange(0, 2 * EXTENT, STEP, dtype=np.float32))
    rough = noise.sample(noise.tile(11 + seed % 7, 1.6), x, z, 48.0)
    edges, along = _bands(scene.bands, x, z, rough)
    clear = np.full(x.shape, 1e3, np.float32)
    for gap in edges.values():
        clear = np.minimum(clear, gap)
    patches: dict[str, Array] = {}
    for patch in scene.patches:
        inside = np.minimum(np.minimum(x - patch.x0, patch.x1 - x), np.minimum(z - patch.z0, patch.z1 - z))
        cover = noise.smoothstep(-0.15, 0.15, inside + 0.45 * rough * (patch.kind not in ("yard", "tea")))
        patches[patch.kind] = np.maximum(patches.get(patch.kind, np.float32(0)), cover).astype(np.float32)
        if patch.kind != "tea":
            clear = np.minimum(clear, np.maximum(-inside, 0.0))
    base, tea, rows = _hills(scene, x, z, clear, rough)
    for patch in scene.patches:
        if patch.kind == "tea":
            turn = math.radians(patch.rows_deg)
            inside = patches["tea"] * (clear > 0.6)
            rows = np.where(inside > 0.5, x * math.cos(turn) + z * math.sin(turn), rows)
            tea = np.maximum(tea, inside)
    part = np.abs(np.mod(rows / ROW_M + 0.05 * rough, 1.0) - 0.5) * 2
    hedge = np.sqrt(np.clip(1.0 - (part / 0.8) ** 2, 0.0, 1.0))
    bumps = noise.sample(noise.tile(3, 0.6, 0.2), x, z, 9.0)
    hedge = np.clip(hedge * (1 + 0.09 * bumps), 0, 1.3) * noise.smoothstep(0.5, 0.9, tea)
    base = base + 0.03 * rough * noise.smoothstep(0.2, 1.5, clear)
    if "stream" in edges:
        base = base - 1.1 * noise.smoothstep(0.9, -0.5, edges["stream"]) * noise.smoothstep(
            -0.2, 0.8, clear_of(edges, "stream")
        )
    height = (base + HEDGE_M * hedge).astype(np.float32)
    return Land(
        height,
        base.astype(np.float32),
        tea.astype(np.float32),
        hedge.astype(np.float32),
        edges,
        along,
        patches,
    )


def clear_of(edges: dict[str, Array], kind: str) -> Array:
    """How far every other kind of band is."""
    others = [gap for name, gap in edges.items() if name != kind]
    return np.minimum.reduce(others) if others else np.full_like(edges[kind], 1e3)


def _bands(
    bands: tuple[Band, ...], x: Array, z: Array, rough: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    edges: dict[str, Array] = {}
    along: dict[str, Array] = {}
    for band in bands:
        gap, way = _coarsely(rounded(band.points, 2.5), x, z)
        ragged = 0.05 if band.kind == "concrete" else 0.3
        gap = (gap - band.width_m / 2 + ragged * rough).astype(np.float32)
        if band.kind in edges:
            nearer = gap < edges[band.kind]
            along[band.kind] = np.where(nearer, way, along[band.kind]).astype(np.float32)
            edges[band.kind] = np.minimum(gap, edges[band.kind])
        else:
            edges[band.kind], along[band.kind] = gap, way
    return edges, along


def _coarsely(points: tuple[Point, ...], x: Array, z: Array) -> tuple[Array, Array]:
    """`distance_along`, reckoned for every third place each way and straight between."""
    few = slice(None, None, COARSE)
    rows, columns = np.indices(x.shape, dtype=np.float32) / COARSE
    gap, way = (
        cv2.remap(field, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for field in distance_along(points, x[few, few], z[few, few])
    )
    return np.asarray(gap), np.asarray(way)


def _hills(scene: Scene, x: Array, z: Array, clear: Array, rough: Array) -> tuple[Array, Array, Array]:
    base = np.zeros(x.shape, np.float32)
    tea = np.zeros(x.shape, np.float32)
    rows = np.zeros(x.shape, np.float32)
    for hill in scene.hills:
        away = np.hypot((x - hill.x) / hill.rx, (z - hill.z) / hill.rz)
        bump = hill.height_m * np.exp(-(away**2) * 1.6) * (1 + 0.06 * rough)
        higher = bump > np.maximum(base, 0.12)
        if hill.tea:
            rows = np.where(higher, away * (hill.rx + hill.rz) / 2, rows)
            tea = np.where(higher, noise.smoothstep(0.15, 0.4, bump), tea)
        else:
            tea = np.where(higher, 0.0, tea)
        base = np.maximum(base, bump)
    free = noise.smoothstep(0.3, 5.0, clear)
    return base * free, tea * noise.smoothstep(0.7, 1.1, clear), rows


@dataclass
class Sight:
    """What each pixel of a picture sees of the land: depth and world place; `sky` where nothing."""

    depth: Array
    x: Array
    y: Array
    z: Array
    sky: Array


def look(land: Land, optics: Optics) -> Sight:
    """The land through the camera, at the size of `optics`' picture."""
    slices = np.geomspace(NEAR, FAR, SLICES).astype(np.float32)[:, None]
    u = (np.arange(optics.width, dtype=np.float32) + 0.5)[None, :]
    x = (u - optics.width / 2) / np.float32(optics.focal) * slices
    y = np.zeros_like(x)
    for _ in range(3):
        z = (slices - (optics.height_m - y) * optics.sin) / optics.cos
        y = land.read(land.height, x, np.maximum(z, 0))
    below = optics.height_m - y
    v = optics.height / 2 + optics.focal * (below * optics.cos - z * optics.sin) / slices
    v = np.minimum.accumulate(np.where(z < 0, 1e6, v), axis=0)
    rows = np.arange(optics.height) + 0.5
    depth = np.empty((optics.height, optics.width), np.float32)
    far_to_near = slices[::-1, 0]
    for column in range(optics.width):
        depth[:, column] = np.interp(rows, v[::-1, column], far_to_near, left=1e4)
    grid_v = np.broadcast_to(rows[:, None].astype(np.float32), depth.shape)
    sky = depth > FAR * 1.5
    at = np.where(sky, np.float32(FAR), depth)
    wx, wy, wz = optics.at_depth(np.broadcast_to(u, depth.shape), grid_v, at)
    return Sight(depth, wx.astype(np.float32), wy.astype(np.float32), wz.astype(np.float32), sky)
