"""Promise: a range for a player is what was recorded, its time as the wall clock ran, read piece by piece."""

import io
from itertools import pairwise
from pathlib import Path

import av
import pytest

from camera_hub.annexb import head_units, parameter_sets
from camera_hub.model import StreamName
from camera_hub.mp4.boxes import sample_entry
from camera_hub.mp4.configuration import codec_string, configuration_record, entry_codec_string
from camera_hub.recording import Catalogue, Range, Recorder, open_file, open_range, recorded
from tests.support import recorded as streams
from tests.support.clocks import HandClock

S = 1_000_000
WHERE: tuple[str, StreamName] = ("cong-lang", "main")


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue.db")


def record(
    folder: Path, catalogue: Catalogue, *parts: tuple[float, str], times: int = 1, b_frames: int = 0
) -> None:
    """Six seconds, or several times that, from each moment on, in each codec; a segment has four."""
    clock = HandClock(streams.START_US)
    for begin_s, codec in parts:
        recorder = Recorder(folder, catalogue, *WHERE, 4, clock, lambda _: None)
        info, packets = streams.stream(codec, b_frames=b_frames)
        recorder.start(info)
        for packet in streams.later(streams.repeated(packets, times), round(begin_s * S)):
            recorder.write(packet)
        recorder.close()


def opened(catalogue: Catalogue, folder: Path, from_s: float, to_s: float) -> Range | None:
    return open_range(folder, catalogue, *WHERE, at(from_s), at(to_s))


def at(seconds: float) -> int:
    return streams.START_US + round(seconds * S)


def all_of(one: Range | None, most: int = 5000) -> bytes:
    assert one is not None
    pieces = []
    while piece := one.read(most):
        assert len(piece) <= most
        pieces.append(piece)
    one.close()
    return b"".join(pieces)


def shown_s(one: Range | None) -> list[float]:
    """When each picture is shown, in wall seconds from the recording's beginning."""
    assert one is not None
    with av.open(io.BytesIO(all_of(one)), "r") as video:
        shown = [frame.time for frame in video.decode(video=0)]
    return [(one.start_us - streams.START_US) / S + (time or 0.0) for time in shown]


@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_it_begins_at_the_keyframe_before_and_runs_over_segments(
    codec: str, b_frames: int, tmp_path: Path, catalogue: Catalogue
) -> None:
    record(tmp_path, catalogue, (0, codec), times=3, b_frames=b_frames)
    one = opened(catalogue, tmp_path, 3.3, 9.05)
    assert one is not None
    assert (one.width, one.height, one.size) == (160, 120, None)
    assert one.codec.startswith("avc1." if codec == "h264" else "hvc1.")
    shown = shown_s(one)
    assert shown[0] == pytest.approx(2, abs=0.21 if b_frames else 0.001)
    assert len(shown) == 71
    if not b_frames:
        assert shown[-1] == pytest.approx(9.0, abs=0.001)
        assert all(b - a == pytest.approx(0.1, abs=0.001) for a, b in pairwise(shown))


def test_a_gap_is_a_jump_in_its_time(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), (100, "h264"))
    shown = shown_s(opened(catalogue, tmp_path, 4, 1000))
    steps = [round(b - a, 1) for a, b in pairwise(shown)]
    assert shown[0] == pytest.approx(4, abs=0.001)
    assert shown[-1] == pytest.approx(105.9, abs=0.001)
    assert sorted(steps)[-2:] == [0.1, 94.1]


def test_from_within_a_gap_it_begins_after_it(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), (100, "h264"))
    one = opened(catalogue, tmp_path, 50, 1000)
    assert one is not None
    assert one.start_us == at(100)
    assert len(shown_s(one)) == 60


def test_where_the_codec_changes_it_ends(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), (10, "hevc"))
    assert shown_s(opened(catalogue, tmp_path, 0, 1000))[-1] == pytest.approx(5.9, abs=0.001)
    one = opened(catalogue, tmp_path, 6, 1000)
    assert one is not None
    assert (one.start_us, one.codec[:4]) == (at(10), "hvc1")
    one.close()


