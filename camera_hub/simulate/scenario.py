"""What happens in front of a practice camera: who passes, when and where, and what merely disturbs.

Promises: a scenario follows from its scene, conditions, seed and length alone; nobody is on the
way in its first and last seconds, so that its clip can be looped; whoever passes ends passing.
"""

import itertools
import math
from dataclasses import dataclass

import numpy as np

from camera_hub.model import HubError
from camera_hub.simulate.land import rounded
from camera_hub.simulate.noise import generator
from camera_hub.simulate.places import SCENES
from camera_hub.simulate.scene import Point, Route, Scene

SPARE_M = 1.6  # ways are drawn out by this at both ends
HERDER_S = 3.2  # a herder follows this long after the buffalo
SEAM_S = 2.5  # nobody is on the way this close to the clip's ends
SPEEDS = {  # metres a second
    "person": (1.1, 1.5),
    "motorbike": (4.8, 7.5),
    "bicycle": (2.8, 3.8),
    "dog": (1.7, 2.5),
    "buffalo": (0.95, 1.2),
    "herder": (0.95, 1.2),
}
LIGHTS = ("day", "dusk", "night")
CONDITIONS = (*LIGHTS, "rain", "wind", "clouds", "insect", "headlights", "lamp", "stands", "busy", "quiet")
"""What `scenario` understands; one of the first three, day if none is named."""


@dataclass(frozen=True)
class Passage:
    """One mover on its way from `start_s` on, at `speed` (m/s), standing `pause_s` at `pause_at_m`."""

    kind: str
    points: tuple[Point, ...]
    start_s: float
    speed: float
    seed: int
    pause_at_m: float = 0.0
    pause_s: float = 0.0

    @property
    def length_m(self) -> float:
        return sum(math.dist(a, b) for a, b in itertools.pairwise(self.points))

    @property
    def end_s(self) -> float:
        return self.start_s + self.length_m / self.speed + self.pause_s


@dataclass(frozen=True)
class Nuisance:
    """Something that changes the picture and is no mover: `insect`, `headlights` or `lamp`."""

    kind: str
    start_s: float
    end_s: float
    seed: int


@dataclass(frozen=True)
class Scenario:
    """A clip's whole story."""

    scene: Scene
    conditions: frozenset[str]
    seed: int
    duration_s: float
    passages: tuple[Passage, ...]
    nuisances: tuple[Nuisance, ...]


def scenario(
    scene_id: str, seed: int, conditions: frozenset[str] | None = None, duration_s: float | None = None
) -> Scenario:
    """The story of a scene for a seed; `conditions` and `duration_s` in place of the scene's own.

    Raises HubError for a scene or a condition that does not exist, or a length below 2 s.
    """
    if scene_id not in SCENES:
        raise HubError(f"there is no practice scene {scene_id!r}; choose one of {', '.join(SCENES)}")
    unknown = sorted((conditions or frozenset()) - set(CONDITIONS))
    if unknown:
        raise HubError(f"there is no condition {unknown[0]!r}; choose among {', '.join(CONDITIONS)}")
    duration_s = SCENES[scene_id].clip_s if duration_s is None else duration_s
    if not 2 <= duration_s <= 24 * 3600:
        raise HubError(f"a practice clip lasts from 2 seconds to a day, not {duration_s:g} s")
    scene = SCENES[scene_id]
    given = frozenset(scene.conditions) if conditions is None else conditions
    if not given & set(LIGHTS):
        given |= {"day"}
    rng = generator("scenario", scene_id, seed, sorted(given), duration_s)
    passages = () if "quiet" in given else tuple(_passages(scene, given, duration_s, rng))
    return Scenario(
        scene, given, seed, duration_s, passages, tuple(_nuisances(given, duration_s, passages, rng))
    )


