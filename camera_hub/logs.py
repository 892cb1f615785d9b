"""What the hub tells of itself: structured lines on standard error, and never a password.

`configure` sends structlog's loggers and those of the libraries (uvicorn, aiortc, alembic, av)
one way: for people on a terminal, as JSON lines otherwise. Every line passes `redact` last,
with all that is nested in it and the text of exceptions. It may be called again at any time,
and is called once in every process.
"""

import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Literal
from urllib.parse import quote

import structlog
from structlog.typing import EventDict, Processor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "human", "json"]

HIDDEN = "***"

_SHORTEST_SECRET = 4  # a shorter one would be found in every second word
_DEEPEST = 8
_QUIET = (
    "aioice",
    "aiortc",
    "alembic",
    "asyncio",
    "httpcore",
    "httpx",
    "sqlalchemy",
    "uvicorn",
    "uvicorn.access",
    "zeep",
)
"""Libraries whose chatter tells an operator nothing; zeep's even holds ONVIF passwords."""

_TELLTALE = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|credentials?|authorization|cookie|api[_-]?key)"
_URL = re.compile(r"\b([a-z][a-z0-9+.-]*://)\S*@", re.IGNORECASE)
_HEADER = re.compile(r"(\bauthorization[\"']?\s*[:=]\s*).+", re.IGNORECASE)
_BEARER = re.compile(r"\b(bearer|basic)\s+(?=\S*[0-9=])[\w+/=.~-]{8,}", re.IGNORECASE)
_ASSIGNED = re.compile(rf"(\b\w*{_TELLTALE}[\"']?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s&;,]+)", re.IGNORECASE)
_SECRET_KEY = re.compile(rf"(?:^|[_\-\s.]){_TELLTALE}$", re.IGNORECASE)

_secrets: tuple[str, ...] = ()


def configure(
    level: Level = "info",
    format: Format = "auto",  # noqa: A002
    *,
    secrets: Iterable[str] = (),
    always: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Send all log lines of this process to standard error, from `level` on.

    `secrets` are values that must not appear in whatever shape (`Config.secret_values`); `always` stands
    in every line, whatever its thread, such as the camera of a camera's process.
    """
    global _secrets  # noqa: PLW0603 - one process, one log
    _secrets = _shapes(secrets)
    threshold = logging.getLevelNamesMapping()[level.upper()]
    terminal = sys.stderr.isatty()
    human = format == "human" or (format == "auto" and terminal)
    # People want to read the time at a glance and in their own zone; machines want it whole.
    time_format: dict[str, Any] = {"fmt": "%H:%M:%S", "utc": False} if human else {"fmt": "iso", "utc": True}
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        lambda _logger, _method, event: {**always, **event},
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(**time_format),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        # Redacted here already, for handlers that others may add; and once more where all lines meet.
        processors=[*shared, redact_event, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,  # so that loggers made before this call follow it
    )
    _route_libraries(threshold, _formatter(shared, human, terminal))


def redact(text: str) -> str:
    """The text without passwords, tokens and the credentials of addresses."""
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    text = _URL.sub(r"\1", text)
    text = _HEADER.sub(rf"\1{HIDDEN}", text)
    text = _BEARER.sub(rf"\1 {HIDDEN}", text)
    return _ASSIGNED.sub(rf"\1{HIDDEN}", text)


def redact_event(logger: Any, method: str, event: EventDict) -> EventDict:
    """A structlog processor: redacts everything in the event, however deep."""
    return {redact(str(key)): _clean(key, value, 0) for key, value in event.items()}


def _clean(key: Any, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return HIDDEN if value is not None and _is_secret_key(key) else value
    if _is_secret_key(key):
        return HIDDEN
    if isinstance(value, str):
        return redact(str(value))
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {redact(str(k)): _clean(k, v, depth + 1) for k, v in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_clean(None, item, depth + 1) for item in value]
    return redact(_shown(value))


def _shown(value: Any) -> str:
    try:
        return str(value)
    except Exception:  # a log line must never be the one thing that fails
        return f"<{type(value).__name__}>"


def _is_secret_key(key: Any) -> bool:
    return isinstance(key, str) and _SECRET_KEY.search(key) is not None


def _shapes(secrets: Iterable[str]) -> tuple[str, ...]:
    """Each secret as it may come up: as it is, in an address, in a Python or a JSON text."""
    shapes: set[str] = set()
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            shapes |= {secret, quote(secret, safe=""), quote(secret), repr(secret)[1:-1]}
    return tuple(sorted(shapes, key=len, reverse=True))


def _formatter(shared: list[Processor], human: bool, terminal: bool) -> logging.Formatter:
    renderer: Processor
    if human:
        colours = terminal and not os.environ.get("NO_COLOR")
        # The plain formatter: a richer one would print local variables, and these hold passwords.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=colours, exception_formatter=plain)
    else:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact_event, renderer],
    )


class _HubHandler(logging.StreamHandler[Any]):
    """Ours among the root logger's handlers."""


def _demote_libav(record: logging.LogRecord) -> bool:
    """FFmpeg calls every torn packet an error; what matters of it comes as a camera's state."""
    if record.name.startswith("libav"):
        record.levelno, record.levelname = logging.DEBUG, "DEBUG"
        return logging.getLogger().isEnabledFor(logging.DEBUG)
    return True


def _route_libraries(threshold: int, formatter: logging.Formatter) -> None:
    handler = _HubHandler(sys.stderr)
    handler.setFormatter(formatter)
    handler.addFilter(_demote_libav)
    root = logging.getLogger()
    for old in [each for each in root.handlers if isinstance(each, _HubHandler)]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(threshold)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.captureWarnings(True)
