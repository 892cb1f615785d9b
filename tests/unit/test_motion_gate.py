"""The gate saves work where packet sizes tell what moves, and only there; it never loses a packet's head."""

import itertools
import random

import pytest

from camera_hub.model import GateReason
from camera_hub.motion import Closed, Gate, Opened
from camera_hub.motion import kept as kept_module
from tests.unit.gate_scenes import (
    FPS,
    PICTURE,
    STEP_US,
    Scene,
    Size,
    cbr,
    packet,
    padded,
    rain,
    report,
    sleeps,
    still,
    until_asleep,
    vbr,
    why,
)


def test_where_sizes_tell_it_sleeps_and_every_mover_is_found_from_its_start() -> None:
    scene = Scene(vbr).run(900)
    assert why(scene.gate) is None
    assert scene.share_decoded(since_s=300) < 0.5
    assert [start for start, _ in scene.found] == [15 + 30 * n for n in range(30)][: len(scene.found)]
    assert len(scene.found) == 30
    assert max(told - start for start, told in scene.found) <= 1.0


def test_where_a_small_mover_must_show_it_sleeps_before_it_has_seen_one() -> None:
    scene = Scene(still, first_s=1e9, picture=PICTURE).run(20)
    assert sleeps(scene.gate)
    scene.run(280)
    assert scene.share_decoded(since_s=20) < 0.01
    scene.first_s = 305
    scene.run(60)
    assert [start for start, _ in scene.found] == [305, 335]
    assert max(told - start for start, told in scene.found) <= 3
    assert contiguous(scene.decoded, gop=20)


@pytest.mark.parametrize("gop", [1000, 10, 40, 10**9])
def test_where_sizes_tell_keyframes_may_come_as_they_like(gop: int) -> None:
    scene = Scene(still, gop=gop, first_s=40, every_s=60, picture=PICTURE).run(280)
    assert [start for start, _ in scene.found] == [40, 100, 160, 220]
    if gop <= 40:
        assert scene.share_decoded(since_s=60) < 0.4
    assert contiguous(scene.decoded, gop)


def test_with_a_larger_spread_it_sleeps_but_looks_at_keyframes_and_goes_back_from_them() -> None:
    def noisy(place: int, moves: bool, dice: random.Random) -> int:
        return dice.randint(30, 120)  # a small mover drowns in it

    scene = Scene(noisy, first_s=60, every_s=1e9, picture=PICTURE).run(80)
    assert why(scene.gate) is None or why(scene.gate) == GateReason.BLIND
    ((start, told),) = scene.found
    assert start == 60
    assert told <= 64.5
    assert why(scene.gate) == GateReason.BLIND  # sizes have not shown it: no more sleep


def test_another_level_is_learned_anew() -> None:
    scene = Scene(still, first_s=1e9, picture=PICTURE).run(60)
    scene.size = lambda place, moves, dice: still(place, moves, dice) + 100  # night: noise is encoded
    scene.run(10)
    assert not sleeps(scene.gate)
    scene.run(60)
    assert sleeps(scene.gate)
    scene.size = still
    scene.run(60)
    assert sleeps(scene.gate)
    scene.first_s = 195
    scene.run(20)
    assert [start for start, _ in scene.found] == [195]


def test_of_heavy_packets_that_show_nothing_only_the_running_gop_is_decoded() -> None:
    scene = Scene(still, first_s=1e9, picture=PICTURE).run(61)
    assert sleeps(scene.gate)
    usual, shown = scene.size, len(scene._shown)
    scene.size = lambda place, moves, dice: usual(place, moves, dice) + 30  # an encoder's mood
    before = len(scene.decoded)
    scene.run(0.8)
    scene.size = usual
    scene.run(6)
    peeked = scene.decoded[before:]
    assert sleeps(scene.gate)
    assert 0 < len(peeked) <= 40
    assert contiguous(peeked, gop=20)
    assert len(scene._shown) == shown  # the detector was shown none of them


def test_what_stays_heavy_is_looked_at_in_earnest() -> None:
    scene = Scene(still, first_s=1e9, picture=PICTURE).run(61)
    usual, shown = scene.size, len(scene._shown)
    scene.size = lambda place, moves, dice: usual(place, moves, dice) + 30
    scene.run(6)
    assert scene._shown[shown] <= 590  # from long before on


def test_when_packets_become_light_it_looks_why() -> None:
    scene = Scene(lambda place, moves, dice: dice.randint(70, 76), first_s=1e9, picture=PICTURE).run(60)
    assert sleeps(scene.gate)
    scene.size = lambda place, moves, dice: 18  # as a picture that stands still
    scene.run(1)
    assert sleeps(scene.gate)  # a lull is nothing
    scene.run(3)
    assert not sleeps(scene.gate)
    scene.run(60)
    assert sleeps(scene.gate)


def test_keyframes_that_are_none_keep_it_awake() -> None:
    gate = Gate(PICTURE, lambda packet: (len(packet.data), packet.keyframe and packet.pts_us == 0))
    for number in range(400):
        gate.let(packet(number, 9000 if number % 20 == 0 else 20, number % 20 == 0))
        gate.learn(number * STEP_US, [], idle=True)
    assert gate.reason is GateReason.INTRA_REFRESH
    assert not gate.asleep


def test_it_decodes_everything_until_it_has_proved_itself() -> None:
    scene = Scene(vbr).run(70)  # two movers
    assert why(scene.gate) in (GateReason.PROVING, GateReason.RESTLESS, GateReason.LEARNING)
    assert scene.decoded == list(range(70 * FPS))


def test_where_nothing_ever_moves_it_cannot_know() -> None:
    scene = Scene(vbr, first_s=1e9).run(600)
    assert why(scene.gate) == GateReason.PROVING
    assert len(scene.decoded) == 600 * FPS


