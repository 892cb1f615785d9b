"""A crossing counts once and to the right side; who dances on the line or goes round it has not crossed."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.model import Crossing, Hand, Line
from camera_hub.motion.lines import Lines, Walk

SIZE = (320, 180)
STEP_US = 100_000
UPWARD = Line("gate", ((0.5, 0.9), (0.5, 0.1)), left_is="out", right_is="in")  # from below to above
BENT = Line("bend", ((0.25, 0.5), (0.5, 0.75), (0.75, 0.5)))


def goes(line: Line, feet: list[tuple[float, float]], stays: int = 4, fps: float = 10) -> list[Crossing]:
    """What a mover has crossed who is at each of `feet` (px) in turn and then stays, until it is gone."""
    walk = Walk(Lines((line,), SIZE))
    for n, foot in enumerate([*feet, *[feet[-1]] * stays]):
        walk.step(foot, round(n * 1e6 / fps))
    walk.end()
    return walk.crossed


def straight(a: tuple[float, float], b: tuple[float, float], steps: int = 20) -> list[tuple[float, float]]:
    return [(a[0] + (b[0] - a[0]) * n / steps, a[1] + (b[1] - a[1]) * n / steps) for n in range(steps + 1)]


def test_right_is_on_the_right_of_one_who_walks_along_the_line() -> None:
    assert goes(UPWARD, straight((100, 90), (220, 90))) == [Crossing("gate", "right", 1_000_000, "in")]
    assert goes(UPWARD, straight((220, 90), (100, 90))) == [Crossing("gate", "left", 1_100_000, "out")]
    from_left = Line("lane", ((0.0, 0.5), (1.0, 0.5)))
    assert [crossing.to for crossing in goes(from_left, straight((50, 40), (50, 140)))] == ["right"]


def test_there_and_back_counts_both_ways() -> None:
    way = straight((100, 90), (220, 90)) + straight((220, 90), (100, 90))
    assert [crossing.to for crossing in goes(UPWARD, way)] == ["right", "left"]


def test_who_turns_round_on_the_line_has_not_crossed() -> None:
    assert goes(UPWARD, straight((100, 90), (163, 90)) + straight((163, 90), (100, 90))) == []


def test_who_ends_on_the_line_has_not_crossed() -> None:
    assert goes(UPWARD, straight((100, 90), (163, 90))) == []


@pytest.mark.parametrize("jitter", [1, 3, 4])
def test_a_foot_that_dances_on_the_line_counts_once(jitter: float) -> None:
    dance = [(160 + (jitter if n % 2 else -jitter), 90.0) for n in range(30)]
    way = straight((100, 90), (160, 90)) + dance + straight((160, 90), (220, 90))
    assert [crossing.to for crossing in goes(UPWARD, way)] == ["right"]
    back = straight((100, 90), (160, 90)) + dance + straight((160, 90), (100, 90))
    assert goes(UPWARD, back) == []


def test_a_region_that_jumps_over_the_line_for_a_frame_has_not_crossed() -> None:
    way = [*straight((100, 90), (130, 90)), (190.0, 90.0), *straight((131, 90), (140, 90))]
    assert goes(UPWARD, way) == []


def test_who_leaves_just_beyond_the_line_has_crossed() -> None:
    assert [crossing.to for crossing in goes(UPWARD, straight((100, 90), (168, 90)), stays=0)] == ["right"]


def test_who_goes_round_the_end_has_not_crossed() -> None:
    way = straight((100, 90), (160, 8)) + straight((160, 8), (220, 90))
    assert goes(UPWARD, way) == []
    assert [crossing.to for crossing in goes(UPWARD, way + straight((220, 90), (100, 90)))] == ["left"]


def test_a_line_from_edge_to_edge_cannot_be_passed_along_the_edge() -> None:
    whole = Line("whole", ((0.5, 1.0), (0.5, 0.0)))
    for row in (0.0, 90.0, 180.0):
        assert [crossing.to for crossing in goes(whole, straight((220, row), (100, row)))] == ["left"]
        assert [crossing.to for crossing in goes(whole, straight((100, row), (220, row)))] == ["right"]
    corner = Line("corner", ((0.01, 0.5), (0.3, 0.8), (0.3, 0.99)))
    assert [crossing.to for crossing in goes(corner, straight((150, 180), (40, 180)))] == ["right"]
    assert [crossing.to for crossing in goes(corner, straight((0, 60), (0, 150)))] == ["right"]


def test_a_bent_line_is_one_line() -> None:
    assert [crossing.to for crossing in goes(BENT, straight((160, 60), (160, 175)))] == ["right"]
    assert [crossing.to for crossing in goes(BENT, straight((60, 110), (260, 110)))] == ["left", "right"]
    assert [crossing.to for crossing in goes(BENT, straight((160, 175), (160, 60)))] == ["left"]


@pytest.mark.parametrize("fps", [4, 10, 30])
def test_the_frame_rate_does_not_matter(fps: float) -> None:
    steps = round(4 * fps)
    [crossing] = goes(UPWARD, straight((100, 90), (221, 90), steps), fps=fps)
    assert crossing.at_us == pytest.approx(2e6, abs=1e6 / fps)


places = st.tuples(st.integers(0, 32).map(lambda n: n * 10.0), st.integers(0, 18).map(lambda n: n * 10.0))


@given(places, places, st.lists(places, min_size=1, max_size=12))
def test_by_an_endless_line_crossings_alternate_and_fit_where_the_mover_is(
    p: tuple[float, float], q: tuple[float, float], way: list[tuple[float, float]]
) -> None:
    if p == q:
        return
    long = 100 / math.hypot(q[0] - p[0], q[1] - p[1]) * 100  # far beyond the picture on both sides
    ends = [(p[0] + (q[0] - p[0]) * share, p[1] + (q[1] - p[1]) * share) for share in (-long, long)]
    line = Line("line", tuple((x / SIZE[0], y / SIZE[1]) for x, y in ends))

    def side(at: tuple[float, float]) -> float:
        """Px to the right of the line; negative to its left."""
        across = (q[0] - p[0]) * (at[1] - p[1]) - (q[1] - p[1]) * (at[0] - p[0])
        return across / math.hypot(q[0] - p[0], q[1] - p[1])

    feet = [place for place in way for _ in range(5)]  # long enough at each to be sure
    found: list[Hand] = [crossing.to for crossing in goes(line, feet)]
    sides = ["right" if side(at) > 0 else "left" for at in way if abs(side(at)) > 5.5]
    if any(abs(side(at)) <= 5.5 for at in way):
        assert all(a != b for a, b in pairwise(found))
        return
    assert found == [b for a, b in pairwise(sides) if a != b]
