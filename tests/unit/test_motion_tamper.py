"""A camera that is interfered with is told, by cause; light, weather and what passes is not."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from camera_hub.model import EventKind, TamperCause
from camera_hub.model import Zone as ZoneOf
from camera_hub.motion import Closed, MotionDetector, MotionSettings, Opened, Report
from tests.unit.motion_scenes import square

Picture = NDArray[np.float64]
Spoil = Callable[[Picture, float], Picture]
"""The scene's picture, and seconds since it began (0 at first), to what the camera shows."""

SIZE = (640, 360)
FPS = 6
START_S, LONG_S, AFTER_S = 9.0, 12.0, 6.0


def yard(seed: int, size: tuple[int, int] = SIZE) -> Picture:
    """A scene with walls, windows, a path and rough ground."""
    rng = np.random.default_rng(seed)
    width, height = size
    picture = np.full((height, width), 120.0)
    picture[: height // 3] = 190
    for _ in range(40):
        x, y = int(rng.integers(0, width)), int(rng.integers(0, height))
        w, h = int(rng.integers(12, width // 5)), int(rng.integers(12, height // 4))
        picture[y : y + h, x : x + w] = rng.uniform(40, 220)
    rough = cv2.GaussianBlur(rng.normal(0, 1, (height, width)), (0, 0), 2.0)
    return np.asarray(cv2.GaussianBlur(picture + 40 * rough, (0, 0), 0.8))


SCENE = yard(1)
ELSEWHERE = yard(2)


def tell(
    spoil: Spoil,
    *,
    scene: Picture = SCENE,
    start_s: float = START_S,
    long_s: float = LONG_S,
    after_s: float = AFTER_S,
    noise: float = 2.0,
    fps: float = FPS,
    masks: tuple[ZoneOf, ...] = (),
) -> list[Report]:
    """All reports of a scene that is spoiled from `start_s` on for `long_s`."""
    rng = np.random.default_rng(7)
    detector = MotionDetector(MotionSettings(masks=masks))
    reports: list[Report] = []
    t_us = 0
    for n in range(round((start_s + long_s + after_s) * fps)):
        t_s = n / fps
        picture = scene
        if start_s <= t_s < start_s + long_s:
            picture = spoil(scene, t_s - start_s)
        grain = rng.normal(0, noise, picture.shape) if noise else 0.0
        t_us = round(t_s * 1e6)
        reports += detector.process(np.clip(picture + grain, 0, 255).astype(np.uint8), t_us)
    return reports + detector.flush(t_us)


def tampers(reports: list[Report]) -> list[Closed]:
    return [r for r in reports if isinstance(r, Closed) and r.kind is EventKind.TAMPER]


def covered(brightness: float, share: float = 1.0) -> Spoil:
    def spoil(picture: Picture, t_s: float) -> Picture:
        spoiled = picture.copy()
        spoiled[:, : round(min(1.0, t_s / 0.7) * share * picture.shape[1])] = brightness
        return spoiled

    return spoil


def blinded(picture: Picture, _: float) -> Picture:
    height, width = picture.shape
    y, x = np.mgrid[0:height, 0:width]
    glare = 400 * np.exp(-(np.hypot(x - 0.45 * width, y - 0.5 * height) ** 2) / (0.3 * width) ** 2) + 90
    return np.asarray(0.6 * picture + glare)


def defocused(picture: Picture, t_s: float) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.5 + min(t_s, 3.0) * 3.2))


def turned(picture: Picture, t_s: float) -> Picture:
    at = round(min(1.0, t_s / 2.0) * picture.shape[1])
    return np.hstack([picture[:, at:], ELSEWHERE[:, :at]])


def swung(picture: Picture, _: float) -> Picture:
    """It looks a quarter of the picture aside."""
    return np.roll(picture, picture.shape[1] // 4, axis=1)


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (covered(12), TamperCause.COVERED),
        (covered(130), TamperCause.COVERED),
        (covered(200), TamperCause.COVERED),
        (covered(60, share=0.75), TamperCause.COVERED),
        (blinded, TamperCause.BLINDED),
        (defocused, TamperCause.DEFOCUSED),
        (turned, TamperCause.TURNED),
        (swung, TamperCause.TURNED),
    ],
)
def test_it_is_told_within_ten_seconds_with_its_cause_and_cleared(spoil: Spoil, cause: TamperCause) -> None:
    reports = tell(spoil)
    [told] = [r for r in reports if isinstance(r, Opened) and r.kind is EventKind.TAMPER]
    [closed] = tampers(reports)
    assert told.cause is closed.cause is cause
    assert START_S - 0.2 <= told.start_us / 1e6 < START_S + 4
    assert told.t_us / 1e6 < START_S + 8
    assert closed.end_us / 1e6 == pytest.approx(START_S + LONG_S, abs=1.0)
    assert type(told.score) is float
    assert 0.3 < told.score <= 1
    assert told.best
    assert (told.path, told.zones) == ((), ())


