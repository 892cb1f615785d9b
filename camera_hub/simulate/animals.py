"""A dog and a water buffalo that walk.

Same frame as people: (sideways, up, forward), metres; a phase of 2 pi is a full cycle of four feet.
"""

import math
from dataclasses import dataclass

import numpy as np

from camera_hub.simulate.people import turned
from camera_hub.simulate.solids import Colour, Part, limb

COATS: tuple[Colour, ...] = ((70, 116, 168), (52, 56, 62), (166, 190, 204), (58, 84, 122))


@dataclass(frozen=True)
class Animal:
    """What an animal looks like."""

    coat: Colour
    size: float


def dog(rng: np.random.Generator) -> Animal:
    return Animal(COATS[int(rng.integers(len(COATS)))], float(rng.uniform(0.9, 1.15)))


def buffalo(rng: np.random.Generator) -> Animal:
    return Animal((66, 66, 72) if rng.random() < 0.8 else (118, 128, 150), float(rng.uniform(0.92, 1.05)))


def _leg(
    hip: tuple[float, float, float], bones: tuple[float, float], at: float, stride: float, r: float, c: Colour
) -> list[Part]:
    swing = 0.42 * stride * math.sin(at)
    bend = swing - 0.7 * stride * max(0.0, math.cos(at))
    knee = turned(hip, bones[0], swing)
    hoof = turned(knee, bones[1], bend)
    return [limb(hip, knee, r * 1.25, r * 0.8, c), limb(knee, hoof, r * 0.75, r * 0.62, c)]


def dog_body(what: Animal, phase: float, stride: float) -> list[Part]:
    """A village dog at a trot."""
    s, c = what.size, what.coat
    bob = 0.015 * math.cos(2 * phase) * stride
    y = 0.42 * s + bob
    parts: list[Part] = []
    for side, z, shift in ((-1, 0.22, 0.0), (1, 0.22, math.pi), (-1, -0.24, math.pi), (1, -0.24, 0.0)):
        parts += _leg((side * 0.07 * s, y - 0.05, z * s), (0.18 * s, 0.2 * s), phase + shift, stride, 0.04, c)
    wag = 0.12 * math.sin(phase * 1.7)
    parts += [
        Part(
            (
                (0.0, y, 0.24 * s, 0.115 * s),
                (0.0, y + 0.02, -0.05, 0.1 * s),
                (0.0, y + 0.02, -0.26 * s, 0.1 * s),
            ),
            c,
        ),
        limb((0.0, y + 0.04, 0.26 * s), (0.0, y + 0.2 * s, 0.4 * s), 0.085 * s, 0.065 * s, c),
        Part(((0.0, y + 0.22 * s, 0.43 * s, 0.085 * s), (0.0, y + 0.17 * s, 0.58 * s, 0.04 * s)), c),
        limb((0.06, y + 0.27 * s, 0.4 * s), (0.08, y + 0.37 * s, 0.4 * s), 0.035, 0.012, c, 0.3),
        limb((-0.06, y + 0.27 * s, 0.4 * s), (-0.08, y + 0.37 * s, 0.4 * s), 0.035, 0.012, c, 0.3),
        limb((0.0, y + 0.06, -0.3 * s), (wag, y + 0.3 * s, -0.46 * s), 0.035, 0.022, c, 0.6),
        Part(((0.0, y + 0.165 * s, 0.61 * s, 0.02),), (20, 20, 24), 0.0, 0.05),
    ]
    return parts


def buffalo_body(what: Animal, phase: float, stride: float) -> list[Part]:
    """A water buffalo at its own pace; its head nods."""
    s, c = what.size, what.coat
    light: Colour = (min(255, c[0] * 1.2), min(255, c[1] * 1.2), min(255, c[2] * 1.2))
    y = 0.98 * s
    nod = 0.05 * math.sin(phase) * stride
    parts: list[Part] = []
    for side, z, shift in ((-1, 0.5, 0.0), (1, 0.5, math.pi), (-1, -0.62, 1.2), (1, -0.62, math.pi + 1.2)):
        parts += _leg(
            (side * 0.2 * s, y - 0.18, z * s), (0.4 * s, 0.4 * s), phase + shift, stride * 0.75, 0.105 * s, c
        )
    parts += [
        Part(
            (
                (0.0, y + 0.02, 0.55 * s, 0.36 * s),
                (0.0, y - 0.06, 0.0, 0.42 * s),
                (0.0, y + 0.03, -0.6 * s, 0.35 * s),
                (0.0, y + 0.2, 0.4 * s, 0.22 * s),
            ),
            c,
            1.2,
        ),
        limb((0.0, y + 0.08, 0.75 * s), (0.0, y + 0.1 + nod, 1.15 * s), 0.27 * s, 0.19 * s, c, 1.1),
        Part(
            (
                (0.0, y + 0.12 + nod, 1.22 * s, 0.17 * s),
                (0.0, y - 0.14 + nod, 1.52 * s, 0.115 * s),
            ),
            light,
            1.0,
            0.05,
        ),
        Part(((0.0, y - 0.18 + nod, 1.6 * s, 0.085 * s),), (54, 54, 60), 0.6, 0.08),
        limb((0.0, y + 0.15, -0.92 * s), (0.04, y - 0.5, -1.02 * s), 0.035, 0.03, c, 0.4),
    ]
    for side in (-1, 1):
        root = (side * 0.12 * s, y + 0.25 + nod, 1.16 * s)
        mid = (side * 0.42 * s, y + 0.27 + nod, 1.0 * s)
        tip = (side * 0.5 * s, y + 0.47 + nod, 0.78 * s)
        horn: Colour = (78, 88, 96)
        parts += [
            limb(root, mid, 0.06 * s, 0.045 * s, horn, 0.8, 0.1),
            limb(mid, tip, 0.045 * s, 0.012 * s, horn, 0.8, 0.1),
            limb(
                (side * 0.17 * s, y + 0.12 + nod, 1.14 * s),
                (side * 0.36 * s, y + 0.06 + nod, 1.1 * s),
                0.05,
                0.03,
                c,
                0.4,
            ),
        ]
    return parts