def _passages(
    scene: Scene, conditions: frozenset[str], duration_s: float, rng: np.random.Generator
) -> list[Passage]:
    least, most = (1.0, 4.0) if "busy" in conditions else (3.0, 6.5)
    passages: list[Passage] = []
    at = SEAM_S + float(rng.uniform(0.2, 2.5))
    routes = [(route, kind) for route in scene.routes for kind in route.kinds]
    while at < duration_s - SEAM_S:
        fitting = []
        for i in rng.permutation(len(routes)):
            route, kind = routes[int(i)]
            passage = _pass(route, kind, conditions, at, rng)
            used = sum(p.kind == passage.kind for p in passages[-3:])
            behind = HERDER_S if kind == "buffalo" else 0.0
            if passage.end_s + behind <= duration_s - SEAM_S and used < 2:
                fitting.append(passage)
        if not fitting:
            break

        # The kind that was seen longest ago comes next, so that a clip shows all that pass here.
        seen = {passage.kind: number for number, passage in enumerate(passages, 1)}
        slow = rng.random() < 0.8  # a buffalo takes long, and would hardly ever find the time

        def rank(passage: Passage, seen: dict[str, int] = seen, slow: bool = slow) -> tuple[int, bool]:
            return seen.get(passage.kind, 0), slow and passage.kind != "buffalo"

        chosen = min(fitting, key=rank)
        passages.append(chosen)
        passages += _company(chosen, duration_s, rng)
        overlap = rng.random() < (0.6 if "busy" in conditions else 0.3)
        begun = at + (chosen.end_s - at) * (0.1 if "busy" in conditions else 0.6)
        at = (begun if overlap else chosen.end_s) + float(rng.uniform(least, most))
    return passages


def _pass(
    route: Route, kind: str, conditions: frozenset[str], at: float, rng: np.random.Generator
) -> Passage:
    way = route.points if rng.random() < 0.5 else route.points[::-1]
    aside = float(rng.uniform(-0.35, 0.35))
    points = rounded(_lengthened(tuple((x + aside, z + aside * 0.5) for x, z in way)), 0.4)
    speed = float(rng.uniform(*SPEEDS[kind]))
    passage = Passage(kind, points, at, speed, int(rng.integers(1 << 31)))
    chance = 0.7 if "stands" in conditions else 0.2
    if kind in ("person", "dog") and route.stops and rng.random() < chance:
        stop = float(rng.choice(route.stops))
        stop = stop if way is route.points else 1.0 - stop
        seconds = float(rng.uniform(6, 18) if "stands" in conditions else rng.uniform(3, 6))
        return Passage(kind, points, at, speed, passage.seed, stop * passage.length_m, seconds)
    return passage


def _lengthened(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """The way with its ends drawn out, so that whoever comes along begins out of the picture, too."""
    out = []
    for (ax, az), (bx, bz) in ((points[0], points[1]), (points[-1], points[-2])):
        long = math.dist((ax, az), (bx, bz))
        out.append((ax + (ax - bx) / long * SPARE_M, az + (az - bz) / long * SPARE_M))
    return (out[0], *points[1:-1], out[1])


def _company(first: Passage, duration_s: float, rng: np.random.Generator) -> list[Passage]:
    """Who comes along: a herder behind a buffalo, a friend or a dog beside somebody."""
    seed = int(rng.integers(1 << 31))
    kind = {"buffalo": "herder", "person": str(rng.choice(["", "person", "dog"], p=[0.6, 0.25, 0.15]))}.get(
        first.kind, ""
    )
    if not kind:
        return []
    lag, aside = (HERDER_S, 0.5) if kind == "herder" else (0.3, 0.75)
    points = tuple((x + aside, z + 0.3) for x, z in first.points)
    second = Passage(kind, points, first.start_s + lag, first.speed, seed, first.pause_at_m, first.pause_s)
    return [second] if second.end_s <= duration_s - 1.0 else []


def _nuisances(
    conditions: frozenset[str], duration_s: float, passages: tuple[Passage, ...], rng: np.random.Generator
) -> list[Nuisance]:
    found = []
    for kind, every, long in (
        ("insect", (7.0, 16.0), (0.5, 2.2)),
        ("headlights", (15.0, 26.0), (2.5, 4.0)),
        ("lamp", (18.0, 30.0), (3.0, 7.0)),
    ):
        if kind not in conditions:
            continue
        at = float(rng.uniform(1.5, every[1] * 0.6))
        while True:
            end = at + float(rng.uniform(*long))
            if end > duration_s - 1.0:
                break
            found.append(Nuisance(kind, at, end, int(rng.integers(1 << 31))))
            at = end + float(rng.uniform(*every))
    return found
