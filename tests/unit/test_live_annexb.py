"""Parameter sets are put where a decoder needs them; units are found whatever their start code."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.live.annexb import h264_profile, units, with_parameter_sets

START = b"\x00\x00\x00\x01"
SPS = b"\x67\x64\x00\x1f\xac"
PPS = b"\x68\xee\x3c"
AUD = b"\x09\xf0"
SEI = b"\x06\x05\x01\xff\x80"
IDR = b"\x65\x88\x84\x21"


def stream(*parts: bytes) -> bytes:
    return b"".join(START + part for part in parts)


def test_units_with_either_start_code() -> None:
    data = b"\x00\x00\x01" + SPS + START + PPS + b"\x00\x00\x01" + IDR
    assert [data[a:b] for a, b in units(data)] == [SPS, PPS, IDR]


@given(st.binary(max_size=200))
def test_units_never_fail_and_never_overlap(data: bytes) -> None:
    found = list(units(data))
    assert all(a < b for a, b in found)
    assert all(b <= c for (_, b), (c, _) in pairwise(found))


def test_sets_come_before_a_keyframe_that_lacks_them() -> None:
    assert with_parameter_sets(stream(IDR), stream(SPS, PPS), "h264") == stream(SPS, PPS, IDR)


def test_sets_come_after_the_delimiter_which_has_to_be_first() -> None:
    ready = with_parameter_sets(stream(AUD, SEI, IDR), stream(SPS, PPS), "h264")
    assert ready == stream(AUD, SPS, PPS, SEI, IDR)


def test_a_keyframe_with_its_own_sets_is_left_as_it_is() -> None:
    data = stream(SPS, PPS, IDR)
    assert with_parameter_sets(data, stream(b"\x67\x42\x00\x0a", PPS), "h264") is data


def test_a_keyframe_with_half_of_its_sets_gets_all() -> None:
    assert with_parameter_sets(stream(SPS, IDR), stream(SPS, PPS), "h264") == stream(SPS, PPS, SPS, IDR)


def test_without_known_sets_or_with_an_unknown_codec_nothing_is_changed() -> None:
    data = stream(IDR)
    assert with_parameter_sets(data, b"", "h264") is data
    assert with_parameter_sets(data, stream(SPS, PPS), "mjpeg") is data


def test_h265_needs_its_three_sets() -> None:
    vps, sps, pps = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1"
    idr, delimiter = b"\x26\x01\xaf", b"\x46\x01\x50"
    ready = with_parameter_sets(stream(delimiter, idr), stream(vps, sps, pps), "hevc")
    assert ready == stream(delimiter, vps, sps, pps, idr)
    assert with_parameter_sets(ready, stream(vps, sps, pps), "hevc") is ready


def test_the_profile_is_read_from_the_first_sps() -> None:
    assert h264_profile(stream(AUD, SPS, PPS, IDR)) == b"\x64\x00\x1f"
    assert h264_profile(stream(IDR)) is None
    assert h264_profile(stream(b"\x67\x64")) is None
