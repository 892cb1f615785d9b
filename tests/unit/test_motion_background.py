"""The background learns noise and light, forgets nothing that moves, and knows a hole from a thing."""

import numpy as np
from numpy.typing import NDArray

from camera_hub.motion.background import Background
from camera_hub.motion.exact import EXACT
from camera_hub.motion.frame import CELL

SHAPE = (80, 120)
GRID = (SHAPE[0] // CELL, SHAPE[1] // CELL)
NOBODY = np.zeros(GRID, bool)
STEP_US = 150_000


def scene(seed: int = 3) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    return rng.integers(60, 180, (8, 12)).repeat(10, axis=0).repeat(10, axis=1).astype(np.uint8)


def begin(tone: NDArray[np.uint8]) -> Background:
    return Background(tone, 0, EXACT["normal"], np.ones(GRID, bool))


def teach(background: Background, tones: list[NDArray[np.uint8]], held: NDArray[np.bool_] = NOBODY) -> None:
    for n, tone in enumerate(tones):
        background.learn(tone, (n + 1) * STEP_US, STEP_US / 1e6, background.compare(tone), held)


def with_thing(tone: NDArray[np.uint8]) -> NDArray[np.uint8]:
    other = tone.copy()
    other[20:44, 40:52] = 250
    other[26:38, 44:48] = 5
    return other


def test_a_thing_differs_where_it_is_and_has_edges() -> None:
    still = scene()
    background = begin(still)
    seen = background.compare(with_thing(still))
    assert seen.different[5:11, 10:13].min() > 128
    assert seen.different.astype(int).sum() == seen.different[5:11, 10:13].astype(int).sum()
    assert seen.structured[5:11, 10:13].mean() > 64
    assert (background.compare(still).different == 0).all()


def test_smooth_light_is_taken_out() -> None:
    still = scene()
    background = begin(still)
    slope = np.linspace(15, 45, SHAPE[1])
    lit = (still + slope).astype(np.uint8)
    seen = background.compare(lit)
    assert (seen.different > 64).mean() < 0.02
    assert seen.light is not None
    assert seen.light.mean() > 20


def test_noise_becomes_usual() -> None:
    rng = np.random.default_rng(5)
    still = scene()
    background = begin(still)
    noisy = [np.clip(still + rng.normal(0, 15, SHAPE), 0, 255).astype(np.uint8) for _ in range(60)]
    at_first = background.compare(noisy[0]).different.mean()
    teach(background, noisy)
    assert background.compare(noisy[-1]).different.mean() < at_first / 8


def test_what_is_held_stays_different_and_what_is_not_fades() -> None:
    still = scene()
    thing = with_thing(still)
    held = np.zeros(GRID, bool)
    held[5:11, 10:13] = True
    waits, fades = begin(still), begin(still)
    teach(waits, [still] * 10 + [thing] * 100, held)
    teach(fades, [still] * 10 + [thing] * 100)
    assert waits.compare(thing).different[5:11, 10:13].mean() > 128
    assert fades.compare(thing).different[5:11, 10:13].mean() < 20


def test_the_mean_never_runs_off() -> None:
    rng = np.random.default_rng(7)
    still = scene()
    background = begin(still)
    for n in range(200):
        light = 1 + 0.4 * np.sin(n / 9 + np.linspace(0, 6, SHAPE[1]))
        tone = np.clip(still * light + rng.normal(0, 4, SHAPE), 0, 255).astype(np.uint8)
        teach(background, [tone])
    calm = still.copy()
    teach(background, [calm] * 60)
    assert background.compare(calm).different.mean() < 3


def test_absorbed_is_background_at_once() -> None:
    still = scene()
    thing = with_thing(still)
    background = begin(still)
    background.absorb(thing, background.compare(thing).different > 0)
    assert background.compare(thing).different.mean() < 1


def test_a_thing_brings_edges_and_a_hole_loses_them() -> None:
    smooth = np.full(SHAPE, 120, np.uint8)
    thing = with_thing(smooth)
    came, left = begin(smooth), begin(thing)
    assert came.edge_gain(thing, came.compare(thing).different > 0) > 0.15
    assert left.edge_gain(smooth, left.compare(smooth).different > 0) < -0.15
