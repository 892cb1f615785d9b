"""A clip of whatever kind, whole or damaged, gives the events that are in it, or a sentence."""

from pathlib import Path

import pytest

from camera_hub.cameras.clip import ClipSource
from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config import CameraConfig
from camera_hub.ingest.watcher import Watcher
from camera_hub.model import Event, EventKind
from camera_hub.motion import MotionSettings
from camera_hub.replay.result import ClipResult
from camera_hub.replay.runner import Job, run_one
from camera_hub.watch import motion_settings
from tests.support.waiting import until_blocking
from tests.support.walker_clips import (
    WALK,
    Luma,
    encode,
    one_after_the_other,
    shown_later,
    spoil,
    walker,
    without,
)


@pytest.fixture(scope="module")
def frames() -> list[Luma]:
    return walker()


def replayed(clip: Path) -> ClipResult:
    return run_one(Job(str(clip), clip, MotionSettings())).result


def finds_the_walk(result: ClipResult) -> bool:
    """One event, where the walk is."""
    if len(result.events) != 1:
        return False
    event = result.events[0]
    return abs(event.start_s - WALK[0]) <= 0.3 and abs(event.end_s - WALK[1]) <= 0.3


@pytest.mark.parametrize(
    ("name", "codec", "b_frames"),
    [
        ("a.mp4", "h264", 0),
        ("a.mp4", "h264", 3),
        ("a.mkv", "h264", 3),
        ("a.mov", "hevc", 0),
        ("a.avi", "mpeg4", 0),
        ("a.avi", "mpeg4", 2),
        ("a.avi", "mjpeg", 0),
        ("a.webm", "vp9", 0),
        ("a.mov", "prores", 0),
        ("a.avi", "rawvideo", 0),
        ("a.mkv", "ffv1", 0),
        ("a.mov", "png", 0),
        ("a.gif", "gif", 0),
        ("a.wmv", "wmv2", 0),
        ("a.flv", "h264", 0),
        ("a.ts", "h264", 2),
        ("a.ts", "mpeg2video", 2),
        ("a.mpg", "mpeg2video", 0),
        ("a.y4m", "yuv4", 0),
    ],
)
def test_clips_of_all_kinds(tmp_path: Path, frames: list[Luma], name: str, codec: str, b_frames: int) -> None:
    result = replayed(encode(tmp_path / name, frames, codec=codec, b_frames=b_frames))
    assert not result.error
    assert result.notes == ()
    assert finds_the_walk(result)
    assert (result.duration_s, result.fps) == (14.0, 10.0)
    assert (result.frames, result.frames_decoded) == (140, 140)
    assert (result.width, result.height) == (320, 180)
    as_camera = codec in ("h264", "hevc") and name[1:] in (".mp4", ".mkv", ".mov")
    assert result.gate.startswith("off: ") is not as_camera


def test_what_the_gate_does_not_see_is_said(tmp_path: Path, frames: list[Luma]) -> None:
    assert replayed(encode(tmp_path / "a.avi", frames[:20], codec="mpeg4")).gate == (
        "off: MPEG4 in avi is not H.264 or H.265 in MP4, MKV or AVI; every frame is decoded"
    )


def test_an_event_is_whole(tmp_path: Path, frames: list[Luma]) -> None:
    (event,) = replayed(encode(tmp_path / "a.mp4", frames)).events
    assert event.kind is EventKind.MOTION
    assert 0 < event.score <= 1
    times = [t_s for t_s, _, _ in event.track]
    assert times == sorted(times)
    assert event.start_s <= times[0] <= times[-1] <= event.end_s
    across = [x for _, x, _ in event.track]
    assert across[0] < 0.3 < 0.7 < across[-1]
    assert event.start_s < event.told_s < event.end_s
    assert event.told_s <= event.best_s <= event.end_s
    x, y, width, height = event.box
    assert 0 <= x < x + width <= 1
    assert 0 <= y < y + height <= 1


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "h264"), ("a.avi", "mpeg4"), ("b.mp4", "h264")])
def test_what_moves_at_the_very_end_is_counted(tmp_path: Path, name: str, codec: str) -> None:
    until_the_end = walker(10, [(7, 11)])
    result = replayed(
        encode(tmp_path / name, until_the_end, codec=codec, b_frames=3 if name == "b.mp4" else 0)
    )
    (event,) = result.events
    assert event.end_s == pytest.approx(9.9)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.ts"])
def test_times_count_from_the_first_frame(tmp_path: Path, frames: list[Luma], name: str) -> None:
    """Also where the file's own clock does not begin with 0, and where its decoding times are earlier."""
    late = encode(tmp_path / name, frames, b_frames=3, pts=[n + 70 for n in range(len(frames))])
    result = replayed(late)
    assert finds_the_walk(result)
    assert result.duration_s == 14.0


