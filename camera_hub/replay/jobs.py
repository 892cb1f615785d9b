"""From what a person asks for to jobs: which clips, with whose settings, with which labels.

All that is wrong with any label file is told before anything has run.
"""

from collections.abc import Sequence
from pathlib import Path

from camera_hub.config import CameraConfig, load_config
from camera_hub.model import HubError
from camera_hub.motion import MotionSettings
from camera_hub.replay.clips import as_text, find_clips
from camera_hub.replay.labels import ENDING, LabelError, Labels, labels_path, read_labels
from camera_hub.replay.runner import Job
from camera_hub.watch import motion_settings


class UsageError(HubError):
    """What was asked for cannot be done."""

    exit_code = 2


def settings_of(config: Path | None, camera_id: str | None) -> MotionSettings:
    """Of the camera in the configuration; the defaults without one."""
    if config is None:
        if camera_id is not None:
            raise UsageError("--camera says which camera of a configuration; give --config as well")
        return MotionSettings()
    loaded = load_config(config)
    ids = ", ".join(camera.id for camera in loaded.cameras)
    if not loaded.cameras:
        raise UsageError(f"{config} has no cameras; give a worker's configuration")
    camera: CameraConfig | None = loaded.cameras[0]
    if camera_id is not None:
        camera = loaded.camera(camera_id)
        if camera is None:
            raise UsageError(f"{config} has no camera {camera_id}; it has {ids}")
    elif len(loaded.cameras) > 1:
        raise UsageError(f"{config} has several cameras; say which by --camera: {ids}")
    assert camera is not None
    return motion_settings(camera)


def jobs_of(given: Sequence[str], settings: MotionSettings, labels: Path | None) -> list[Job]:
    """A job for each clip, with its labels where there are some.

    Raises LabelError with all that is wrong with any label file, before anything has run.
    """
    clips = find_clips(given)
    known: dict[Path, Labels] = {}
    problems: list[str] = []
    for clip, file in _label_files(list(clips.values()), [Path(name) for name in given], labels).items():
        try:
            known[clip] = read_labels(file)
        except LabelError as exc:
            problems.append(str(exc))
    if problems:
        raise LabelError("\n".join(dict.fromkeys(problems)))
    return [Job(as_text(name), clip, settings, known.get(clip)) for name, clip in clips.items()]


def _label_files(clips: list[Path], given: list[Path], labels: Path | None) -> dict[Path, Path]:
    """Where the labels of each clip are that has some."""
    if labels is None:
        return {clip: file for clip in clips if (file := labels_path(clip)).is_file()}
    if not labels.is_dir():
        if len(clips) > 1:
            raise UsageError(
                f"--labels {labels} is no folder, and there are {len(clips)} clips; give a folder"
            )
        return dict.fromkeys(clips, labels)
    files = {clip: file for clip in clips for file in [_in_folder(labels, clip, given)] if file is not None}
    if not files:
        raise UsageError(
            f"{labels} has labels for none of the clips; those of a clip NAME.mp4 are in NAME{ENDING}"
        )
    return files


def _in_folder(labels: Path, clip: Path, given: list[Path]) -> Path | None:
    """Where the folder of labels is laid out as that of the clips, the clip's place; else its name."""
    name = labels_path(clip).name
    under = [
        clip.relative_to(top).with_name(name) for top in given if top.is_dir() and clip.is_relative_to(top)
    ]
    return next((file for place in [*under, Path(name)] if (file := labels / place).is_file()), None)
