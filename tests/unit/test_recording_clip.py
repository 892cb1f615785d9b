"""Promise: a clip is a file that plays, of the wanted time, out of one or several segments."""

from itertools import pairwise
from pathlib import Path

import pytest

from camera_hub.recording import Catalogue, Clip, Recorder, cut_clip
from tests.support import recorded
from tests.support.clocks import HandClock

S = 1_000_000


@pytest.fixture
def catalogue(tmp_path: Path) -> Catalogue:
    return Catalogue(tmp_path / "catalogue.db")


@pytest.fixture
def recorder(tmp_path: Path, catalogue: Catalogue) -> Recorder:
    return Recorder(tmp_path, catalogue, "cong-lang", "main", 4, HandClock(recorded.START_US), lambda _: None)


def cut(
    catalogue: Catalogue, folder: Path, start_s: float, end_s: float, max_bytes: int = 10**7
) -> Clip | None:
    start_us, end_us = (recorded.START_US + round(at * S) for at in (start_s, end_s))
    return cut_clip(folder, catalogue, "cong-lang", "main", start_us, end_us, max_bytes)


def times_of(clip: Clip | None) -> tuple[float, float, list[int]]:
    """(start and length in seconds, when its pictures are shown in µs)."""
    assert clip is not None
    shown = recorded.shown_us(clip.mp4)
    assert shown[0] == 0
    assert recorded.length_us(clip.mp4) == clip.duration_us
    assert clip.mp4[4:8] == b"ftyp"
    assert clip.mp4.index(b"moov") < clip.mp4.index(b"mdat")
    return (clip.start_us - recorded.START_US) / S, clip.duration_us / S, shown


@pytest.mark.parametrize("codec", ["h264", "hevc"])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_across_segments_it_has_the_right_length(
    codec: str, b_frames: int, tmp_path: Path, catalogue: Catalogue, recorder: Recorder
) -> None:
    info, packets = recorded.stream(codec, b_frames=b_frames)
    recorder.start(info)
    for packet in recorded.repeated(packets, 3):
        recorder.write(packet)
    recorder.close()
    assert len(catalogue.segments()) == 5

    start_s, length_s, shown = times_of(cut(catalogue, tmp_path, 2.5, 9.05))
    assert start_s == 2
    assert length_s == pytest.approx(7.1, abs=0.01)
    assert len(shown) == 71
    # With B-frames the last picture may be one that is shown after others which the clip has no more.
    even = shown[:-1] if b_frames else shown
    assert all(b - a == pytest.approx(100_000, abs=50) for a, b in pairwise(even))


def test_of_the_segment_being_written_it_has_what_is_on_disk(
    tmp_path: Path, catalogue: Catalogue, recorder: Recorder
) -> None:
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in (*packets, *recorded.later(packets, 6 * S)[:35]):
        recorder.write(packet)
    start_s, length_s, shown = times_of(cut(catalogue, tmp_path, 3, 100))
    assert (start_s, length_s, len(shown)) == (2, 6, 60)  # the fragment from 8 s on is not written yet
    recorder.close()
    assert times_of(cut(catalogue, tmp_path, 3, 100))[:2] == (2, 7.5)


def test_where_nothing_is_recorded_there_is_none(
    tmp_path: Path, catalogue: Catalogue, recorder: Recorder
) -> None:
    assert cut(catalogue, tmp_path, 0, 10) is None
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in packets[:45]:
        recorder.write(packet)
    assert cut(catalogue, tmp_path, -10, 0) is None
    assert cut(catalogue, tmp_path, 4.2, 100) is None  # nothing of this segment is on disk yet
    recorder.close()
    assert cut(catalogue, tmp_path, 4.5, 100) is None
    assert cut(catalogue, tmp_path, 4.4, 100) is not None
    assert cut_clip(tmp_path, catalogue, "cong-lang", "sub", 0, 2**60, 10**7) is None


def test_where_nothing_older_is_it_begins_at_the_first_keyframe(
    tmp_path: Path, catalogue: Catalogue, recorder: Recorder
) -> None:
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in packets:
        recorder.write(packet)
    recorder.close()
    start_s, length_s, _ = times_of(cut(catalogue, tmp_path, -5, 3))
    assert (start_s, length_s) == (0, 3)


def test_its_time_runs_as_the_wall_clock_over_a_gap(
    tmp_path: Path, catalogue: Catalogue, recorder: Recorder
) -> None:
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in packets[:15]:
        recorder.write(packet)
    recorder.start(info)
    for packet in recorded.later(packets[:20], 8 * S):
        recorder.write(packet)
    recorder.close()
    clip = cut(catalogue, tmp_path, 0, 20)
    start_s, length_s, shown = times_of(clip)
    assert (start_s, length_s) == (0, 10)
    assert shown[14:16] == [1_400_000, 8_000_000]
    assert clip is not None
    assert clip.gaps == ((recorded.START_US + 1_500_000, recorded.START_US + 8_000_000),)
    # What is wanted lies in the gap, up to the picture after it.
    assert times_of(cut(catalogue, tmp_path, 3, 8.5))[:2] == (8, 0.5)


def test_arrival_that_jitters_makes_no_time_go_back(
    tmp_path: Path, catalogue: Catalogue, recorder: Recorder
) -> None:
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in packets[:20]:
        recorder.write(packet)
    recorder.start(info)
    for packet in recorded.later(packets[:20], 2 * S, 2 * S - 30_000):
        recorder.write(packet)
    recorder.close()
    clip = cut(catalogue, tmp_path, 0, 20)
    start_s, length_s, shown = times_of(clip)
    assert (start_s, length_s, len(shown)) == (0, 4, 40)


def test_it_is_no_larger_than_it_may_be(tmp_path: Path, catalogue: Catalogue, recorder: Recorder) -> None:
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in packets:
        recorder.write(packet)
    recorder.close()
    whole = cut(catalogue, tmp_path, 0, 6)
    assert whole is not None
    for part in (0.9, 0.6, 0.4, 0.2):
        clip = cut(catalogue, tmp_path, 0, 6, int(len(whole.mp4) * part))
        assert clip is not None
        assert len(clip.mp4) <= len(whole.mp4) * part
        length_s = times_of(clip)[1]
        assert length_s in (2, 4) if part > 0.4 else length_s <= 2
    assert cut(catalogue, tmp_path, 0, 6, 3000) is None


def test_it_ends_where_the_picture_changes(tmp_path: Path, catalogue: Catalogue, recorder: Recorder) -> None:
    for number, size in enumerate(((160, 120), (176, 144))):
        info, packets = recorded.stream(size=size)
        recorder.start(info)
        for packet in recorded.later(packets[:20], 2 * S * number):
            recorder.write(packet)
    recorder.close()
    assert times_of(cut(catalogue, tmp_path, 0.5, 4))[:2] == (0, 2)
    assert times_of(cut(catalogue, tmp_path, 2, 4))[:2] == (2, 2)


def test_a_file_that_is_gone_leaves_a_gap(tmp_path: Path, catalogue: Catalogue, recorder: Recorder) -> None:
    info, packets = recorded.stream()
    recorder.start(info)
    for packet in recorded.repeated(packets, 2):
        recorder.write(packet)
    recorder.close()
    (tmp_path / catalogue.segments()[1].path).unlink()
    clip = cut(catalogue, tmp_path, 0, 12)
    start_s, length_s, shown = times_of(clip)
    assert (start_s, length_s, len(shown)) == (0, 12, 80)
