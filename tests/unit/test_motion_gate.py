"""The gate saves work where packet sizes tell what moves, and only there; it never loses a packet's head."""

import copy
import functools
import itertools
import random
from collections.abc import Callable, Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.model import GateReason, Packet
from camera_hub.motion import Closed, Gate, Opened, Report
from camera_hub.motion import kept as kept_module

FPS = 10
PICTURE = (640, 360)
STEP_US = 1_000_000 // FPS
Size = Callable[[int, bool, random.Random], int]
"""(place in the GOP, whether a mover is there, dice) → bytes."""


def vbr(place: int, moves: bool, dice: random.Random) -> int:
    usual = 900 if place % 2 else 1400  # temporal layers: every second one is lighter
    return round(usual * dice.uniform(0.9, 1.1) * (1.8 if moves else 1))


def cbr(place: int, moves: bool, dice: random.Random) -> int:
    return dice.randint(1190, 1210)


def padded(place: int, moves: bool, dice: random.Random) -> int:
    return 1500


def rain(place: int, moves: bool, dice: random.Random) -> int:
    return round(dice.choice((900, 1000, 2500)) * dice.uniform(0.8, 1.2) * (1.3 if moves else 1))


def still(place: int, moves: bool, dice: random.Random) -> int:
    """Noise reduction and a variable bit rate: skipped macroblocks, and a small mover's 30 bytes."""
    return dice.randint(18, 24) + (30 if moves else 0)


def packet(number: int, size: int, keyframe: bool, pts_us: int | None = None) -> Packet:
    t_us = number * STEP_US
    return Packet(bytes(size), t_us if pts_us is None else pts_us, t_us, t_us, keyframe)


class Scene:
    """A camera, and a detector that sees every mover half a second after it came, if it is shown it."""

    def __init__(
        self,
        size: Size,
        gop: int = 20,
        first_s: float = 15,
        every_s: float = 30,
        picture: tuple[int, int] = (0, 0),
    ) -> None:
        self.gate = Gate(picture)
        self.size, self.gop = size, gop
        self.first_s, self.every_s = first_s, every_s
        self.given: list[Packet] = []
        self.decoded: list[int] = []
        self.found: list[tuple[float, float]] = []  # (start, when told) in seconds
        self._dice = random.Random(1)
        self._number = 0
        self._event = False
        self._shown: list[int] = [-1]
        self._seen: list[int] = []  # numbers of pictures that show the mover

    def moves(self, number: int) -> bool:
        t_s = number / FPS - self.first_s
        return t_s >= 0 and t_s % self.every_s < 5

    def run(self, seconds: float) -> "Scene":
        for number in range(self._number, self._number + round(seconds * FPS)):
            place = number % self.gop
            heavy = self.moves(number)
            size = 9000 if place == 0 else self.size(place, heavy, self._dice)
            self.given.append(packet(number, size, place == 0))
            wanted = self.gate.let(self.given[-1])
            if self.gate.asleep and wanted:
                peeked = [given_.pts_us // STEP_US for given_ in wanted]
                if heavy or self.gate.peeks:
                    self.decoded += peeked
                    wanted = self.gate.wake() if heavy else ()
            for given_ in wanted:
                at = given_.pts_us // STEP_US
                self.decoded.append(at)
                if len(wanted) == 1 or at > max(self._shown):
                    self._look(at, number)
        self._number += round(seconds * FPS)
        return self

    def _look(self, number: int, now: int) -> None:
        self._shown.append(number)
        t_us = number * STEP_US
        self._seen = [*self._seen, number] if self.moves(number) else []
        reports: list[Report] = []
        if len(self._seen) >= 5 and not self._event:
            self._event = True
            self.found.append((self._seen[0] / FPS, now / FPS))
            reports.append(report(Opened, t_us, self._seen[0] * STEP_US))
        elif not self._seen and self._event:
            self._event = False
            reports.append(report(Closed, t_us, t_us))
        self.gate.learn(t_us, reports, idle=not self._seen and not self._event)

    def share_decoded(self, since_s: float) -> float:
        late = [number for number in self.decoded if number >= since_s * FPS]
        return len(late) / (self._number - since_s * FPS)


def report(kind: type[Opened] | type[Closed], t_us: int, start_us: int) -> Report:
    opened = Opened(
        number=1,
        t_us=t_us,
        start_us=start_us,
        zones=(),
        score=0.5,
        box=(0.1, 0.1, 0.1, 0.1),
        path=(),
        best=False,
    )
    return opened if kind is Opened else Closed(**msgspec.structs.asdict(opened), end_us=t_us)


def why(gate: Gate) -> GateReason | None:
    return gate.reason


def sleeps(gate: Gate) -> bool:
    return gate.asleep


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


Step = tuple[int, bool, int, bool]
"""(bytes, keyframe, step in time µs, idle)"""

any_stream = st.lists(
    st.tuples(
        st.integers(0, 60_000),
        st.booleans(),
        st.one_of(st.just(STEP_US), st.integers(-20_000_000, 20_000_000)),
        st.booleans(),
    ),
    max_size=120,
)


def packets(steps: list[Step], t_us: int) -> Iterator[tuple[Packet, bool]]:
    for size, keyframe, step_us, idle in steps:
        t_us += step_us
        yield Packet(bytes(size), t_us, t_us, t_us, keyframe), idle


@settings(max_examples=150, deadline=None)
@given(steps=any_stream, asleep=st.booleans(), sure=st.booleans())
def test_any_stream_is_taken(steps: list[Step], asleep: bool, sure: bool) -> None:
    given_: list[Packet] = list(sleeper(sure).given) if asleep else []
    gate = copy.deepcopy(sleeper(sure).gate, {id(one): one for one in given_}) if asleep else Gate()
    decoder = sleeper(sure).decoded[-1] if asleep else -1  # the packet that it had last
    let: list[Packet] = []
    for one, idle in packets(steps, given_[-1].pts_us if given_ else 0):
        given_.append(one)
        wanted = gate.let(one)
        if gate.asleep and wanted and not idle:
            let += wanted
            wanted = gate.wake()
        for wants in wanted:
            let.append(wants)
            gate.learn(wants.pts_us, [], idle)
    places = {id(one): n for n, one in enumerate(given_)}
    numbers = [places[id(one)] for one in let]
    for before, number in zip([decoder, *numbers], numbers, strict=False):
        assert given_[number].keyframe or number == before + 1
    if not asleep:
        assert numbers == sorted(set(numbers))  # it never sleeps, so it never goes back


def until_asleep(scene: Scene) -> None:
    while not sleeps(scene.gate):
        scene.run(0.1)


@functools.cache
def sleeper(sure: bool) -> Scene:
    scene = Scene(still, picture=PICTURE).run(14) if sure else Scene(vbr).run(130)
    until_asleep(scene)
    return scene
