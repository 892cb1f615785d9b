"""What disturbs a picture and is no mover: noise, rain, clouds' shadows, an insect, headlights.

All of it is laid on the luma of main frames. Promises: what a frame shows follows from the seed
and the frame's time; slow changes come round at the clip's end, so that it loops.
"""

import math

import cv2
import numpy as np

from camera_hub.simulate import noise
from camera_hub.simulate.optics import HEIGHT, WIDTH, Array
from camera_hub.simulate.scenario import Nuisance, Scenario

SPARE = 96  # tiles are this much larger than the picture, to be read at chance offsets
TICKS = 30  # chance is drawn anew this often a second


class SensorNoise:
    """The sensor's grain: a little by day, a lot by night."""

    def __init__(self, seed: int, deviation: float) -> None:
        rng = noise.generator("sensor", seed)
        field = rng.standard_normal((HEIGHT + SPARE, WIDTH + SPARE)).astype(np.float32)
        field = np.asarray(cv2.GaussianBlur(field, (3, 3), 0.6))
        field *= deviation / field.std()
        self._more = np.clip(np.rint(field), 0, 255).astype(np.uint8)
        self._less = np.clip(np.rint(-field), 0, 255).astype(np.uint8)

    def lay(self, luma: Array, rng: np.random.Generator) -> None:
        top, left = rng.integers(0, SPARE, 2)
        window = slice(top, top + HEIGHT), slice(left, left + WIDTH)
        cv2.add(luma, np.ascontiguousarray(self._more[window]), dst=luma)
        cv2.subtract(luma, np.ascontiguousarray(self._less[window]), dst=luma)


class Rain:
    """Streaks near and far; every frame shows others."""

    def __init__(self, seed: int, night: bool) -> None:
        rng = noise.generator("rain", seed)
        sheet = np.zeros((HEIGHT + SPARE, WIDTH + SPARE), np.uint8)
        for count, long, thick, bright in ((900, 14, 1, 16), (420, 34, 1, 24), (90, 80, 2, 30)):
            streaks = np.zeros_like(sheet)
            for _ in range(count):
                x, y = rng.uniform(0, WIDTH + SPARE), rng.uniform(-80, HEIGHT + SPARE)
                length = long * rng.uniform(0.6, 1.4)
                a = (round(x * 16), round(y * 16))
                b = (round((x - 0.1 * length) * 16), round((y + length) * 16))
                shade = int(bright * rng.uniform(0.5, 1.0) * (1.6 if night else 1.0))
                cv2.line(streaks, a, b, shade, thick, cv2.LINE_AA, 4)
            cv2.add(sheet, cv2.GaussianBlur(streaks, (3, 5), 0), dst=sheet)
        self._sheet = sheet

    def lay(self, luma: Array, rng: np.random.Generator) -> None:
        top, left = rng.integers(0, SPARE, 2)
        sheet = self._sheet[top : top + HEIGHT, left : left + WIDTH]
        if rng.random() < 0.5:
            sheet = sheet[:, ::-1]
        cv2.add(luma, np.ascontiguousarray(sheet), dst=luma)


class Clouds:
    """Shadows of clouds that drift over the ground, and the light that comes and goes with them."""

    def __init__(self, scenario: Scenario) -> None:
        field = noise.tile(scenario.seed * 3 + 2, 2.9, 0.5)
        self._field = np.clip(0.88 + 0.14 * field, 0.6, 1.12)
        # The shadows lie on the ground; the sky above the horizon keeps its own light.
        rows = np.arange(180, dtype=np.float32) * 4 - scenario.scene.optics.horizon
        self._below = np.clip(rows / 60, 0.0, 1.0)[:, None]
        self._duration_s = scenario.duration_s

    def lay(self, luma: Array, t: float) -> None:
        turn = t / self._duration_s
        roll = int(turn * noise.TILE) % noise.TILE
        window = np.roll(self._field, -roll, axis=1)[:180, :320]
        level = 1.0 + 0.05 * math.sin(2 * math.pi * turn * 3)
        share = 1 + (window * level - 1) * self._below
        gain = cv2.resize(np.clip(share * 200, 0, 255).astype(np.uint8), (WIDTH, HEIGHT))
        cv2.multiply(luma, gain, dst=luma, scale=1 / 200)


def _blob(width: int, height: int) -> Array:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    return np.asarray(np.clip(1 - (x**2 + y**2), 0, 1) ** 1.4, np.float32)


def _add(luma: Array, light: Array, centre: tuple[float, float]) -> None:
    """Light (0..255) added around a centre, cut at the picture's edge."""
    height, width = light.shape
    left, top = round(centre[0] - width / 2), round(centre[1] - height / 2)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, WIDTH), min(top + height, HEIGHT)
    if x1 > x0 and y1 > y0:
        part = np.clip(light[y0 - top : y1 - top, x0 - left : x1 - left], 0, 255).astype(np.uint8)
        luma[y0:y1, x0:x1] = cv2.add(luma[y0:y1, x0:x1], part)


