"""What the Dockerfile runs: the wheel, built, installed in an empty environment, started, answered."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.support.hub import Browserless, command, server_section, write_config
from tests.support.needs import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not (ROOT / "camera_hub/server/dashboard/index.html").is_file():
        pytest.fail("the dashboard is not built; run: make dashboard")
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True
    )
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_has_the_dashboard_and_the_migrations_and_no_more(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "camera_hub/server/dashboard/index.html" in names
    assert any(n.startswith("camera_hub/store/migrations/") and n.endswith(".py") for n in names)
    assert "camera_hub/py.typed" in names
    assert {"camera_hub/replay/report.css", "camera_hub/replay/report.js"} <= set(names)
    strangers = [n for n in names if not n.startswith(("camera_hub/", "camera_hub-"))]
    assert strangers == []


@pytest.mark.timeout(600)
def test_it_starts_and_answers_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = str(environment / "bin" / "python")
    install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
    subprocess.run([*install, "--require-hashes", "-r", ROOT / "requirements/base.txt"], check=True)
    subprocess.run([*install, wheel], check=True)
    server = server_section()
    config = write_config(tmp_path / "hub.yaml", server=server)
    run = [environment / "bin" / "camera-hub"]
    with command("serve", str(config), log=tmp_path / "log", python=python):
        browser = Browserless(int(str(server["port"]))).wait_until_up()
        assert "<html" in browser.http.get("/").text
        well = subprocess.run([*run, "health", browser.url], capture_output=True, text=True, check=False)
        assert well.returncode == 0, well.stderr
        browser.close()
    unwell = subprocess.run([*run, "health", browser.url], capture_output=True, text=True, check=False)
    assert unwell.returncode == 1
    assert "not well" in unwell.stderr


def test_the_dockerfile_uses_what_there_is() -> None:
    text = (ROOT / "Dockerfile").read_text()
    for name in re.findall(r"requirements/\w+\.txt", text):
        assert (ROOT / name).is_file(), name
    for name in re.findall(r"scripts/\w+", text):
        assert (ROOT / name).is_file(), name
    assert re.search(r"^USER (?!root)\w+", text, re.MULTILINE)
    assert "HEALTHCHECK" in text