def test_the_box_is_what_is_covered() -> None:
    [closed] = tampers(tell(covered(60, share=0.75)))
    x, y, width, height = closed.box
    assert (x, y, height) == (0, 0, 1)
    assert width == pytest.approx(0.75, abs=0.1)


def test_a_picture_that_stands_still_where_it_always_changed() -> None:
    rng = np.random.default_rng(3)
    detector = MotionDetector()
    reports: list[Report] = []
    still = np.clip(SCENE + rng.normal(0, 3, SCENE.shape), 0, 255).astype(np.uint8)
    for n in range(240):
        moving = np.clip(SCENE + rng.normal(0, 3, SCENE.shape), 0, 255).astype(np.uint8)
        reports += detector.process(still if 90 <= n < 180 else moving, round(n / FPS * 1e6))
    [closed] = tampers(reports)
    assert closed.cause is TamperCause.FROZEN
    assert 15 <= closed.start_us / 1e6 < 25
    assert closed.end_us / 1e6 == pytest.approx(30, abs=3.5)


def test_a_clean_scene_that_comes_to_rest_does_not_stand_still() -> None:
    def restless(picture: Picture, t_s: float) -> Picture:
        spoiled = picture.copy()
        square(spoiled, 80 + 20 * t_s, 250, 40, 90)
        return spoiled

    assert tampers(tell(restless, start_s=0.5, long_s=12, after_s=20, noise=0)) == []


def gained(factor: float) -> Spoil:
    return lambda picture, t_s: picture * factor


def infrared(picture: Picture, _: float) -> Picture:
    return np.asarray(np.where(picture > 150, 255 - picture, picture * 0.8) * 0.9 + 20)


def foggy(picture: Picture, t_s: float) -> Picture:
    clear = np.exp(-1.5 * min(1, t_s / 8) * np.linspace(1.4, 0.4, picture.shape[0]))[:, None]
    return np.asarray(picture * clear + 180 * (1 - clear))


def headlights(picture: Picture, t_s: float) -> Picture:
    return blinded(picture, t_s) if t_s % 8 < 3 else picture


def insect(picture: Picture, t_s: float) -> Picture:
    spot = np.zeros_like(picture)
    cv2.circle(spot, (int(300 + 60 * np.sin(t_s)), 180), 110, 1.0, -1)
    alpha = cv2.GaussianBlur(spot, (0, 0), 18)
    return np.asarray(picture * (1 - alpha) + 30 * alpha)


def lorry(picture: Picture, t_s: float) -> Picture:
    """Fills the picture for two seconds."""
    spoiled = picture.copy()
    front = round((t_s / 3) * 2 * picture.shape[1])
    spoiled[30:, max(0, front - picture.shape[1]) : max(0, front)] = 90
    return spoiled


def parked(picture: Picture, t_s: float) -> Picture:
    spoiled = picture.copy()
    front = round(min(1.0, t_s / 3) * 0.6 * picture.shape[1])
    spoiled[70:320, :front] = 150
    spoiled[150:155, :front] = 40
    return spoiled


def shaken(picture: Picture, t_s: float) -> Picture:
    return np.roll(picture, (round(3 * np.sin(5 * t_s)), round(6 * np.sin(7 * t_s))), (0, 1))


def crowd(picture: Picture, t_s: float) -> Picture:
    spoiled = picture.copy()
    rng = np.random.default_rng(5)
    for _ in range(24):
        x, foot, speed = rng.uniform(0, 640), rng.uniform(150, 360), rng.uniform(-60, 60)
        square(spoiled, (x + speed * t_s) % 640, foot, 40, 110)
    return spoiled


