"""Promise: a clip is a camera: in real time or at full speed, once or in a loop without a seam; and what is
wrong with the file is said in words."""

import threading
import time
from itertools import pairwise
from pathlib import Path

import pytest

from camera_hub.annexb import nal_type, nal_units
from camera_hub.cameras.clip import ClipSource
from camera_hub.cameras.decoding import LumaDecoder
from camera_hub.cameras.reader import StreamReader
from camera_hub.cameras.source import (
    BadClipError,
    CameraError,
    ClipMissingError,
    NoVideoError,
    TruncatedError,
    UnsupportedError,
)
from camera_hub.model import CameraState, Packet, StreamInfo
from tests.support.made_clips import make_clip

START_US = 1_700_000_000_000_000


def play(source: ClipSource, at_most: int = 10_000) -> tuple[StreamInfo, list[Packet]]:
    info = source.open()
    packets = []
    try:
        for packet in source.packets():
            packets.append(packet)
            if len(packets) == at_most:
                break
    finally:
        source.close()
    return info, packets


def pictures(info: StreamInfo, packets: list[Packet]) -> int:
    decoder = LumaDecoder(info)
    count = sum(len(decoder.decode(packet)) for packet in packets) + len(decoder.flush())
    assert decoder.errors == 0
    return count


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_every_container_gives_whole_pictures_in_annexb(tmp_path: Path, ending: str, codec: str) -> None:
    if (ending, codec) == ("avi", "hevc"):
        return  # there is no such thing: FFmpeg refuses to write it
    clip = make_clip(tmp_path / f"clip.{ending}", codec=codec, seconds=3, sound=ending != "avi")
    info, packets = play(ClipSource(clip, pace="full-speed", start_wall_us=START_US))
    assert (info.codec, info.width, info.height, info.fps) == (codec, 320, 240, 10)
    assert len(packets) == 30
    assert pictures(info, packets) == 30
    assert [packet.keyframe for packet in packets] == [n % 10 == 0 for n in range(30)]
    assert [packet.dts_us for packet in packets] == pytest.approx([n * 100_000 for n in range(30)], abs=1_000)
    assert [packet.wall_us for packet in packets] == [START_US + packet.dts_us for packet in packets]


def test_keyframes_carry_their_parameter_sets(tmp_path: Path) -> None:
    _, packets = play(ClipSource(make_clip(tmp_path / "clip.mp4", seconds=3), pace="full-speed"))
    for packet in packets:
        kinds = {nal_type("h264", nal) for nal in nal_units(packet.data)}
        assert ({7, 8} <= kinds) == packet.keyframe


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_b_frames_keep_both_their_times(tmp_path: Path, ending: str) -> None:
    clip = make_clip(tmp_path / f"clip.{ending}", seconds=3, b_frames=2)
    info, packets = play(ClipSource(clip, pace="full-speed"))
    assert all(a.dts_us < b.dts_us for a, b in pairwise(packets))
    assert all(packet.pts_us >= packet.dts_us for packet in packets)
    shown = sorted(packet.pts_us for packet in packets)
    assert [b - a for a, b in pairwise(shown)] == pytest.approx([100_000] * 29, abs=1_001)
    assert pictures(info, packets) == 30


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
def test_a_loop_has_no_seam(tmp_path: Path, ending: str) -> None:
    clip = make_clip(tmp_path / f"clip.{ending}", seconds=2)
    info, packets = play(ClipSource(clip, loop=True, pace="full-speed", start_wall_us=START_US), 70)
    assert [packet.dts_us for packet in packets] == pytest.approx([n * 100_000 for n in range(70)], abs=5_000)
    assert [n for n, packet in enumerate(packets) if packet.keyframe] == list(range(0, 70, 10))
    assert packets[-1].wall_us - packets[0].wall_us == packets[-1].dts_us
    assert pictures(info, packets) == 70


def test_the_same_clip_gives_the_same_packets(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=2)
    first, second = (play(ClipSource(clip, pace="full-speed", start_wall_us=START_US)) for _ in range(2))
    assert first == second


def test_real_time_takes_its_time(tmp_path: Path) -> None:
    source = ClipSource(make_clip(tmp_path / "clip.mp4", seconds=2))
    begun = time.monotonic()
    _, packets = play(source)
    assert time.monotonic() - begun >= 1.9
    assert len(packets) == 20
    assert packets[-1].wall_us - packets[0].wall_us >= 1_890_000


