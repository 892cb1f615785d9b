"""Motorbikes and bicycles with their riders; wheels turn, lamps can be lit.

Same frame as people: (sideways, up, forward), metres. `turn` is a wheel's angle in radians.
"""

import math
from dataclasses import dataclass

import numpy as np

from camera_hub.simulate.people import Look, head, look
from camera_hub.simulate.solids import Colour, Part, limb

PAINTS: tuple[Colour, ...] = ((58, 52, 160), (128, 76, 46), (62, 62, 66), (184, 184, 188), (60, 108, 152))
TYRE: Colour = (38, 38, 40)
STEEL: Colour = (150, 150, 152)
LAMP_Y, LAMP_Z = 0.86, 0.62


@dataclass(frozen=True)
class Ride:
    """A two-wheeler and who is on it."""

    rider: Look
    pillion: Look | None
    paint: Colour
    motor: bool
    load: bool  # sacks of tea behind the rider
    lamp: bool


def ride(rng: np.random.Generator, motor: bool, rain: bool = False, lamp: bool = False) -> Ride:
    """A rider of the hamlet, by chance."""
    who = look(rng, rain)
    who = Look(
        who.tall_m,
        who.skin,
        who.shirt,
        who.trousers,
        "helmet" if motor else "" if lamp else who.hat,
        "",
        who.raincoat,
        who.helmet,
    )
    two = motor and rng.random() < 0.3
    behind = look(rng, rain)
    pillion = Look(
        behind.tall_m * 0.95,
        behind.skin,
        behind.shirt,
        behind.trousers,
        "helmet",
        "",
        behind.raincoat,
        behind.helmet,
    )
    return Ride(
        rider=who,
        pillion=pillion if two else None,
        paint=PAINTS[int(rng.integers(len(PAINTS)))],
        motor=motor,
        load=motor and not two and rng.random() < 0.3,
        lamp=lamp,
    )


def _wheel(z: float, radius: float, turn: float, thick: float) -> list[Part]:
    ring = [(radius * math.cos(a), radius * math.sin(a)) for a in (i * math.pi / 9 for i in range(18))]
    tyre = tuple((0.0, radius + y, z + dz, thick) for y, dz in ring)
    inner = tuple((0.0, radius + 0.72 * y, z + 0.72 * dz, 0.005) for y, dz in ring)
    parts = [Part(tyre, TYRE, 0.3, -0.05), Part(inner, (92, 96, 98), 0.0, -0.03)]
    for k in range(3):
        a = turn + k * math.pi / 3
        y, dz = 0.7 * radius * math.cos(a), 0.7 * radius * math.sin(a)
        parts.append(
            limb((0.0, radius + y, z + dz), (0.0, radius - y, z - dz), 0.012, 0.012, STEEL, 0.0, -0.02)
        )
    return parts


def _sitter(who: Look, seat: tuple[float, float], hands: tuple[float, float], pedal: float) -> list[Part]:
    """Somebody astride; `seat` and `hands` are (up, forward)."""
    h = who.tall_m
    y, z = seat
    shoulder = (y + 0.29 * h, z + 0.07)
    coat = who.raincoat or who.shirt
    parts = [
        Part(
            (
                (-0.07, y + 0.08, z, 0.1),
                (0.07, y + 0.08, z, 0.1),
                (-0.13, shoulder[0], shoulder[1], 0.075),
                (0.13, shoulder[0], shoulder[1], 0.075),
            ),
            coat,
        )
    ]
    for side in (-1, 1):
        lift = 0.1 * math.sin(pedal + (math.pi if side > 0 else 0.0)) if pedal else 0.0
        knee = (side * 0.17, y - 0.02 + lift, z + 0.36)
        foot = (side * 0.15, y - 0.42 + lift, z + 0.2)
        arm = (side * 0.2, shoulder[0] - 0.02, shoulder[1])
        elbow = (
            side * 0.28,
            (shoulder[0] + hands[0]) / 2 - 0.05,
            shoulder[1] + (hands[1] - shoulder[1]) * 0.45,
        )
        parts += [
            limb((side * 0.09, y + 0.04, z), knee, 0.09, 0.068, who.raincoat or who.trousers),
            limb(knee, foot, 0.062, 0.048, who.trousers),
            limb(foot, (foot[0], foot[1] - 0.02, foot[2] + 0.13), 0.045, 0.035, (50, 50, 58), 0.5),
            limb(arm, elbow, 0.055, 0.045, coat),
            limb(elbow, (side * 0.28, hands[0], hands[1]), 0.042, 0.035, coat if who.raincoat else who.skin),
        ]
    return parts + head(who, (0.0, shoulder[0] + 0.13 * h, shoulder[1] + 0.04))


