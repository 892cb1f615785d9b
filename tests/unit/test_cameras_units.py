"""Promise: packets begin at a keyframe that can be decoded; it is told when the stream becomes another."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.cameras.units import UnitMaker, annexb_extradata
from camera_hub.model import Packet
from tests.support.recorded import bare, sets_of, stream


@given(st.data())
def test_a_damaged_parameter_set_is_nonsense_or_a_stream(data: st.DataObject) -> None:
    whole = bytearray(stream("h264", seconds=1)[1][0].data[:60])
    for _ in range(data.draw(st.integers(1, 5))):
        whole[data.draw(st.integers(0, 59))] = data.draw(st.integers(0, 255))
    units = UnitMaker("h264", b"", None, None)
    try:
        units.make(bytes(whole), 0, 0, keyframe=True, arrival_us=0, wall_us=0)
    except ValueError:
        assert units.info is None


def test_nothing_comes_before_the_first_keyframe() -> None:
    _, packets = stream("h264", seconds=1)
    units = UnitMaker("h264", b"", None, None)
    assert made(units, packets[1]) is None
    assert units.info is None
    first = made(units, packets[0])
    assert first is not None
    assert first.keyframe
    assert made(units, packets[1]) is not None


def test_a_keyframe_without_any_parameter_sets_is_not_enough() -> None:
    _, packets = stream("h264", seconds=1)
    units = UnitMaker("h264", b"", None, None)
    keyframe = packets[0]
    data = bare("h264", keyframe.data)
    assert units.make(data, 0, 0, keyframe=True, arrival_us=0, wall_us=0) is None


def test_another_size_in_mid_stream_is_told() -> None:
    units = UnitMaker("h264", b"", None, None)
    made(units, stream("h264", seconds=1, size=(160, 120))[1][0])
    before = units.info
    made(units, stream("h264", seconds=1, size=(160, 120))[1][0])
    assert units.info is before
    made(units, stream("h264", seconds=1, size=(320, 240))[1][0])
    assert units.info is not before
    assert units.info is not None
    assert (units.info.width, units.info.height) == (320, 240)


def test_extradata_of_mp4_is_not_taken_for_annexb() -> None:
    keyframe = stream("h264", seconds=1)[1][0].data
    told = sets_of("h264", keyframe)
    assert annexb_extradata("h264", told) == told
    assert annexb_extradata("h264", b"\x01\x64\x00\x1e\xff\xe1") == b""
    assert annexb_extradata("h264", None) == b""


def made(units: UnitMaker, packet: Packet) -> Packet | None:
    return units.make(
        packet.data, packet.pts_us, packet.dts_us, keyframe=packet.keyframe, arrival_us=0, wall_us=0
    )
