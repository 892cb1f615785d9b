"""Words as masks, in OpenCV's own font, so that no font has to be installed.

Capitals only: of that font's small letters some Vietnamese ones are drawn wrong.
"""

import cv2
import numpy as np

from camera_hub.simulate.optics import Array

WEIGHT = 400  # at others, the letters that a fallback font lends stand out


def letters(words: str, size: int, bold: int = 1) -> Array:
    """The words in capitals as a mask (2 * size, width) float32 0..1; `size` px high, `bold` px thicker."""
    face = cv2.FontFace("sans")
    ink = np.zeros((size * 2, len(words) * size + 2 * size, 3), np.uint8)
    for right in range(bold + 1):
        cv2.putText(ink, words.upper(), (8 + right, int(size * 1.4)), (255, 255, 255), face, size, WEIGHT)
    mask = ink[..., 0].astype(np.float32) / 255
    used = np.flatnonzero(mask.max(axis=0) > 0.02)
    return np.asarray(mask[:, : int(used[-1]) + 9 if len(used) else 1])
