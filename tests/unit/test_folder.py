"""Two instances never share a data folder: the second says whose it is and leaves."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from camera_hub.folder import hold_folder
from camera_hub.model import HubError

HOLD = (
    "import sys, time, pathlib\n"
    "from camera_hub.folder import hold_folder\n"
    "with hold_folder(pathlib.Path(sys.argv[1]), 'serve'):\n"
    "    print('held', flush=True)\n"
    "    time.sleep(60)\n"
)


def test_a_second_process_is_told_whose_folder_it_is(tmp_path: Path) -> None:
    data = tmp_path / "data"
    other = subprocess.Popen([sys.executable, "-c", HOLD, str(data)], stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(HubError, match=rf"another camera-hub serve \(process {other.pid}\)"):
            _hold(data, "serve")
        _hold(data, "ingest")
        other.send_signal(signal.SIGKILL)
        other.wait(timeout=20)
        _hold(data, "serve")
    finally:
        other.kill()
        other.communicate()


def test_a_folder_is_free_again_after_use(tmp_path: Path) -> None:
    _hold(tmp_path, "serve")
    _hold(tmp_path, "serve")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(HubError, match=r"cannot be written .* storage\.path"):
        _hold(tmp_path / "file" / "data", "serve")


def _hold(path: Path, role: str) -> None:
    with hold_folder(path, role):
        assert (path / f"{role}.lock").read_text() == f"{os.getpid()}\n"