def test_where_nothing_is_recorded_there_is_none(tmp_path: Path, catalogue: Catalogue) -> None:
    assert opened(catalogue, tmp_path, 0, 10) is None
    record(tmp_path, catalogue, (0, "h264"))
    assert opened(catalogue, tmp_path, 6, 10) is None
    assert opened(catalogue, tmp_path, -10, 0) is None


def test_what_is_retired_meanwhile_is_read_to_its_end_or_is_a_gap(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    record(tmp_path, catalogue, (0, "h264"), times=3)  # five segments
    one = opened(catalogue, tmp_path, 0, 100)
    assert one is not None
    first = one.read(10)
    for segment in catalogue.segments()[:2]:
        (tmp_path / segment.path).unlink()
    with av.open(io.BytesIO(first + all_of(one)), "r") as video:
        shown = [frame.time for frame in video.decode(video=0)]
    assert [round(b - a, 1) for a, b in pairwise(shown) if b - a > 0.15] == [4.1]
    assert len(shown) == 140


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_of_a_damaged_file_comes_what_is_whole(keep: float, tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), times=2)
    damaged = tmp_path / catalogue.segments()[1].path
    content = damaged.read_bytes()
    damaged.write_bytes(content[: int(len(content) * keep if keep < 1 else keep)])
    shown = shown_s(opened(catalogue, tmp_path, 0, 100))
    assert shown[-1] == pytest.approx(11.9, abs=0.001)
    assert max(b - a for a, b in pairwise(shown)) > 1.9


def test_nothing_is_read_ahead_of_who_reads(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), times=3)
    one = opened(catalogue, tmp_path, 0, 100)
    assert one is not None
    for _ in range(3):
        one.read(1000)
    assert len(one._rest) <= 64 * 1024
    one.close()


def test_a_file_to_keep_tells_its_size_and_plays(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), (100, "h264"), times=2)
    one = open_file(tmp_path, catalogue, *WHERE, at(3), at(105), 10**9)
    assert one is not None
    assert one.start_us == at(2)
    content = all_of(one)
    assert len(content) == one.size
    assert content.index(b"moov") < content.index(b"mdat")
    assert streams.shown_us(content)[-1] == pytest.approx(102.9 * S, abs=2000)


def test_what_is_recorded_is_told_in_spans(tmp_path: Path, catalogue: Catalogue) -> None:
    record(tmp_path, catalogue, (0, "h264"), (50, "h264"), (60, "hevc"), times=2)
    found = recorded(tmp_path, catalogue, *WHERE, at(-100), at(1000))
    assert [
        ((span.start_us - streams.START_US) / S, (span.end_us - streams.START_US) / S, span.codec)
        for span in found.spans
    ] == [(0, 12, "h264"), (50, 62, "h264"), (60, 72, "hevc")]
    assert 50 < found.kbit_s < 2000
    within = recorded(tmp_path, catalogue, *WHERE, at(5), at(7)).spans
    assert [(span.start_us, span.end_us) for span in within] == [(at(5), at(7))]
    assert catalogue.oldest_us("cong-lang") == at(0)
    assert catalogue.oldest_us("nowhere") is None


def test_the_segment_being_written_counts_as_far_as_it_is_on_disk(
    tmp_path: Path, catalogue: Catalogue
) -> None:
    recorder = Recorder(tmp_path, catalogue, *WHERE, 60, HandClock(streams.START_US), lambda _: None)
    info, packets = streams.stream()
    recorder.start(info)
    for packet in packets:
        recorder.write(packet)
    (span,) = recorded(tmp_path, catalogue, *WHERE, at(0), at(100)).spans
    assert (span.start_us, span.end_us) == (at(0), at(4))
    assert shown_s(opened(catalogue, tmp_path, 0, 100))[-1] == pytest.approx(3.9, abs=0.001)
    recorder.close()


def test_the_codec_is_told_from_the_file_as_from_the_stream(tmp_path: Path, catalogue: Catalogue) -> None:
    for codec in ("h264", "hevc"):
        _, packets = streams.stream(codec)
        sets = parameter_sets(codec, head_units(codec, packets[0].data))
        entry = sample_entry(codec, 160, 120, configuration_record(codec, sets))
        assert entry_codec_string(entry) == codec_string(codec, sets)
