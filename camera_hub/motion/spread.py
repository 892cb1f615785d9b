"""How much each pixel usually strays from its mean, and how much it must differ to count.

Promises a spread that is the deviation which a pixel exceeds a fifth of the time, and limits
made of it. It goes up and down by factors, not by how far a pixel strayed: a mover or a lamp
that passes teaches little, a leaf that comes again and again teaches all. Hence its logarithm is
kept: a factor is a step there, and a byte is fine enough (1.6 % a step).
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.motion.exact import Exact

SPREAD_AT = 0.8  # the spread is the deviation that this share of the time stays within
SPREAD_UP = 0.7  # a second; the spread's growth while it is exceeded
LEAST_SPREAD, MOST_SPREAD = 0.7, 40.0  # tones
FIRST_SPREAD = 2.0  # tones
EDGE_SHARE = 0.7  # an edge takes a few pixels, and shows less over three than the whole contrast
START_S = 1.0  # first look at a scene: all is learned faster

Picture = NDArray[np.uint8]
"""One byte a pixel of the small picture."""

_STEP = math.log(MOST_SPREAD / LEAST_SPREAD) / 255
_SPREADS = np.array([LEAST_SPREAD * math.exp(_STEP * step) for step in range(256)])
# A whole number of tones exceeds a spread when it exceeds the whole tones of it.
_WHOLE = np.floor(_SPREADS).astype(np.uint8)


class Spread:
    """The spread of every pixel."""

    def __init__(self, shape: tuple[int, ...], exact: Exact) -> None:
        first = math.ceil(math.log(FIRST_SPREAD / LEAST_SPREAD) / _STEP)
        self._log = np.full(shape, first, np.uint8)  # in steps from LEAST_SPREAD
        self._limits = np.minimum(exact.least_tones + exact.spreads * _SPREADS, 255).astype(np.uint8)
        self.limit: Picture = self._limits[self._log]
        """What differs by more than this, in tones, differs."""
        self._edge_limits = (self._limits * EDGE_SHARE).astype(np.uint8)
        self.edge_limit: Picture = self._edge_limits[self._log]
        """What differs from its neighbours by more than this, in tones, is an edge."""
        self._exceeded = np.empty(shape, np.uint8)
        self._up = self._down = 0.0  # what has been owed since the last whole step

    def learn(self, gap: Picture, dt_s: float, learned_s: float, where: Picture | None = None) -> None:
        """Take in `dt_s` seconds of pixels that are `gap` tones from their mean.

        `learned_s` is how long all has been learned; `where` is not 0 where a pixel may teach.
        """
        hurry = 1 + 3 * START_S / (START_S + learned_s)
        self._up += SPREAD_UP * dt_s * hurry / _STEP
        self._down += SPREAD_UP * dt_s * hurry / _STEP * (1 - SPREAD_AT) / SPREAD_AT
        up, down = int(self._up), int(self._down)
        self._up -= up
        self._down -= down
        exceeded = self._exceeded
        cv2.LUT(self._log, _WHOLE, exceeded)
        cv2.compare(gap, exceeded, cv2.CMP_GT, exceeded)
        if where is not None:
            cv2.min(exceeded, where, exceeded)
        # First up, so that the lower bound does not swallow the way up. OpenCV's types know no scalars.
        cv2.add(self._log, up + down, self._log, exceeded)  # type: ignore[call-overload]
        cv2.subtract(self._log, down, self._log, where)  # type: ignore[call-overload]
        cv2.LUT(self._log, self._limits, self.limit)
        cv2.LUT(self._log, self._edge_limits, self.edge_limit)
