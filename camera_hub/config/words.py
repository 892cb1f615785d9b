"""Pydantic's findings in the words of a person who edits the file."""

from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from camera_hub.config.document import Document
from camera_hub.config.errors import Loc
from camera_hub.config.section import WRONG

_SECRET_KEYS = {"password", "username", "metrics_token", "main", "sub", "url", "key", "secret", "secrets"}
_ID = "use small letters, digits and single hyphens between them, such as cong-lang"
_FRACTION = (
    "x and y go from 0 (left, top) to 1 (right, bottom); divide pixels by the picture's width or height"
)
_POINT = "write it as [x, y] with x and y from 0 to 1"
_OUTLINES = {"polygon": 3, "points": 2}  # keys whose value is a list of points, and how many it has at least


def describe(document: Document, error: ValidationError, root: type[BaseModel]) -> None:
    """Add to the document's problems all that validation found, each at its line.

    What is wrong already as YAML, or for want of a value, is not complained of twice.
    """
    known = frozenset(document.wrong)
    errors = error.errors(include_url=False)
    within = {found["loc"][:-1] for found in errors} | {found["loc"][:-2] for found in errors}
    for found in errors:
        loc: Loc = found["loc"]
        if any(loc[:size] in known for size in range(1, len(loc) + 1)):
            continue
        if found["type"] == "too_short" and loc in within:
            continue  # pydantic counts only the entries that are right
        if found["type"] == WRONG:
            text = str(found["msg"])
            text = text if _outline(loc) else _echo(document, loc) + text
        elif outline := _outline(loc):
            loc = _whole_point(loc, outline, found["type"])
            text = _outline_words(found, outline, len(loc) - loc.index(outline) - 1)
        elif "at" in loc:
            loc = _whole_point(loc, "at", found["type"])
            text = _point_words(found, len(loc) - loc.index("at") - 1)
        elif found["type"] == "extra_forbidden":
            text = _unknown_key(loc, root)
        elif found["type"] == "missing":
            text = "is missing; add it"
        else:
            text = _echo(document, loc) + _words(found, loc)
        document.complain(loc, text)


def _words(found: Any, loc: Loc) -> str:
    kind, ctx = found["type"], found.get("ctx", {})
    if kind == "string_pattern_mismatch":
        if "users" in loc:
            return "is no name to sign in with; use small letters, digits, and single . _ - between them"
        return f"is no short name for machines; {_ID}"
    if kind == "literal_error":
        return f"is not one of the choices; use {ctx['expected'].replace(chr(39), '')}"
    words = {
        "string_type": "is not text; put the value in quotes",
        "string_sub_type": "is not text; put the value in quotes",
        "path_type": "is not a path; put the value in quotes",
        "bool_parsing": "is neither true nor false",
        "bool_type": "is neither true nor false",
        "finite_number": "is not a number that can be counted with; give one such as 10",
        "int_from_float": "is not a whole number",
        "tuple_type": "is not a list; write each entry on a line of its own that starts with -",
        "model_type": "is not a group of keys; write `key: value` lines under it",
        "model_attributes_type": "is not a group of keys; write `key: value` lines under it",
        "string_too_short": "is {shortness}; give at least {min_length} {signs}",
        "too_short": "is {shortness}; give at least {min_length} {signs}",
        "string_too_long": "is too long; give at most {max_length} characters",
        "too_long": "has too many entries; give at most {max_length}",
        "greater_than": "is too small; give a number above {gt:g}",
        "greater_than_equal": "is too small; give a number from {ge:g} on",
        "less_than": "is too large; give a number below {lt:g}",
        "less_than_equal": "is too large; give a number up to {le:g}",
    }
    if kind in words:
        least = ctx.get("min_length")
        signs = "character" if least == 1 else "characters"
        return words[kind].format(**ctx, shortness="empty" if least == 1 else "too short", signs=signs)
    if kind.startswith(("int", "float", "decimal")):
        return "is not a number; write it in digits, such as 10"
    return f"cannot be used ({kind}); compare with a sample in config/"


def _outline(loc: Loc) -> str:
    """The key of the list of points that the place is in; empty where it is in none."""
    return next((str(part) for part in loc if part in _OUTLINES), "")


def _outline_words(found: Any, outline: str, depth: int) -> str:
    """`depth`: 0 for the list, 1 for a point, 2 for its x or y."""
    if depth > 0:
        return _point_words(found, depth - 1)
    kind = found["type"]
    wanted = f"give at least {_OUTLINES[outline]}, each as [x, y] with x and y from 0 to 1"
    if kind == "missing":
        return f"is missing; {wanted}"
    if kind == "too_short":
        points = found["ctx"]["actual_length"]
        return f"has {points} point{'' if points == 1 else 's'}; {wanted}"
    if kind == "too_long":
        return f"has more than {found['ctx']['max_length']} points; a rough outline is enough"
    return f"is not a list of points; {wanted}"


def _point_words(found: Any, depth: int) -> str:
    """`depth`: 0 for the point, 1 for its x or y."""
    kind = found["type"]
    if depth == 0:
        missing = kind == "missing" and found["loc"][-1] == "at"
        return f"is missing; {_POINT}" if missing else f"is not a point; {_POINT}"
    if kind in ("greater_than_equal", "less_than_equal"):
        return f"is {found['input']:g}, outside the picture; {_FRACTION}"
    return f"is not a number; {_FRACTION}"


def _whole_point(loc: Loc, key: str, kind: str) -> Loc:
    """A coordinate that is missing is the fault of its point."""
    point = loc.index(key) + (2 if key in _OUTLINES else 1)
    return loc[:point] if kind == "missing" and len(loc) > point else loc


def _unknown_key(loc: Loc, root: type[BaseModel]) -> str:
    known = known_keys(root, loc[:-1])
    close = get_close_matches(str(loc[-1]).lower().replace("-", "_"), known, n=1, cutoff=0.6)
    if close:
        return f"there is no such key; did you mean `{close[0]}`?"
    return f"there is no such key; here may stand: {', '.join(known)}"


def known_keys(root: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that may stand in the section at that place."""
    model = root
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            model = _section_in(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _section_in(annotation: Any) -> type[BaseModel] | None:
    """The section inside of `Section`, `Section | None` or `tuple[Section, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := _section_in(arg))), None)


def _echo(document: Document, loc: Loc) -> str:
    """The value as it stands in the file, where it can be no secret."""
    written = document.written.get(loc)
    keys = {part for part in loc if isinstance(part, str)}
    if not written or keys & _SECRET_KEYS or "@" in written or len(written) > 60:
        return ""
    return f"`{written}` "
