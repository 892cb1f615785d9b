"""From what differs to regions, and what each cell is used to.

Promises at most `MOST` regions, the largest first, in an order that depends on the picture
alone. Habits are how often a cell was different lately although nothing was believed there:
leaves, rain, flags, a written clock. They do not forbid a mover; they ask more of it.
"""

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.motion.background import Difference, Grid, active
from camera_hub.motion.frame import CELL

MOST = 24
HABIT_S = 20.0
HABIT_START_S = 2.0  # weight of the assumption that a new scene has no habits
AREA_OF_SHARE = CELL * CELL / 255.0  # px

EDGY = 32  # of 255: the share of a cell's pixels with an edge, from which on the cell has one

_AROUND = np.ones((3, 3), np.uint8)
_NEAR = np.ones((5, 5), np.uint8)


@dataclass(frozen=True)
class Region:
    """What differs and hangs together. Lengths in px of the small picture."""

    left: float
    top: float
    right: float
    bottom: float
    x: float  # centre of mass
    y: float
    area: float  # different px
    structured: float  # share of them with an edge, 0..1
    moving: float  # px that changed a moment ago
    strength: float  # mean difference, tones
    habit: float  # 0..1, how usual it is that its cells differ
    cells: NDArray[np.bool_]  # the whole grid

    @property
    def size(self) -> float:
        """Side of a square as large as the box."""
        return math.sqrt((self.right - self.left) * (self.bottom - self.top))


class Habits:
    """How often each cell differs without a mover."""

    def __init__(self, grid: tuple[int, int]) -> None:
        self.usual = np.zeros(grid, np.float64)
        self._learned_s = HABIT_START_S

    def learn(self, different: Grid | None, held: NDArray[np.bool_] | None, dt_s: float) -> None:
        """Take in `dt_s` seconds of what differs, None being nothing; `held` cells carry movers and
        teach nothing."""
        self._learned_s = min(self._learned_s + dt_s, HABIT_S)
        rate = min(1.0, dt_s / self._learned_s)
        if different is None and held is None:
            self.usual *= 1 - rate
            return
        counts = np.zeros(self.usual.shape, np.uint8) if different is None else active(different)
        step = (counts - self.usual) * rate  # a step of its own: fused with the sum, it would round otherwise
        if held is not None:
            step[held] = 0
        self.usual += step


def find_regions(seen: Difference, habits: Habits, least_area: float) -> list[Region]:
    """The regions of at least `least_area` px, largest first."""
    # Light has few edges, and where a mover comes in its light, only what is near an edge is the mover.
    near_edge = cv2.dilate(cv2.threshold(seen.structured, EDGY - 1, 1, cv2.THRESH_BINARY)[1], _NEAR)
    counts = np.asarray(cv2.bitwise_and(active(seen.different), near_edge), np.uint8)
    if not cv2.countNonZero(counts):
        return []
    count, labels = cv2.connectedComponents(cv2.dilate(counts, _AROUND), connectivity=8, ltype=cv2.CV_32S)
    labels *= counts
    at = np.flatnonzero(labels)
    of = labels.ravel()[at]
    weight = seen.different.ravel()[at].astype(np.float64)
    area = np.bincount(of, weight, count)
    enough = np.flatnonzero(area >= least_area / AREA_OF_SHARE).tolist()
    if not enough:
        return []
    rows, columns = np.divmod(at, labels.shape[1])

    def total(values: NDArray[Any]) -> NDArray[np.float64]:
        return np.bincount(of, values, count).astype(np.float64, copy=False)

    x, y = total(weight * (columns + 0.5)), total(weight * (rows + 0.5))
    structured, moving = total(seen.structured.ravel()[at]), total(seen.moving.ravel()[at])
    strength, habit = total(seen.strength.ravel()[at]), total(habits.usual.ravel()[at])
    cells = np.bincount(of, None, count)
    enough.sort(key=lambda n: (-area[n], x[n], y[n]))
    found = []
    for n in enough[:MOST]:
        shape = labels == n
        left, top, width, height = cv2.boundingRect(shape.view(np.uint8))
        found.append(
            Region(
                left=float(left * CELL),
                top=float(top * CELL),
                right=float((left + width) * CELL),
                bottom=float((top + height) * CELL),
                x=float(x[n] / area[n] * CELL),
                y=float(y[n] / area[n] * CELL),
                area=float(area[n] * AREA_OF_SHARE),
                structured=float(structured[n] / area[n]),
                moving=float(moving[n] * AREA_OF_SHARE),
                strength=float(strength[n] / cells[n]),
                habit=float(habit[n] / cells[n]),
                cells=shape,
            )
        )
    return found
