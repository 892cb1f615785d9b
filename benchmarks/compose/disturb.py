"""What disturbs in each condition, drawn by chance, and noted as `nuisances` of the clip.

Relies on the parts that do it. `add` is called before the movers are drawn, `follow` after it.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.compose.air import Flag, Fog, Rain, Shimmer, Snow, Sway, grown_mask
from benchmarks.compose.film import Composition
from benchmarks.compose.footage import PLATES, Array, Footage
from benchmarks.compose.geometry import View, choose_view
from benchmarks.compose.lens import Insect, Thread
from benchmarks.compose.light import Clouds, Exposure, Headlights, Lamp, Lightning, Source, grid, smooth_noise
from benchmarks.compose.movers import Mover
from benchmarks.compose.tamper import KINDS, Tamper

Chance = np.random.Generator


def add(condition: str, c: Composition, footage: Footage, chance: Chance) -> None:
    """What `condition` asks for, and a little of what is everywhere."""
    table = {
        "insects": insects,
        "headlights": headlights,
        "clouds": clouds,
        "wind": wind,
        "lamp": lamp,
        "rain": rain,
        "shimmer": shimmer,
        "fog": fog,
        "snow": snow,
        "ir-switch": switch,
        "lightning": lightning,
    }
    if condition in table:
        table[condition](c, chance)
    if condition == "tamper":
        tamper(c, footage, chance)
    if condition not in ("wind", "tamper") and len(c.frames) == 1 and chance.random() < 0.3:
        breeze(c, chance, float(chance.uniform(0.3, 1.0)))
    if condition in ("night", "dusk") and chance.random() < 0.25:
        insects(c, chance, few=True)
    if condition in ("day", "stands", "busy") and chance.random() < 0.25:
        exposure(c, chance, 0.08)


def note(c: Composition, what: str, start_s: float, end_s: float) -> None:
    c.nuisances.append(
        {"what": what, "start_s": round(start_s, 2), "end_s": round(min(end_s, c.duration_s), 2)}
    )


def _shine(c: Composition, source: Source) -> None:
    for mode in c.modes:
        mode.lighting.sources.append(source)


def insects(c: Composition, chance: Chance, few: bool = False) -> None:
    w = c.view.size[0]
    bright = c.modes[0].grey
    now = float(chance.uniform(1, 6))
    while now < c.duration_s - 1:
        for _ in range(1 if few else int(chance.integers(1, 4))):
            kind = str(chance.choice(["dart", "hover", "walk"], p=[0.5, 0.3, 0.2]))
            long = float(chance.uniform(*{"dart": (0.4, 1.6), "hover": (2, 9), "walk": (4, 15)}[kind]))
            start = now + float(chance.uniform(0, 1.5))
            radius = (
                w
                * float(chance.choice([chance.uniform(0.005, 0.02), chance.uniform(0.02, 0.07)]))
                * (1 if kind != "hover" else 0.5)
            )
            tone = float(chance.uniform(30, 190)) * (1 if bright else -0.7)
            c.insects.append(Insect((start, start + long), kind, radius, tone, c.view.size, chance))
            note(c, f"insect that {kind}s", start, start + long)
        now += float(chance.uniform(8, 20) if few else chance.uniform(1.5, 9))
    if not few and chance.random() < 0.4:
        c.threads += [
            Thread(c.view.size, chance, float(chance.uniform(25, 130)))
            for _ in range(int(chance.integers(1, 4)))
        ]
        note(c, "spider's thread", 0, c.duration_s)


def headlights(c: Composition, chance: Chance) -> None:
    w, h = c.view.size
    now = float(chance.uniform(2, 7))
    while now < c.duration_s - 1:
        long = float(chance.uniform(0.8, 5))
        side = chance.random() < 0.5
        ends = [-0.3 * w, 1.3 * w] if side else [1.3 * w, -0.3 * w]
        kind = str(chance.choice(["ground", "wall", "turn"]))
        strength = float(chance.uniform(0.6, 3.5))
        rows = chance.uniform(0.55, 0.95, 3) * h if kind == "ground" else chance.uniform(0.1, 0.6, 3) * h
        if kind == "turn":
            path = tuple((float(x * w), float(y * h)) for x, y in chance.uniform(0.05, 0.95, (3, 2)))
        else:
            path = tuple(zip(np.linspace(ends[0], ends[1], 3).tolist(), rows.tolist(), strict=True))
        wide = float(chance.uniform(0.1, 0.3)) * w
        high = wide * float(chance.uniform(0.25, 0.5) if kind == "ground" else chance.uniform(0.6, 1.6))
        bars = float(chance.uniform(0.06, 0.2)) * w if chance.random() < 0.35 else 0.0
        glare = float(chance.uniform(60, 200)) if chance.random() < 0.2 else 15.0 * strength
        _shine(c, Headlights((now, now + long), path, wide, high, strength, bars, glare))
        note(c, f"headlights, {kind}", now, now + long)
        now += long + float(chance.uniform(1, 9))


def clouds(c: Composition, chance: Chance) -> None:
    kind = str(chance.choice(["shadows", "exposure", "both"], p=[0.5, 0.2, 0.3]))
    if kind != "exposure":
        tile = smooth_noise(chance, (96, 192), float(chance.uniform(6, 14)))
        angle, speed = chance.uniform(0, 6.28), chance.uniform(1, 8)
        _shine(
            c,
            Clouds(
                tile,
                (speed * np.cos(angle), 0.5 * speed * np.sin(angle)),
                float(chance.uniform(0.2, 0.5)),
                float(chance.uniform(0.08, 0.5)),
                float(chance.uniform(-0.3, 0.6)),
            ),
        )
        note(c, "shadows of clouds", 0, c.duration_s)
    if kind != "shadows":
        exposure(c, chance, 0.35)
    if chance.random() < 0.3:
        breeze(c, chance, 1.0)


def exposure(c: Composition, chance: Chance, much: float) -> None:
    now, steps = float(chance.uniform(4, 10)), []
    while now < c.duration_s:
        ramp = float(chance.choice([0.1, 0.5, 1.5, 5.0]))
        steps.append((now, float(1 + chance.uniform(-much, much)), ramp))
        note(c, "exposure", now, now + ramp)
        now += ramp + float(chance.uniform(2, 12))
    _shine(c, Exposure(tuple(steps)))


def breeze(c: Composition, chance: Chance, much: float, whole: float = 0.0) -> None:
    boxes = [c.view.box(box) for box in c.view.spec.green]
    if not boxes:
        boxes = [(0.0, 0.0, 0.35 * c.view.size[0], 0.5 * c.view.size[1])]
    scale = c.view.size[0] / 640
    mask = grown_mask(c.view.size, boxes)
    c.bend.parts.append(
        Sway(
            mask,
            chance,
            much * scale,
            float(chance.uniform(0.25, 1.3)),
            float(chance.uniform(0.3, 0.9)),
            whole * scale,
        )
    )
    note(c, "wind", 0, c.duration_s)


def wind(c: Composition, chance: Chance) -> None:
    if len(c.frames) == 1 or chance.random() < 0.35:
        breeze(c, chance, float(chance.uniform(1.5, 6)), float(chance.choice([0, 0, 0.7, 1.5])))
    if chance.random() < 0.35:
        w, h = c.view.size
        for _ in range(int(chance.integers(1, 3))):
            place = (float(chance.uniform(0.05, 0.85)) * w, float(chance.uniform(0.1, 0.5)) * h)
            c.flags.append(
                Flag(place, int(w * chance.uniform(0.05, 0.14)), bool(chance.random() < 0.5), chance)
            )
        note(c, "flag or washing", 0, c.duration_s)


def lamp(c: Composition, chance: Chance) -> None:
    w, h = c.view.size
    places = [(c.view.x(x), c.view.y(y)) for x, y in c.view.spec.lamps]
    places = [p for p in places if -0.1 * w < p[0] < 1.1 * w and -0.2 * h < p[1] < h] or [(0.5 * w, -0.1 * h)]
    for number in range(int(chance.integers(1, 3))):
        place = places[number % len(places)]
        kind = str(chance.choice(["switched", "tube", "loose", "global"]))
        reach = float(chance.uniform(0.12, 0.4)) * w if kind != "global" else 3.0 * w
        strength = float(chance.uniform(0.8, 4)) if kind != "global" else float(chance.uniform(0.4, 1.6))
        levels = _levels(kind, c.duration_s, chance)
        _shine(
            c,
            Lamp(
                place,
                reach,
                strength,
                levels,
                float(chance.uniform(60, 230)),
                float(chance.uniform(0.008, 0.03)) * w,
            ),
        )
        note(c, f"lamp, {kind}", levels[0][0], c.duration_s)


def _levels(kind: str, duration_s: float, chance: Chance) -> tuple[tuple[float, float], ...]:
    """A lamp's light over time: switched, a tube that starts and flickers, a loose contact."""
    level = float(chance.random() < 0.5)
    points = [(0.0, level)]
    now = float(chance.uniform(3, 9))
    while now < duration_s:
        target = 1.0 - round(level)
        points.append((now, points[-1][1]))
        if kind == "tube" and target:
            for _ in range(int(chance.integers(2, 9))):
                points += [
                    (now + 0.03, float(chance.uniform(0.3, 1))),
                    (now + float(chance.uniform(0.06, 0.3)), 0.0),
                ]
                now = points[-1][0] + float(chance.uniform(0.05, 0.5))
                points.append((now, 0.0))
        if kind == "loose":
            for _ in range(int(chance.integers(4, 40))):
                now += float(chance.uniform(0.04, 0.25))
                points += [(now, float(chance.uniform(0.1, 1.0)))]
        ramp = float(chance.choice([0.03, 0.3, 2.0]))
        points.append((now + ramp, target))
        level, now = target, now + ramp + float(chance.uniform(2, 12))
    return tuple(points)


