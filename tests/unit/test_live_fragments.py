"""No browser has to wait for a keyframe because of a camera's uneven times."""

import io
import itertools

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.annexb import joined
from camera_hub.live.fragments import CannotMuxError, Fragment, LiveMuxer
from camera_hub.model import Packet
from tests.support import recorded
from tests.support.live import encode, fake_packet, info


def at(packet: Packet, time_us: int) -> Packet:
    return Packet(packet.data, time_us, time_us, packet.wall_us, packet.keyframe)


def muxed(times_us: list[int]) -> list[Fragment]:
    """A real stream's pictures at other times."""
    encoded = encode(frames=len(times_us), gop=1_000)
    keyframe = encoded.packets[0]
    first = Packet(encoded.info.extradata + keyframe.data, 0, 0, 0, True)
    muxer = LiveMuxer(encoded.info)
    made = [
        muxer.fragment(at(packet, time_us))
        for packet, time_us in zip([first, *encoded.packets[1:]], times_us, strict=True)
    ]
    return [one for one in made if one is not None]


def samples(fragments: list[Fragment]) -> list[tuple[float, float]]:
    """(decoding time, duration) of each, in s, as FFmpeg reads them."""
    head = fragments[0].head
    assert head is not None
    data = head.data + b"".join(one.data for one in fragments)
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        return [
            (float(p.dts * p.time_base), float((p.duration or 0) * p.time_base))
            for p in container.demux(video=0)
            if p.size and p.dts is not None and p.time_base is not None
        ]


def never_waits(found: list[tuple[float, float]]) -> None:
    """The rule of W3C MSE: not before the last, nor later than after twice its duration."""
    for (time, duration), (following, _) in itertools.pairwise(found):
        assert 0 < following - time <= 2 * duration


@pytest.mark.parametrize("fps", [5, 10, 25, 60])
def test_even_times_stay_as_they_are(fps: int) -> None:
    step_us = 1_000_000 // fps
    fragments = muxed([number * step_us for number in range(20)])
    assert [one.time_us for one in fragments] == [number * step_us for number in range(20)]


def test_uneven_times_stay_as_they_are_where_the_browser_bears_them() -> None:
    times = [0, 1_000, 50_000, 51_000, 120_000, 150_000, 151_000, 230_000, 240_000, 330_000]
    fragments = muxed(times)
    never_waits(samples(fragments))
    assert [one.time_us for one in fragments] == times


def test_times_that_come_in_bursts_do_not_slow_the_stream_down() -> None:
    times = [burst * 400_000 + number * 1_000 for burst in range(8) for number in range(10)]
    fragments = muxed(times)
    never_waits(samples(fragments))
    assert fragments[-1].time_us - fragments[20].time_us == times[-1] - times[20]


@given(st.lists(st.integers(0, 5_000_000), min_size=2, max_size=30))
def test_whatever_the_camera_says_no_browser_waits_for_a_keyframe(steps: list[int]) -> None:
    muxer = LiveMuxer(info())
    time_us, made = 0, []
    for number, step_us in enumerate([0, *steps]):
        time_us += step_us
        packet = KEYFRAME if number == 0 else fake_packet(number)
        fragment = muxer.fragment(Packet(packet.data, time_us, time_us, time_us, number == 0))
        assert fragment is not None
        made.append(fragment)
    assert len(made) == len(steps) + 1
    never_waits([(one.time_us / 1e6, duration_s(one)) for one in made])


def duration_s(fragment: Fragment) -> float:
    """From the only row of its `trun`, which FragmentReader does not tell."""
    row = fragment.data.index(b"trun") + 4 + 4 + 4 + 4
    return int.from_bytes(fragment.data[row : row + 4]) / 1e6


def test_a_silence_is_shortened_and_both_clocks_are_kept() -> None:
    fragments = muxed([0, 100_000, 200_000, 3_200_000, 3_300_000])
    never_waits(samples(fragments))
    times = [one.time_us for one in fragments]
    assert times[3] - times[2] <= 400_000
    assert times[4] - times[3] == 100_000


def test_a_new_head_comes_with_new_parameter_sets_alone() -> None:
    _, small = recorded.stream("h264", seconds=1, size=(160, 120))
    about, large = recorded.stream("h264", seconds=1, size=(320, 240))
    muxer = LiveMuxer(about)
    heads = [fragment.head for packet in (*small, *small, *large) if (fragment := muxer.fragment(packet))]
    told = [(head.width, head.height) for head in heads if head is not None]
    assert told == [(160, 120), (320, 240)]


def test_what_cannot_be_muxed_is_refused_in_words() -> None:
    with pytest.raises(CannotMuxError, match=r"H\.264 or H\.265"):
        LiveMuxer(info("mjpeg"))
    muxer = LiveMuxer(info())
    assert muxer.fragment(fake_packet(1)) is None
    damaged = joined([b"\x67\x42", b"\x68\x01", b"\x65\x11"])
    with pytest.raises(CannotMuxError, match="restart the camera"):
        muxer.fragment(Packet(damaged, 0, 0, 0, True))


_ENCODED = encode(frames=2)
KEYFRAME = Packet(_ENCODED.info.extradata + _ENCODED.packets[0].data, 0, 0, 0, True)
