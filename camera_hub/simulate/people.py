"""People on foot: a skeleton that walks, and what they wear and carry.

Frame of a body: (sideways to its right, up, forward), metres, the ground at 0. A gait's phase is
in radians; 2 pi is two steps. Relies on: solids.
"""

import math
from dataclasses import dataclass

import numpy as np

from camera_hub.simulate.solids import Colour, Part, limb

Vec = tuple[float, float, float]

SKIN: tuple[Colour, ...] = ((112, 148, 196), (98, 132, 182), (88, 120, 166))
HAIR: Colour = (28, 26, 30)
SHIRTS: tuple[Colour, ...] = (
    (188, 190, 196),
    (70, 62, 150),
    (142, 98, 62),
    (92, 126, 84),
    (134, 92, 130),
    (92, 158, 186),
    (118, 108, 98),
    (170, 158, 122),
    (80, 66, 62),
    (124, 108, 178),
)
TROUSERS: tuple[Colour, ...] = ((52, 46, 44), (96, 70, 50), (70, 78, 92), (40, 40, 48), (112, 104, 98))
RAINCOATS: tuple[Colour, ...] = ((160, 114, 72), (98, 148, 96), (168, 140, 176), (84, 168, 190))
STRAW: Colour = (150, 196, 218)


@dataclass(frozen=True)
class Look:
    """What somebody looks like."""

    tall_m: float
    skin: Colour
    shirt: Colour
    trousers: Colour
    hat: str  # "non la", "cap", "helmet" or ""
    carries: str  # "yoke", "bag", "torch" or ""
    raincoat: Colour | None = None
    helmet: Colour = (60, 60, 190)


def look(rng: np.random.Generator, rain: bool = False, night: bool = False) -> Look:
    """Somebody of the hamlet, by chance."""
    hat = str(rng.choice(["non la", "", "cap"], p=[0.45, 0.4, 0.15]))
    carries = str(rng.choice(["", "bag", "yoke"], p=[0.6, 0.22, 0.18]))
    if night:
        hat, carries = ("" if hat == "non la" else hat), "torch" if rng.random() < 0.5 else ""
    return Look(
        tall_m=float(rng.uniform(1.5, 1.74)),
        skin=SKIN[int(rng.integers(len(SKIN)))],
        shirt=SHIRTS[int(rng.integers(len(SHIRTS)))],
        trousers=TROUSERS[int(rng.integers(len(TROUSERS)))],
        hat="non la" if hat == "non la" or carries == "yoke" else hat,
        carries=carries,
        raincoat=RAINCOATS[int(rng.integers(len(RAINCOATS)))] if rain and rng.random() < 0.75 else None,
        helmet=SHIRTS[int(rng.integers(len(SHIRTS)))],
    )


def turned(origin: Vec, length: float, angle: float, side: float = 0.0) -> Vec:
    """The far end of a bone that hangs from `origin`, swung forward by `angle`."""
    return (origin[0] + side, origin[1] - length * math.cos(angle), origin[2] + length * math.sin(angle))


def walker(who: Look, phase: float, stride: float) -> list[Part]:
    """Somebody who walks (`stride` 1) or stands (0), at this phase of the gait."""
    h = who.tall_m
    bob = 0.018 * h * math.cos(2 * phase) * stride
    hip_y, shoulder_y = 0.53 * h + bob, 0.81 * h + bob
    lean = 0.03 * h * stride
    parts = _legs(who, phase, stride, hip_y)
    coat = who.raincoat
    if coat is not None:
        hem = (
            (-0.1 * h, 0.36 * h, -0.02, 0.06),
            (0.1 * h, 0.36 * h, -0.02, 0.06),
            (0.0, 0.36 * h, 0.12 * h, 0.05),
        )
        top = ((-0.1 * h, shoulder_y, lean, 0.07), (0.1 * h, shoulder_y, lean, 0.07))
        parts.append(Part(hem + top, coat, 1.0))
    else:
        waist = ((-0.055 * h, hip_y, 0.0, 0.085), (0.055 * h, hip_y, 0.0, 0.085))
        top = ((-0.085 * h, shoulder_y, lean, 0.07), (0.085 * h, shoulder_y, lean, 0.07))
        parts.append(Part(waist + top, who.shirt, 1.0))
    parts += _arms(who, phase, stride, shoulder_y, lean)
    parts += head(who, (0.0, 0.925 * h + bob, lean * 1.3))
    return parts + _burden(who, shoulder_y, lean, phase, stride)


def _legs(who: Look, phase: float, stride: float, hip_y: float) -> list[Part]:
    h = who.tall_m
    parts = []
    for side, at in ((-1, phase), (1, phase + math.pi)):
        thigh = 0.46 * stride * math.sin(at)
        knee = thigh - (0.08 + 0.85 * stride * max(0.0, math.cos(at)) ** 1.5)
        hip = (side * 0.052 * h, hip_y - 0.02, 0.0)
        mid = turned(hip, 0.245 * h, thigh)
        ankle = turned(mid, 0.25 * h, knee)
        toe = (ankle[0], ankle[1] - 0.012, ankle[2] + 0.11)
        parts += [
            limb(hip, mid, 0.082, 0.062, who.trousers),
            limb(mid, ankle, 0.06, 0.045, who.trousers),
            limb((ankle[0], ankle[1] - 0.01, ankle[2] - 0.03), toe, 0.042, 0.034, (46, 50, 60), 0.5),
        ]
    return parts


