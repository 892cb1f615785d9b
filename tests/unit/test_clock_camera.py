"""The clock in the pictures of `benchmarks.clock_camera`."""

import time

import numpy as np
import pytest

from benchmarks import clock_camera


@pytest.mark.parametrize("size", [(360, 640), (1080, 1920)])
def test_a_picture_tells_its_age_by_its_clock(size: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = 5 * clock_camera.WRAPS_MS + 20  # it wrapped a moment ago
    monkeypatch.setattr(time, "time_ns", lambda: now_ms * 1_000_000)
    luma = np.full(size, 128, np.uint8)
    assert clock_camera.age_ms(luma) is None
    for age in (0, 15, 300, 4_000):
        clock_camera.draw(luma, now_ms - age)
        assert clock_camera.age_ms(luma) == age


def test_a_clock_that_is_damaged_is_not_read() -> None:
    luma = np.full((360, 640), 128, np.uint8)
    clock_camera.draw(luma, time.time_ns() // 1_000_000)
    luma[:, :20] = 255 - luma[:, :20]
    assert clock_camera.age_ms(luma) is None
