"""Who comes when, which way, how large and how visible: the movers of one clip, drawn by chance.

Relies on movers, geometry and cutouts. Lengths of visits and gaps vary on both sides of the 5 s by
which labels are joined.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.compose.cutouts import CutOut, CutOuts
from benchmarks.compose.footage import Array
from benchmarks.compose.geometry import View
from benchmarks.compose.movers import Front, Mover, Stop

GROUND = {
    "lane": 150.0,
    "dusk": 95.0,
    "winter": 130.0,
    "visitor": 150.0,
    "night": 75.0,
    "motorbike": 150.0,
    "cars": 70.0,
}
"""The brightness of the ground that a cut-out was taken from, by the start of its name."""
LONGEST_S = 20.0


@dataclass
class Plan:
    """What a clip asks of its movers."""

    duration_s: float
    kinds: tuple[str, ...]
    night: bool = False
    light: float = 1.0  # how much of a mover's contrast the lighting leaves
    stands: float = 0.12  # the share that stops on its way
    few: float = 0.0  # the share of clips in which nobody comes
    crowded: bool = False
    headlamps: bool = False
    until_s: float = 1e9  # nobody comes after this
    shadows: bool = False
    fronts: list[Front] = field(default_factory=list)


def visits(plan: Plan, view: View, ground: Array, cuts: CutOuts, chance: np.random.Generator) -> list[Mover]:
    """The movers of a clip; `ground` is the working picture without them."""
    if chance.random() < plan.few:
        return []
    movers: list[Mover] = []
    now = 0.0 if chance.random() < 0.04 else chance.uniform(3.5, 9.0)
    parked = chance.random() < 0.12 and "bike" in plan.kinds
    while now < min(plan.duration_s, plan.until_s) - 3.5:
        mover, end = _one(plan, view, ground, cuts, chance, now)
        if end > plan.until_s:
            break
        movers.append(mover)
        if chance.random() < (0.6 if plan.crowded else 0.13):  # somebody beside or behind
            other, later = _one(plan, view, ground, cuts, chance, now + chance.uniform(0.3, 2.5))
            if later <= plan.until_s:
                movers.append(other)
                end = max(end, later)
        gap = chance.uniform(1.2, 4.6) if chance.random() < 0.3 else chance.uniform(5.5, 16)
        now = end + (chance.uniform(-2, 2.5) if plan.crowded else gap)
    if parked and movers and plan.until_s > plan.duration_s:
        movers.append(_parking(plan, view, ground, cuts, chance))
    return movers


def _one(
    plan: Plan, view: View, ground: Array, cuts: CutOuts, chance: np.random.Generator, start_s: float
) -> tuple[Mover, float]:
    """A mover and when it is done; tried until it fits into some seconds."""
    mover, end = _draw(plan, view, ground, cuts, chance, start_s)
    for _ in range(30):
        if 1.2 < end - start_s < LONGEST_S + sum(stop.wait_s for stop in mover.stops):
            break
        mover, end = _draw(plan, view, ground, cuts, chance, start_s)
    return mover, end


def _cut(plan: Plan, cuts: CutOuts, chance: np.random.Generator) -> CutOut:
    kind = str(chance.choice(plan.kinds))
    if plan.night and kind == "walk" and chance.random() < 0.35:
        kind = "night"
    return cuts.of(kind)[int(chance.integers(len(cuts.of(kind))))]


def _draw(
    plan: Plan, view: View, ground: Array, cuts: CutOuts, chance: np.random.Generator, start_s: float
) -> tuple[Mover, float]:
    cut = _cut(plan, cuts, chance)
    depth = float(chance.beta(0.9, 1.1))
    size = float(chance.uniform(0.75, 1.15)) * {"car": 0.95, "bike": 0.95}.get(cut.kind, 1.0)
    if cut.kind == "bust":
        depth, size = 1.0, float(chance.uniform(0.7, 1.1))
    while view.tall(depth) * size * 320 / view.size[0] < 8.6:
        depth, size = min(depth + 0.05, 1.0), size * 1.05
    pace = _pace(cut.kind, chance)
    stops = _way(plan, cut, view, depth, size, chance)
    gain = _brightness(plan, cut, view, ground, depth, size, chance)
    mover = Mover(
        cut,
        stops,
        start_s,
        pace,
        size,
        gain,
        grey=plan.night or cut.kind == "night",
        blur_s=float(chance.uniform(0.025, 0.05) if plan.night else chance.uniform(0.004, 0.025)),
        shadow=float(chance.uniform(0.15, 0.4)) if plan.shadows else 0.12 * (not plan.night),
        lamp=float(chance.uniform(0.6, 1.6)) if plan.headlamps and cut.kind in ("bike", "car") else 0.0,
    )
    return mover, mover.plan(view)


def _pace(kind: str, chance: np.random.Generator) -> float:
    """Heights a second."""
    if kind in ("bike", "car"):
        return float(chance.uniform(1.2, 5.0))
    if kind == "bust":
        return float(chance.uniform(0.3, 0.7))
    return float(
        chance.choice(
            [chance.uniform(0.3, 0.55), chance.uniform(0.65, 1.0), chance.uniform(1.6, 2.4)],
            p=[0.15, 0.65, 0.2],
        )
    )


def _way(
    plan: Plan, cut: CutOut, view: View, depth: float, size: float, chance: np.random.Generator
) -> tuple[Stop, ...]:
    """Where it goes: across, in and out, towards the camera or away, from behind something."""
    w = view.size[0]
    wide = max(p.shape[1] for p in cut.pictures) / cut.tall
    out = 0.6 * wide * view.tall(depth) * size + 4
    left, right = (-out, w + out)
    if chance.random() < 0.5:
        left, right = right, left
    low, high = view.lane
    rides = cut.kind in ("bike", "car")
    behind = [
        front
        for front in plan.fronts
        if view.foot(depth) < front.foot and front.box[2] - front.box[0] > 2.2 * out
    ]
    if behind and not rides and chance.random() < 0.6:
        front = behind[int(chance.integers(len(behind)))]
        left = 0.5 * (front.box[0] + front.box[2])
        right = -out if left > 0.5 * w else w + out
    kind = (
        chance.choice(["across", "back", "near", "away"], p=[0.62, 0.1, 0.2, 0.08]) if not rides else "across"
    )
    waits = chance.random() < plan.stands and not rides
    wait = float(chance.uniform(3, 25)) if plan.stands > 0.5 else float(chance.uniform(3, 9))
    middle = float(chance.uniform(low + 0.15 * (high - low), high - 0.15 * (high - low)))
    slope = float(np.clip(depth + chance.normal(0, 0.12), 0, 1)) if cut.kind != "bust" else depth
    if kind == "back" or (kind in ("near", "away") and cut.kind == "bust"):
        return (
            Stop(left, depth),
            Stop(middle, slope, wait if waits else float(chance.uniform(0, 1.2))),
            Stop(left, depth),
        )
    if kind == "near":
        return _towards(view, size, left, middle, chance, wait if waits else 0.0)
    if kind == "away":
        return tuple(
            Stop(s.x, s.depth, s.wait_s)
            for s in reversed(_towards(view, size, left, middle, chance, wait if waits else 0.0))
        )
    if waits:
        return Stop(left, depth), Stop(middle, slope, wait), Stop(right, slope)
    return Stop(left, depth), Stop(right, slope)


def _towards(
    view: View, size: float, left: float, middle: float, chance: np.random.Generator, wait_s: float
) -> tuple[Stop, ...]:
    """In at the far side, then straight to the camera, and out below or aside."""
    w = view.size[0]
    near = float(chance.uniform(0.7, 1.0))
    side = -1 if left < middle else 1
    start = middle + side * float(chance.uniform(0.15, 0.3)) * w
    far = 0.0 if view.tall(0) * size * 320 / w > 8.5 else 0.15
    edge = (-0.5 * view.tall(far) * size - 4) if side < 0 else w + 0.5 * view.tall(far) * size + 4
    leave = float(chance.choice([-1, 1]))
    out = -0.6 * view.tall(near) * size - 4 if leave < 0 else w + 0.6 * view.tall(near) * size + 4
    return Stop(edge, far), Stop(start, far), Stop(middle, near, wait_s), Stop(out, near)


def _brightness(
    plan: Plan, cut: CutOut, view: View, ground: Array, depth: float, size: float, chance: np.random.Generator
) -> tuple[float, float]:
    """Times and plus that make the cut-out belong to its scene, and keep it visible."""
    foot, tall = view.foot(depth), view.tall(depth) * size
    h, w = ground.shape[:2]
    top, low = int(np.clip(foot - tall, 0, h - 2)), int(np.clip(foot, 2, h))
    low = max(low, top + 2)
    around = float(cv2.cvtColor(ground[top:low, int(0.1 * w) : int(0.9 * w)], cv2.COLOR_BGR2GRAY).mean())
    source = next((tone for name, tone in GROUND.items() if cut.name.startswith(name)), 150.0)
    gain = float(np.clip((around / source) ** 0.75, 0.35, 1.5))
    if plan.night:  # in infrared all cloth is bright
        gain = float(np.clip(gain * chance.uniform(1.0, 1.7), 0.5, 130 / max(cut.tone, 30)))
    needed = float(np.clip(chance.uniform(15, 24) / max(plan.light, 0.2), 15, 60))
    if chance.random() < 0.18:  # hard to see
        gain, needed = 0.6 * gain, 0.62 * needed
        sign = 1 if cut.tone * gain > around else -1
        return gain, float(np.clip(around + sign * needed, 8, 235)) - cut.tone * gain
    differs = cut.tone * gain - around
    if abs(differs) < needed:
        sign = 1 if differs > 0 or around < 50 else -1
        return gain, sign * needed - differs
    return gain, 0.0


def _parking(plan: Plan, view: View, ground: Array, cuts: CutOuts, chance: np.random.Generator) -> Mover:
    """A motorbike that comes and stays, or that stood there and starts."""
    bikes = cuts.of("bike")
    cut = bikes[int(chance.integers(len(bikes)))]
    depth, size = float(chance.uniform(0.2, 0.8)), 0.9
    out = 0.8 * view.tall(depth) * size
    side = -out if chance.random() < 0.5 else view.size[0] + out
    middle = float(chance.uniform(0.25, 0.75)) * view.size[0]
    gain = _brightness(plan, cut, view, ground, depth, size, chance)
    when = float(chance.uniform(0.45, 0.75)) * plan.duration_s
    if chance.random() < 0.5:
        stops, start = (Stop(side, depth), Stop(middle, depth, 600.0)), when
    else:
        stops, start = (Stop(middle, depth, when), Stop(side, depth)), 0.0
    mover = Mover(
        cut, stops, start, float(chance.uniform(1.0, 2.5)), size, gain, grey=plan.night, shadow=0.15
    )
    mover.plan(view)
    return mover
