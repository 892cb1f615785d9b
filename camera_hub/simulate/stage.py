"""What stands on the land, painted into the still picture: textured surfaces in perspective.

A surface is a flat rectangle in space with a texture. Surfaces are lit as the ground is, hide
what lies behind them, and cast shadows. Relies on: land, ground, light, optics.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from camera_hub.simulate import ground
from camera_hub.simulate.land import Sight
from camera_hub.simulate.light import Light
from camera_hub.simulate.optics import Array, Optics

CLOSEST_M = 0.7
LEAVES_BY_INFRARED = 1.45  # leaves are bright in infrared


@dataclass(frozen=True)
class Surface:
    """`corners` (4, 3): top left, top right, bottom right, bottom left as seen from its front.

    `texture` (h, w, 4) float32 BGRA, colours and cover 0..1, not premultiplied.
    """

    corners: Array
    texture: Array
    casts: bool = True
    sways_m: float = 0.0  # how far the wind moves its top; above 0 it is drawn anew in every frame
    flat: bool = False  # lies on the ground: hides nothing, casts nothing
    leafy: bool = False  # lit as a mass of leaves, whichever way the rectangle looks

    @property
    def normal(self) -> Array:
        top_left, top_right, _, bottom_left = self.corners
        across = np.cross(top_right - top_left, bottom_left - top_left)
        unit: Array = across / max(float(np.linalg.norm(across)), 1e-9)
        return unit


@dataclass(frozen=True)
class Painted:
    """A surface as it is seen: lit colours and cover in a window of the picture, and its depths."""

    colour: Array
    cover: Array
    depth: Array
    left: int
    top: int


def upright(x: float, z: float, width: float, height: float, base: float = 0.0) -> Array:
    """Corners of a rectangle that stands on the ground and faces the camera's side."""
    half = width / 2
    return np.array(
        [
            [x - half, base + height, z],
            [x + half, base + height, z],
            [x + half, base, z],
            [x - half, base, z],
        ]
    )


def _warp(texture: Array, uv: Array, optics: Optics) -> tuple[Array, int, int] | None:
    """A texture put onto four picture points: (window, left, top), or None outside the picture."""
    left, top = np.floor(uv.min(axis=0)).astype(int) - 1
    right, bottom = np.ceil(uv.max(axis=0)).astype(int) + 2
    left, top = max(int(left), 0), max(int(top), 0)
    right, bottom = min(int(right), optics.width), min(int(bottom), optics.height)
    if right - left < 2 or bottom - top < 2:
        return None
    wide = max(np.linalg.norm(uv[1] - uv[0]), np.linalg.norm(uv[2] - uv[3])) * 1.1
    tall = max(np.linalg.norm(uv[3] - uv[0]), np.linalg.norm(uv[2] - uv[1])) * 1.1
    h, w = texture.shape[:2]
    if wide < w or tall < h:
        size = (max(2, min(w, int(wide) + 1)), max(2, min(h, int(tall) + 1)))
        texture = cv2.resize(texture, size, interpolation=cv2.INTER_AREA)
        h, w = texture.shape[:2]
    source = np.array([[0, 0], [w, 0], [w, h], [0, h]], np.float32)
    matrix = cv2.getPerspectiveTransform(source - 0.5, (uv - (left, top)).astype(np.float32))
    window = cv2.warpPerspective(
        texture, matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR, borderValue=0
    )
    return np.asarray(window), left, top


def paint(surface: Surface, optics: Optics, light: Light) -> Painted | None:
    """The surface as the camera sees it, or None where it does not."""
    seen = optics.project(surface.corners)
    if seen[:, 2].min() < CLOSEST_M:
        return None
    premultiplied = surface.texture.copy()
    premultiplied[..., :3] *= premultiplied[..., 3:]
    found = _warp(premultiplied, seen[:, :2], optics)
    if found is None:
        return None
    window, left, top = found
    cover = window[..., 3]
    colour = window[..., :3] / np.maximum(cover, 1e-4)[..., None]
    # One over the depth of a plane is linear in the picture.
    system = np.column_stack([seen[:3, :2] - (left, top), np.ones(3)])
    if abs(np.linalg.det(system)) < 1e-6:
        return None
    a, b, c = np.linalg.solve(system, 1 / seen[:3, 2])
    v, u = np.mgrid[0 : window.shape[0], 0 : window.shape[1]].astype(np.float32)
    depth = (1 / np.maximum(a * u + b * v + c, 1e-4)).astype(np.float32)
    x, y, z = optics.at_depth(u + left, v + top, depth)
    normal = np.array([0.0, 0.75, -0.66]) if surface.leafy else surface.normal
    if light.infrared and surface.leafy:
        colour = colour * LEAVES_BY_INFRARED
    shape = np.ones_like(depth)
    place = Sight(depth, x, y, z, shape < 0)
    lit = ground.lit(
        colour, (normal[0] * shape, normal[1] * shape, normal[2] * shape), place, shape * 0, light, optics
    )
    return Painted(lit, cover, depth, left, top)


def fallen(surfaces: list[Surface], optics: Optics, light: Light) -> Array:
    """Where the sun does not reach the ground, (height, width) 0..1."""
    dark = np.zeros((optics.height, optics.width), np.float32)
    if light.shadow <= 0:
        return dark
    fall_x, fall_z = light.fall
    for surface in surfaces:
        if not surface.casts or surface.flat:
            continue
        corners = surface.corners.copy()
        corners[:, 0] += corners[:, 1] * fall_x
        corners[:, 2] += corners[:, 1] * fall_z
        corners[:, 1] = 0.0
        seen = optics.project(corners)
        if seen[:, 2].min() < CLOSEST_M:
            continue
        found = _warp(np.ascontiguousarray(surface.texture[..., 3]), seen[:, :2], optics)
        if found is None:
            continue
        mask, left, top = found
        roi = dark[top : top + mask.shape[0], left : left + mask.shape[1]]
        np.maximum(roi, mask, out=roi)
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), 2.2))


def touched(surfaces: list[Surface], optics: Optics) -> Array:
    """How much what stands there darkens the ground at its foot, (height, width) 0..1."""
    dark = np.zeros((optics.height, optics.width), np.float32)
    for surface in surfaces:
        if surface.flat or surface.corners[2:, 1].max() > 0.1:
            continue
        seen = optics.project(surface.corners[2:])
        if seen[:, 2].min() < CLOSEST_M:
            continue
        a, b = np.rint(seen[:, :2]).astype(int)
        thick = int(np.clip(0.28 * optics.focal / seen[:, 2].mean(), 1, 60))
        trunk = 1.0 if not surface.leafy else 0.45
        middle = (a + b) // 2
        if surface.leafy:
            a, b = middle + (a - middle) // 3, middle + (b - middle) // 3
        cv2.line(dark, a.tolist(), b.tolist(), trunk, thick)
    return np.asarray(cv2.GaussianBlur(dark, (0, 0), 9.0))