@pytest.mark.parametrize("size", [cbr, padded, rain])
def test_where_sizes_tell_nothing_it_never_sleeps(size: Size) -> None:
    scene = Scene(size).run(900)
    assert scene.decoded == list(range(900 * FPS))
    assert why(scene.gate) in (GateReason.BLIND, GateReason.RESTLESS)


def test_a_mover_that_only_a_keyframe_showed_takes_the_right_to_sleep() -> None:
    scene = Scene(vbr).run(300)
    assert why(scene.gate) is None
    scene.size = lambda place, moves, dice: vbr(place, False, dice)
    found = len(scene.found)
    scene.run(60)
    assert len(scene.found) > found  # late, but found
    assert scene.found[found][0] - 315 <= 2
    assert why(scene.gate) == GateReason.BLIND
    scene.size = vbr
    scene.run(400)
    assert why(scene.gate) == GateReason.BLIND
    assert scene.share_decoded(since_s=330) == 1
    scene.run(600)
    assert why(scene.gate) is None


@pytest.mark.parametrize(
    ("gop", "reason"),
    [(100, GateReason.RARE_KEYFRAMES), (10**9, GateReason.RARE_KEYFRAMES), (1, GateReason.ONLY_KEYFRAMES)],
)
def test_keyframes_must_come_neither_too_rarely_nor_alone(gop: int, reason: GateReason) -> None:
    scene = Scene(vbr, gop=gop).run(400)
    assert why(scene.gate) == reason
    assert len(scene.decoded) == 400 * FPS


def test_when_the_keyframe_is_late_it_wakes_with_all_that_it_kept() -> None:
    scene = Scene(vbr).run(302)
    until_asleep(scene)
    scene.gop = 10**9  # a smart encoder makes no more keyframes
    scene.run(15)
    assert not sleeps(scene.gate)
    assert why(scene.gate) == GateReason.RARE_KEYFRAMES
    last = scene.decoded[-40 * 2 :]
    assert last == list(range(last[0], last[0] + len(last)))


def test_short_gops_are_looked_into_once_a_second() -> None:
    scene = Scene(vbr, gop=5).run(600)
    assert scene.share_decoded(since_s=300) < 0.5
    assert len(scene.found) == 20


def test_with_b_frames_it_never_sleeps() -> None:
    scene = Scene(vbr).run(300)
    assert why(scene.gate) is None
    number = 300 * FPS
    assert scene.gate.let(packet(number, 900, False, pts_us=(number + 1) * STEP_US))
    assert why(scene.gate) == GateReason.B_FRAMES
    assert scene.gate.let(packet(number + 1, 900, False, pts_us=number * STEP_US))
    assert not sleeps(scene.gate)


@pytest.mark.parametrize("bound", ["MOST_PACKETS", "MOST_BYTES"])
def test_what_it_keeps_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str) -> None:
    monkeypatch.setattr(kept_module, bound, 10 if bound == "MOST_PACKETS" else 12_000)
    scene = Scene(vbr).run(600)
    assert scene.share_decoded(since_s=300) > 0.5  # it never gets through a GOP of 20
    assert len(scene.found) == 20
    assert contiguous(scene.decoded, gop=20)


def test_an_idle_scene_is_looked_at_a_few_times_a_second_and_a_mover_always() -> None:
    gate = Gate()
    assert all(gate.worth_a_look(n * 40_000) for n in range(50))
    gate.learn(2_000_000, [], idle=True)
    assert all(gate.worth_a_look(2_000_000 + n * 40_000) for n in range(50))
    looks = sum(gate.worth_a_look(5_000_000 + n * 40_000) for n in range(100))
    assert looks == 50  # where sizes tell, half as many do
    gate.learn(9_000_000, [], idle=True)
    gate.learn(9_200_000, [], idle=False)
    assert all(gate.worth_a_look(9_200_000 + n * 40_000) for n in range(50))


def test_of_an_event_that_goes_on_every_second_picture_is_looked_at_where_there_are_many() -> None:
    gate = Gate()
    gate.learn(0, [report(Opened, 0, 0)], idle=False)
    assert all(gate.worth_a_look(n * 40_000) for n in range(50))
    assert sum(gate.worth_a_look(2_000_000 + n * 40_000) for n in range(100)) == 50
    assert all(gate.worth_a_look(7_000_000 + n * 100_000) for n in range(50))
    gate.learn(12_000_000, [report(Closed, 12_000_000, 0)], idle=False)
    assert all(gate.worth_a_look(12_000_000 + n * 40_000) for n in range(50))


def test_it_does_the_same_each_time() -> None:
    assert Scene(vbr).run(400).decoded == Scene(vbr).run(400).decoded


def test_a_restart_keeps_what_was_learned_but_no_packet() -> None:
    scene = Scene(vbr).run(302)
    until_asleep(scene)
    scene.gate.restart()
    assert not sleeps(scene.gate)
    assert why(scene.gate) == GateReason.LEARNING
    scene.run(20)
    assert why(scene.gate) is None
    scene.gate.give_up(GateReason.HELD_BACK)
    assert why(scene.gate) == GateReason.HELD_BACK


def contiguous(decoded: list[int], gop: int) -> bool:
    """Whether each packet can be decoded: a keyframe, or right after one that was decoded."""
    return all(number % gop == 0 or number == before + 1 for before, number in itertools.pairwise(decoded))


def test_all_that_it_lets_through_can_be_decoded() -> None:
    assert contiguous(Scene(vbr).run(600).decoded, gop=20)
    assert contiguous(Scene(vbr, gop=5).run(600).decoded, gop=5)
