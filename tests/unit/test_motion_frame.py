"""The small picture: sides, tones, and shares of cells are what the detector relies on."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.motion.frame import AREA, CELL, TONES, WIDTH, cell_share, to_tone, working_size


@pytest.mark.parametrize(
    ("given_size", "small"),
    [
        ((1280, 720), (320, 180)),
        ((640, 360), (320, 180)),
        ((640, 480), (320, 240)),
        ((320, 180), (320, 180)),
        ((316, 210), (316, 208)),
        ((480, 854), (204, 368)),
        ((1, 1), (4, 4)),
    ],
)
def test_size(given_size: tuple[int, int], small: tuple[int, int]) -> None:
    assert working_size(*given_size) == small


@given(width=st.integers(1, 8000), height=st.integers(1, 8000))
def test_size_is_bounded_and_of_whole_cells(width: int, height: int) -> None:
    small = working_size(width, height)
    assert all(side >= CELL and side % CELL == 0 for side in small)
    assert small[0] <= WIDTH
    assert small[0] * small[1] <= AREA + CELL * (width + height)


def test_a_change_of_light_is_a_shift_of_tones() -> None:
    shifts = [int(TONES[2 * luma]) - int(TONES[luma]) for luma in range(40, 128, 8)]
    assert max(shifts) - min(shifts) <= 14
    assert TONES[0] == 0
    assert TONES[255] == 255
    assert (np.diff(TONES.astype(int)) >= 0).all()


def test_rows_may_be_padded_or_turned() -> None:
    luma = np.random.default_rng(1).integers(0, 256, (90, 160), np.uint8)
    wide = np.zeros((90, 192), np.uint8)
    wide[:, :160] = luma
    expected = to_tone(luma, (160, 88))
    assert (to_tone(wide[:, :160], (160, 88)) == expected).all()
    assert (to_tone(luma.T.copy().T, (160, 88)) == expected).all()


def test_cell_share_counts_pixels() -> None:
    mask = np.zeros((8, 12), np.uint8)
    mask[0:4, 4:8] = 255
    mask[4:6, 0:4] = 255
    assert cell_share(mask).tolist() == [[0, 255, 0], [128, 0, 0]]
