"""Promise: what `fmp4` writes `fmp4_reader` reads; of a file cut or damaged anywhere, its whole fragments."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from camera_hub.mp4.boxes import Origin, Sample, fragment_head, sample_entry, segment_head
from camera_hub.recording.fmp4_reader import Fragment, NotASegmentError, SegmentReader

ORIGIN = Origin("cổng-làng", "main", 1_700_000_000_123_456, -5)
HEAD = segment_head(sample_entry("h264", 1280, 720, b"record"), 1280, 720, ORIGIN)
on_one_folder = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])

samples = st.lists(
    st.builds(
        Sample,
        duration_us=st.integers(1, 2**32 - 1),
        size=st.integers(1, 400),
        offset_us=st.integers(-(2**31), 2**31 - 1),
        keyframe=st.booleans(),
    ),
    min_size=1,
    max_size=300,
)


def whole(sequence: int, time_us: int, wall_us: int, of: list[Sample]) -> bytes:
    return fragment_head(sequence, time_us, wall_us, of) + bytes([sequence]) * sum(one.size for one in of)


def read(path: Path) -> list[Fragment]:
    with SegmentReader(path) as reader:
        assert reader.head.origin == ORIGIN
        assert (reader.head.codec, reader.head.width, reader.head.height) == ("h264", 1280, 720)
        return list(reader.fragments())


@on_one_folder
@given(fragments=st.lists(samples, max_size=3), wall_us=st.integers(0, 4_100_000_000_000_000))
def test_what_is_written_is_read(tmp_path: Path, fragments: list[list[Sample]], wall_us: int) -> None:
    data, time_us, begins = HEAD, 0, []
    for number, of in enumerate(fragments, 1):
        begins.append((len(data), time_us))
        data += whole(number, time_us, wall_us + time_us, of)
        time_us += sum(one.duration_us for one in of)
    path = tmp_path / "segment.mp4"
    path.write_bytes(data)

    found = read(path)
    assert [one.samples for one in found] == fragments
    assert [(one.begin, one.time_us) for one in found] == begins
    assert all(one.wall_us == wall_us + one.time_us for one in found)
    assert [one.end for one in found] == [one.begin for one in found[1:]] + [len(data)] * bool(found)
    with SegmentReader(path) as reader:
        for number, one in enumerate(found, 1):
            assert reader.read(one.data, one.end - one.data) == bytes([number]) * (one.end - one.data)


TWO = [Sample(100_000, 300, 0, True), Sample(100_000, 20, 0, False)]
SMALL = HEAD + whole(1, 0, 0, TWO) + whole(2, 200_000, 200_000, TWO)
FIRST_END = len(HEAD) + len(whole(1, 0, 0, TWO))


def test_a_file_cut_anywhere_gives_its_whole_fragments(tmp_path: Path) -> None:
    path = tmp_path / "segment.mp4"
    for size in range(0, len(SMALL) + 1, 7):
        path.write_bytes(SMALL[:size])
        if size < len(HEAD):
            with pytest.raises(NotASegmentError):
                read(path)
        else:
            assert len(read(path)) == (size >= FIRST_END) + (size >= len(SMALL))


@on_one_folder
@given(at=st.integers(0, len(SMALL) - 1), damage=st.binary(min_size=1, max_size=40))
def test_damage_raises_nothing_else(tmp_path: Path, at: int, damage: bytes) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(SMALL[:at] + damage + SMALL[at + len(damage) :])
    try:
        with SegmentReader(path) as reader:
            found = list(reader.fragments())
    except NotASegmentError:
        assert at < len(HEAD)
    else:
        assert all(one.end <= path.stat().st_size for one in found)


def test_zeros_after_a_power_cut_end_the_file(tmp_path: Path) -> None:
    path = tmp_path / "segment.mp4"
    path.write_bytes(SMALL[:FIRST_END] + bytes(5000))
    assert len(read(path)) == 1


def test_other_files_are_no_segments(tmp_path: Path) -> None:
    path = tmp_path / "other.mp4"
    for data in (b"", b"not a video at all, but long enough", bytes(9000)):
        path.write_bytes(data)
        with pytest.raises(NotASegmentError):
            read(path)
