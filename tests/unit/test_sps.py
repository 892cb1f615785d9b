"""Promise: a stream's size, profile and rate are read from its SPS as FFmpeg reads them."""

from pathlib import Path

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.annexb import nal_units, parameter_sets
from camera_hub.sps import Sps, parse_sps
from tests.support.made_clips import make_clip
from tests.support.recorded import decoded_size, stream


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("size", [(160, 120), (1280, 720), (1920, 1080), (322, 182), (704, 576)])
def test_size_is_read_as_ffmpeg_reads_it(codec: str, size: tuple[int, int]) -> None:
    packets = stream(codec, seconds=1, fps=2, size=size)[1]
    sps = sps_of(codec, packets[0].data)
    assert (sps.width, sps.height) == size == decoded_size(codec, packets[0].data)


@pytest.mark.parametrize(
    ("pixels", "profile"), [("yuv420p", "Constrained Baseline"), ("yuv422p", "High 4:2:2")]
)
def test_profile_of_h264(pixels: str, profile: str) -> None:
    sps = sps_of("h264", stream("h264", seconds=1, pixels=pixels)[1][0].data)
    assert (sps.profile, sps.width, sps.height) == (profile, 160, 120)


def test_declared_rate_of_h264(tmp_path: Path) -> None:
    with av.open(str(make_clip(tmp_path / "clip.h264", fps=12, seconds=1))) as container:
        keyframe = bytes(next(container.demux(video=0)))
    assert sps_of("h264", keyframe).fps == 12


@given(st.binary(max_size=200), st.sampled_from(["h264", "hevc"]))
def test_nonsense_is_refused_in_one_way(payload: bytes, codec: str) -> None:
    header = b"\x67" if codec == "h264" else b"\x42\x01"
    try:
        sps = parse_sps(codec, header + payload)
    except ValueError:
        return
    assert sps.width > 0
    assert sps.height > 0


def sps_of(codec: str, keyframe: bytes) -> Sps:
    return parse_sps(codec, parameter_sets(codec, nal_units(keyframe)).sps[0])
