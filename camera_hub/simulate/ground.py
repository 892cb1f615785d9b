"""Colours of the ground: grass, lanes with joints and worn tracks, tea rows, fields, water.

Relies on: land, light, noise. All colours are blue, green, red in 0..1 before light.
"""

import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.land import STEP, Land, Sight
from camera_hub.simulate.light import Light, infrared_gain, lamp_gain
from camera_hub.simulate.optics import Array, Optics

Colour = tuple[float, float, float]

GRASS: tuple[Colour, Colour] = ((0.13, 0.29, 0.23), (0.22, 0.42, 0.36))
SOIL: tuple[Colour, Colour] = ((0.25, 0.35, 0.44), (0.40, 0.51, 0.60))
CONCRETE: tuple[Colour, Colour] = ((0.50, 0.55, 0.58), (0.66, 0.71, 0.74))
TEA: tuple[Colour, Colour] = ((0.06, 0.16, 0.10), (0.21, 0.58, 0.42))
PADDY: tuple[Colour, Colour] = ((0.16, 0.42, 0.34), (0.26, 0.60, 0.50))
WATER: Colour = (0.34, 0.37, 0.33)


def between(pair: tuple[Colour, Colour], t: Array) -> Array:
    """From the first colour to the second, per pixel."""
    low, high = np.array(pair[0], np.float32), np.array(pair[1], np.float32)
    mixed: Array = low + (high - low) * np.clip(t, 0.0, 1.0)[..., None].astype(np.float32)
    return mixed


def over(below: Array, above: Array, cover: Array) -> Array:
    """`above` laid over `below` where `cover` (0..1) says."""
    blended: Array = below + (above - below) * cover[..., None].astype(np.float32)
    return blended


class Grain:
    """Noise read at the places that a picture sees, each octave faded out where it would flicker."""

    def __init__(self, sight: Sight, optics: Optics, seed: int) -> None:
        # Height is mixed in, so that steep faces do not show smeared grain.
        self._x, self._z = sight.x + 0.61 * sight.y, sight.z + 0.73 * sight.y
        self._pixel_m = sight.depth / optics.focal * 2.4  # the ground is seen at a slant
        self._seed = seed

    def at(self, metres: float, slope: float = 1.0, salt: int = 0) -> Array:
        """Noise of deviation 1 whose tile is `metres` long."""
        fade = np.clip(metres / 36.0 / self._pixel_m, 0.0, 1.0)
        field = noise.tile(self._seed * 17 + salt, slope, 0.25)
        result: Array = noise.sample(field, self._x, self._z, metres) * fade
        return result


def colours(land: Land, sight: Sight, optics: Optics, ground: str, seed: int) -> Array:
    """The land's own colour (albedo) at every pixel."""
    grain = Grain(sight, optics, seed)
    fine, coarse, wide = grain.at(3.0, 0.7), grain.at(16.0, 1.2, 1), grain.at(70.0, 1.6, 2)
    grass = between(GRASS, 0.45 + 0.16 * fine + 0.14 * coarse + 0.2 * wide)
    soil = between(SOIL, 0.5 + 0.16 * fine + 0.2 * coarse)
    bare = noise.smoothstep(0.7, 1.7, wide + 0.5 * coarse)
    colour = over(grass, soil, bare * 0.7) if ground == "grass" else over(soil, grass, bare)
    colour = _patches(colour, land, sight, fine, coarse, grain)
    colour = _tea(colour, land, sight, fine, coarse, soil)
    for kind in ("stream", "dirt", "concrete"):
        if kind in land.edges:
            colour = _band(colour, kind, land, sight, fine, coarse, grain)
    return colour


def _patches(colour: Array, land: Land, sight: Sight, fine: Array, coarse: Array, grain: Grain) -> Array:
    for kind, field in land.patches.items():
        cover = land.read(field, sight.x, sight.z)
        if kind == "yard":
            slab = between(CONCRETE, 0.55 + 0.1 * fine + 0.18 * coarse)
            for way in (sight.x, sight.z):
                joint = np.abs(np.mod(way / 3.0 + 0.5, 1.0) - 0.5) * 3.0
                slab = slab * (1 - 0.4 * (1 - noise.smoothstep(0.015, 0.05, joint)))[..., None]
            colour = over(colour, slab * (1.02, 0.98, 0.96), cover)
        elif kind == "dirt":
            colour = over(colour, between(SOIL, 0.6 + 0.2 * fine + 0.2 * coarse), cover)
        elif kind == "pitch":
            worn = noise.smoothstep(0.1, 1.2, grain.at(40.0, 1.5, 5) + 0.4 * coarse)
            turf = between(GRASS, 0.75 + 0.14 * fine + 0.12 * coarse)
            colour = over(colour, over(turf, between(SOIL, 0.8 + 0.15 * fine), worn * 0.8), cover)
        elif kind == "paddy":
            rows = np.abs(np.mod(sight.x / 0.3, 1.0) - 0.5) * 2
            near = np.clip(9.0 / sight.depth, 0.0, 1.0)
            rice = between(PADDY, 0.5 + 0.2 * fine + 0.15 * coarse - 0.3 * near * (rows - 0.5))
            colour = over(colour, rice, cover)
    return colour


