"""A viewer goes down for lasting loss alone, and up again without going up and down for ever."""

import itertools
import random

import pytest

from camera_hub.live.ladder import PATIENCE_US, Ladder

SECOND = 1_000_000


def told(ladder: Ladder, lost: float, seconds: int, from_s: int, packets: int = 60) -> list[int]:
    """The rung after each second of reports."""
    rungs = []
    for second in range(from_s, from_s + seconds):
        ladder.reported(lost, packets, second * SECOND)
        rungs.append(ladder.rung)
    return rungs


def test_one_bad_report_changes_nothing() -> None:
    ladder = Ladder(3, 0)
    told(ladder, 0, 10, 1)
    told(ladder, 1.0, 1, 11)
    assert told(ladder, 0, 10, 12) == [0] * 10


@pytest.mark.parametrize("packets", [15, 60, 420])
def test_five_percent_of_random_loss_changes_nothing(packets: int) -> None:
    ladder, chance = Ladder(3, 0), random.Random(1)
    for second in range(1, 3600):
        lost = sum(chance.random() < 0.05 for _ in range(packets)) / packets
        ladder.reported(lost, packets, second * SECOND)
        assert ladder.rung == 0, second


def test_lasting_loss_goes_down_step_by_step_and_no_further_than_the_last() -> None:
    rungs = told(Ladder(3, 0), 0.3, 60, 1)
    assert rungs == sorted(rungs)
    assert set(rungs) == {0, 1, 2}
    assert rungs.index(2) - rungs.index(1) >= 3


def test_it_climbs_again_when_loss_is_over() -> None:
    ladder = Ladder(2, 0)
    told(ladder, 0.3, 12, 1)
    rungs = told(ladder, 0, 90, 13)
    assert rungs[-1] == 0
    assert PATIENCE_US / SECOND <= rungs.index(0) < 45


def test_one_at_the_edge_climbs_ever_more_seldom() -> None:
    """It loses when it is sent everything, and does not on the rung below."""
    ladder, climbs, before = Ladder(2, 0), [], 0
    for second in range(1, 3600):
        ladder.reported(0.3 if ladder.rung == 0 else 0.0, 60, second * SECOND)
        if ladder.rung < before:
            climbs.append(second)
        before = ladder.rung
    pauses = [b - a for a, b in itertools.pairwise(climbs)]
    assert pauses == sorted(pauses)
    assert pauses[-1] >= 300


def test_a_socket_without_room_is_a_reason_to_go_down() -> None:
    ladder = Ladder(2, 0)
    ladder.choked(1 * SECOND)
    assert ladder.rung == 0
    ladder.choked(4 * SECOND)
    assert ladder.rung == 1
