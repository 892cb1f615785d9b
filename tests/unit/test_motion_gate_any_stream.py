"""Whatever a stream is like, the gate takes it, and lets nothing through that cannot be decoded."""

import copy
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.model import Packet
from camera_hub.motion import Gate
from tests.unit.gate_scenes import (
    STEP_US,
    sleeper,
)

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
