"""Movers on their way: where each is at a time, how it holds itself, and whether it can be seen.

Relies on: scenario for the way, people, vehicles and animals for the body.
"""

import math
from collections.abc import Callable

import numpy as np

from camera_hub.simulate import animals, people, vehicles
from camera_hub.simulate.noise import generator
from camera_hub.simulate.scenario import Passage
from camera_hub.simulate.solids import Part

LEGS_M = {"person": 1.36, "herder": 1.3, "dog": 0.75, "buffalo": 1.75}
"""Metres of a full cycle of the gait."""
WHEEL_M = {"motorbike": 0.32, "bicycle": 0.35}
EASE_S = 0.6
WHAT = {"herder": "person"}


class Mover:
    """One passage, ready to be drawn at any time."""

    def __init__(self, passage: Passage, conditions: frozenset[str]) -> None:
        self.passage = passage
        self.what = WHAT.get(passage.kind, passage.kind)
        points = np.array(passage.points)
        self._points = points
        steps = np.hypot(*np.diff(points, axis=0).T)
        self._way = np.concatenate([[0.0], np.cumsum(steps)])
        self._body = _body(passage, conditions)
        self.lamp = passage.kind == "motorbike" and bool({"night", "dusk"} & conditions)

    def gone(self, t: float) -> float:
        """Metres along the way at `t` seconds of the clip."""
        passage = self.passage
        metres = (t - passage.start_s) * passage.speed
        if passage.pause_s and metres > passage.pause_at_m:
            metres = max(passage.pause_at_m, metres - passage.pause_s * passage.speed)
        return metres

    def on_way(self, t: float) -> bool:
        return self.passage.start_s <= t <= self.passage.end_s

    def place(self, t: float) -> tuple[float, float, float]:
        """(x, z, heading in radians from z towards x) at `t`."""
        metres = self.gone(t)
        x, z = (float(np.interp(metres, self._way, self._points[:, i])) for i in (0, 1))
        ahead = [float(np.interp(metres + 0.6, self._way, self._points[:, i])) for i in (0, 1)]
        behind = [float(np.interp(metres - 0.6, self._way, self._points[:, i])) for i in (0, 1)]
        return x, z, math.atan2(ahead[0] - behind[0], ahead[1] - behind[1])

    def parts(self, t: float) -> list[Part]:
        """The body as it is at `t`."""
        before, after = self.gone(t - EASE_S / 2), self.gone(t + EASE_S / 2)
        stride = min(1.0, max(0.0, (after - before) / (EASE_S * self.passage.speed)))
        return self._body(self.gone(t), stride)


def _body(passage: Passage, conditions: frozenset[str]) -> Callable[[float, float], list[Part]]:
    rng = generator("looks", passage.seed)
    rain, night = "rain" in conditions, "night" in conditions
    shift = float(rng.uniform(0, 2 * math.pi))
    kind = passage.kind
    if kind in ("motorbike", "bicycle"):
        lit = bool({"night", "dusk"} & conditions)
        what = vehicles.ride(rng, kind == "motorbike", rain, lit)
        draw = vehicles.motorbike if kind == "motorbike" else vehicles.bicycle
        return lambda metres, stride: draw(what, -metres / WHEEL_M[kind])
    cycle = 2 * math.pi / LEGS_M[kind]
    if kind == "dog":
        pet = animals.dog(rng)
        return lambda metres, stride: animals.dog_body(pet, shift + metres * cycle, stride)
    if kind == "buffalo":
        beast = animals.buffalo(rng)
        return lambda metres, stride: animals.buffalo_body(beast, shift + metres * cycle, stride)
    who = people.look(rng, rain, night)
    cycle *= 1.62 / who.tall_m
    return lambda metres, stride: people.walker(who, shift + metres * cycle, stride)
