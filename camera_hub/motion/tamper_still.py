"""Whether the picture stands still: a camera or recorder that repeats its last one.

A sensor's picture is never twice the same, and what an encoder makes of it seldom is. So what
counts is not that nothing changes, but that nothing does where this camera's picture always did,
over seconds and keyframes: by how much a picture differs at least from those of the last seconds,
and how much of it changes from one look to the next. Where that has ever been little, because the
scene is clean or the encoder leaves out what is small, nothing is said.

Promises whole numbers compared, so that they are the same anywhere.
"""

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

OLD_US = 900_000  # pictures that one is compared with are older than this
OLDEST_US = 5_200_000  # ... and not older than this, where there are others
KEPT = 18
LOOKS = 10  # over which stillness is judged
USUAL_LOOKS = 8  # after which the usual is known
LIVELY = 0.3  # tones by which a picture usually differs at least from all recent ones
STIRRING = 0.05  # share of the picture that usually changes from look to look
REPEATED = 0.4  # of the usual difference or less: repeated
STILL = 0.2  # of the usual share that changes, or less ...
STILL_MOST = 0.05  # ... and less than this
GROW = 1.002  # the least that was ever seen is forgotten by this factor a look

Picture = NDArray[np.uint8]


class Stillness:
    """What changes from look to look."""

    def __init__(self) -> None:
        self._pictures: deque[tuple[int, Picture]] = deque(maxlen=KEPT)
        self._differs: deque[float] = deque(maxlen=LOOKS)  # least difference from recent pictures, in tones
        self._stirs: deque[float] = deque(maxlen=LOOKS)  # share that changed since the last look
        self._recent: deque[tuple[float, float]] = deque(maxlen=LOOKS)  # too new to be usual
        self._usual_differs = self._usual_stirs = 1e9
        self._looks = 0

    def look(self, half: Picture, t_us: int) -> bool:
        """Whether the picture has stood still over the last looks, as it never did before."""
        if not self._pictures:
            self._pictures.append((t_us, half))
            return False
        last_us, last = self._pictures[-1]
        stirs = float(np.count_nonzero(cv2.absdiff(half, last)) / half.size)
        old = [picture for at_us, picture in self._pictures if OLD_US <= t_us - at_us <= OLDEST_US]
        if not old and t_us - last_us >= OLD_US:
            old = [last]  # asleep, there are only keyframes
        self._pictures.append((t_us, half))
        if not old:
            return False
        self._stirs.append(stirs)
        self._differs.append(min(cv2.norm(half, picture, cv2.NORM_L1) for picture in old) / half.size)
        if len(self._differs) < LOOKS:
            return False
        differs, stirs = _middle(self._differs), _middle(self._stirs)
        if (
            self._looks >= USUAL_LOOKS
            and self._usual_differs >= LIVELY
            and self._usual_stirs >= STIRRING
            and differs <= REPEATED * self._usual_differs
            and stirs <= min(STILL * self._usual_stirs, STILL_MOST)
        ):
            self._recent.clear()
            return True
        if len(self._recent) == LOOKS:
            usual_differs, usual_stirs = self._recent[0]
            self._usual_differs = min(self._usual_differs * GROW, usual_differs)
            self._usual_stirs = min(self._usual_stirs * GROW, usual_stirs)
            self._looks += 1
        self._recent.append((differs, stirs))
        return False


def _middle(numbers: deque[float]) -> float:
    return sorted(numbers)[len(numbers) // 2]
