"""Scenes for tests of the gate: packet sizes of many kinds, movers among them, and what it lets through."""

import functools
import random
from collections.abc import Callable

import msgspec

from camera_hub.model import GateReason, Packet
from camera_hub.motion import Closed, Gate, Opened, Report

FPS = 10
PICTURE = (640, 360)
STEP_US = 1_000_000 // FPS
Size = Callable[[int, bool, random.Random], int]
"""(place in the GOP, whether a mover is there, dice) → bytes."""


def vbr(place: int, moves: bool, dice: random.Random) -> int:
    usual = 900 if place % 2 else 1400  # temporal layers: every second one is lighter
    return round(usual * dice.uniform(0.9, 1.1) * (1.8 if moves else 1))


def cbr(place: int, moves: bool, dice: random.Random) -> int:
    return dice.randint(1190, 1210)


def padded(place: int, moves: bool, dice: random.Random) -> int:
    return 1500


def rain(place: int, moves: bool, dice: random.Random) -> int:
    return round(dice.choice((900, 1000, 2500)) * dice.uniform(0.8, 1.2) * (1.3 if moves else 1))


def still(place: int, moves: bool, dice: random.Random) -> int:
    """Noise reduction and a variable bit rate: skipped macroblocks, and a small mover's 30 bytes."""
    return dice.randint(18, 24) + (30 if moves else 0)


def packet(number: int, size: int, keyframe: bool, pts_us: int | None = None) -> Packet:
    t_us = number * STEP_US
    return Packet(bytes(size), t_us if pts_us is None else pts_us, t_us, t_us, keyframe)


class Scene:
    """A camera, and a detector that sees every mover half a second after it came, if it is shown it."""

    def __init__(
        self,
        size: Size,
        gop: int = 20,
        first_s: float = 15,
        every_s: float = 30,
        picture: tuple[int, int] = (0, 0),
    ) -> None:
        self.gate = Gate(picture)
        self.size, self.gop = size, gop
        self.first_s, self.every_s = first_s, every_s
        self.given: list[Packet] = []
        self.decoded: list[int] = []
        self.found: list[tuple[float, float]] = []  # (start, when told) in seconds
        self._dice = random.Random(1)
        self._number = 0
        self._event = False
        self._shown: list[int] = [-1]
        self._seen: list[int] = []  # numbers of pictures that show the mover

    def moves(self, number: int) -> bool:
        t_s = number / FPS - self.first_s
        return t_s >= 0 and t_s % self.every_s < 5

    def run(self, seconds: float) -> "Scene":
        for number in range(self._number, self._number + round(seconds * FPS)):
            place = number % self.gop
            heavy = self.moves(number)
            size = 9000 if place == 0 else self.size(place, heavy, self._dice)
            self.given.append(packet(number, size, place == 0))
            wanted = self.gate.let(self.given[-1])
            if self.gate.asleep and wanted:
                peeked = [given_.pts_us // STEP_US for given_ in wanted]
                if heavy or self.gate.peeks:
                    self.decoded += peeked
                    wanted = self.gate.wake() if heavy else ()
            for given_ in wanted:
                at = given_.pts_us // STEP_US
                self.decoded.append(at)
                if len(wanted) == 1 or at > max(self._shown):
                    self._look(at, number)
        self._number += round(seconds * FPS)
        return self

    def _look(self, number: int, now: int) -> None:
        self._shown.append(number)
        t_us = number * STEP_US
        self._seen = [*self._seen, number] if self.moves(number) else []
        reports: list[Report] = []
        if len(self._seen) >= 5 and not self._event:
            self._event = True
            self.found.append((self._seen[0] / FPS, now / FPS))
            reports.append(report(Opened, t_us, self._seen[0] * STEP_US))
        elif not self._seen and self._event:
            self._event = False
            reports.append(report(Closed, t_us, t_us))
        self.gate.learn(t_us, reports, idle=not self._seen and not self._event)

    def share_decoded(self, since_s: float) -> float:
        late = [number for number in self.decoded if number >= since_s * FPS]
        return len(late) / (self._number - since_s * FPS)


def report(kind: type[Opened] | type[Closed], t_us: int, start_us: int) -> Report:
    opened = Opened(
        number=1,
        t_us=t_us,
        start_us=start_us,
        zones=(),
        score=0.5,
        box=(0.1, 0.1, 0.1, 0.1),
        path=(),
        best=False,
    )
    return opened if kind is Opened else Closed(**msgspec.structs.asdict(opened), end_us=t_us)


def why(gate: Gate) -> GateReason | None:
    return gate.reason


def sleeps(gate: Gate) -> bool:
    return gate.asleep


def until_asleep(scene: Scene) -> None:
    while not sleeps(scene.gate):
        scene.run(0.1)


@functools.cache
def sleeper(sure: bool) -> Scene:
    scene = Scene(still, picture=PICTURE).run(14) if sure else Scene(vbr).run(130)
    until_asleep(scene)
    return scene
