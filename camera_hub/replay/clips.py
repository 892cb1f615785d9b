"""Which clips to replay, and what each of them is: files and folders in, opened files out.

A clip that the hub can play as a camera (H.264 or H.265 in MP4, MKV or AVI) is `as_camera`;
testers have many more kinds, and whatever FFmpeg decodes is a clip here.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import av
import av.error
from av.video.stream import VideoStream

from camera_hub.annexb import CODECS
from camera_hub.cameras.clip import FORMATS
from camera_hub.cameras.source import BadClipError, ClipMissingError, NoVideoError, UnsupportedError
from camera_hub.model import HubError

# Of a playlist, which may name other files, or of a text, which FFmpeg would paint, no clip is made.
MORE_FORMATS = (
    "mpegts,mpeg,mpegvideo,mpegtsraw,flv,live_flv,asf,asf_o,ogg,h264,hevc,h263,m4v,mjpeg,mpjpeg,av1,obu,ivf,"
    "dhav,dv,mxf,nut,rm,wtv,gxf,nsv,vc1,vvc,yuv4mpegpipe,gif,apng,smjpeg,lmlm4,avs2,avs3,cavsvideo,dnxhd"
)
# fmt: off
ENDINGS = frozenset([
    "3g2", "3gp", "264", "265", "asf", "avi", "dav", "divx", "dv", "flv", "h264", "h265", "hevc",
    "ivf", "m2ts", "m4v", "mjpeg", "mjpg", "mkv", "mov", "mp4", "mpeg", "mpg", "mts", "mxf", "nut",
    "ogv", "ts", "vob", "webm", "wmv", "y4m",
])
# fmt: on
"""What the names of a folder's clips end in."""

TOLERABLE_FPS = 1000.0  # a file that declares more tells its clock, not its pictures


class ClipFile(NamedTuple):
    """What a file says of itself."""

    container: str  # as FFmpeg names the format: "mov,mp4,…"
    codec: str  # as FFmpeg names it: "h264", "mpeg4"
    width: int
    height: int
    fps: float | None  # as declared; None where it does not say
    duration_s: float | None  # as declared

    @property
    def as_camera(self) -> bool:
        """Whether it can go through a worker as it is."""
        return self.codec in CODECS and set(self.container.split(",")) <= set(FORMATS.split(","))


class NoClipsError(HubError):
    """There is nothing to replay."""

    exit_code = 2


def find_clips(given: Iterable[str]) -> dict[str, Path]:
    """The files given, and every video file in the folders given, sorted; each once, by its name as given.

    A file is taken whatever its name is, also if it is not there: that is told of it later.
    Raises NoClipsError for a folder without any.
    """
    clips: dict[str, Path] = {}
    for name in given:
        path = Path(name)
        if path.is_dir():
            found = sorted(file for file in path.rglob("*") if _is_video(file, path))
            if not found:
                raise NoClipsError(f"there is no video file in {name}; give clips, or folders that hold some")
            clips.update((os.path.join(name, file.relative_to(path)), file) for file in found)  # noqa: PTH118
        else:
            clips[name] = path
    return clips


def as_text(name: str) -> str:
    """A file's name, or a text with one in it, as text: also where it is no UTF-8 on the disk."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _is_video(file: Path, folder: Path) -> bool:
    hidden = any(part.startswith(".") for part in file.relative_to(folder).parts)
    return not hidden and file.suffix.lower().removeprefix(".") in ENDINGS and file.is_file()


def open_clip(path: Path) -> tuple[av.container.InputContainer, VideoStream]:
    """The file and its first video stream, to be decoded. Raises CameraError in words."""
    where = f"the clip {path.name}"
    if not path.is_file():
        raise ClipMissingError(f"{where} does not exist; looked in {path.parent}")
    if not path.stat().st_size:
        raise BadClipError(f"{where} is empty; copy it again from where it came")
    options = {"protocol_whitelist": "file", "format_whitelist": f"{FORMATS},{MORE_FORMATS}"}
    try:
        container = av.open(f"file:{path}", options=options)
    except PermissionError:
        raise ClipMissingError(f"{where} may not be read; give this user the right to read it") from None
    except (av.error.FFmpegError, OSError, ValueError):
        raise BadClipError(
            f"{where} is not a video that can be read, or cut off; copy it again from where it came"
        ) from None
    try:
        return container, _video(container, where)
    except BaseException:
        container.close()
        raise


def _video(container: av.container.InputContainer, where: str) -> VideoStream:
    streams = [stream for stream in container.streams.video if not _is_cover(stream)]
    if not streams:
        raise NoVideoError(f"{where} has no video in it, or is cut off; try it in a player")
    if not getattr(streams[0].codec_context, "name", ""):
        raise UnsupportedError(f"{where} is in a codec that FFmpeg does not know here; convert it to H.264")
    return streams[0]


def _is_cover(stream: VideoStream) -> bool:
    """Whether it is a picture that goes with a file of sound."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def look_at(path: Path) -> ClipFile:
    """What the file says of itself. Raises CameraError where it cannot be read."""
    container, stream = open_clip(path)
    with container:
        context, rate = stream.codec_context, stream.average_rate
        fps = float(rate) if rate else None
        return ClipFile(
            container=container.format.name,
            codec=context.codec.canonical_name,
            width=context.width,
            height=context.height,
            fps=fps if fps is not None and 0 < fps <= TOLERABLE_FPS else None,
            duration_s=_duration_s(container, stream),
        )


def _duration_s(container: av.container.InputContainer, stream: VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return container.duration / 1e6 if container.duration else None
