"""Promise: a segment is a file that plays, picture for picture and time for time what the camera sent."""

import random
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest

from camera_hub.annexb import nal_units
from camera_hub.model import Packet, StreamInfo
from camera_hub.recording.fmp4_reader import Fragment, SegmentReader
from camera_hub.recording.fragments import FRAGMENT_US
from camera_hub.recording.segment import CannotRecordError, SegmentWriter
from tests.support import recorded


def write(path: Path, info: StreamInfo, packets: tuple[Packet, ...]) -> SegmentWriter:
    writer = SegmentWriter(path, info, packets[0], "cong-lang", "main")
    for packet in packets[1:]:
        writer.write(packet)
    writer.finish()
    writer.close()
    assert path.stat().st_size == writer.bytes
    return writer


def fragments(path: Path) -> list[Fragment]:
    with SegmentReader(path) as reader:
        return list(reader.fragments())


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_every_picture_plays_at_its_time(codec: str, b_frames: int, tmp_path: Path) -> None:
    info, packets = recorded.stream(codec, b_frames=b_frames)
    assert b_frames == 0 or any(packet.pts_us != packet.dts_us for packet in packets)
    path = tmp_path / "segment.mp4"
    writer = write(path, info, packets)

    first_us = min(packet.pts_us for packet in packets)
    assert recorded.shown_us(path) == sorted(packet.pts_us - first_us for packet in packets)
    assert writer.duration_us == pytest.approx(6_000_000, abs=100)
    assert recorded.length_us(path) == writer.duration_us
    assert writer.repaired == 0


def test_what_the_camera_encoded_is_what_is_stored(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    path = tmp_path / "segment.mp4"
    write(path, info, packets)
    stored = bytearray()
    with SegmentReader(path) as reader:
        for one in reader.fragments():
            stored += reader.read(one.data, one.end - one.data)
    sent = [unit for packet in packets for unit in nal_units(packet.data)]
    assert stored == b"".join(len(unit).to_bytes(4) + unit for unit in sent)


def test_the_file_says_whose_it_is_and_when_it_began(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    packets = tuple(
        msgspec.structs.replace(one, dts_us=one.dts_us + 77, pts_us=one.pts_us + 77) for one in packets
    )
    path = tmp_path / "segment.mp4"
    write(path, info, packets)
    with SegmentReader(path) as reader:
        assert reader.head.origin == ("cong-lang", "main", recorded.START_US, 77)
        for one in reader.fragments():
            assert one.wall_us == recorded.START_US + one.time_us


def test_variable_frame_rate_is_kept(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    chance = random.Random(3)
    times, at = [], 0
    for _ in packets:
        times.append(at)
        at += chance.randrange(20_000, 400_000)
    uneven = tuple(
        msgspec.structs.replace(one, pts_us=us, dts_us=us, wall_us=recorded.START_US + us)
        for one, us in zip(packets, times, strict=True)
    )
    path = tmp_path / "segment.mp4"
    write(path, info, uneven)
    assert recorded.shown_us(path) == times


def test_fragments_are_short_even_where_keyframes_are_rare(tmp_path: Path) -> None:
    info, packets = recorded.stream(seconds=9, gop_s=9)
    path = tmp_path / "segment.mp4"
    write(path, info, packets)
    found = fragments(path)
    assert len(found) == 5
    assert all(one.end_us - one.time_us <= FRAGMENT_US for one in found)
    assert len(recorded.shown_us(path)) == len(packets)


def test_fragments_begin_at_keyframes_and_are_not_tiny(tmp_path: Path) -> None:
    info, packets = recorded.stream(seconds=6, gop_s=1.5)
    write(tmp_path / "usual.mp4", info, packets)
    assert all(one.samples[0].keyframe for one in fragments(tmp_path / "usual.mp4"))

    info, packets = recorded.stream(seconds=4, gop_s=0.1)  # nothing but keyframes
    write(tmp_path / "intra.mp4", info, packets)
    assert [one.time_us for one in fragments(tmp_path / "intra.mp4")] == [0, 1_000_000, 2_000_000, 3_000_000]


def test_a_fragment_is_on_disk_when_the_next_one_begins(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    path = tmp_path / "segment.mp4"
    writer = SegmentWriter(path, info, packets[0])
    for packet in packets[1:]:
        writer.write(packet)
        held_us = fragments(path)[-1].end_us if path.stat().st_size else 0
        assert packet.dts_us - packets[0].dts_us - held_us < FRAGMENT_US
    writer.close()


def test_parameter_sets_come_from_the_opening_where_keyframes_have_none(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    sets = recorded.sets_of("h264", packets[0].data)
    bare = tuple(
        msgspec.structs.replace(packet, data=recorded.bare("h264", packet.data)) for packet in packets
    )
    with pytest.raises(CannotRecordError, match="parameter sets"):
        SegmentWriter(tmp_path / "none.mp4", info, bare[0])
    assert not (tmp_path / "none.mp4").exists()

    path = tmp_path / "segment.mp4"
    write(path, msgspec.structs.replace(info, extradata=sets), bare)
    assert len(recorded.shown_us(path)) == len(packets)


@pytest.mark.parametrize(
    ("codec", "data", "words"),
    [
        ("mjpeg", b"\xff\xd8", "mjpeg"),
        ("h264", b"", "Annex B"),
        ("h264", b"\x00\x00\x00\x02\x65\x88", "Annex B"),
    ],
)
def test_what_cannot_be_recorded_is_refused_in_words(
    codec: str, data: bytes, words: str, tmp_path: Path
) -> None:
    info = StreamInfo(codec, 640, 360, 10.0, b"")
    with pytest.raises(CannotRecordError, match=words):
        SegmentWriter(tmp_path / "segment.mp4", info, Packet(data, 0, 0, 0, True))


def test_a_segment_ends_where_the_next_should_begin(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    _, other = recorded.stream(size=(176, 144))
    writer = SegmentWriter(tmp_path / "segment.mp4", info, packets[0])
    for packet in packets[1:21]:
        writer.write(packet)
    keyframe = packets[40]
    assert keyframe.keyframe
    assert not writer.ends_before(keyframe, 5_000_000)
    assert writer.ends_before(keyframe, 4_000_000)
    assert not writer.ends_before(packets[39], 1)  # at keyframes only
    changed = msgspec.structs.replace(keyframe, data=other[0].data)
    assert writer.ends_before(changed, 60_000_000)
    assert writer.ends_before(recorded.later(packets, 20_000_000)[21], 60_000_000)  # after a silence
    writer.close()


def test_segments_follow_each_other_without_a_seam(tmp_path: Path) -> None:
    info, packets = recorded.stream()
    writers = [SegmentWriter(tmp_path / f"{at}.mp4", info, packets[at]) for at in (0, 20, 40)]
    for at, writer in zip((0, 20, 40), writers, strict=True):
        for packet in packets[at + 1 : at + 20]:
            writer.write(packet)
        writer.finish(packets[at + 20] if at < 40 else None)
        writer.close()
    ends = [writer.start_us + writer.duration_us for writer in writers]
    assert ends[:2] == [writer.start_us for writer in writers[1:]]
    assert all(a.start_us < b.start_us for a, b in pairwise(writers))
