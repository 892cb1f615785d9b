"""What is told of a mover's way: lines, time in zones, speed, where it came from and went."""

import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.model import Line, Zone
from camera_hub.motion import Closed, MotionDetector, MotionSettings, Report
from tests.unit.motion_scenes import film, square, watch

Picture = NDArray[np.float64]
WEST = Zone("west", ((0, 0), (0.5, 0), (0.5, 1), (0, 1)))
EAST = Zone("east", ((0.5, 0), (1, 0), (1, 1), (0.5, 1)))
GATE = Line("gate", ((0.5, 0.95), (0.5, 0.3)), left_is="out", right_is="in")
EARLY = Line("early", ((0.06, 0.95), (0.06, 0.3)))
SETTINGS = MotionSettings(zones=(WEST, EAST), lines=(GATE, EARLY))


def walks(picture: Picture, t_s: float) -> None:
    """Somebody enters on the left at 3 s, and is out on the right at about 9 s: 55 px a second."""
    if 3 <= t_s < 9.2:
        square(picture, (t_s - 3) * 55 - 7, 130)


def comes_down(picture: Picture, t_s: float) -> None:
    """Out of a door in the middle of the picture, and out of the picture at its lower side."""
    if 3 <= t_s < 8:
        square(picture, 160, 80 + (t_s - 3) * 32)


def ends(reports: list[Report]) -> list[Closed]:
    return [report for report in reports if isinstance(report, Closed)]


def test_a_walker_crosses_each_line_once_also_before_it_is_believed() -> None:
    reports = watch(MotionDetector(SETTINGS), film(14, walks))
    [end] = ends(reports)
    assert [(crossing.line, crossing.to, crossing.to_is) for crossing in end.crossings] == [
        ("early", "right", ""),
        ("gate", "right", "in"),
    ]
    gate = end.crossings[1]
    assert (end.start_us + gate.at_us) / 1e6 == pytest.approx(3 + 167 / 55, abs=0.3)
    first = next(report for report in reports if any(c.line == "gate" for c in report.crossings))
    assert first.t_us <= end.start_us + gate.at_us + 500_000  # told at once, not when it is over


def test_two_walkers_are_counted_by_direction() -> None:
    def two(picture: Picture, t_s: float) -> None:
        walks(picture, t_s)
        if 4 <= t_s < 9.5:
            square(picture, 327 - (t_s - 4) * 61, 80)

    [end] = ends(watch(MotionDetector(SETTINGS), film(14, two)))
    at_gate = sorted(crossing.to for crossing in end.crossings if crossing.line == "gate")
    assert at_gate == ["left", "right"]


@pytest.mark.parametrize("fps", [5, 12, 25])
def test_speed_does_not_depend_on_the_frame_rate(fps: int) -> None:
    [end] = ends(watch(MotionDetector(SETTINGS), film(14, walks, fps=fps)))
    assert end.mean_speed == pytest.approx(55 / 320, rel=0.2)
    assert end.peak_speed == pytest.approx(55 / 320, rel=0.2)
    assert end.peak_speed >= end.mean_speed * 0.95


def test_who_walks_through_enters_and_leaves_at_the_sides() -> None:
    reports = watch(MotionDetector(SETTINGS), film(14, walks))
    assert {report.entry for report in reports} == {"left"}
    assert [report.exit for report in reports] == [None] * (len(reports) - 1) + ["right"]


def test_who_comes_out_of_a_door_enters_inside_and_leaves_below() -> None:
    [end] = ends(watch(MotionDetector(SETTINGS), film(14, comes_down)))
    assert (end.entry, end.exit) == ("inside", "bottom")


def test_who_stops_has_not_left_and_who_is_cut_off_is_still_there() -> None:
    def stops(picture: Picture, t_s: float) -> None:
        if t_s >= 3:
            square(picture, min((t_s - 3) * 55, 150), 130)

    [end] = ends(watch(MotionDetector(SETTINGS), film(14, stops)))
    assert (end.entry, end.exit) == ("left", "inside")
    [cut] = ends(watch(MotionDetector(SETTINGS), film(6, walks)))
    assert cut.exit is None


def test_time_in_zones_is_that_of_the_one_who_was_there_longest() -> None:
    [end] = ends(watch(MotionDetector(SETTINGS), film(14, walks)))
    assert [zone for zone, _ in end.stays] == list(end.zones) == ["west", "east"]
    for _, stay_us in end.stays:
        assert stay_us / 1e6 == pytest.approx(160 / 55, abs=0.5)


def test_time_in_a_zone_goes_on_where_somebody_stood_still_for_long() -> None:
    def waits(picture: Picture, t_s: float) -> None:
        if 3 <= t_s < 40:
            x = min((t_s - 3) * 40, 100) + max(0.0, t_s - 25) * 40
            square(picture, x, 130)

    before, after = ends(watch(MotionDetector(SETTINGS), film(45, waits)))
    assert dict(before.stays)["west"] / 1e6 == pytest.approx(5, abs=1)
    assert dict(after.stays)["west"] / 1e6 == pytest.approx(25 + 1.5 - 3, abs=1.5)
    assert after.start_us / 1e6 == pytest.approx(25, abs=0.7)
    assert (after.entry, after.exit) == ("inside", "right")
    assert after.path[0][0] >= 0


def test_an_event_without_lines_and_zones_tells_of_none() -> None:
    [end] = ends(watch(MotionDetector(), film(14, walks)))
    assert [*end.crossings, *end.stays, *end.zones] == []