@pytest.mark.parametrize(
    ("name", "codec", "spoilt"),
    [
        ("a.mp4", "h264", [25]),
        ("a.mp4", "h264", [20]),  # a keyframe
        ("a.mp4", "h264", [0]),
        ("a.mp4", "h264", [23, 90, 91, 127]),
        ("a.mkv", "h264", [25, 26]),
        ("a.avi", "h264", [25]),
        ("a.avi", "mpeg4", [25]),
        ("a.avi", "mjpeg", [25, 26]),
    ],
)
def test_corrupt_packets_in_the_middle(
    tmp_path: Path, frames: list[Luma], name: str, codec: str, spoilt: list[int]
) -> None:
    """It goes on after the next keyframe, and nothing of the damage is taken for motion."""
    result = replayed(spoil(encode(tmp_path / name, frames, codec=codec), spoilt))
    assert not result.error
    assert finds_the_walk(result)
    if not name.endswith(".mkv"):  # there FFmpeg passes over what it cannot read, and says nothing
        assert len(result.notes) == 1
        assert "damaged" in result.notes[0]
    assert result.duration_s == pytest.approx(14.0, abs=0.2)


def test_damage_is_told(tmp_path: Path, frames: list[Luma]) -> None:
    result = replayed(spoil(encode(tmp_path / "a.mp4", frames), [25]))
    assert result.notes == (
        "5 packets are damaged, or without a whole keyframe; it goes on with the next keyframe",
    )
    assert (result.frames, result.frames_decoded) == (140, 135)


@pytest.mark.parametrize(("part", "codec", "whole"), [("h264", "h264", "a.avi"), ("avi", "mjpeg", "b.avi")])
def test_a_size_change_in_mid_stream(tmp_path: Path, part: str, codec: str, whole: str) -> None:
    """The model starts again, says so, and sees what comes after."""
    first = encode(tmp_path / f"1.{part}", walker(14), codec=codec)
    second = encode(tmp_path / f"2.{part}", walker(14, size=(480, 270)), codec=codec)
    result = replayed(one_after_the_other([first, second], tmp_path / whole))
    assert [round(event.start_s) for event in result.events] == [4, 18]
    assert result.notes == ("at 14.0 s the picture becomes 480x270; the detector begins anew",)
    assert (result.frames, result.frames_decoded) == (280, 280)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "h264"), ("a.avi", "mpeg4")])
def test_timestamps_that_jump(tmp_path: Path, frames: list[Luma], name: str, codec: str) -> None:
    jumping = [n + (300 if n >= 100 else 0) for n in range(len(frames))]
    result = replayed(encode(tmp_path / name, frames, codec=codec, pts=jumping))
    assert not result.error
    assert finds_the_walk(result)
    assert "nothing comes from 9.9 s to 40.0 s" in result.notes
    assert result.duration_s == pytest.approx(44.0, abs=0.3)


def test_timestamps_that_go_back(tmp_path: Path, frames: list[Luma]) -> None:
    """As in recordings that were laid end to end: the second goes on where the first ends."""
    part = encode(tmp_path / "part.ts", frames, codec="mpeg2video")
    twice = tmp_path / "twice.ts"
    twice.write_bytes(part.read_bytes() * 2)
    result = replayed(twice)
    assert [round(event.start_s) for event in result.events] == [4, 18]
    assert result.duration_s == pytest.approx(28.0, abs=0.5)


def test_missing_keyframes(tmp_path: Path, frames: list[Luma]) -> None:
    clip = encode(tmp_path / "whole.mp4", frames)
    result = replayed(without(clip, tmp_path / "a.mp4", [20, 100]))
    assert not result.error
    assert finds_the_walk(result)
    assert any("gave no picture, as where a keyframe is missing" in note for note in result.notes)


def test_a_clip_that_begins_without_a_keyframe(tmp_path: Path, frames: list[Luma]) -> None:
    clip = encode(tmp_path / "whole.mp4", frames)
    result = replayed(without(clip, tmp_path / "a.mp4", [0, 1]))
    assert [event.start_s for event in result.events] == [pytest.approx(3.85, abs=0.15)]  # as the clip has it
    assert (result.frames, result.frames_decoded) == (138, 130)


def test_a_clip_without_any_keyframe(tmp_path: Path, frames: list[Luma]) -> None:
    clip = encode(tmp_path / "whole.mp4", frames, gop=1000)
    result = replayed(without(clip, tmp_path / "a.mp4", [0]))
    assert result.error == "the clip a.mp4 has no picture that a player could start with"