def rain(c: Composition, chance: Chance) -> None:
    c.weather.append(
        Rain(
            c.view.size,
            chance,
            float(chance.uniform(0.2, 1.6)),
            float(chance.uniform(18, 80)),
            float(chance.uniform(-0.25, 0.25)),
        )
    )
    if chance.random() < 0.4:
        c.weather.append(Fog(c.view.size, chance, float(chance.uniform(0.08, 0.25)), 150.0, 1.0, 0.2))
    if chance.random() < 0.4:
        water(c, chance)
    note(c, "rain", 0, c.duration_s)


def water(c: Composition, chance: Chance) -> None:
    """A puddle or a pond that ripples."""
    w, h = c.view.size
    x, y = float(chance.uniform(0, 0.6)) * w, float(chance.uniform(0.55, 0.8)) * h
    mask = grown_mask(
        c.view.size,
        [(x, y, x + float(chance.uniform(0.2, 0.5)) * w, y + float(chance.uniform(0.1, 0.25)) * h)],
    )
    c.bend.parts.append(Shimmer(mask, chance, float(chance.uniform(0.8, 2.5)) * w / 640, 0.9, 3.0))
    note(c, "rippling water", 0, c.duration_s)


def shimmer(c: Composition, chance: Chance) -> None:
    x, y = grid(c.view.size)
    horizon = c.view.foot(0.0)
    far = 1 / (1 + ((y - horizon) / (float(chance.uniform(0.15, 0.5)) * c.view.size[1])) ** 2)
    mask = np.asarray(0.25 + 0.75 * far, np.float32) if chance.random() < 0.6 else np.ones_like(x)
    much = float(chance.uniform(0.5, 2.2)) * c.view.size[0] / 640
    c.bend.parts.append(
        Shimmer(mask, chance, much, float(chance.uniform(0.7, 1.8)), float(chance.uniform(4, 14)))
    )
    if chance.random() < 0.25:
        water(c, chance)
    note(c, "heat shimmer", 0, c.duration_s)


