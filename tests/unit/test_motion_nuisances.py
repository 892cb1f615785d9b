"""What looks like a mover and is none: insects at the lens, threads, snow, light on a textured ground.

Each has its counterpart that is a mover, so that a detector which sees nothing fails here as well.
"""

from functools import partial

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.motion import MotionDetector
from tests.unit.motion_scenes import SIZE, film, spans, watch

Picture = NDArray[np.float64]
SECONDS = 14
FPS = 15


def blob(picture: Picture, t_s: float, *, blur: float, speed: float, wave: float = 0.0) -> None:
    """A bright disc that crosses the picture from 4 s on, `blur` px out of focus."""
    x = (t_s - 4) * speed
    if not -20 < x < SIZE[0] + 20 or t_s < 4:
        return
    y = 90 + wave * np.sin(t_s * 3)
    disc: NDArray[np.float64] = np.zeros(picture.shape)
    cv2.circle(disc, (round(x * 16), round(y * 16)), 9 * 16, 1.0, -1, cv2.LINE_AA, 4)
    if blur:
        disc = np.asarray(cv2.GaussianBlur(disc, (0, 0), blur), np.float64)
    picture += disc * (215 - picture)


@pytest.mark.parametrize("speed", [25, 60, 220])
def test_an_insect_at_the_lens_is_no_mover(speed: float) -> None:
    paint = partial(blob, blur=6, speed=speed, wave=25)
    assert spans(watch(MotionDetector(), film(SECONDS, paint, fps=FPS))) == []


def test_the_same_in_focus_is_a_mover() -> None:
    paint = partial(blob, blur=0, speed=60)
    assert len(spans(watch(MotionDetector(), film(SECONDS, paint, fps=FPS)))) == 1


def thread(picture: Picture, t_s: float) -> None:
    """A spider's thread that sways across the picture, slowly."""
    layer = np.zeros(picture.shape)
    x = 160 + 60 * np.sin(t_s * 0.8)
    cv2.line(layer, (round(x), 0), (round(x + 50), SIZE[1]), 1.0, 3, cv2.LINE_AA)
    picture += cv2.GaussianBlur(layer, (0, 0), 1.0) * 45


def test_a_thread_that_sways_is_no_mover() -> None:
    assert spans(watch(MotionDetector(), film(SECONDS, thread, fps=FPS))) == []


def test_a_thread_that_hangs_still_but_for_its_middle_is_no_mover() -> None:
    def swings(picture: Picture, t_s: float) -> None:
        layer = np.zeros(picture.shape)
        x = 160 + 25 * np.sin(t_s * 1.3)
        cv2.line(layer, (round(x), 40), (round(x + 4), 130), 1.0, 2, cv2.LINE_AA)
        picture += layer * 50

    assert spans(watch(MotionDetector(), film(SECONDS, swings, fps=FPS))) == []


def walks(picture: Picture, t_s: float, *, size: tuple[int, int], tone: float) -> None:
    """A sharp ellipse of `size` px that goes slowly through the picture, from 4 s on."""
    if t_s >= 4:
        cv2.ellipse(picture, ((60 + (t_s - 4) * 14, 90), size, 0), tone, -1, cv2.LINE_AA)


def test_an_insect_on_the_lens_is_no_mover() -> None:
    paint = partial(walks, size=(11, 11), tone=235.0)
    assert spans(watch(MotionDetector(), film(SECONDS, paint, fps=FPS))) == []


@pytest.mark.parametrize(("size", "tone"), [((8, 20), 235.0), ((11, 11), 15.0)])
def test_somebody_bright_or_a_dark_animal_of_that_size_is(size: tuple[int, int], tone: float) -> None:
    paint = partial(walks, size=size, tone=tone)
    assert len(spans(watch(MotionDetector(), film(SECONDS, paint, fps=FPS)))) == 1


class Snow:
    """Flakes that fall through the picture, each its own way."""

    def __init__(self, flakes: int) -> None:
        rng = np.random.default_rng(7)
        self._at = rng.uniform((0, 0), SIZE, (flakes, 2))
        self._pace = rng.uniform((-20, 90), (20, 160), (flakes, 2))

    def __call__(self, picture: Picture, t_s: float) -> None:
        for x, y in (self._at + self._pace * t_s) % SIZE:
            cv2.circle(picture, (round(x), round(y)), 2, 225.0, -1, cv2.LINE_AA)


def test_snow_is_no_mover_and_does_not_hide_one() -> None:
    snow = Snow(60)
    assert spans(watch(MotionDetector(), film(SECONDS, snow, fps=FPS))) == []

    def walker(picture: Picture, t_s: float) -> None:
        if t_s >= 6:
            left = round((t_s - 6) * 35) - 20
            picture[80:150, max(0, left) : max(0, left + 24)] = 20
        snow(picture, t_s)

    [(start, _)] = spans(watch(MotionDetector(), film(SECONDS, walker, fps=FPS)))
    assert 5.5 <= start <= 8


def textured(picture: Picture) -> Picture:
    """The scene with a fine texture, as gravel or grass has."""
    grain = np.random.default_rng(3).normal(0, 14, picture.shape)
    picture += cv2.GaussianBlur(grain, (0, 0), 0.8) * 2
    return np.clip(picture, 4, 250, out=picture)


def stripes(picture: Picture, t_s: float) -> None:
    """Headlights through a fence: stripes of light that travel over a textured ground."""
    textured(picture)
    if t_s >= 4:
        x = np.arange(SIZE[0]) - (t_s - 4) * 40
        lit = np.exp(-((x / 60) ** 2)) * (np.sin(x / 6) > 0.3)
        picture *= 1 + 0.8 * lit


def test_light_that_leaves_the_texture_where_it_is_is_no_mover() -> None:
    assert spans(watch(MotionDetector(), film(SECONDS, stripes, fps=FPS))) == []


def test_a_thing_on_the_same_ground_is_one() -> None:
    def thing(picture: Picture, t_s: float) -> None:
        textured(picture)
        if t_s >= 4:
            left = round((t_s - 4) * 40) - 20
            picture[70:130, max(0, left) : max(0, left + 30)] = 190

    assert len(spans(watch(MotionDetector(), film(SECONDS, thing, fps=FPS)))) == 1


def test_who_rested_is_proven_anew() -> None:
    """What covers somebody who stands still does not begin an event by it."""

    def paint(picture: Picture, t_s: float) -> None:
        left = round(min(t_s - 3, 2) * 40)
        if t_s >= 3:
            picture[80:130, max(0, left) : max(0, left + 20)] = 20
        if 8.5 <= t_s < 9.2:
            disc = np.zeros(picture.shape)
            cv2.circle(disc, (90, 100), 40, 1.0, -1, cv2.LINE_AA)
            picture += np.asarray(cv2.GaussianBlur(disc, (0, 0), 14), np.float64) * 60

    assert len(spans(watch(MotionDetector(), film(SECONDS, paint, fps=FPS)))) == 1