def _arms(who: Look, phase: float, stride: float, shoulder_y: float, lean: float) -> list[Part]:
    h = who.tall_m
    sleeve = who.raincoat or who.shirt
    parts = []
    for side, at in ((-1, phase), (1, phase + math.pi)):
        swing = -0.5 * stride * math.sin(at)
        bend = swing + 0.35 + 0.2 * stride
        if who.carries == "yoke" and side == 1:
            swing, bend = 0.75, 2.5  # the hand steadies the pole
        if who.carries == "torch" and side == 1:
            swing, bend = 0.7, 1.1
        shoulder = (side * 0.115 * h, shoulder_y, lean)
        elbow = turned(shoulder, 0.175 * h, swing, side * 0.02)
        hand = turned(elbow, 0.16 * h, bend)
        parts += [
            limb(shoulder, elbow, 0.05, 0.042, sleeve),
            limb(elbow, hand, 0.04, 0.032, who.skin if who.raincoat is None else sleeve),
            Part(((*hand, 0.04),), who.skin),
        ]
        if who.carries == "torch" and side == 1:
            parts.append(Part(((hand[0], hand[1], hand[2] + 0.08, 0.03),), (250, 255, 255), 0.0, 0.2))
    return parts


def head(who: Look, centre: Vec) -> list[Part]:
    """A head with hair and what is on it; `centre` is the head's."""
    x, y, z = centre
    parts = [
        limb((x, y - 0.15, z - 0.02), (x, y, z), 0.05, 0.06, who.skin),
        Part(((x, y - 0.02, z + 0.015, 0.088), (x, y + 0.03, z, 0.09)), who.skin),
        Part(((x, y + 0.03, z - 0.03, 0.096), (x, y - 0.02, z - 0.045, 0.085)), HAIR, 0.6),
    ]
    if who.hat == "non la":
        rim = tuple(
            (x + 0.25 * math.cos(a), y + 0.035, z + 0.25 * math.sin(a), 0.006)
            for a in (i * math.pi / 5 for i in range(10))
        )
        lit = tuple((dx - 0.02, dy + 0.01, dz, r) for dx, dy, dz, r in rim[3:8])
        parts += [
            Part((*rim, (x, y + 0.235, z, 0.008)), STRAW, 0.0, 0.3),
            Part((*lit, (x, y + 0.235, z, 0.006)), (176, 220, 240), 0.0, 0.32),
        ]
    elif who.hat == "cap":
        parts.append(Part(((x, y + 0.06, z, 0.1), (x, y + 0.04, z + 0.12, 0.045)), who.shirt, 1.0, 0.05))
    elif who.hat == "helmet":
        parts.append(
            Part(((x, y + 0.05, z - 0.01, 0.125), (x, y - 0.01, z - 0.03, 0.11)), who.helmet, 1.3, 0.05)
        )
    elif who.raincoat is not None:
        parts.append(
            Part(((x, y + 0.03, z - 0.03, 0.125), (x, y - 0.08, z - 0.03, 0.11)), who.raincoat, 1.0, -0.02)
        )
    return parts


def _burden(who: Look, shoulder_y: float, lean: float, phase: float, stride: float) -> list[Part]:
    h = who.tall_m
    if who.carries == "bag":
        return [Part(((-0.16 * h, 0.5 * h, 0.0, 0.09), (-0.16 * h, 0.42 * h, 0.02, 0.11)), (70, 92, 128))]
    if who.carries != "yoke":
        return []
    dip = 0.03 * math.cos(2 * phase) * stride
    y = shoulder_y + 0.07
    parts = [limb((0.1, y - 0.04, lean - 0.75), (0.1, y - 0.04, lean + 0.75), 0.022, 0.022, (70, 120, 150))]
    for end in (-0.72, 0.72):
        z = lean + end
        low = 0.3 + dip
        basket = (
            (-0.1, low, z, 0.09),
            (0.3, low, z, 0.09),
            (0.1, low, z - 0.18, 0.09),
            (0.1, low, z + 0.18, 0.09),
            (0.1, low - 0.13, z, 0.15),
        )
        leaves = ((0.1, low + 0.1, z, 0.16), (0.0, low + 0.06, z, 0.16), (0.2, low + 0.06, z, 0.15))
        parts += [
            limb((0.1, y - 0.04, z), (0.1, low + 0.1, z), 0.008, 0.008, (90, 120, 140), 0.0),
            Part(basket, (84, 132, 164)),
            Part(leaves, (58, 136, 74), 1.2, -0.02),
        ]
    return parts
