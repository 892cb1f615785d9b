"""A clip and its labels on disk: `NAME.mp4` and `NAME.events.json`, both or neither, never over others.

The form is the one that `camera-hub replay` reads. A clip that lies there is not made anew, since recordings
go with time and a second one would be shorter: only what is said of it is looked at again.
"""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from typing import Any

from camera_hub.labels.footage import Footage
from camera_hub.labels.spans import within
from camera_hub.model import HubError
from camera_hub.replay.labels import labels_path

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Written(Enum):
    NEW = "new"
    SAME = "same"  # it lies there already
    OTHER = "other"  # something else lies there; it was left alone


def facts(footage: Footage) -> dict[str, Any]:
    """What a label file says of its video, and from what `read` knows it again."""
    video = (footage.start_us, footage.end_us)
    gaps = [span for gap in footage.gaps if (span := within(gap, video)) is not None]
    return {
        "fps": footage.fps,
        "duration_s": round((footage.end_us - footage.start_us) / 1e6, 3),
        "start": (_EPOCH + timedelta(microseconds=footage.start_us)).isoformat(),
        **({"gaps": gaps} if gaps else {}),
    }


def read(clip: Path) -> Footage | None:
    """What lies there, if it is ours. Raises OSError."""
    with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
        told = json.loads(labels_path(clip).read_bytes())
        start_us = (datetime.fromisoformat(told["start"]) - _EPOCH) // timedelta(microseconds=1)
        gaps = [
            (start_us + _us(gap["start_s"]), start_us + _us(gap["end_s"])) for gap in told.get("gaps", ())
        ]
        return Footage(
            clip.read_bytes(), start_us, start_us + _us(told["duration_s"]), told["fps"], tuple(gaps)
        )
    return None


def write(clip: Path, mp4: bytes, labels: dict[str, Any]) -> Written:
    """Raises OSError."""
    text = json.dumps(labels, ensure_ascii=False, indent=1) + "\n"
    wanted = [(clip, mp4), (labels_path(clip), text.encode())]
    clip.parent.mkdir(parents=True, exist_ok=True)
    there = [path.read_bytes() if path.exists() else None for path, _ in wanted]
    if any(old not in (None, new) for old, (_, new) in zip(there, wanted, strict=True)):
        return Written.OTHER
    if None not in there:
        return Written.SAME
    for path, content in wanted:
        half = path.with_name(f".{path.name}.half")
        half.write_bytes(content)
        half.replace(path)
    return Written.NEW


def in_words(exc: OSError, folder: Path) -> HubError:
    """What a folder that cannot be used means for people."""
    return HubError(
        f"{folder}: cannot be used ({exc.strerror}); choose another folder with --out, or make room there"
    )


def _us(seconds: float) -> int:
    return round(seconds * 1e6)