def fog(c: Composition, chance: Chance) -> None:
    c.weather.append(
        Fog(
            c.view.size,
            chance,
            float(chance.uniform(0.25, 0.55)),
            float(chance.uniform(140, 200)),
            float(chance.uniform(0.5, 5)),
            float(chance.uniform(0.05, 0.35)),
        )
    )
    note(c, "fog", 0, c.duration_s)


def snow(c: Composition, chance: Chance) -> None:
    c.weather.append(
        Snow(
            c.view.size,
            chance,
            int(chance.uniform(80, 420)),
            float(chance.uniform(50, 150)),
            float(chance.uniform(-0.5, 0.5)),
        )
    )
    note(c, "snow", 0, c.duration_s)


def switch(c: Composition, chance: Chance) -> None:
    """The filter clacks: a moment of a wrong exposure around it."""
    when = c.modes[1].from_s
    over = float(chance.choice([0.15, 0.4, 2.2]))
    _shine(
        c,
        Exposure(
            (
                (when - 0.05, over, 0.05),
                (when + float(chance.uniform(0.2, 0.8)), 1.0, float(chance.uniform(0.2, 1.2))),
            )
        ),
    )
    note(c, "infrared filter switched", when, when + 2)


def lightning(c: Composition, chance: Chance) -> None:
    now, flashes = float(chance.uniform(3, 8)), []
    while now < c.duration_s:
        for _ in range(int(chance.integers(1, 5))):
            flashes.append((now, float(chance.uniform(0.5, 4)), float(chance.uniform(0.03, 0.15))))
            now += float(chance.uniform(0.06, 0.5))
        note(c, "lightning", flashes[-1][0], now)
        now += float(chance.uniform(2, 12))
    _shine(c, Lightning(tuple(flashes)))
    if chance.random() < 0.7:
        rain(c, chance)


