"""`${NAME}` in the configuration: from the environment, else from the secrets file.

The secrets file holds `NAME: value` lines and is refused where others than its owner may read
it. It need not be there as long as the environment has everything.
"""

import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from camera_hub.config.document import Document, read_document
from camera_hub.config.errors import ConfigError, Loc

_NAME = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$\{")
_STAND_IN = "unset"


class Secrets:
    """Where names get their values from."""

    def __init__(self, environment: Mapping[str, str], file: Path | None) -> None:
        self._environment = environment
        self._file = file
        self._values: dict[str, str] = {}
        self._there = file is not None and file.exists()
        if file is not None and self._there:
            self._values = _read_secrets(file)

    def value(self, name: str) -> str | None:
        """What the name stands for, or None."""
        return self._environment.get(name, self._values.get(name))

    def remedy(self, name: str) -> str:
        """How to set the name, in words."""
        if self._file is None:
            return f"set {name} in the environment, or in a secrets file that `secrets:` names"
        more = "" if self._there else f" (not there yet; make it, then: chmod 600 {self._file})"
        return f"set {name} in the environment, or add `{name}: ...` to the secrets file {self._file}{more}"


def fill_in(document: Document, environment: Mapping[str, str]) -> None:
    """Put values in place of every `${NAME}` in the document's data.

    What has no value becomes a problem of the document, as does a secrets file that cannot be used.
    """
    secrets = Secrets(environment, None)
    named = document.data.get("secrets")
    if isinstance(named, str):
        document.data["secrets"] = named = _text(document, named, ("secrets",), secrets)
        file = document.file.parent / Path(named).expanduser()
        try:
            secrets = Secrets(environment, file)
        except ConfigError as exc:
            document.problems += exc.problems
            secrets = _Unreadable()
    document.data = {
        key: value if key == "secrets" else _filled(document, value, (key,), secrets)
        for key, value in document.data.items()
    }


class _Unreadable(Secrets):
    """A secrets file with a problem of its own: names that it may hold are not complained of too."""

    def __init__(self) -> None:
        super().__init__({}, None)

    def value(self, name: str) -> str:
        return _STAND_IN


def _filled(document: Document, value: Any, loc: Loc, secrets: Secrets) -> Any:
    if isinstance(value, dict):
        return {key: _filled(document, item, (*loc, key), secrets) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(document, item, (*loc, index), secrets) for index, item in enumerate(value)]
    return _text(document, value, loc, secrets) if isinstance(value, str) and "${" in value else value


def _text(document: Document, text: str, loc: Loc, secrets: Secrets) -> str:
    user_info = _user_info(text)
    unset = False

    def put(match: re.Match[str]) -> str:
        nonlocal unset
        name = match[1]
        if match[0] == "$${":
            return "${"
        if name is None:
            document.complain(
                loc, "has a ${ without a name and a }; write ${NAME}, or $${ for the two signs themselves"
            )
            unset = True
            return ""
        value = secrets.value(name)
        if value is None:
            document.complain(loc, f"${{{name}}} has no value; {secrets.remedy(name)}")
            unset = True
            return ""
        # Inside an address a password with signs such as @ or / must not be taken for its parts.
        return quote(value, safe="") if match.start() < user_info else value

    filled = _NAME.sub(put, text)
    return _STAND_IN if unset else filled


def _user_info(text: str) -> int:
    """Where the user name and password of an address end; 0 for text without."""
    match = re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://(?:\$\{[^}]*\}|[^/?#$])*@", text)
    return match.end() if match else 0


def _read_secrets(file: Path) -> dict[str, str]:
    if file.is_file():
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode not in (0o600, 0o400):
            text = f"others could read it (its mode is {mode:o}, and must be 600); run: chmod 600 {file}"
            raise ConfigError.of(file, text)
    document = read_document(file)
    for name in list(document.data):
        if (name,) not in document.written:
            document.complain((name,), "is not a single value; write `NAME: value`")
    if document.problems:
        raise ConfigError(document.problems)
    return {str(loc[0]): text for loc, text in document.written.items() if len(loc) == 1}