def test_1_and_60_frames_a_second(tmp_path: Path) -> None:
    slow = replayed(encode(tmp_path / "1.mp4", walker(60, [(20, 40)], fps=1), fps=1))
    assert (slow.fps, slow.frames, slow.duration_s) == (1.0, 60, 60.0)
    assert [round(event.start_s) for event in slow.events] == [20]
    fast = replayed(encode(tmp_path / "60.mp4", walker(fps=60), fps=60))
    assert (fast.fps, fast.frames, fast.duration_s) == (60.0, 840, 14.0)
    assert finds_the_walk(fast)


@pytest.mark.parametrize(("name", "codec"), [("a.mp4", "h264"), ("a.avi", "mpeg4"), ("a.mov", "png")])
def test_a_clip_of_one_frame(tmp_path: Path, frames: list[Luma], name: str, codec: str) -> None:
    result = replayed(encode(tmp_path / name, frames[:1], codec=codec))
    assert not result.error
    assert (result.frames, result.frames_decoded, result.duration_s) == (1, 1, 0.1)
    assert result.events == ()


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "h264"), ("a.avi", "mpeg4"), ("a.ts", "h264")])
def test_a_clip_that_was_cut_off(tmp_path: Path, frames: list[Luma], name: str, codec: str) -> None:
    """What is there is played; where the file says how long it is, one is told that it is not whole."""
    clip = encode(tmp_path / name, frames, codec=codec)
    clip.write_bytes(clip.read_bytes()[: clip.stat().st_size * 6 // 10])
    result = replayed(clip)
    assert 0 < result.frames < 140
    assert [event.start_s for event in result.events] == [pytest.approx(4.05, abs=0.15)]
    if name != "a.ts":
        assert "breaks off after" in str(result.error)
    assert result.score is None


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("empty.mp4", b"", "the clip empty.mp4 is empty; copy it again"),
        ("notes.txt", b"a text\n" * 500, "the clip notes.txt is not a video that can be read"),
        ("text.mp4", b"a text\n" * 500, "the clip text.mp4 is not a video that can be read"),
        ("list.m3u8", b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", "the clip list.m3u8 is not a video"),
        ("missing.mp4", None, "the clip missing.mp4 does not exist; looked in"),
    ],
)
def test_what_is_no_clip(tmp_path: Path, name: str, data: bytes | None, said: str) -> None:
    file = tmp_path / name
    if data is not None:
        file.write_bytes(data)
    result = replayed(file)
    assert said in str(result.error)
    assert (result.frames, result.events, result.score, result.duration_s) == (0, (), None, 0.0)


def test_the_lab_reports_what_a_worker_reports(tmp_path: Path) -> None:
    """The same clip through a camera's watcher, thread and all, and through the lab."""
    clip = encode(tmp_path / "a.mp4", walker(20, [(4, 8), (12, 15)]))
    zone = {"name": "Đường", "polygon": [[0, 0.5], [1, 0.5], [1, 1], [0, 1]]}
    camera = CameraConfig.model_validate(
        {"id": "ngo", "name": "Ngõ", "streams": {"main": str(clip)}, "zones": [zone]}
    )
    told: dict[str, Event] = {}
    watcher = Watcher(camera, lambda found: told.update({found.event.id: found.event}), SYSTEM_CLOCK)
    source = ClipSource(clip, pace="full-speed", start_wall_us=0)
    watcher.queue.put(source.open())
    for packet in source.packets():
        watcher.queue.put(packet)
    source.close()
    watcher.start()
    until_blocking(lambda: len(told) == 2 and all(event.end_us is not None for event in told.values()))
    watcher.stop()
    assert watcher.queue.dropped == 0
    by_worker = [
        (e.start_us, e.end_us, e.kind, round(e.score, 4), e.zones, e.box)
        for e in sorted(told.values(), key=lambda event: event.start_us)
    ]
    by_lab = [
        (round(e.start_s * 1e6), round(e.end_s * 1e6), e.kind, e.score, e.zones, e.box)
        for e in run_one(Job("a.mp4", clip, motion_settings(camera))).result.events
    ]
    assert by_lab == by_worker
    assert len(by_lab) == 2


@pytest.mark.parametrize("b_frames", [0, 2])
def test_what_an_edit_list_cuts_off_is_not_counted(tmp_path: Path, frames: list[Luma], b_frames: int) -> None:
    """It has to be decoded for what comes after it; but time begins with the first frame that is shown."""
    clip = encode(tmp_path / "whole.mp4", frames, b_frames=b_frames, gop=30)
    result = replayed(shown_later(clip, tmp_path / "a.mp4", 15))
    (event,) = result.events
    assert event.start_s == pytest.approx(WALK[0] - 1.5, abs=0.2)
    assert result.duration_s == pytest.approx(12.5, abs=0.01)
