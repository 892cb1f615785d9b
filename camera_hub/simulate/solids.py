"""Bodies made of round parts, drawn as pictures with an edge that is not jagged.

A part is the convex hull of a few discs in space, which is enough for a limb, a hat, a horn
or a wheel. Relies on: Optics. Promises: the picture of a body depends on nothing but its parts,
the view and the light.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np

from camera_hub.simulate.optics import Array, Optics

Colour = tuple[float, float, float]
"""Blue, green, red; 0..255."""

_CIRCLE = np.stack(
    [np.cos(np.arange(16) * (2 * math.pi / 16)), np.sin(np.arange(16) * (2 * math.pi / 16))], axis=1
)
SOFT = 0.45  # px of the main stream: no lens draws sharper
_SHIFT = 3  # bits of sub-pixel precision that cv2 draws with


@dataclass(frozen=True)
class Part:
    """Discs (N, 4): sideways (to its right), up, forward, radius; metres, in the body's own frame."""

    discs: tuple[tuple[float, float, float, float], ...]
    colour: Colour
    shine: float = 1.0  # how much lighter its lit side is; 0 draws it flat
    nearer: float = 0.0  # metres that it is drawn nearer than it is, to settle what covers what


@dataclass(frozen=True)
class Picture:
    """A body's picture: `pixels` (h, w, 4) premultiplied BGRA uint8, its corner in the main picture."""

    pixels: Array
    left: int
    top: int
    depth: float


def limb(
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    r0: float,
    r1: float,
    colour: Colour,
    shine: float = 1.0,
    nearer: float = 0.0,
) -> Part:
    """A part from `a` to `b` with the radii `r0` and `r1`."""
    return Part(((*a, r0), (*b, r1)), colour, shine, nearer)


def place(discs: Array, x: float, y: float, z: float, heading: float) -> Array:
    """Discs in the body's frame to the world; heading 0 looks along z, pi/2 along x."""
    c, s = math.cos(heading), math.sin(heading)
    world = np.empty((len(discs), 3))
    world[:, 0] = x + discs[:, 0] * c + discs[:, 2] * s
    world[:, 1] = y + discs[:, 1]
    world[:, 2] = z - discs[:, 0] * s + discs[:, 2] * c
    return world


def _hull(centres: Array, radii: Array) -> Array:
    """The outline (M, 2) of discs in the picture."""
    rim = (centres[:, None, :] + radii[:, None, None] * _CIRCLE[None]).reshape(-1, 2)
    points = np.rint(rim * (1 << _SHIFT)).astype(np.int32)
    if len(centres) == 1:
        return np.asarray(points)
    hull: Array = cv2.convexHull(points)
    return hull


def _cut(parts: list[Part]) -> tuple[Array, list[slice]]:
    """All discs in one array, and where each part's lie."""
    slices, start = [], 0
    for part in parts:
        slices.append(slice(start, start + len(part.discs)))
        start += len(part.discs)
    return np.array([disc for part in parts for disc in part.discs], dtype=np.float64), slices


def draw(
    parts: list[Part],
    at: tuple[float, float, float],
    heading: float,
    optics: Optics,
    light: tuple[float, float] = (-0.5, -0.7),
) -> Picture | None:
    """The body's picture, its lit side towards `light` (u, v), or None where it is out of the picture."""
    discs, slices = _cut(parts)
    seen = optics.project(place(discs, *at, heading))
    uv, depth = seen[:, :2], seen[:, 2]
    radii = np.maximum(optics.focal * discs[:, 3] / depth, 0.35)
    left, top = np.floor((uv - radii[:, None]).min(axis=0)).astype(int) - 1
    right, bottom = np.ceil((uv + radii[:, None]).max(axis=0)).astype(int) + 2
    if right <= 0 or bottom <= 0 or left >= optics.width or top >= optics.height or depth.min() < 0.8:
        return None
    tall = int(bottom - top)
    by = 4 if tall < 120 else 3 if tall < 220 else 2
    canvas = np.zeros((tall * by, int(right - left) * by, 4), np.uint8)
    uv = (uv - (left, top)) * by - 0.5
    radii = radii * by
    order = sorted(range(len(parts)), key=lambda i: parts[i].nearer - float(depth[slices[i]].mean()))
    for i in order:
        _paint(canvas, parts[i], uv[slices[i]], radii[slices[i]], light)
    soft = cv2.GaussianBlur(canvas, (0, 0), SOFT * by)
    small = cv2.resize(soft, (int(right - left), tall), interpolation=cv2.INTER_AREA)
    return Picture(small, int(left), int(top), float(np.median(depth)))


def _paint(canvas: Array, part: Part, uv: Array, radii: Array, light: tuple[float, float]) -> None:
    b, g, r = part.colour
    dark = 1.0 - 0.22 * part.shine
    cv2.fillConvexPoly(canvas, _hull(uv, radii), (b * dark, g * dark, r * dark, 255), shift=_SHIFT)
    if part.shine <= 0:
        return
    for size, gain in ((0.72, 1.0), (0.4, 1.0 + 0.2 * part.shine)):
        centres = uv + radii[:, None] * (np.array(light) * (1 - size) * 0.8)
        colour = (min(255, b * gain), min(255, g * gain), min(255, r * gain), 255)
        cv2.fillConvexPoly(canvas, _hull(centres, radii * size), colour, shift=_SHIFT)


def shadow(
    parts: list[Part],
    at: tuple[float, float, float],
    heading: float,
    optics: Optics,
    sun: tuple[float, float],
) -> tuple[Array, int, int] | None:
    """The body's shadow on the ground as (mask uint8, left, top).

    `sun` says how far the shadow of a point one metre up falls, (x, z) in metres.
    """
    discs, slices = _cut(parts)
    world = place(discs, *at, heading)
    up = world[:, 1] - at[1]
    world[:, 0] += up * sun[0]
    world[:, 2] += up * sun[1]
    world[:, 1] = at[1]
    seen = optics.project(world)
    uv, depth = seen[:, :2], seen[:, 2]
    radii = np.maximum(optics.focal * discs[:, 3] / depth, 0.35)
    pad = 4 + int(0.05 * optics.focal / float(depth.min()))
    left, top = np.floor((uv - radii[:, None]).min(axis=0)).astype(int) - pad
    right, bottom = np.ceil((uv + radii[:, None]).max(axis=0)).astype(int) + pad
    left, top = max(int(left), -64), max(int(top), -64)
    right, bottom = min(int(right), optics.width + 64), min(int(bottom), optics.height + 64)
    if right - left < 2 or bottom - top < 2 or depth.min() < 0.8:
        return None
    mask = np.zeros((bottom - top, right - left), np.uint8)
    uv = uv - (left, top)
    flat = 0.55  # a disc on the ground is seen from the side
    for part in slices:
        hull = _hull(uv[part] * (1, 1 / flat), radii[part])
        hull = np.rint(hull.reshape(-1, 2) * (1, flat)).astype(np.int32)
        cv2.fillConvexPoly(mask, hull, 255, shift=_SHIFT)
    blur = 2 * max(1, round(0.022 * optics.focal / float(depth.mean()))) + 1
    return cv2.GaussianBlur(mask, (blur, blur), 0), left, top
