"""A scene's still picture, with what a frame needs to know of it.

Relies on: land, ground, sky, light and what stands on the land. Promises: the same for the same
scene, seed and conditions.
"""

import itertools
import math
from dataclasses import dataclass

import cv2
import numpy as np

from camera_hub.simulate import buildings, ground, land, sky, stage
from camera_hub.simulate.lamps import add_glow
from camera_hub.simulate.light import Light, lamp_gain, light_of
from camera_hub.simulate.optics import HEIGHT, WIDTH, Array, Optics
from camera_hub.simulate.scenario import Scenario
from camera_hub.simulate.scene import Scene
from camera_hub.simulate.water import Water

LARGER = 1.5  # drawn this much larger than the main stream, for smooth edges
RAISED_M = 0.3  # land higher than this can hide a mover
FAR_M = 1e4
TONE = np.array((1.12, 1.11, 1.10), np.float32)  # the exposure, and a sensor that is a little cold


@dataclass(frozen=True)
class Layer:
    """Something that sways.

    `pixels` (h, w, 4) are premultiplied BGRA uint8; `left`, `top` and `sways_px`, how far its top
    moves, are px of the main stream; `depth` is metres.
    """

    pixels: Array
    left: int
    top: int
    depth: float
    sways_px: float


@dataclass
class Plate:
    """A still picture.

    `picture` (HEIGHT, WIDTH, 3) is uint8 BGR; `hides` (HEIGHT, WIDTH) the depth in metres from
    which movers are hidden; `layers` what sways, from far to near; `ground` 255 where open ground is.
    """

    picture: Array
    hides: Array
    layers: tuple[Layer, ...]
    ground: Array
    unlit: Array  # (HEIGHT, WIDTH, 3) uint8: the share of the light (of 255) that is left without the lamp
    water: Water
    light: Light


