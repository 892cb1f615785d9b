"""From the decoder's luma plane to the small picture that the detector looks at.

Promises a contiguous 8-bit picture of about 320 px width whose sides are multiples of `CELL`,
on a scale where a change of light is a shift: twice the light adds about the same everywhere.
Relies on nothing but its arguments; the same input gives the same output on any thread count.
"""

import math

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

CELL = 4
"""Side in px of the small squares that regions and habits are counted in."""

WIDTH = 320  # px; a person who is 8 px tall here still is one
AREA = 320 * 240  # px; keeps upright pictures as cheap as wide ones
TONE_KNEE = 24.0  # luma below which the scale is nearly linear, so that the noise of black is not blown up


def working_size(width: int, height: int) -> tuple[int, int]:
    """(width, height) in px of the small picture for a picture of `width` x `height` px."""
    scale = min(1.0, WIDTH / width, math.sqrt(AREA / (width * height)))
    return _cells(width * scale), _cells(height * scale)


def _cells(length: float) -> int:
    return max(CELL, int(length + 1e-6) // CELL * CELL)


def _tone_table() -> NDArray[np.uint8]:
    # Number by number: NumPy's own logarithm depends on the processor in its last bit.
    white = math.log1p(255 / TONE_KNEE)
    return np.array([round(255 * math.log1p(luma / TONE_KNEE) / white) for luma in range(256)], np.uint8)


TONES = _tone_table()


def to_tone(luma: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`luma` (H, W; rows may have padding) as tones of `size` (width, height) px.

    Scaling is by area in whole steps, so that sensor noise and compression average out, and
    linear for the rest (by area it would cost four times as much); tones are logarithmic
    above the knee, so that a lamp's or cloud's factor becomes a shift that textures survive.
    """
    if luma.strides[-1] != 1 or luma.strides[0] < luma.shape[1]:
        luma = np.ascontiguousarray(luma)
    small = _thinned(luma, size)
    if (small.shape[1], small.shape[0]) != size:
        small = cv2.resize(small, size, interpolation=cv2.INTER_LINEAR)
    small = cv2.blur(small, (3, 3))
    return np.asarray(cv2.LUT(small, TONES), np.uint8)


def _thinned(luma: NDArray[np.uint8], size: tuple[int, int]) -> MatLike:
    """`luma` by area to the smallest whole fraction that is no smaller than `size`."""
    height, width = luma.shape
    across, down = max(1, width // size[0]), max(1, height // size[1])
    if across == down == 1:
        return luma
    whole = luma[: height // down * down, : width // across * across]
    return cv2.resize(whole, (width // across, height // down), interpolation=cv2.INTER_AREA)


def cell_share(picture: MatLike) -> NDArray[np.uint8]:
    """The mean (0..255) of each cell, as (h / CELL, w / CELL): of a 0/255 mask, the share of set pixels.

    Halved twice, which is several times as fast as at once, and rounds by at most one more.
    """
    height, width = picture.shape
    half = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    quarter = cv2.resize(half, (width // CELL, height // CELL), interpolation=cv2.INTER_AREA)
    return np.asarray(quarter, np.uint8)
