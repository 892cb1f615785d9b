"""Practice clips as files: encoded as a camera encodes, labelled beside, written whole or not at all."""

import hashlib
import json
import threading
from pathlib import Path

import av
import pytest

from camera_hub.model import HubError
from camera_hub.simulate.clips import ClipFiles, files_of, render, renderer_version
from camera_hub.simulate.hamlet import prepare, render_clip
from camera_hub.simulate.scenario import scenario

SCENE = "san-bong"
CLIP_S = 5.0


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> ClipFiles:
    return render_clip(SCENE, 5, tmp_path_factory.mktemp("hamlet"), duration_s=CLIP_S)


@pytest.mark.parametrize(
    ("stream", "width", "height", "fps"), [("main", 1280, 720, 15), ("sub", 640, 360, 10)]
)
def test_streams_are_encoded_as_a_camera_does(
    clip: ClipFiles, stream: str, width: int, height: int, fps: int
) -> None:
    with av.open(str(getattr(clip, stream))) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", width, height)
        assert video.average_rate == fps
        assert video.codec_context.has_b_frames == 0
        assert video.codec_context.pix_fmt == "yuv420p"
        packets = [packet for packet in container.demux(video) if packet.size]
    assert len(packets) == CLIP_S * fps
    assert all(packet.pts == packet.dts for packet in packets)
    keyframes = [i for i, packet in enumerate(packets) if packet.is_keyframe]
    assert keyframes == list(range(0, int(CLIP_S * fps), 2 * fps))


def test_every_frame_decodes_without_b_frames(clip: ClipFiles) -> None:
    with av.open(str(clip.main)) as container:
        kinds = [av.video.frame.PictureType(frame.pict_type).name for frame in container.decode(video=0)]
    assert len(kinds) == CLIP_S * 15
    assert set(kinds) == {"I", "P"}


def test_labels_lie_beside_both_streams_in_the_form_of_labelled_clips(clip: ClipFiles) -> None:
    for path in (clip.main, clip.sub):
        labels = json.loads(path.with_name(path.stem + ".events.json").read_text("utf-8"))
        assert labels["clip"] == path.name
        assert labels["duration_s"] == CLIP_S
        assert labels["conditions"] == ["dusk", "lamp", "stands"]
        assert {"events", "maybe", "tamper", "nuisances"} <= labels.keys()
    assert clip.labels == clip.main.with_name(clip.main.stem + ".events.json")


def test_the_same_seed_gives_the_same_bytes(clip: ClipFiles, tmp_path: Path) -> None:
    again = render_clip(SCENE, 5, tmp_path, duration_s=CLIP_S)
    for name in ("main", "sub", "labels"):
        one, other = getattr(clip, name), getattr(again, name)
        assert one != other
        assert hashlib.sha256(one.read_bytes()).digest() == hashlib.sha256(other.read_bytes()).digest()


def test_what_is_there_is_not_rendered_again(clip: ClipFiles) -> None:
    before = clip.main.stat().st_mtime_ns
    shares: list[float] = []
    assert render(scenario(SCENE, 5, None, CLIP_S), clip.main.parent, shares.append) == clip
    assert clip.main.stat().st_mtime_ns == before
    assert shares == [1.0]


def test_giving_up_in_the_middle_leaves_nothing_behind(tmp_path: Path) -> None:
    class EnoughError(Exception):
        pass

    def stop(share: float) -> None:
        if share > 0.3:
            raise EnoughError

    with pytest.raises(EnoughError):
        render(scenario(SCENE, 5, None, CLIP_S), tmp_path, stop)
    assert list(tmp_path.iterdir()) == []


def test_clips_of_older_drawing_code_make_way_and_others_stay(tmp_path: Path) -> None:
    story = scenario(SCENE, 5, None, 2.0)
    other = files_of(tmp_path, scenario(SCENE, 6, None, 2.0)).main
    older = tmp_path / files_of(tmp_path, story).main.name.replace(renderer_version(), "0123456789")
    half = tmp_path / (files_of(tmp_path, story).sub.name + ".part")
    for path in (other, older, half):
        path.write_bytes(b"")
    files = render(story, tmp_path)
    assert files.are_there()
    assert other.exists()
    assert not older.exists()
    assert not half.exists()


def test_prepare_that_is_stopped_in_the_middle_leaves_no_half_file(tmp_path: Path) -> None:
    stop = threading.Event()
    prepare(tmp_path, 5, lambda scene_id, share: stop.set(), scenes=(SCENE,), stop=stop)
    assert list(tmp_path.iterdir()) == []


def test_prepare_tells_of_clips_that_are_there_and_makes_the_others(clip: ClipFiles) -> None:
    ready: dict[str, ClipFiles] = {}
    shares: dict[str, list[float]] = {}
    prepare(
        clip.main.parent,
        5,
        lambda scene_id, share: shares.setdefault(scene_id, []).append(share),
        lambda scene_id, files: ready.__setitem__(scene_id, files),
        scenes=(SCENE, "loi-vao-xom"),
        duration_s=CLIP_S,
    )
    assert ready[SCENE] == clip
    assert shares[SCENE] == [1.0]
    assert ready["loi-vao-xom"].are_there()
    assert shares["loi-vao-xom"] == sorted(shares["loi-vao-xom"])
    assert shares["loi-vao-xom"][-1] == 1.0


def test_prepare_ends_soon_when_it_is_asked_to(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    ready: list[str] = []
    prepare(tmp_path, 1, on_ready=lambda scene_id, files: ready.append(scene_id), stop=stop)
    assert ready == []


def test_a_folder_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    with pytest.raises(HubError, match=f"{SCENE} could not be made"):
        prepare(blocked, 1, scenes=(SCENE,), duration_s=2.0)


def test_another_seed_another_place(tmp_path: Path) -> None:
    one, other = (files_of(tmp_path, scenario(SCENE, seed)) for seed in (1, 2))
    assert one.main != other.main