def motorbike(what: Ride, turn: float) -> list[Part]:
    """A small motorbike of the country's usual kind."""
    paint = what.paint
    parts = _wheel(0.6, 0.28, turn, 0.045) + _wheel(-0.6, 0.28, turn, 0.05)
    parts += [
        Part(((0.0, 0.42, -0.15, 0.13), (0.0, 0.4, 0.2, 0.1), (0.0, 0.55, -0.5, 0.09)), (66, 66, 70)),
        Part(((-0.06, 0.62, 0.34, 0.09), (0.06, 0.62, 0.34, 0.09), (0.0, 0.36, 0.24, 0.1)), paint, 1.2),
        limb((0.0, 0.72, 0.4), (0.0, 0.3, 0.6), 0.07, 0.04, paint, 1.2),
        Part(((0.0, 0.66, -0.2, 0.12), (0.0, 0.68, -0.75, 0.1)), paint, 1.2),
        Part(((0.0, 0.76, 0.0, 0.1), (0.0, 0.78, -0.62, 0.1)), (40, 40, 44), 0.7),
        Part(((0.0, 0.86, 0.5, 0.11), (0.0, 0.98, 0.4, 0.08)), paint, 1.2),
        limb((-0.32, 0.98, 0.38), (0.32, 0.98, 0.38), 0.025, 0.025, (60, 60, 62), 0.3),
        limb((-0.3, 1.0, 0.4), (-0.36, 1.16, 0.4), 0.01, 0.05, (80, 80, 84), 0.2),
        limb((0.3, 1.0, 0.4), (0.36, 1.16, 0.4), 0.01, 0.05, (80, 80, 84), 0.2),
        limb((0.17, 0.3, -0.1), (0.17, 0.36, -0.75), 0.05, 0.06, STEEL, 1.0),
        Part(((0.0, 0.72, -0.86, 0.05),), (50, 50, 230), 0.0, 0.02),
        Part(((0.0, LAMP_Y, LAMP_Z, 0.075),), (235, 250, 255) if what.lamp else (200, 206, 208), 0.0, 0.05),
    ]
    if what.load:
        parts.append(
            Part(
                ((-0.25, 0.8, -0.7, 0.22), (0.25, 0.8, -0.7, 0.22), (0.0, 1.1, -0.65, 0.25)), (120, 168, 190)
            )
        )
    parts += _sitter(what.rider, (0.8, -0.12), (1.0, 0.36), 0.0)
    if what.pillion is not None:
        parts += _sitter(what.pillion, (0.84, -0.52), (1.05, -0.1), 0.0)
    return parts


def bicycle(what: Ride, turn: float) -> list[Part]:
    """A bicycle; the rider's feet go round."""
    frame = what.paint
    parts = _wheel(0.52, 0.33, turn, 0.022) + _wheel(-0.52, 0.33, turn, 0.022)
    for a, b in (
        ((0.0, 0.33, -0.52), (0.0, 0.75, -0.18)),
        ((0.0, 0.75, -0.18), (0.0, 0.3, -0.02)),
        ((0.0, 0.3, -0.02), (0.0, 0.8, 0.36)),
        ((0.0, 0.74, -0.16), (0.0, 0.78, 0.36)),
        ((0.0, 0.95, 0.36), (0.0, 0.33, 0.52)),
        ((-0.26, 0.98, 0.34), (0.26, 0.98, 0.34)),
    ):
        parts.append(limb(a, b, 0.025, 0.025, frame, 0.6))
    parts.append(Part(((0.0, 0.82, -0.2, 0.07),), (40, 40, 44), 0.4))
    return parts + _sitter(what.rider, (0.84, -0.16), (1.0, 0.34), turn / 2.2 + 0.01)
