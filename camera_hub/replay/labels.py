"""What is known of a clip, as people or programs wrote it beside it: `NAME.events.json`.

Keys that nobody here knows are left alone, since other programs write more. Everything that is
wrong with a file is told at once, each with its key.
"""

import json
import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from camera_hub.config.errors import key_text
from camera_hub.model import HubError

ENDING = ".events.json"
SPANS = ("events", "maybe", "tamper")
_WRONG = "wrong"
_EXAMPLE = 'write {"events": [{"start_s": 1.5, "end_s": 4.0, "what": "person"}], "maybe": [], "tamper": []}'

Seconds = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]


class LabelError(HubError):
    """Labels that cannot be used; a line for each problem: file, key, and what would be right."""

    exit_code = 2


TimedBox = tuple[float, float, float, float, float]
"""(t_s, x, y, width, height): seconds from the first frame, and fractions of the picture."""


class LabelSpan(BaseModel):
    """A time in a clip, in seconds from its first frame; the end is exclusive."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    start_s: Seconds
    end_s: Seconds
    what: str = ""
    boxes: tuple[TimedBox, ...] = ()  # where it is now and then; for the report's pictures alone

    @field_validator("boxes", mode="before")
    @classmethod
    def _in_our_form(cls, boxes: Any) -> tuple[TimedBox, ...]:
        """Those in our form: others may write other things under this name, and nothing is judged by it."""
        if not isinstance(boxes, list | tuple):
            return ()
        return tuple(box for given in boxes if (box := _timed_box(given)) is not None)

    @field_validator("end_s")
    @classmethod
    def _is_after_its_start(cls, end_s: float, info: ValidationInfo) -> float:
        start_s = info.data.get("start_s")
        if start_s is not None and end_s <= start_s:
            raise PydanticCustomError(
                _WRONG, "must be after start_s ({start}), and is {end}", {"start": start_s, "end": end_s}
            )
        return end_s


class Labels(BaseModel):
    """What truly happened in a clip."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    events: tuple[LabelSpan, ...] = ()
    maybe: tuple[LabelSpan, ...] = ()
    tamper: tuple[LabelSpan, ...] = ()
    conditions: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = ()


def _timed_box(given: Any) -> TimedBox | None:
    if not isinstance(given, list | tuple) or len(given) != 5:
        return None
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in given):
        return None
    t_s, x, y, width, height = map(float, given)
    return (t_s, x, y, width, height)


def labels_path(clip: Path) -> Path:
    """Where a clip's labels lie when they lie beside it."""
    return clip.with_name(clip.stem + ENDING)


def read_labels(file: Path) -> Labels:
    """The labels in `file`. Raises LabelError with all that is wrong."""
    data = _json(file)
    if not isinstance(data, dict):
        raise LabelError(f"{file}: is not a group of keys; {_EXAMPLE}")
    if not any(key in data for key in SPANS):
        raise LabelError(f"{file}: has neither `events` nor `maybe` nor `tamper`; {_EXAMPLE}")
    try:
        return Labels.model_validate(data)
    except ValidationError as exc:
        problems = [
            f"{file}: {key_text(found['loc'])}: {_words(found)}" for found in exc.errors(include_url=False)
        ]
        raise LabelError("\n".join(problems)) from None


def _json(file: Path) -> Any:
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise LabelError(f"{file}: is not there; give the file that holds the clip's labels") from None
    except IsADirectoryError:
        raise LabelError(f"{file}: is a folder; give a file") from None
    except OSError as exc:
        raise LabelError(f"{file}: cannot be read: {exc.strerror}") from None
    except UnicodeDecodeError:
        raise LabelError(f"{file}: is not text in UTF-8; save it so") from None
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise LabelError(f"{file}:{exc.lineno}: is not JSON: {exc.msg}") from None
    except (RecursionError, ValueError):
        raise LabelError(f"{file}: is not JSON that can be read; {_EXAMPLE}") from None


def _words(found: Any) -> str:
    kind, value = found["type"], _short(found["input"])
    words = {
        _WRONG: found["msg"],
        "missing": "is missing; add it",
        "greater_than_equal": f"is {value}; times count from the clip's first frame, from 0 on",
        "finite_number": f"is {value}; give a number of seconds, such as 12.5",
        "float_type": f"is {value}; give a number of seconds, such as 12.5",
        "tuple_type": f"is {value}; give a list in [ ]",
        "model_type": f'is {value}; write it as {{"start_s": 1.5, "end_s": 4.0}}',
        "string_type": f'is {value}; give a text in quotes, such as "person"',
        "string_too_short": "is empty; give a word, or leave it out",
    }
    return str(words.get(kind, f"cannot be used: {found['msg']}"))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:39] + "…"
