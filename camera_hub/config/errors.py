"""What is wrong in a configuration file, told so that a person can mend it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from camera_hub.model import HubError

Loc = tuple[str | int, ...]
"""Where a key stands: ("cameras", 2, "zones", 0, "polygon")."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that is wrong: where, what, and what would be right."""

    file: str
    line: int | None  # counted from 1; None where the whole file is meant
    key: str  # cameras[2].zones[0].polygon; empty where the whole file is meant
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


class ConfigError(HubError):
    """A configuration that cannot be used; its text has a line for each problem."""

    exit_code = 2

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))

    @classmethod
    def of(cls, file: Path, text: str, *, line: int | None = None, key: str = "") -> "ConfigError":
        """An error with a single problem."""
        return cls([Problem(str(file), line, key, text)])


def key_text(loc: Loc) -> str:
    """The place of a key as people write it: `cameras[2].zones[0].polygon`."""
    text = ""
    for part in loc:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text