def _tea(colour: Array, land: Land, sight: Sight, fine: Array, coarse: Array, soil: Array) -> Array:
    tea = land.read(land.tea, sight.x, sight.z)
    hedge = land.read(land.hedge, sight.x, sight.z)
    floor = over(colour, soil * 0.62, np.clip(tea, 0, 1) * 0.9)
    bush = between(TEA, hedge**2 * 0.66 + 0.17 * fine + 0.1 * coarse + 0.05)
    return over(floor, bush, noise.smoothstep(0.12, 0.35, hedge))


def _band(
    colour: Array, kind: str, land: Land, sight: Sight, fine: Array, coarse: Array, grain: Grain
) -> Array:
    edge = land.read(land.edges[kind], sight.x, sight.z)
    soft = np.maximum(0.02, sight.depth / 900.0)
    cover = np.clip(0.5 - edge / (2 * soft), 0.0, 1.0)
    if kind == "stream":
        water = np.array(WATER, np.float32) * (1 + 0.1 * grain.at(5.0, 1.0, 6) + 0.06 * coarse)[..., None]
        bank = np.exp(-((edge - 0.3) ** 2) / 0.5)
        colour = over(colour, between(SOIL, 0.25 + 0.2 * fine), bank * 0.7)
        return over(colour, water, cover)
    if kind == "dirt":
        return over(colour, between(SOIL, 0.6 + 0.16 * fine + 0.2 * coarse), cover)
    way = land.read(land.along[kind], sight.x, sight.z)
    slab = between(CONCRETE, 0.5 + 0.1 * fine + 0.2 * coarse)
    stain = noise.smoothstep(0.5, 1.6, grain.at(22.0, 1.4, 7))
    slab = slab * (1 - 0.2 * stain)[..., None]
    tracks = np.exp(-((np.abs(edge + 0.75) - 0.0) ** 2) / 0.08)
    slab = slab * (1 + 0.07 * tracks)[..., None]
    grime = noise.smoothstep(-0.45, 0.0, edge + 0.14 * coarse)
    slab = over(slab, between(SOIL, 0.3 + 0.2 * fine), grime * 0.6)
    joint = np.abs(np.mod(way / 4.0, 1.0) - 0.5) * 4.0
    joint = np.abs(joint - 2.0)
    width = 0.02 + sight.depth / 2600.0
    line = np.clip(1.5 - joint / width, 0.0, 1.0) * np.clip(0.02 / width * 2.0, 0.0, 1.0)
    crack = np.exp(-((grain.at(30.0, 1.5, 9)) ** 2) / 0.0009) * np.clip(12.0 / sight.depth - 0.5, 0, 1)
    slab = slab * (1 - 0.42 * line - 0.3 * crack * (1 - line))[..., None]
    verge = np.exp(-((edge - 0.12) ** 2) / 0.03) * (edge > 0)
    colour = over(colour, between(SOIL, 0.4 + 0.25 * fine), verge * 0.55)
    return over(colour, slab, cover)


def slopes(land: Land, sight: Sight) -> tuple[Array, Array, Array]:
    """The ground's normal (x, y, z) at every pixel."""
    dz, dx = np.gradient(land.height, np.float32(STEP))
    nx = -land.read(dx.astype(np.float32), sight.x, sight.z)
    nz = -land.read(dz.astype(np.float32), sight.x, sight.z)
    length = np.sqrt(nx**2 + nz**2 + 1.0)
    return nx / length, 1.0 / length, nz / length


def lit(
    colour: Array,
    normal: tuple[Array, Array, Array],
    place: Sight,
    shadow: Array,
    light: Light,
    optics: Optics,
) -> Array:
    """Colours in the scene's light; `shadow` is 1 where the sun does not reach."""
    nx, ny, nz = normal
    if light.infrared:
        gain = infrared_gain(place.x, place.y, place.z, optics)
        facing = np.clip(
            (ny * optics.height_m - nz * place.z - nx * place.x) / np.maximum(place.depth, 0.5), 0, 1
        )
        return np.asarray(colour * (gain * (0.62 + 0.6 * facing))[..., None], np.float32)
    sx, sy, sz = light.toward_sun
    direct = np.clip(nx * sx + ny * sy + nz * sz, 0.0, 1.0) * (1.0 - light.shadow * shadow)
    around = 0.74 + 0.26 * ny
    shade = around[..., None] * np.array(light.ambient, np.float32) + direct[..., None] * np.array(
        light.sun, np.float32
    )
    if light.lamp is not None:
        shade = shade + lamp_gain(light, place.x, place.y, place.z, ny)[..., None] * np.array(
            light.lamp_colour, np.float32
        )
    return np.asarray(colour * shade, np.float32)
