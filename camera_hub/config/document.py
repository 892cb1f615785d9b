"""A YAML file as plain data, with the line of every key, and all that is wrong with it as YAML.

Only mappings, lists, texts, numbers, true/false and nothing are taken; a key without a value
counts as not given. `${NAME}` is put in place by `secrets.py`, not here.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from camera_hub.config.errors import ConfigError, Loc, Problem, key_text

_MAX_BYTES = 1024 * 1024
_MAX_NODES = 100_000  # aliases of aliases could make a small file endless
_TAG = "tag:yaml.org,2002:"

_IN_WORDS = {
    "'\\t'": "a line starts with a tab; use spaces",
    "mapping values": "a `:` stands where none can; mend the indent, or put text that holds `: ` in quotes",
    "another document": "there is a second `---`; keep one document in the file",
    "undefined alias": "a value starts with *; put it in quotes",
    "cannot start any token": "a value starts with a sign that YAML keeps for itself; put it in quotes",
    "escape": "a \\ inside of \"...\" means something else; use '...' there",
    "quoted scalar": "a quote is opened and never closed",
    "flow sequence": "a [ is opened and not closed before here",
    "flow mapping": "a { is opened and not closed before here",
    "block mapping": "this line is indented otherwise than those that it belongs to",
    "block collection": "this line is indented otherwise than the list that it belongs to",
    "simple key": "a `:` is missing after the key",
}
"""What the YAML parser says, and what a person can do about it."""


@dataclass
class Document:
    """What a YAML file says."""

    file: Path
    data: dict[str, Any]
    lines: dict[Loc, int] = field(default_factory=dict)
    written: dict[Loc, str] = field(default_factory=dict)  # scalars, as they stand in the file
    problems: list[Problem] = field(default_factory=list)
    wrong: set[Loc] = field(default_factory=set)  # where the problems are

    def line(self, loc: Loc) -> int | None:
        """The line of the key, or of the nearest thing around it."""
        for size in range(len(loc), -1, -1):
            if loc[:size] in self.lines:
                return self.lines[loc[:size]]
        return None

    def complain(self, loc: Loc, text: str, *, line: int | None = None) -> None:
        """Note that something is wrong there."""
        place = self.line(loc) if line is None else line
        self.problems.append(Problem(str(self.file), place, key_text(loc), text))
        self.wrong.add(loc)


def read_document(file: Path) -> Document:
    """Read a YAML file whose outermost level is a mapping.

    Raises ConfigError where nothing can be made of it; lesser faults are in `problems`.
    """
    text = _read_text(file)
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as exc:
        raise _yaml_error(file, exc) from None
    except (YAMLError, RecursionError, ValueError):
        raise ConfigError.of(file, "is not a YAML file; compare it with a sample in config/") from None
    document = Document(file, {})
    if root is None or (isinstance(root, ScalarNode) and root.tag == _TAG + "null"):
        raise ConfigError.of(file, "is empty; start from a sample in config/")
    if not isinstance(root, MappingNode):
        raise ConfigError.of(file, "has no keys; its lines are written `key: value`, see a sample in config/")
    document.lines[()] = 1
    document.data = _Walk(document).mapping(root, ())
    return document


def _read_text(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            raw = stream.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise ConfigError.of(file, "there is no such file; check the path") from None
    except IsADirectoryError:
        raise ConfigError.of(file, "is a folder; give the path of the file in it") from None
    except PermissionError:
        raise ConfigError.of(file, "may not be read by this user; change its owner or mode") from None
    except OSError as exc:
        raise ConfigError.of(file, f"cannot be read: {exc.strerror or exc}") from None
    if len(raw) > _MAX_BYTES:
        raise ConfigError.of(file, "is larger than 1 MB, so it is hardly a configuration; check the path")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ConfigError.of(file, "is not UTF-8 text; save it as UTF-8", line=line) from None


def _yaml_error(file: Path, exc: MarkedYAMLError) -> ConfigError:
    """The parser's complaint in words; its own could repeat a line that holds a password."""
    complaint = f"{exc.context or ''} {exc.problem or ''}"
    known = (words for sign, words in _IN_WORDS.items() if sign in complaint)
    words = next(known, "this is not YAML; compare it with a sample in config/")
    marks = (exc.problem_mark, exc.context_mark)
    # Of a key without its colon the parser complains only in the next line.
    mark = marks["simple key" in complaint] or marks[0] or marks[1]
    if mark is None:
        return ConfigError.of(file, words)
    return ConfigError.of(file, f"column {mark.column + 1}: {words}", line=mark.line + 1)


class _Walk:
    """From YAML nodes to data."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._nodes = 0

    def mapping(self, node: MappingNode, loc: Loc) -> dict[str, Any]:
        data: dict[str, Any] = {}
        merged: list[tuple[Node, Node]] = []
        for key_node, value_node in node.value:
            if key_node.tag == _TAG + "merge":
                merged.append((key_node, value_node))
            else:
                self._entry(data, key_node, value_node, loc)
        for key_node, value_node in merged:
            self._merge(data, key_node, value_node, loc)
        return {key: value for key, value in data.items() if value is not None}

    def _entry(self, data: dict[str, Any], key_node: Node, value_node: Node, loc: Loc) -> None:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, ScalarNode):
            self._document.complain(loc, "has a key that is no word; write `key: value`", line=line)
            return
        key = str(key_node.value)
        here = (*loc, key)
        if key in data:
            first = self._document.lines[here]
            text = f"is there twice, first in line {first}; keep one of them"
            self._document.complain(here, text, line=line)
            return
        self._document.lines[here] = line
        data[key] = self._value(value_node, here)

    def _merge(self, data: dict[str, Any], key_node: Node, value_node: Node, loc: Loc) -> None:
        """`<<: *other`: the keys of another mapping that are not here."""
        if not isinstance(value_node, MappingNode):
            line = key_node.start_mark.line + 1
            self._document.complain((*loc, "<<"), "is not followed by *NAME of a mapping", line=line)
            return
        for other_key, other_value in value_node.value:
            if str(other_key.value) not in data:
                self._entry(data, other_key, other_value, loc)

    def _value(self, node: Node, loc: Loc) -> Any:
        self._nodes += 1
        if self._nodes > _MAX_NODES or len(loc) > 50:
            raise ConfigError.of(self._document.file, "is nested without end; write it without *aliases")
        if isinstance(node, MappingNode):
            return self.mapping(node, loc)
        if isinstance(node, SequenceNode):
            items = []
            for index, item in enumerate(node.value):
                self._document.lines[(*loc, index)] = item.start_mark.line + 1
                items.append(self._value(item, (*loc, index)))
            return items
        self._document.written[loc] = str(node.value)
        return _scalar(node)


def _scalar(node: Node) -> Any:
    text = str(node.value)
    kind = node.tag.removeprefix(_TAG) if isinstance(node.tag, str) else str(node.tag).removeprefix(_TAG)
    make = _SCALARS.get(kind)
    return text if make is None else make(text)


def _integer(text: str) -> int | str:
    digits = text.replace("_", "")
    try:
        return int(digits, 0) if re.match(r"[-+]?0[xo]", digits) else int(digits, 10)
    except ValueError:
        return text


def _decimal(text: str) -> float | str:
    try:
        return float(text.replace("_", "").replace(".inf", "inf").replace(".nan", "nan").lower())
    except ValueError:
        return text


_SCALARS: dict[str, Callable[[str], Any]] = {
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _integer,
    "float": _decimal,
}