@pytest.mark.parametrize(
    "spoil",
    [
        gained(0.15),
        gained(0.5),
        gained(2.2),
        infrared,
        foggy,
        headlights,
        insect,
        lorry,
        parked,
        shaken,
        crowd,
    ],
    ids=lambda spoil: getattr(spoil, "__name__", "gained"),
)
def test_light_weather_and_what_passes_is_no_tampering(spoil: Spoil) -> None:
    assert tampers(tell(spoil)) == []


def test_a_lamp_that_goes_out_at_night_is_none() -> None:
    night = np.asarray(SCENE * 0.25)
    assert tampers(tell(gained(0.15), scene=night, noise=3)) == []


def test_what_is_done_under_a_mask_alone_is_nothing() -> None:
    mask = ZoneOf("all but a strip", ((0.0, 0.0), (0.9, 0.0), (0.9, 1.0), (0.0, 1.0)))
    assert tampers(tell(covered(10, share=0.88), masks=(mask,))) == []


def test_nothing_is_told_as_motion_meanwhile_and_motion_is_again_afterwards() -> None:
    def hand(picture: Picture, t_s: float) -> Picture:
        spoiled = np.full_like(picture, 70.0)
        square(spoiled, 30 + 30 * t_s, 280, 60, 200)
        return spoiled

    reports = tell(hand, long_s=20)
    assert len(tampers(reports)) == 1
    # What was believed before it was clear that the camera is covered may be told.
    begun = [r.start_us / 1e6 for r in reports if isinstance(r, Opened) and r.kind is EventKind.MOTION]
    assert all(start_s < START_S + 5 for start_s in begun)
    numbers = [r.number for r in reports if isinstance(r, Opened)]
    assert len(set(numbers)) == len(numbers)

    def walker(picture: Picture, t_s: float) -> Picture:
        spoiled = picture.copy() if t_s > 12 else np.full_like(picture, 70.0)
        if t_s > 16:
            square(spoiled, 100 + 60 * (t_s - 16), 300, 40, 100)
        return spoiled

    reports = tell(walker, long_s=24)
    assert len(tampers(reports)) == 1
    moved = [r.start_us / 1e6 for r in reports if isinstance(r, Closed) and r.kind is EventKind.MOTION]
    assert any(abs(start_s - (START_S + 16)) < 2 for start_s in moved)


def test_while_it_is_suspected_the_detector_is_not_idle() -> None:
    detector = MotionDetector()
    rng = np.random.default_rng(1)
    idle = []
    for n in range(150):
        picture = SCENE if n < 90 else np.full_like(SCENE, 50.0)
        noisy = np.clip(picture + rng.normal(0, 2, SCENE.shape), 0, 255).astype(np.uint8)
        detector.process(noisy, round(n / FPS * 1e6))
        idle.append(detector.idle)
    assert idle[89]
    assert not any(idle[91:])


def test_what_lasts_five_minutes_is_the_scene() -> None:
    reports = tell(lambda picture, t_s: ELSEWHERE, long_s=330, after_s=20, fps=1)
    first, second = tampers(reports)
    assert first.end_us - first.start_us == pytest.approx(300e6, abs=5e6)
    # ... and turned back, it looks elsewhere again.
    assert second.start_us / 1e6 == pytest.approx(START_S + 330, abs=3)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 90),
    st.integers(1, 160),
    st.lists(st.sampled_from([0, 16, 128, 235, 255]), min_size=2, max_size=6),
)
def test_pictures_without_anything_in_them_are_never_tampered_with(
    height: int, width: int, levels: list[int]
) -> None:
    detector = MotionDetector()
    reports: list[Report] = []
    for n in range(80):
        level = levels[n * len(levels) // 80]
        reports += detector.process(np.full((height, width), level, np.uint8), n * 400_000)
    assert tampers(reports + detector.flush(80 * 400_000)) == []


def test_the_same_pictures_tell_the_same_on_any_number_of_threads() -> None:
    before = cv2.getNumThreads()
    try:
        told = []
        for threads in (1, 4):
            cv2.setNumThreads(threads)
            told.append(tell(turned))
        assert told[0] == told[1]
    finally:
        cv2.setNumThreads(before)
