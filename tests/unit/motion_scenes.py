"""Scenes made in a test: a textured ground, and what moves on it, as luma frames with times."""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from camera_hub.motion import Closed, MotionDetector, Opened, Report

Luma = NDArray[np.uint8]
FPS = 12
SIZE = (320, 180)  # (width, height) px


def ground(seed: int = 1, size: tuple[int, int] = SIZE) -> NDArray[np.float64]:
    """A quiet scene: soft blotches between dark and bright."""
    rng = np.random.default_rng(seed)
    width, height = size
    coarse = rng.uniform(60, 160, (height // 20 + 2, width // 20 + 2))
    return coarse.repeat(20, axis=0).repeat(20, axis=1)[:height, :width]


def film(
    seconds: float,
    paint: Callable[[NDArray[np.float64], float], None] = lambda picture, t_s: None,
    *,
    fps: float = FPS,
    noise: float = 1.5,
    seed: int = 1,
    size: tuple[int, int] = SIZE,
) -> Iterator[tuple[Luma, int]]:
    """Frames of the ground with sensor noise; `paint(picture, t_s)` draws on each before the noise."""
    rng = np.random.default_rng(seed + 1000)
    still = ground(seed, size)
    for n in range(round(seconds * fps)):
        picture = still.copy()
        paint(picture, n / fps)
        picture += rng.normal(0, noise, picture.shape)
        yield np.clip(picture, 0, 255).astype(np.uint8), round(n / fps * 1e6)


def square(
    picture: NDArray[np.float64], x: float, foot: float, width: float = 14, height: float = 30
) -> None:
    """A dark figure with a light stripe whose foot stands at (`x`, `foot`) px."""
    left, top = round(x - width / 2), round(foot - height)
    picture[max(0, top) : round(foot), max(0, left) : max(0, round(left + width))] = 25
    picture[max(0, top) : round(foot), max(0, round(x)) : max(0, round(x) + 3)] = 200


def watch(detector: MotionDetector, frames: Iterator[tuple[Luma, int]]) -> list[Report]:
    """All that the detector tells of `frames`, with the end of the stream."""
    reports: list[Report] = []
    t_us = 0
    for luma, t_us in frames:
        reports += detector.process(luma, t_us)
    return reports + detector.flush(t_us)


def spans(reports: list[Report]) -> list[tuple[float, float]]:
    """(start, end) of every event in seconds."""
    return [(report.start_us / 1e6, report.end_us / 1e6) for report in reports if isinstance(report, Closed)]


def opened(reports: list[Report]) -> list[Opened]:
    """The first report of every event."""
    return [report for report in reports if isinstance(report, Opened)]
