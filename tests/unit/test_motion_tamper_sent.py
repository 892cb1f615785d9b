"""What the detector tells of tampering can be sent: its numbers are plain ones."""

import cv2
import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.model import TamperCause
from camera_hub.motion import Closed, MotionDetector, Opened, Report

Picture = NDArray[np.float64]
FPS = 5
FROM, TO, END = 45, 95, 125  # frames


def scene(seed: int) -> Picture:
    """Boxes on rough ground."""
    rng = np.random.default_rng(seed)
    picture = np.full((240, 320), 120.0)
    for _ in range(30):
        x, y = int(rng.integers(0, 300)), int(rng.integers(0, 220))
        picture[y : y + int(rng.integers(10, 60)), x : x + int(rng.integers(10, 60))] = rng.uniform(40, 210)
    return np.asarray(picture + 30 * cv2.GaussianBlur(rng.normal(0, 1, picture.shape), (0, 0), 1.5))


SCENE = scene(1)


def glare() -> Picture:
    y, x = np.mgrid[0:240, 0:320]
    return np.asarray(0.5 * SCENE + 400 * np.exp(-(np.hypot(x - 150, y - 120) ** 2) / 110**2) + 90)


@pytest.mark.parametrize(
    ("shown", "cause"),
    [
        (np.full_like(SCENE, 60.0), TamperCause.COVERED),
        (glare(), TamperCause.BLINDED),
        (scene(2), TamperCause.TURNED),
        (None, TamperCause.FROZEN),
    ],
    ids=lambda value: str(value) if isinstance(value, TamperCause) else "",
)
def test_reports_survive_the_way_out(shown: Picture | None, cause: TamperCause) -> None:
    """`shown` is what the camera shows meanwhile; None: always the same picture."""
    rng = np.random.default_rng(3)
    detector = MotionDetector()
    reports: list[Report] = []
    luma = np.zeros((240, 320), np.uint8)
    for n in range(END):
        spoiled = FROM <= n < TO
        if not (spoiled and shown is None):
            picture = SCENE if shown is None or not spoiled else shown
            luma = np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype(np.uint8)
        reports += detector.process(luma, round(n / FPS * 1e6))
    told = [report for report in reports if report.cause is cause]
    assert [type(report) for report in told] == [Opened, Closed]
    for report in told:
        sent = msgspec.msgpack.encode(report)
        assert msgspec.msgpack.decode(sent, type=type(report)) == report