def draw(story: Scenario) -> Plate:
    """The plate of a scenario's scene."""
    scene, seed = story.scene, story.seed
    light = light_of(scene, story.conditions)
    large = scene.optics.scaled(LARGER)
    maps = land.lay(scene, seed)
    sight = land.look(maps, large)
    glow = 1.0 if {"dusk", "night"} & story.conditions else 0.0
    built = buildings.build(scene.things, seed, glow, large)
    built.sort(key=lambda s: -float(large.project(s.corners)[:, 2].mean()))
    colour = ground.colours(maps, sight, large, scene.ground, seed)
    shade = stage.fallen(built, large, light)
    colour = ground.lit(colour, ground.slopes(maps, sight), sight, shade, light, large)
    colour *= 1 - 0.5 * stage.touched(built, large)[..., None]
    backdrop = sky.draw(large, light, seed)
    if "rain" in story.conditions:
        colour = _wet(colour, backdrop, maps, sight, large)
    colour = _haze(colour, np.where(sight.sky, np.float32(1.0), sight.depth), light)
    colour[sight.sky] = backdrop[sight.sky]
    hides = np.where(sight.y > RAISED_M, sight.depth, np.float32(FAR_M))
    seen = sight.depth.copy()
    for surface in built:
        if not surface.sways_m:
            _put(surface, large, light, colour, seen, hides)
    _wires(scene, large, colour)
    nearest = cv2.resize(seen, (WIDTH, HEIGHT), interpolation=cv2.INTER_NEAREST)
    found = [_layer(s, scene.optics, light, np.asarray(nearest)) for s in built if s.sways_m]
    layers = [layer for layer in found if layer is not None]
    open_ground = ((seen == sight.depth) & (sight.y < RAISED_M) & ~sight.sky).astype(np.uint8) * 255
    picture = cv2.resize(finish(colour, large, light), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    small = (WIDTH, HEIGHT)
    pixels = np.rint(picture * 255).astype(np.uint8)
    lit = _lamp(pixels, scene.optics, light, sight, small)
    open_ground = np.asarray(cv2.resize(open_ground, small, interpolation=cv2.INTER_AREA))
    near_sight = land.look(maps, scene.optics) if "stream" in maps.edges else sight
    return Plate(
        pixels,
        np.asarray(cv2.resize(hides, small, interpolation=cv2.INTER_NEAREST)),
        tuple(layers),
        open_ground,
        lit,
        Water(maps, near_sight, open_ground, story.duration_s),
        light,
    )


def _haze(colour: Array, depth: Array, light: Light) -> Array:
    """Colours as the air between lets them be seen."""
    veil = (1 - np.exp(-np.maximum(depth - 8, 0) / light.haze_m))[..., None].astype(np.float32)
    hazy: Array = colour + (np.array(light.haze, np.float32) - colour) * veil
    return hazy


def _wet(colour: Array, backdrop: Array, maps: land.Land, sight: land.Sight, optics: Optics) -> Array:
    """Wet lanes and yards are darker and mirror the sky, the more the flatter they are seen."""
    hard = np.zeros_like(sight.depth)
    for kind in ("concrete", "dirt", "stream"):
        if kind in maps.edges:
            hard = np.maximum(hard, np.clip(-maps.read(maps.edges[kind], sight.x, sight.z) * 5, 0, 1))
    for kind in ("yard", "pitch"):
        if kind in maps.patches:
            hard = np.maximum(hard, maps.read(maps.patches[kind], sight.x, sight.z))
    pools = ground.Grain(sight, optics, 5).at(14.0, 1.4, 3)
    wet = hard * np.clip(0.5 + 0.35 * pools, 0.15, 1.0)
    grazing = np.clip(optics.height_m / np.maximum(sight.depth, 1.0), 0.03, 1.0)
    mirror = wet * (0.12 + 0.6 * (1 - grazing) ** 5)
    glare = (
        backdrop[: max(2, int(optics.horizon))].mean(axis=(0, 1))
        if optics.horizon > 2
        else colour.max() * 0.5
    )
    dark = colour * (1 - 0.38 * hard * (0.6 + 0.4 * np.clip(pools, 0, 1)))[..., None]
    shiny: Array = dark + (glare - dark) * mirror[..., None]
    return shiny.astype(np.float32)


def _put(
    surface: stage.Surface, optics: Optics, light: Light, colour: Array, seen: Array, hides: Array
) -> None:
    """Paint a surface onto the picture where nothing nearer is."""
    painted = stage.paint(surface, optics, light)
    if painted is None:
        return
    h, w = painted.cover.shape
    window = slice(painted.top, painted.top + h), slice(painted.left, painted.left + w)
    nearer = painted.depth < seen[window] + 0.25
    cover = (painted.cover * nearer)[..., None]
    colour[window] += (_haze(painted.colour, painted.depth, light) - colour[window]) * cover
    solid = nearer & (painted.cover > 0.5)
    seen[window] = np.where(solid, painted.depth, seen[window])
    if not surface.flat:
        hides[window] = np.where(solid, np.minimum(painted.depth, hides[window]), hides[window])


def _layer(surface: stage.Surface, optics: Optics, light: Light, seen: Array) -> Layer | None:
    """A swaying surface as a layer of the main picture, cut where the land hides it."""
    painted = stage.paint(surface, optics, light)
    if painted is None:
        return None
    h, w = painted.cover.shape
    nearer = painted.depth < seen[painted.top : painted.top + h, painted.left : painted.left + w] + 0.25
    cover = painted.cover * nearer
    lit = finish(
        np.clip(_haze(painted.colour, painted.depth, light), 0, 1), optics, light, (painted.left, painted.top)
    )
    pixels = np.dstack([lit * cover[..., None], cover])
    return Layer(
        np.rint(pixels * 255).astype(np.uint8),
        painted.left,
        painted.top,
        float(np.median(painted.depth)),
        surface.sways_m * optics.focal / float(np.median(painted.depth)),
    )


def _lamp(pixels: Array, optics: Optics, light: Light, sight: land.Sight, size: tuple[int, int]) -> Array:
    """The lamp's own glow onto the picture, in place; what share of the light is left without it, of 255."""
    if light.lamp is None:
        return np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    u, v, depth = optics.project(np.array([light.lamp]))[0]
    halo = np.zeros((HEIGHT, WIDTH), np.uint8)
    add_glow(halo, float(u), float(v), int(30 + 2600 / depth), 0.9)
    pixels[:] = cv2.add(pixels, cv2.merge([cv2.convertScaleAbs(halo, alpha=k) for k in (0.5, 0.85, 1.0)]))
    lamp = lamp_gain(light, sight.x, sight.y, sight.z) * (~sight.sky)
    near = cv2.resize(np.asarray(lamp, np.float32), size, interpolation=cv2.INTER_AREA)[..., None]
    other = np.array(light.ambient, np.float32) + 0.7 * np.array(light.sun, np.float32)
    share = other / (other + near * np.array(light.lamp_colour, np.float32))
    dim = np.rint(255 * share).astype(np.uint8)
    return np.asarray(cv2.subtract(dim, cv2.merge([cv2.convertScaleAbs(halo, alpha=0.75)] * 3)))


def _wires(scene: Scene, optics: Optics, colour: Array) -> None:
    """Wires from pole to pole, and from the nearest one out of the picture."""
    tops = [
        (thing.x, thing.size[0] - 0.5, thing.z)
        for thing in scene.things
        if thing.kind == "pole" and thing.look == 0
    ]
    if not tops:
        return
    tops.sort(key=lambda top: top[2])
    first = tops[0]
    tops.insert(0, (first[0] + 1.5, first[1], max(3.0, first[2] - 16)))
    for (ax, ay, az), (bx, by, bz) in itertools.pairwise(tops):
        for aside, below in ((-0.7, 0.0), (0.7, 0.0), (-0.4, 0.6)):
            t = np.linspace(0, 1, 40)
            sag = 4 * t * (1 - t) * 0.022 * math.hypot(bx - ax, bz - az)
            line = np.column_stack(
                [ax + (bx - ax) * t + aside, ay + (by - ay) * t - sag - below, az + (bz - az) * t]
            )
            seen = optics.project(line)
            seen = seen[seen[:, 2] > 2]
            points = np.rint(seen[:, :2] * 16).astype(np.int32).reshape(-1, 1, 2)
            mask = np.zeros(colour.shape[:2], np.uint8)
            cv2.polylines(mask, [points], False, 150, 1, cv2.LINE_AA, 4)
            colour *= 1 - mask[..., None].astype(np.float32) / 255 * 0.85


def finish(colour: Array, optics: Optics, light: Light, corner: tuple[int, int] = (0, 0)) -> Array:
    """What lens and sensor make of the light: darker corners, a film's curve, grey by infrared; 0..1."""
    h, w = colour.shape[:2]
    v, u = np.mgrid[corner[1] : corner[1] + h, corner[0] : corner[0] + w].astype(np.float32)
    off = np.hypot((u / optics.width - 0.5) * 1.2, v / optics.height - 0.5)
    shade = 1 - (0.55 if light.infrared else 0.36) * np.clip(off, 0, 1) ** 2.2
    colour = np.clip(colour * shade[..., None], 0, 4)
    if light.infrared:
        grey = colour @ np.array((0.1, 0.7, 0.2), np.float32)
        colour = np.repeat(grey[..., None] * 1.25, 3, axis=2)
    else:
        colour = colour * TONE
    curve = np.where(colour < 0.7, colour, 0.7 + 0.3 * np.tanh((colour - 0.7) / 0.3 * math.tanh(1)))
    return np.clip(curve, 0, 1).astype(np.float32)
