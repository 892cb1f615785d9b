"""Frames of the practice hamlet: exact to the bit for a seed, true to their labels, and loopable."""

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from camera_hub.simulate.film import Film
from camera_hub.simulate.optics import HEIGHT, Array
from camera_hub.simulate.scenario import scenario

SCENE = "san-bong"


def sha(planes: Array) -> str:
    return hashlib.sha256(planes.tobytes()).hexdigest()


@pytest.fixture(scope="module")
def film() -> Iterator[Film]:
    threads = cv2.getNumThreads()
    yield Film(scenario(SCENE, 2))
    cv2.setNumThreads(threads)


def test_a_frame_depends_on_its_time_alone_and_another_film_draws_the_same(film: Film) -> None:
    times = [0.0, 7.5, 20.0, 40.2]
    forward = [sha(film.frame(t)[0]) for t in times]
    back = [sha(film.frame(t)[0]) for t in reversed(times)]
    again = Film(scenario(SCENE, 2))
    assert forward == back[::-1] == [sha(again.frame(t)[0]) for t in times]
    assert len(set(forward)) == len(times)


def test_boxes_lie_where_the_picture_differs_by_a_mover(film: Film) -> None:
    found = 0
    for t in np.arange(4.0, 56.0, 2.0):
        planes, seen = film.frame(float(t))
        empty, nobody = film.frame(float(t), with_movers=False)
        assert nobody == []
        changed = np.abs(planes[:HEIGHT].astype(int) - empty[:HEIGHT]) > 6
        if not seen:
            # A headlamp shines into the picture before its motorbike is in it, and nothing else does.
            assert not changed.any() or any(m.lamp and m.on_way(float(t)) for m in film.movers), t
        for one in seen:
            if one.share < 0.9:
                continue
            found += 1
            box = changed[one.top : one.bottom, one.left : one.right]
            assert box.mean() > 0.12, (t, one)
            # The box is tight: each of its sides touches the mover, to a pixel or two of blur.
            rows, columns = np.flatnonzero(box.any(axis=1)), np.flatnonzero(box.any(axis=0))
            assert rows[0] <= 3
            assert rows[-1] >= box.shape[0] - 4
            assert columns[0] <= 3
            assert columns[-1] >= box.shape[1] - 4
            # Above it nothing moved: shadows fall on the ground, and lamps shine ahead.
            above = changed[max(0, one.top - 40) : one.top - 4, one.left : one.right]
            if len(seen) == 1 and not film.movers[one.mover].lamp:
                assert above.mean() < 0.01, (t, one)
    assert found >= 8


def test_the_share_says_how_much_of_a_mover_is_in_the_picture(film: Film) -> None:
    """Coming in from the side it grows from nothing to all, and only then counts."""
    passage = film.story.passages[0]
    shares = []
    for t in np.arange(passage.start_s, passage.start_s + 8, 0.1):
        mine = [one for one in film.frame(float(t))[1] if one.mover == 0]
        shares.append(mine[0].share if mine else 0.0)
    assert shares[0] == 0.0
    assert max(shares) > 0.98
    first_half = next(i for i, share in enumerate(shares) if share >= 0.5)
    assert any(0.0 < share < 0.5 for share in shares[: first_half + 1])


def test_the_end_of_a_clip_meets_its_beginning(film: Film) -> None:
    """Over the seam the picture changes no more than from any quiet frame to the next."""
    duration = film.story.duration_s

    def step(a: float, b: float) -> float:
        one, other = film.frame(a)[0][:HEIGHT], film.frame(b)[0][:HEIGHT]
        # Without the clock, whose digits jump back.
        return float(np.abs(one[60:].astype(int) - other[60:]).mean())

    usual = max(step(t, t + 1 / 15) for t in (0.2, 0.9, 1.4))
    assert step(duration - 1 / 15, 0.0) < 1.15 * usual
    assert film.frame(0.0)[1] == film.frame(duration - 1 / 15)[1] == []


def test_leaves_move_in_the_wind_and_the_ground_does_not(film: Film) -> None:
    before, after = film.frame(0.3)[0][:HEIGHT], film.frame(1.5)[0][:HEIGHT]
    changed = cv2.GaussianBlur(cv2.absdiff(before, after), (9, 9), 0)
    leaves = np.zeros(changed.shape, bool)
    for layer in film.plate.layers:
        h, w = layer.pixels.shape[:2]
        leaves[layer.top : layer.top + h, layer.left : layer.left + w] |= layer.pixels[..., 3] > 200
    leaves[:60] = False
    ground = film.plate.ground == 255
    ground[:60] = ground[-60:] = False
    assert changed[leaves].mean() > 1.3 * changed[ground & ~leaves].mean()
