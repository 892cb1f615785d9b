"""The commands speak to people: help for strangers, errors in words, exit codes for programs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from camera_hub import __version__, cli
from camera_hub.config import json_schema

SERVER = "site: {id: xa, name: Xã}\nserver: {}\n"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> "Hub":
    return Hub(monkeypatch)


class Hub:
    """Runs the console script's function with arguments, and gives its exit code."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch

    def __call__(self, *arguments: object) -> int:
        self._monkeypatch.setattr(sys, "argv", ["camera-hub", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        code = caught.value.code
        assert isinstance(code, int)
        return code


def write(folder: Path, text: str) -> Path:
    file = folder / "hub.yaml"
    file.write_text(text)
    return file


def test_help_tells_a_stranger_what_to_do(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub("--help") == 0
    said = capsys.readouterr().out
    for word in ("Watch over a village", "check", "schema", "config/"):
        assert word in said


def test_version(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub("--version") == 0
    assert capsys.readouterr().out == f"camera-hub {__version__}\n"


def test_help_does_not_load_what_only_commands_need() -> None:
    heavy = {"av", "cv2", "numpy", "fastapi", "sqlalchemy", "aiortc", "pydantic", "ruamel.yaml"}
    code = f"import sys, camera_hub.cli; print(sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_wrong_command_and_a_wrong_option(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub("chek") == 2
    assert hub("check", "--jsn") == 2
    assert "Traceback" not in capsys.readouterr().err


def test_schema(hub: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    assert hub("schema") == 0
    assert json.loads(capsys.readouterr().out) == json_schema()


def test_check_of_a_server_says_that_the_file_is_right(
    hub: Hub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = write(tmp_path, SERVER)
    assert hub("check", file) == 0
    assert capsys.readouterr().out == f"{file} is right.\nIt has no cameras, so there was nobody to ask.\n"
    assert hub("check", file, "--json") == 0
    assert json.loads(capsys.readouterr().out) == {
        "config": str(file),
        "ok": True,
        "errors": [],
        "cameras": [],
    }


def test_check_lists_all_that_is_wrong_in_the_file(
    hub: Hub, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = write(tmp_path, "site: {id: xa}\ncolour: red\n")
    assert hub("check", file) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "camera-hub: 2 things are wrong in the configuration",
        f"  {file}:1: site.name: is missing; add it",
        f"  {file}:2: colour: there is no such key; here may stand: site, secrets, storage, cameras, link, "
        "server, live, alerts, users, practice, log",
    ]
    assert hub("check", tmp_path / "none.yaml") == 2
    assert "one thing is wrong" in capsys.readouterr().err
    assert hub("check", file, "--json") == 2
    report = json.loads(capsys.readouterr().out)
    assert report["ok"] is False
    assert report["errors"][0] == {
        "file": str(file),
        "line": 1,
        "key": "site.name",
        "error": "is missing; add it",
    }


def test_as_a_command_an_error_has_no_traceback_and_no_colour_in_a_pipe(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "camera_hub.cli", "check", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, "LANG": "C"}
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == (
        "camera-hub: one thing is wrong in the configuration\n"
        f"  {tmp_path}: is a folder; give the path of the file in it\n"
    )