def test_a_wait_for_the_next_picture_can_be_interrupted(tmp_path: Path) -> None:
    source = ClipSource(make_clip(tmp_path / "clip.mp4", fps=1, seconds=60))
    source.open()
    packets = source.packets()
    next(packets)
    timer = threading.Timer(0.2, source.interrupt)
    timer.start()
    rest = list(packets)
    assert len(rest) < 30
    source.close()
    timer.join()


def test_missing() -> None:
    with pytest.raises(ClipMissingError, match=r"the clip gone\.mp4 does not exist; looked in /nowhere"):
        ClipSource("/nowhere/gone.mp4").open()


def test_empty(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.touch()
    with pytest.raises(BadClipError, match=r"the clip clip\.mp4 is empty"):
        ClipSource(clip).open()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("content", [b"Xin chao\n" * 50, b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", bytes(5000)])
def test_not_a_video(tmp_path: Path, ending: str, content: bytes) -> None:
    clip = tmp_path / f"clip.{ending}"
    clip.write_bytes(content)
    with pytest.raises(BadClipError, match="is not a video") as caught:
        ClipSource(clip).open()
    assert caught.value.state is CameraState.UNSUPPORTED


@pytest.mark.parametrize("codec", ["mpeg4", "mjpeg"])
def test_codec_that_cannot_be_used_is_named(tmp_path: Path, codec: str) -> None:
    clip = make_clip(tmp_path / "clip.avi", codec=codec, seconds=1)
    with pytest.raises(UnsupportedError, match=codec.upper()):
        ClipSource(clip).open()


def test_sound_alone(tmp_path: Path) -> None:
    import av
    import numpy as np

    clip = tmp_path / "clip.mp4"
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), "fltp", "mono")
        frame.sample_rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(NoVideoError, match="no video in it"):
        ClipSource(clip).open()


@pytest.mark.parametrize("ending", ["mp4", "mkv", "avi"])
@pytest.mark.parametrize("loop", [False, True])
def test_truncated_plays_what_is_there_then_says_so(tmp_path: Path, ending: str, loop: bool) -> None:
    whole = make_clip(tmp_path / f"whole.{ending}", seconds=10).read_bytes()
    clip = tmp_path / f"clip.{ending}"
    clip.write_bytes(whole[: len(whole) * 6 // 10])
    source = ClipSource(clip, loop=loop, pace="full-speed")
    info = source.open()
    packets: list[Packet] = []
    with pytest.raises(TruncatedError, match=r"breaks off after [3-8]\.\d s: the file is damaged") as caught:
        packets.extend(source.packets())
    source.close()
    assert 30 < len(packets) < 90
    assert pictures(info, packets) == len(packets)
    assert caught.value.final is not loop


def test_cut_off_before_its_index(tmp_path: Path) -> None:
    whole = make_clip(tmp_path / "whole.mp4", seconds=2).read_bytes()
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(whole[:300])
    with pytest.raises(CameraError, match="cut off"):
        ClipSource(clip).open()


def test_a_strange_file_name_is_only_a_name(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "ngõ nhỏ: 7 %d #1?.mp4", seconds=1)
    assert len(play(ClipSource(clip, pace="full-speed"))[1]) == 10


def test_a_reader_plays_a_clip_to_its_end(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", seconds=2)
    packets: list[Packet] = []
    states: list[tuple[CameraState, str]] = []
    reader = StreamReader(
        lambda: ClipSource(clip, pace="full-speed"),
        on_info=lambda info: None,
        on_packet=packets.append,
        on_state=lambda state, error, wall_us: states.append((state, str(error or ""))),
    )
    reader.run()
    assert len(packets) == 20
    assert [state for state, _ in states] == [CameraState.CONNECTING, CameraState.ONLINE, CameraState.STALLED]
    assert states[-1][1] == "the clip has ended"


def test_errors_are_for_people(tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").write_bytes(b"nothing")
    with pytest.raises(CameraError) as caught:
        ClipSource(tmp_path / "clip.mkv").open()
    assert "Errno" not in str(caught.value)
    assert caught.value.__cause__ is None
