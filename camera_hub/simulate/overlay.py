"""The clock and the name that a camera writes into its own picture."""

from datetime import datetime, timedelta

import cv2
import numpy as np

from camera_hub.simulate.lettering import letters
from camera_hub.simulate.optics import Array

MARGIN = 18
CLOCK_PX, NAME_PX = 24, 26
BEGIN = {"day": (7, 31, 0), "dusk": (18, 9, 0), "night": (21, 46, 0)}


def _write(words: str, size: int) -> tuple[Array, Array]:
    """White words with a dark rim as (luma, opacity), float32; opacity 0..1."""
    white = letters(words, size)
    rim = cv2.dilate(white, np.ones((5, 5), np.uint8))
    rim = np.maximum(white, cv2.GaussianBlur(rim, (5, 5), 0) * 0.75)
    luma = np.where(rim > 0, 16 + 224 * white / np.maximum(rim, 1e-3), 16)
    return luma.astype(np.float32), np.asarray(rim, np.float32)


class Overlay:
    """Writes onto the luma of main frames."""

    def __init__(self, name: str, conditions: frozenset[str], seed: int) -> None:
        hour, minute, second = BEGIN[
            "night" if "night" in conditions else "dusk" if "dusk" in conditions else "day"
        ]
        self._begin = datetime(2025, 10, 1, hour, minute, second) + timedelta(
            days=seed % 60, minutes=seed * 7 % 40
        )
        self._name = _write(name, NAME_PX)
        self._clock: tuple[int, tuple[Array, Array]] | None = None

    def write(self, luma: Array, t: float) -> None:
        """Put both onto `luma` (height, width), in place."""
        second = int(t + 1e-6)
        if self._clock is None or self._clock[0] != second:
            now = self._begin + timedelta(seconds=second)
            self._clock = (second, _write(now.strftime("%d-%m-%Y  %H:%M:%S"), CLOCK_PX))
        height, width = luma.shape
        _blend(luma, self._clock[1], MARGIN, MARGIN - 10)
        words, _ = self._name
        _blend(luma, self._name, width - words.shape[1] - MARGIN, height - words.shape[0] - MARGIN + 14)


def _blend(luma: Array, words: tuple[Array, Array], left: int, top: int) -> None:
    value, opacity = words
    height, width = value.shape
    roi = luma[top : top + height, left : left + width]
    value, opacity = value[: roi.shape[0], : roi.shape[1]], opacity[: roi.shape[0], : roi.shape[1]]
    roi[:] = np.rint(roi * (1 - opacity) + value * opacity).astype(np.uint8)