class Insect:
    """A moth before the lens: large, out of focus, bright by infrared, and gone again."""

    def __init__(self, what: Nuisance) -> None:
        rng = noise.generator("insect", what.seed)
        self.what = what
        self._size = float(rng.uniform(50, 120))
        edge = rng.uniform(0, 2 * math.pi)
        self._from = np.array([0.5 + 0.7 * math.cos(edge), 0.5 + 0.7 * math.sin(edge)]) * (WIDTH, HEIGHT)
        self._mid = rng.uniform(0.25, 0.75, 2) * (WIDTH, HEIGHT)
        self._to = np.array([rng.uniform(-0.2, 1.2), rng.choice([-0.2, 1.2])]) * (WIDTH, HEIGHT)
        self._beat = float(rng.uniform(7, 11))

    def lay(self, luma: Array, t: float) -> None:
        s = (t - self.what.start_s) / (self.what.end_s - self.what.start_s)
        at = (1 - s) ** 2 * self._from + 2 * s * (1 - s) * self._mid + s**2 * self._to
        at = at + 18 * np.array([math.sin(23 * s + self._beat), math.cos(31 * s)])
        flap = 0.55 + 0.45 * math.sin(2 * math.pi * self._beat * t)
        size = self._size * (0.8 + 0.4 * math.sin(3 * s))
        wings = _blob(int(size * (0.7 + 0.8 * flap)), int(size * 0.8))
        _add(luma, wings * (95 + 60 * flap), (float(at[0]), float(at[1])))
        _add(luma, _blob(int(size * 0.4), int(size * 0.55)) * 90, (float(at[0]), float(at[1]) + size * 0.1))


class Headlights:
    """The beam of a vehicle that itself stays out of the picture, sweeping over what stands there."""

    def __init__(self, what: Nuisance) -> None:
        rng = noise.generator("headlights", what.seed)
        self.what = what
        self._back = bool(rng.random() < 0.5)
        self._row = float(rng.uniform(0.36, 0.5)) * HEIGHT
        wide = int(rng.uniform(420, 640))
        beam = _blob(wide // 4, int(rng.uniform(200, 300)) // 4)
        self._beam = cv2.resize(beam, None, fx=4, fy=4)

    def lay(self, luma: Array, t: float) -> None:
        s = (t - self.what.start_s) / (self.what.end_s - self.what.start_s)
        across = 1 - s if self._back else s
        strength = math.sin(math.pi * s) ** 0.6
        x, y = (-0.2 + 1.4 * across**1.3) * WIDTH, self._row - 20 * math.sin(math.pi * s)
        height, width = self._beam.shape
        left, top = round(x - width / 2), round(y - height / 2)
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, WIDTH), min(top + height, HEIGHT)
        if x1 <= x0 or y1 <= y0:
            return
        beam = self._beam[y0 - top : y1 - top, x0 - left : x1 - left] * strength
        roi = luma[y0:y1, x0:x1]
        roi[:] = np.clip(roi * (1 + 2.4 * beam) + 14 * beam, 0, 255).astype(np.uint8)


class Weather:
    """All that a scenario's conditions lay on its frames."""

    def __init__(self, scenario: Scenario) -> None:
        self._lamp_off = [n for n in scenario.nuisances if n.kind == "lamp"]
        night, dusk = "night" in scenario.conditions, "dusk" in scenario.conditions
        self._seed = scenario.seed, scenario.scene.id
        self._noise = SensorNoise(scenario.seed, 3.4 if night else 2.2 if dusk else 1.3)
        self._rain = Rain(scenario.seed, night) if "rain" in scenario.conditions else None
        self._clouds = Clouds(scenario) if "clouds" in scenario.conditions and not night else None
        passing: list[Insect | Headlights] = []
        for nuisance in scenario.nuisances:
            if nuisance.kind == "insect":
                passing.append(Insect(nuisance))
            elif nuisance.kind == "headlights":
                passing.append(Headlights(nuisance))
        self._passing = passing

    def lamp_is_off(self, t: float) -> bool:
        """Whether the scene's lamp is off at `t`."""
        return any(n.start_s <= t < n.end_s for n in self._lamp_off)

    def lay(self, luma: Array, t: float) -> None:
        """Everything for time `t` onto `luma`, in place."""
        rng = noise.generator("frame", *self._seed, round(t * TICKS))
        if self._clouds is not None:
            self._clouds.lay(luma, t)
        for one in self._passing:
            if one.what.start_s <= t < one.what.end_s:
                one.lay(luma, t)
        if self._rain is not None:
            self._rain.lay(luma, rng)
        self._noise.lay(luma, rng)
