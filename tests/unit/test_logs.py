"""Log lines are structured, come one way from all libraries, and never hold a password."""

import ast
import io
import json
import logging
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import camera_hub
from camera_hub import logs

log = structlog.get_logger("camera_hub.made_before_configure")

Configured = Callable[..., io.StringIO]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Configured]:
    """Configure logs as a process would, onto a stream that the test reads."""
    root = logging.getLogger()
    before = root.level, [*root.handlers]

    def configure(stream: io.StringIO | None = None, **options: Any) -> io.StringIO:
        stream = io.StringIO() if stream is None else stream
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure(**options)
        return stream

    yield configure
    monkeypatch.undo()
    logs.configure()  # forget the test's secrets
    logging.captureWarnings(False)
    structlog.reset_defaults()
    root.level, root.handlers = before


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_json_away_from_a_terminal(configured: Configured) -> None:
    stream = configured()
    log.info("camera online", camera="cong-lang", fps=12.5, streams=("main", "sub"), error=None)
    log.debug("not at this level")
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "camera online",
        "camera": "cong-lang",
        "fps": 12.5,
        "streams": ["main", "sub"],
        "error": None,
        "level": "info",
        "logger": "camera_hub.made_before_configure",
    }


def test_human_on_a_terminal_and_as_asked(configured: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    terminal = configured(Terminal())
    log.warning("cổng làng", camera="cong-lang")
    assert "\x1b[" in terminal.getvalue()
    plain = configured(format="human")
    log.warning("cổng làng", camera="cong-lang")
    assert "cổng làng" in plain.getvalue()
    assert "camera=cong-lang" in plain.getvalue()
    assert "\x1b[" not in plain.getvalue()
    forced = configured(Terminal(), format="json")
    log.warning("cổng làng")
    assert lines(forced)[0]["event"] == "cổng làng"


def test_libraries_go_the_same_way(configured: Configured) -> None:
    stream = configured()
    logging.getLogger("uvicorn.error").warning("started at %s", "http://127.0.0.1:8787")
    logging.getLogger("uvicorn.access").info("GET /")
    logging.getLogger("aioice").info("chatter")
    logging.getLogger("aioice").warning("trouble")
    warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert [(line["level"], line["event"]) for line in lines(stream)][:2] == [
        ("warning", "started at http://127.0.0.1:8787"),
        ("warning", "trouble"),
    ]
    assert "DeprecationWarning" in lines(stream)[2]["event"]


def test_ffmpeg_is_heard_at_debug_only(configured: Configured) -> None:
    quiet = configured()
    logging.getLogger("libav.h264").error("error while decoding MB 3 4")
    assert quiet.getvalue() == ""
    loud = configured(level="debug")
    logging.getLogger("libav.h264").error("error while decoding MB 3 4")
    assert [(line["level"], line["event"]) for line in lines(loud)] == [
        ("debug", "error while decoding MB 3 4")
    ]


def test_a_handler_of_somebody_else_sees_no_password_either(
    configured: Configured, caplog: pytest.LogCaptureFixture
) -> None:
    configured()
    log.info("opened", url="rtsp://xem:mat-khau@10.0.0.1/a")
    assert "rtsp://10.0.0.1/a" in caplog.text
    assert "mat-khau" not in caplog.text


def test_configured_again_a_line_still_comes_once(configured: Configured) -> None:
    configured()
    stream = configured()
    log.info("once")
    logging.getLogger("other").info("once too")
    assert len(lines(stream)) == 2


def test_an_exception_comes_with_its_traceback_and_without_its_locals(configured: Configured) -> None:
    for form in ("json", "human"):
        stream = configured(Terminal(), format=form)
        hidden = "mat-khau-cua-toi"
        try:
            raise ValueError(f"cannot open rtsp://xem:{hidden}@10.0.0.1/a")
        except ValueError:
            log.exception("camera failed")
        assert "cannot open rtsp://10.0.0.1/a" in stream.getvalue()
        assert Path(__file__).name in stream.getvalue()
        assert hidden not in stream.getvalue()


def test_something_that_cannot_be_shown_does_not_stop_the_line(configured: Configured) -> None:
    class Mute:
        def __str__(self) -> str:
            raise RuntimeError

    endless: dict[str, Any] = {}
    endless["again"] = endless
    stream = configured()
    log.info("still here", mute=Mute(), endless=endless, raw=b"\xff", secret_token=7)
    (line,) = lines(stream)
    assert line["mute"] == "<Mute>"
    assert line["secret_token"] == "***"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("rtsp://xem:mk@10.0.0.1:554/a?b=1", "rtsp://10.0.0.1:554/a?b=1"),
        ("rtsp://xem@10.0.0.1/a", "rtsp://10.0.0.1/a"),
        ("tried RTSP://a:p@s/s@h/x twice", "tried RTSP://h/x twice"),
        ("http://10.0.0.1/cgi?user=xem&pwd=mk&x=1", "http://10.0.0.1/cgi?user=xem&pwd=***&x=1"),
        ("rtsp://10.0.0.1/user=xem_password=mk_channel=1", "rtsp://10.0.0.1/user=xem_password=***"),
        ('{"password": "m k", "name": "a"}', '{"password": ***, "name": "a"}'),
        ("Authorization: Digest username=xem, response=0a", "Authorization: ***"),
        ("sent Bearer eyJhbGciOi1", "sent Bearer ***"),
        ("wss://hub.example/api/link", "wss://hub.example/api/link"),
        ("write to an-ninh@khe-coc.example", "write to an-ninh@khe-coc.example"),
        ("the camera wants basic authentication", "the camera wants basic authentication"),
    ],
)
def test_redact(text: str, redacted: str) -> None:
    assert logs.redact(text) == redacted
    assert logs.redact(redacted) == redacted


