"""From what differs to regions, and what each cell is used to.

Promises at most `MOST` regions, the largest first, in an order that depends on the picture
alone. Habits are how often a cell was different lately although nothing was believed there:
leaves, rain, flags, a written clock. They do not forbid a mover; they ask more of it.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.motion.background import Difference, Grid
from camera_hub.motion.frame import CELL

MOST = 24
ACTIVE = 64  # of 255: a cell counts when a quarter of it differs
HABIT_S = 20.0
HABIT_START_S = 2.0  # weight of the assumption that a new scene has no habits


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
        return float(np.sqrt((self.right - self.left) * (self.bottom - self.top)))


class Habits:
    """How often each cell differs without a mover."""

    def __init__(self, grid: tuple[int, int]) -> None:
        self.usual = np.zeros(grid, np.float32)
        self._learned_s = HABIT_START_S

    def learn(self, different: Grid, held: NDArray[np.bool_], dt_s: float) -> None:
        """Take in `dt_s` seconds of what differs; `held` cells carry movers and teach nothing."""
        self._learned_s = min(self._learned_s + dt_s, HABIT_S)
        rate = np.float32(min(1.0, dt_s / self._learned_s))
        active = (different >= ACTIVE).astype(np.float32)
        self.usual += np.where(held, np.float32(0), rate) * (active - self.usual)


def find_regions(seen: Difference, habits: Habits, least_area: float) -> list[Region]:
    """The regions of at least `least_area` px, largest first."""
    active = (seen.different >= ACTIVE).astype(np.uint8)
    if not active.any():
        return []
    joined = cv2.dilate(active, np.ones((3, 3), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=8, ltype=cv2.CV_32S)
    labels = labels * active
    rows, columns = np.nonzero(labels)
    of = labels[rows, columns]
    per_cell = CELL * CELL / 255.0

    def total(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(of, weights=values, minlength=count).astype(np.float64)

    weight = seen.different[rows, columns].astype(np.float64)
    area = total(weight)
    x = total(weight * (columns + 0.5))
    y = total(weight * (rows + 0.5))
    structured = total(seen.structured[rows, columns].astype(np.float64))
    moving = total(seen.moving[rows, columns].astype(np.float64)) * per_cell
    strength = total(seen.strength[rows, columns].astype(np.float64))
    habit = total(habits.usual[rows, columns].astype(np.float64))
    cells = np.bincount(of, minlength=count)
    enough = [n for n in range(1, count) if area[n] * per_cell >= least_area]
    enough.sort(key=lambda n: (-area[n], x[n], y[n]))
    found = []
    for n in enough[:MOST]:
        mine = of == n
        its_rows, its_columns = rows[mine], columns[mine]
        shape = np.zeros(active.shape, bool)
        shape[its_rows, its_columns] = True
        found.append(
            Region(
                left=float(its_columns.min() * CELL),
                top=float(its_rows.min() * CELL),
                right=float((its_columns.max() + 1) * CELL),
                bottom=float((its_rows.max() + 1) * CELL),
                x=float(x[n] / area[n] * CELL),
                y=float(y[n] / area[n] * CELL),
                area=float(area[n] * per_cell),
                structured=float(structured[n] / area[n]),
                moving=float(moving[n]),
                strength=float(strength[n] / cells[n]),
                habit=float(habit[n] / cells[n]),
                cells=shape,
            )
        )
    return found
