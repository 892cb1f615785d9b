"""A configuration whose cameras are clips. What it needs of the clips it reads; nothing else is touched."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from camera_hub.cameras.source import CameraError
from camera_hub.config import CameraConfig, ClipConfig, Config, LinkConfig, SiteConfig, StreamsConfig
from camera_hub.config.address import CLIP_ENDINGS
from camera_hub.model import REHEARSAL, HubError
from camera_hub.replay.clips import find_clips, look_at

NAME = "Diễn tập"
MOST = 16  # each is a process that decodes in real time, beside the hub's own cameras
_LONGEST_ID = 56  # leaves room for what makes it unique


class CastError(HubError):
    """What was given cannot be played to a hub."""

    exit_code = 2


def cast(config: Config, given: Sequence[str], like: str | None, loop: bool) -> Config:
    """The rehearsal's own configuration: a camera for each clip, named after its file.

    `like` names the camera of `config` whose zones, masks and settings they take. Raises CastError, naming
    every clip that cannot be played.
    """
    clips = list(find_clips(given).values())
    if len(clips) > MOST:
        raise CastError(
            f"{len(clips)} clips at once are more than a hub is rehearsed with; give at most {MOST}"
        )
    _check(clips)
    model = _like(config, like)
    cameras = tuple(
        _camera(model, clip, id_, loop)
        for clip, id_ in zip(clips, ids(clip.stem for clip in clips), strict=True)
    )
    site = SiteConfig(id=REHEARSAL, name=NAME, timezone=config.site.timezone)
    quiet = "debug" if config.log.level == "debug" else "warning"
    changes = {
        "site": site,
        "storage": config.storage.model_copy(update={"path": config.storage.path / REHEARSAL}),
        "cameras": cameras,
        "link": LinkConfig(),
        "server": None,
        "users": (),
        "practice": None,
        "log": config.log.model_copy(update={"level": quiet}),
    }
    return config.model_copy(update=changes)


def ids(names: Iterable[str]) -> list[str]:
    """An id that a camera may have for each name: its letters without their marks, and no two the same."""
    found: list[str] = []
    for name in names:
        plain = unicodedata.normalize("NFKD", name.replace("đ", "d").replace("Đ", "D"))
        plain = "".join(sign for sign in plain if not unicodedata.combining(sign))
        base = re.sub(r"[^a-z0-9]+", "-", plain.lower())[:_LONGEST_ID].strip("-") or "clip"
        id_, number = base, 1
        while id_ in found:
            number += 1
            id_ = f"{base}-{number}"
        found.append(id_)
    return found


def _check(clips: Sequence[Path]) -> None:
    problems = []
    for clip in clips:
        try:
            file = look_at(clip)
        except CameraError as exc:
            problems.append(str(exc))
            continue
        if not file.as_camera or clip.suffix.lower() not in CLIP_ENDINGS:
            problems.append(
                f"the clip {clip.name} cannot be a camera as it is ({file.codec}); "
                "make an MP4 with H.264 of it"
            )
    if problems:
        raise CastError("\n".join(problems))


def _like(config: Config, like: str | None) -> CameraConfig:
    if like is None:
        return CameraConfig(id="clip", name="clip", streams=StreamsConfig(main="clip.mp4"))
    camera = config.camera(like)
    if camera is None:
        known = ", ".join(camera.id for camera in config.cameras) or "none"
        raise CastError(f"the configuration has no camera {like}; it has: {known}")
    return camera


def _camera(model: CameraConfig, clip: Path, id_: str, loop: bool) -> CameraConfig:
    changes = {
        "id": id_,
        "name": clip.stem[:200],
        "place": "",
        "streams": StreamsConfig(main=str(clip.absolute())),
        "onvif": None,
        "username": None,
        "password": None,
        "clip": ClipConfig(loop=loop),
        "record": None,
    }
    return model.model_copy(update=changes)
