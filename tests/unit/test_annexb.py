"""Promise: NAL units are found whatever their start codes, and untouched; a keyframe gets the parameter sets
that it lacks where a decoder needs them, and decodes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.annexb import (
    CODECS,
    START_CODE,
    ParameterSets,
    can_begin,
    head_units,
    joined,
    nal_type,
    nal_units,
    parameter_sets,
    picture_bytes,
    with_parameter_sets,
)
from tests.support.recorded import SETS, bare, decoded_size, sets_of, stream

SPS = b"\x67\x64\x00\x1f\xac"
PPS = b"\x68\xee\x3c"
AUD = b"\x09\xf0"
SEI = b"\x06\x05\x01\xff\x80"
IDR = b"\x65\x88\x84\x21"

units_of_any_bytes = st.lists(
    st.binary(min_size=1, max_size=60).filter(lambda unit: b"\x00\x00\x01" not in unit and unit[-1] != 0),
    max_size=8,
)


@given(units_of_any_bytes, st.lists(st.sampled_from((3, 4, 5)), min_size=8, max_size=8))
def test_units_come_out_as_they_went_in(units: list[bytes], zeros: list[int]) -> None:
    data = b"".join(bytes(count - 1) + b"\x01" + unit for unit, count in zip(units, zeros, strict=False))
    assert [bytes(unit) for unit in nal_units(data)] == units


def test_units_with_either_start_code() -> None:
    data = b"\x00\x00\x01" + SPS + START_CODE + PPS + b"\x00\x00\x01" + IDR
    assert nal_units(data) == [SPS, PPS, IDR]


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data: bytes) -> None:
    at = 0
    for unit in nal_units(data):
        at = data.index(unit, at) + len(unit)  # in their order, and they never overlap
        assert unit[-1] != 0


def test_what_is_no_byte_stream_has_no_units() -> None:
    assert nal_units(b"") == []
    assert nal_units(b"\x00\x00\x00\x05hello") == []
    assert nal_units(b"\x00\x00\x01\x00\x00\x01") == []


@pytest.mark.parametrize("codec", CODECS)
def test_the_head_is_what_comes_before_the_picture(codec: str) -> None:
    keyframe = stream(codec, seconds=1)[1][0].data
    units = nal_units(keyframe)
    head = head_units(codec, keyframe)
    assert head == units[: len(head)]
    assert SETS[codec] == [kind for kind in (nal_type(codec, unit) for unit in head) if kind in SETS[codec]]


@given(st.binary(max_size=300), st.sampled_from([*CODECS, "mjpeg"]))
def test_any_bytes_have_a_head(data: bytes, codec: str) -> None:
    head = head_units(codec, data)
    assert head == nal_units(data)[: len(head)]


@pytest.mark.parametrize("codec", CODECS)
def test_sets_inside_the_keyframe_are_found_and_left_there(codec: str) -> None:
    keyframe = stream(codec, seconds=1)[1][0].data
    sets = parameter_sets(codec, nal_units(keyframe))
    assert with_parameter_sets(keyframe, ParameterSets(codec)) == keyframe
    assert sets.complete
    assert joined(sets.units) == sets_of(codec, keyframe)
    assert not ParameterSets(codec).units


@pytest.mark.parametrize("codec", CODECS)
def test_sets_told_beforehand_are_put_into_the_keyframe(codec: str) -> None:
    keyframe = stream(codec, seconds=1)[1][0].data
    whole = with_parameter_sets(bare(codec, keyframe), told(codec, keyframe))
    kinds = [nal_type(codec, unit) for unit in nal_units(whole)]
    assert [kind for kind in kinds if kind in SETS[codec]] == SETS[codec]
    assert decoded_size(codec, whole) == (160, 120)


def test_an_access_unit_delimiter_stays_first() -> None:
    keyframe = stream("h264", seconds=1)[1][0].data
    delimiter = START_CODE + b"\x09\xf0"
    whole = with_parameter_sets(delimiter + bare("h264", keyframe), told("h264", keyframe))
    assert [nal_type("h264", nal) for nal in nal_units(whole)][:3] == [9, 7, 8]


@pytest.mark.parametrize(("codec", "lost"), [(codec, lost) for codec in CODECS for lost in SETS[codec]])
def test_only_what_is_missing_is_added_and_the_keyframe_decodes(codec: str, lost: int) -> None:
    keyframe = stream(codec, seconds=1)[1][0].data
    without = joined(unit for unit in nal_units(keyframe) if nal_type(codec, unit) != lost)
    whole = with_parameter_sets(without, told(codec, keyframe))
    kinds = [nal_type(codec, unit) for unit in nal_units(whole)]
    assert [kinds.count(kind) for kind in SETS[codec]] == [1] * len(SETS[codec])
    assert decoded_size(codec, whole) == (160, 120)


def test_sets_in_the_keyframe_count_more_than_those_told() -> None:
    other_sps = b"\x67\x42\x00\x0a"
    assert ready(bytes_of(other_sps, IDR), SPS, PPS) == bytes_of(other_sps, PPS, IDR)


@given(st.binary(max_size=300), st.sampled_from(CODECS))
def test_any_bytes_can_be_a_keyframe(data: bytes, codec: str) -> None:
    assert data in with_parameter_sets(data, ParameterSets(codec))


def test_sets_come_before_a_keyframe_that_lacks_them() -> None:
    assert ready(bytes_of(IDR), SPS, PPS) == bytes_of(SPS, PPS, IDR)


def test_sets_come_after_the_delimiter_which_has_to_be_first() -> None:
    assert ready(bytes_of(AUD, SEI, IDR), SPS, PPS) == bytes_of(AUD, SPS, PPS, SEI, IDR)


def test_a_keyframe_with_its_own_sets_is_left_as_it_is() -> None:
    data = bytes_of(SPS, PPS, IDR)
    assert ready(data, b"\x67\x42\x00\x0a", PPS) is data


def test_without_known_sets_or_with_an_unknown_codec_nothing_is_changed() -> None:
    data = bytes_of(IDR)
    assert ready(data) is data
    assert ready(data, SPS, PPS, codec="mjpeg") is data


def test_h265_needs_its_three_sets() -> None:
    vps, sps, pps = b"\x40\x01\x0c", b"\x42\x01\x01", b"\x44\x01\xc1"
    idr, delimiter = b"\x26\x01\xaf", b"\x46\x01\x50"
    whole = ready(bytes_of(delimiter, idr), vps, sps, pps, codec="hevc")
    assert whole == bytes_of(delimiter, vps, sps, pps, idr)
    assert ready(whole, vps, sps, pps, codec="hevc") is whole


def bytes_of(*units: bytes) -> bytes:
    return joined(units)


def told(codec: str, keyframe: bytes) -> ParameterSets:
    return parameter_sets(codec, nal_units(keyframe))


def ready(keyframe: bytes, *sets: bytes, codec: str = "h264") -> bytes:
    """The keyframe of a stream whose parameter sets were told at its opening."""
    return with_parameter_sets(keyframe, parameter_sets(codec, nal_units(joined(sets))))


SLICE = b"\x41\x9a\x24\x6c\x41"
FILLER = b"\x0c" + b"\xff" * 400 + b"\x80"


@pytest.mark.parametrize(
    "data",
    [
        joined([SLICE]),
        b"\0\0\1" + SLICE,
        joined([AUD, SEI, SLICE, FILLER]),
        joined([SLICE]) + b"\0" * 300,
        joined([SLICE]) + b"\0\0\3" * 300,
        joined([AUD, SLICE]) + b"\0\0\3\0\0\3\0" + joined([FILLER, FILLER]),
    ],
)
def test_padding_and_messages_are_no_picture(data: bytes) -> None:
    assert picture_bytes("h264", data) == len(SLICE)


def test_all_slices_of_a_picture_count() -> None:
    assert picture_bytes("h264", joined([SLICE, SLICE + b"\x11"])) == 2 * len(SLICE) + 1
    assert picture_bytes("hevc", joined([b"\x02\x01\xaa", b"\x4c\x01" + b"\xff" * 90])) == 3
    assert picture_bytes("mjpeg", SLICE) == len(SLICE)


@given(st.binary(max_size=300), st.sampled_from([*CODECS, "other"]))
def test_of_any_bytes_no_more_than_there_are_is_picture(data: bytes, codec: str) -> None:
    assert 0 <= picture_bytes(codec, data) <= len(data)
    can_begin(codec, data)


def test_a_decoder_can_begin_with_an_idr_but_not_with_a_refresh() -> None:
    assert can_begin("h264", joined([AUD, SPS, PPS, SEI, IDR]))
    assert not can_begin("h264", joined([AUD, SPS, PPS, SEI, SLICE]))
    assert can_begin("hevc", joined([b"\x26\x01\xaf"]))
    assert not can_begin("hevc", joined([b"\x02\x01\xaf"]))
    assert not can_begin("h264", b"")
    assert can_begin("mjpeg", b"")
