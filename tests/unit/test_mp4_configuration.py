"""Promise: the decoder's configuration record in an MP4 file is exact."""

import re
from pathlib import Path

import av
import pytest

from camera_hub.annexb import nal_units, parameter_sets
from camera_hub.mp4.configuration import ParameterSetsError, codec_string, configuration_record
from tests.support import recorded


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [("h264", "yuv420p"), ("h264", "yuv422p"), ("h264", "yuv444p"), ("hevc", "yuv420p"), ("hevc", "yuv444p")],
)
def test_configuration_record_is_the_one_that_ffmpeg_writes(codec: str, pixels: str, tmp_path: Path) -> None:
    _, packets = recorded.stream(codec, seconds=1, pixels=pixels)
    sets = parameter_sets(codec, nal_units(packets[0].data))
    assert sets.complete

    raw, made = tmp_path / f"raw.{codec}", tmp_path / "made.mp4"
    raw.write_bytes(b"".join(packet.data for packet in packets))
    with av.open(str(raw), format=codec) as source, av.open(str(made), "w") as target:
        track = target.add_stream_from_template(source.streams.video[0])
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream, packet.pts, packet.dts = track, number, number
                target.mux(packet)
    with av.open(str(made)) as theirs:
        extradata = theirs.streams.video[0].codec_context.extradata
    assert extradata is not None
    ours = configuration_record(codec, sets)
    if codec == "h264":
        assert ours == extradata
    else:
        # FFmpeg also keeps the encoder's SEI; ours is the fixed part, then VPS, SPS and PPS.
        assert ours[:13] == extradata[:13]
        assert ours[15:22] == extradata[15:22]
        assert all(one in extradata for one in (*sets.vps, *sets.sps, *sets.pps))


@pytest.mark.parametrize(
    ("codec", "pixels"),
    # of HEVC's constraints FFmpeg tells the first byte alone: what browsers play has no more
    [("h264", "yuv420p"), ("h264", "yuv422p"), ("hevc", "yuv420p")],
)
def test_codec_string_is_the_one_that_ffmpeg_tells_players(codec: str, pixels: str, tmp_path: Path) -> None:
    _, packets = recorded.stream(codec, seconds=1, pixels=pixels)
    raw, told = tmp_path / f"raw.{codec}", tmp_path / "told.mpd"
    raw.write_bytes(b"".join(packet.data for packet in packets))
    with av.open(str(raw), format=codec) as source, av.open(str(told), "w", format="dash") as target:
        track = target.add_stream_from_template(source.streams.video[0])
        track.codec_context.codec_tag = "hvc1" if codec == "hevc" else "avc1"
        for number, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream, packet.pts, packet.dts = track, number, number
                target.mux(packet)
    expected = re.search(r'codecs="([^"]+)"', told.read_text())
    assert expected is not None
    sets = parameter_sets(codec, nal_units(packets[0].data))
    assert codec_string(codec, sets).lower() == expected[1].lower()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_damaged_parameter_sets_are_refused_in_words(codec: str) -> None:
    _, packets = recorded.stream(codec, seconds=1)
    sets = parameter_sets(codec, nal_units(packets[0].data))
    short = sets._replace(sps=(sets.sps[0][:3],))
    with pytest.raises(ParameterSetsError, match="restart the camera"):
        configuration_record(codec, short)
    with pytest.raises(ParameterSetsError, match="restart the camera"):
        codec_string(codec, short)