def shapes(password: str) -> dict[str, Any]:
    """The ways in which a password could come into a log line."""
    coded = quote(password, safe="")
    return {
        "url": f"rtsp://xem:{coded}@10.0.0.1/a",
        "urls": [f"opened rtsp://xem:{coded}@10.0.0.1/a and http://{coded}@10.0.0.1"],
        "camera": {"id": "a", "password": password, "again": {"metrics_token": [password]}},
        f"rtsp://xem:{coded}@10.0.0.1": 1,
        "error": ConnectionError(f"refused: rtsp://xem:{coded}@10.0.0.1/a"),
        "query": f"GET /cgi?password={coded}&channel=1",
        "header": f"Authorization: Basic {coded}",
        "Cookie": f"camera_hub_session={password}",
    }


# Signs that no other part of the lines has, so that finding them means finding the password.
passwords = st.text(alphabet="QWXYZ@:/?#&=%+ '\"\\éạ", min_size=6, max_size=24).filter(
    lambda text: sum(sign in "QWXYZ" for sign in text) >= 4
)
fixture_is_fine = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)


@given(passwords, st.sampled_from(["json", "human"]))
@fixture_is_fine
def test_a_password_never_appears_where_it_can_be_told(
    configured: Configured, password: str, form: logs.Format
) -> None:
    stream = configured(format=form)
    log.info("opened", **shapes(password))
    logging.getLogger("uvicorn.error").info("opened %s", shapes(password)["url"])
    assert not hidden_in(stream.getvalue(), password)


@given(passwords, st.sampled_from(["json", "human"]))
@fixture_is_fine
def test_a_password_that_is_known_never_appears_at_all(
    configured: Configured, password: str, form: logs.Format
) -> None:
    stream = configured(format=form, secrets=[password])
    log.info(f"it is {password}!", said=[password, {password: f"<{password}>"}], odd=quote(password))
    logging.getLogger("zeep").error("<Password>%s</Password>", password)
    try:
        raise ValueError(f"not {password!r}", password)
    except ValueError:
        log.exception("failed")
    assert not hidden_in(stream.getvalue(), password)


def hidden_in(text: str, password: str) -> bool:
    forms = {
        password,
        quote(password),
        quote(password, safe=""),
        json.dumps(password, ensure_ascii=False)[1:-1],
    }
    return any(form in text for form in forms)


def test_no_log_call_names_a_field_event() -> None:
    """structlog's own name for the message: a call that uses it as a field raises, when it is needed most."""
    found = []
    for file in Path(camera_hub.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = node.func.value
                if (
                    isinstance(of, ast.Name)
                    and of.id == "log"
                    and any(k.arg == "event" for k in node.keywords)
                ):
                    found.append(f"{file.name}:{node.lineno}")
    assert found == []
