"""Promise: every keyframe carries its parameter sets, and the stream's size, profile and rate are read from
them as FFmpeg reads them."""

from pathlib import Path

import av
import pytest
from av.video.codeccontext import VideoCodecContext
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.cameras.annexb import START_CODE, ParameterSets, nal_type, nal_units
from camera_hub.cameras.sps import parse_sps
from camera_hub.cameras.units import UnitMaker, annexb_extradata
from camera_hub.model import Packet
from tests.made_clips import make_clip
from tests.recorded import stream

KINDS = {"h264": [7, 8], "hevc": [32, 33, 34]}


def bare(codec: str, data: bytes) -> bytes:
    """The access unit without its parameter sets."""
    return b"".join(START_CODE + nal for nal in nal_units(data) if nal_type(codec, nal) not in KINDS[codec])


def extradata(codec: str, data: bytes) -> bytes:
    return b"".join(START_CODE + nal for nal in nal_units(data) if nal_type(codec, nal) in KINDS[codec])


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_sets_inside_the_keyframe_are_found_and_left_there(codec: str) -> None:
    keyframe = stream(codec, seconds=1)[1][0].data
    sets = ParameterSets(codec)
    assert sets.annexb() == b""
    assert sets.with_parameter_sets(keyframe) == keyframe
    assert sets.complete
    assert sets.annexb() == extradata(codec, keyframe)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_sets_told_beforehand_are_put_into_the_keyframe(codec: str) -> None:
    keyframe = stream(codec, seconds=1)[1][0].data
    told = extradata(codec, keyframe)
    whole = ParameterSets(codec, told).with_parameter_sets(bare(codec, keyframe))
    kinds = [nal_type(codec, nal) for nal in nal_units(whole)]
    assert [kind for kind in kinds if kind in KINDS[codec]] == KINDS[codec]
    assert VideoDecoder(codec).size(whole) == (160, 120)


def test_an_access_unit_delimiter_stays_first() -> None:
    keyframe = stream("h264", seconds=1)[1][0].data
    delimiter = START_CODE + b"\x09\xf0"
    whole = ParameterSets("h264", extradata("h264", keyframe)).with_parameter_sets(
        delimiter + bare("h264", keyframe)
    )
    assert [nal_type("h264", nal) for nal in nal_units(whole)][:3] == [9, 7, 8]


def test_only_what_is_missing_is_added() -> None:
    keyframe = stream("h264", seconds=1)[1][0].data
    without_pps = b"".join(START_CODE + nal for nal in nal_units(keyframe) if nal_type("h264", nal) != 8)
    whole = ParameterSets("h264", extradata("h264", keyframe)).with_parameter_sets(without_pps)
    kinds = [nal_type("h264", nal) for nal in nal_units(whole)]
    assert (kinds.count(7), kinds.count(8)) == (1, 1)


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("size", [(160, 120), (1280, 720), (1920, 1080), (322, 182), (704, 576)])
def test_size_is_read_as_ffmpeg_reads_it(codec: str, size: tuple[int, int]) -> None:
    packets = stream(codec, seconds=1, fps=2, size=size)[1]
    sets = ParameterSets(codec)
    sets.with_parameter_sets(packets[0].data)
    assert sets.sps is not None
    sps = parse_sps(codec, sets.sps)
    assert (sps.width, sps.height) == size == VideoDecoder(codec).size(packets[0].data)


@pytest.mark.parametrize(
    ("pixels", "profile"), [("yuv420p", "Constrained Baseline"), ("yuv422p", "High 4:2:2")]
)
def test_profile_of_h264(pixels: str, profile: str) -> None:
    sets = ParameterSets("h264")
    sets.with_parameter_sets(stream("h264", seconds=1, pixels=pixels)[1][0].data)
    assert sets.sps is not None
    sps = parse_sps("h264", sets.sps)
    assert (sps.profile, sps.width, sps.height) == (profile, 160, 120)


def test_declared_rate_of_h264(tmp_path: Path) -> None:
    with av.open(str(make_clip(tmp_path / "clip.h264", fps=12, seconds=1))) as container:
        keyframe = bytes(next(container.demux(video=0)))
    sets = ParameterSets("h264")
    sets.with_parameter_sets(keyframe)
    assert sets.sps is not None
    assert parse_sps("h264", sets.sps).fps == 12


@given(st.binary(max_size=200), st.sampled_from(["h264", "hevc"]))
def test_nonsense_is_refused_in_one_way(payload: bytes, codec: str) -> None:
    header = b"\x67" if codec == "h264" else b"\x42\x01"
    try:
        sps = parse_sps(codec, header + payload)
    except ValueError:
        return
    assert sps.width > 0
    assert sps.height > 0


@given(st.binary(max_size=300), st.sampled_from(["h264", "hevc"]))
def test_any_bytes_can_be_a_keyframe(data: bytes, codec: str) -> None:
    assert data in ParameterSets(codec).with_parameter_sets(data)


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
    told = extradata("h264", keyframe)
    assert annexb_extradata("h264", told) == told
    assert annexb_extradata("h264", b"\x01\x64\x00\x1e\xff\xe1") == b""
    assert annexb_extradata("h264", None) == b""


def made(units: UnitMaker, packet: Packet) -> Packet | None:
    return units.make(
        packet.data, packet.pts_us, packet.dts_us, keyframe=packet.keyframe, arrival_us=0, wall_us=0
    )


class VideoDecoder:
    """FFmpeg's opinion."""

    def __init__(self, codec: str) -> None:
        context = av.CodecContext.create(codec, "r")
        assert isinstance(context, VideoCodecContext)
        self.context = context

    def size(self, keyframe: bytes) -> tuple[int, int]:
        frames = [*self.context.decode(av.Packet(keyframe)), *self.context.decode(None)]
        return frames[0].width, frames[0].height