def tamper(c: Composition, footage: Footage, chance: Chance) -> None:
    kind = str(chance.choice(KINDS))
    start = float(chance.uniform(0.3, 0.55)) * c.duration_s
    end = start + float(chance.uniform(11, 20)) if chance.random() < 0.5 else c.duration_s + 10
    ramps = {
        "defocus-slow": (3, 9),
        "hand": (0.3, 1.2),
        "cloth": (0.4, 1.5),
        "paint": (0.8, 3),
        "turned": (0.4, 2.5),
    }
    ramp = float(chance.uniform(*ramps.get(kind, (0.05, 0.8))))
    other = None
    if kind == "turned":
        names = [name for name in sorted(PLATES) if name != c.view.spec.name]
        spec = PLATES[names[int(chance.integers(len(names)))]]
        still = footage.still(spec)
        other = _turned_view(c, choose_view(spec, still, c.view.size, chance), still)
    c.tampers.append(Tamper(kind, (start, end), ramp, c.view.size, chance, other))
    note(c, f"tamper, {kind}", start, end)


def _turned_view(c: Composition, view: View, still: Array) -> Array:
    """What a turned camera sees, in the same colours."""
    picture = view.picture(still)
    return np.asarray(picture.mean(2, keepdims=True).repeat(3, 2), np.uint8) if c.modes[0].grey else picture


@dataclass(frozen=True)
class HeadLamp:
    """A mover's own lamp: the ground before it, and its glare."""

    mover: Mover
    view: View

    def fields(self, t: float, x: Array, y: Array) -> tuple[Array | float, Array | float]:
        pose = self.mover.at(t, self.view)
        if pose is None or self.mover.lamp <= 0:
            return 1.0, 0.0
        ahead = -1.0 if pose.left else 1.0
        front_x, front_y = pose.x + ahead * 0.6 * pose.tall, pose.foot - 0.55 * pose.tall
        cone_x, cone_y = pose.x + ahead * 2.2 * pose.tall, pose.foot
        cone = np.exp(
            -0.5 * (((x - cone_x) / (1.3 * pose.tall)) ** 2 + ((y - cone_y) / (0.4 * pose.tall + 6)) ** 2)
        )
        glow = np.exp(-((x - front_x) ** 2 + (y - front_y) ** 2) / (2 * (0.16 * pose.tall + 4) ** 2))
        return np.asarray(1 + 2.2 * self.mover.lamp * cone, np.float32), np.asarray(
            130 * self.mover.lamp * glow, np.float32
        )


def follow(c: Composition) -> None:
    """Lamps that their movers carry."""
    for mover in c.movers:
        if mover.lamp:
            lamp_source: Any = HeadLamp(mover, c.view)
            _shine(c, lamp_source)
