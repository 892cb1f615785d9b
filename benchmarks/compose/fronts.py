"""What stands before movers: a bush from the real foliage, or what the plate has itself."""

import cv2
import numpy as np

from benchmarks.compose.footage import PLATES, Box, Footage
from benchmarks.compose.geometry import View
from benchmarks.compose.light import smooth_noise
from benchmarks.compose.movers import Front


def of_plate(view: View, box: Box) -> Front:
    """A thing in the plate (box in fractions): it is there already, and only hides."""
    left, top, right, low = view.box(box)
    w, h = max(int(right - left), 2), max(int(low - top), 2)
    alpha = np.ones((h, w), np.float32)
    alpha[:, 0] = alpha[:, -1] = 0.5
    return Front((left, top, right, low), low, np.zeros((0, 0, 3), np.uint8), alpha)


def bush(footage: Footage, view: View, chance: np.random.Generator) -> Front:
    """A bush between the near and the far feet, higher than a person there."""
    depth = float(chance.uniform(0.25, 0.8))
    foot, tall = view.foot(depth), view.tall(depth)
    h = int(tall * chance.uniform(1.15, 1.5))
    w = int(max(h * chance.uniform(0.7, 1.3), 0.08 * view.size[0]))
    still = footage.still(PLATES["foliage"])
    sh, sw = still.shape[:2]
    x0, y0 = int(sw * chance.uniform(0.42, 0.5)), int(sh * chance.uniform(0.12, 0.22))
    leaves = cv2.resize(
        still[y0 : y0 + int(0.3 * sh), x0 : x0 + int(0.45 * sw)], (w, h), interpolation=cv2.INTER_AREA
    )
    leaves = cv2.convertScaleAbs(leaves, alpha=1.35, beta=8)
    x, y = np.meshgrid(np.linspace(-1, 1, w), np.linspace(-1, 1, h))
    ragged = smooth_noise(chance, (h, w), max(w / 28, 1.2)) * 0.16 + smooth_noise(chance, (h, w), 1.0) * 0.07
    shape = 1 - np.sqrt(np.abs(1.35 * x) ** 2.2 + np.clip(-1.3 * y, 0, 2) ** 2.2) + ragged
    shape = np.where(y > 0.9, np.minimum(shape, (1 - y) * 6 + 0.3 * ragged), shape)
    alpha = np.clip(shape * 9, 0, 1).astype(np.float32)
    left = float(chance.uniform(-0.2 * w, view.size[0] - 0.8 * w))
    return Front(
        (left, foot - h, left + w, foot),
        foot + 1,
        np.asarray(leaves, np.uint8),
        cv2.GaussianBlur(alpha, (0, 0), 0.7),
    )
