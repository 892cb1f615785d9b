"""Promise: pictures with B-frames whose times are those of sending get the times at which they are shown."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.annexb import nal_units, parameter_sets
from camera_hub.cameras.order import ShownOrder
from tests.support.live import Encoded, encode

STEP_US = 40_000


def orders(encoded: Encoded, times: list[int]) -> list[int]:
    """The times that come out for pictures that are sent with these."""
    order = ShownOrder()
    order.learn(parameter_sets("h264", nal_units(encoded.info.extradata)).sps[0])
    out = [order.shown_us(packet.data, time) for packet, time in zip(encoded.packets, times, strict=True)]
    return [one for one in out if one is not None]


def sent_times(encoded: Encoded, uneven_us: int = 0) -> list[int]:
    return [number * STEP_US + number % 3 * uneven_us for number in range(len(encoded.packets))]


@pytest.mark.parametrize("uneven_us", [0, 9_000])
@pytest.mark.parametrize("b_frames", [1, 2, 3])
def test_times_of_sending_become_those_of_showing(b_frames: int, uneven_us: int) -> None:
    encoded = encode(profile="main", b_frames=b_frames, fps=25, gop=25)
    out = orders(encoded, sent_times(encoded, uneven_us))
    shown = sorted(zip((packet.pts_us for packet in encoded.packets), out, strict=True))
    in_order = [us for _, us in shown][25:]  # in the first group it is found out
    assert all(a < b for a, b in pairwise(in_order))
    steps = [b - a for a, b in pairwise(in_order)]
    assert all(abs(step - STEP_US) <= 3 * uneven_us for step in steps), steps


@pytest.mark.parametrize(("profile", "b_frames"), [("baseline", 0), ("high", 0), ("high", 2)])
def test_times_of_showing_stay_as_they_are(profile: str, b_frames: int) -> None:
    encoded = encode(profile=profile, b_frames=b_frames, fps=25, gop=25)
    times = [packet.pts_us for packet in encoded.packets]
    assert orders(encoded, times) == times


def test_a_picture_without_a_time_gets_none_and_disturbs_nothing() -> None:
    encoded = encode(profile="main", b_frames=2, fps=25, gop=25)
    order = ShownOrder()
    order.learn(parameter_sets("h264", nal_units(encoded.info.extradata)).sps[0])
    assert order.shown_us(encoded.packets[0].data, None) is None
    rest = zip(encoded.packets[1:], sent_times(encoded)[1:], strict=True)
    out = [order.shown_us(packet.data, time) for packet, time in rest]
    assert out[30:] == orders(encoded, sent_times(encoded))[31:]


@given(st.binary(max_size=60), st.binary(max_size=40))
def test_nonsense_gets_some_time(sps: bytes, slices: bytes) -> None:
    order = ShownOrder()
    order.learn(b"\x67" + sps)
    for number in range(4):
        order.shown_us(b"\x00\x00\x01\x65" + slices, number)
        assert isinstance(order.shown_us(b"\x00\x00\x01" + slices, number), int)
