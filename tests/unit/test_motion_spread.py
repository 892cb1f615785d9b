"""The spread follows what is exceeded a fifth of the time, alike at every pace, within its bounds."""

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.motion.exact import EXACT
from camera_hub.motion.spread import LEAST_SPREAD, MOST_SPREAD, Spread

SHAPE = (40, 60)
NORMAL = EXACT["normal"]
LEAST, MOST = (int(NORMAL.least_tones + NORMAL.spreads * spread) for spread in (LEAST_SPREAD, MOST_SPREAD))


def taught(gaps: list[NDArray[np.uint8]], dt_s: float, where: NDArray[np.uint8] | None = None) -> Spread:
    spread = Spread(SHAPE, NORMAL)
    for n, gap in enumerate(gaps):
        spread.learn(gap, dt_s, (n + 1) * dt_s, where)
    return spread


def strays(count: int, deviation: float) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(4)
    return [np.abs(rng.normal(0, deviation, SHAPE)).astype(np.uint8) for _ in range(count)]


@pytest.mark.parametrize("deviation", [3, 8, 20])
@pytest.mark.parametrize("dt_s", [0.15, 0.2, 0.4])
def test_the_limit_is_made_of_what_is_exceeded_a_fifth_of_the_time(deviation: int, dt_s: float) -> None:
    limit = taught(strays(round(40 / dt_s), deviation), dt_s).limit.mean()
    assert limit == pytest.approx(NORMAL.least_tones + NORMAL.spreads * 1.28 * deviation, rel=0.12)


def test_it_stays_within_its_bounds() -> None:
    still, wild = np.zeros(SHAPE, np.uint8), np.full(SHAPE, 255, np.uint8)
    assert (taught([still] * 100, 0.2).limit == LEAST).all()
    # One step up and down at the upper bound is not worth more passes.
    assert taught([wild] * 100, 0.2).limit.min() >= MOST * 0.93


def test_what_may_not_teach_stays_as_it_is() -> None:
    where = np.zeros(SHAPE, np.uint8)
    where[:, :30] = 1
    limit = taught([np.full(SHAPE, 90, np.uint8)] * 60, 0.2, where).limit
    assert (limit[:, :30] > MOST * 0.9).all()
    assert (limit[:, 30:] == int(NORMAL.least_tones + NORMAL.spreads * 2.0)).all()


def test_a_short_disturbance_teaches_little() -> None:
    calm, loud = np.zeros(SHAPE, np.uint8), np.full(SHAPE, 200, np.uint8)
    limit = taught([calm] * 100 + [loud] * 3 + [calm] * 12, 0.2).limit
    assert (limit <= LEAST + 1).all()
