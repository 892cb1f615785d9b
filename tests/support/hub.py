"""Starts the hub's commands as a person would, each in its own process, and ends them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from tests.support.waiting import free_port, until_blocking

PASSWORD = "practice-only"


class Command:
    """A running `camera-hub ...`; what it wrote is in `log`."""

    def __init__(
        self, arguments: Sequence[str], log: Path, python: str, environment: Mapping[str, str]
    ) -> None:
        self.log = log
        self._file = log.open("wb")
        self.process = subprocess.Popen(
            [python, "-m", "camera_hub", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
        )

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """The log's JSON lines."""
        found = []
        for line in self.text().splitlines():
            with contextlib.suppress(json.JSONDecodeError):
                found.append(json.loads(line))
        return [line for line in found if isinstance(line, dict)]

    def end(self, with_signal: int = signal.SIGTERM, timeout_s: float = 15) -> int:
        """Ask it to end and wait; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"did not end within {timeout_s} s:\n{self.text()[-3000:]}") from None
        finally:
            self._file.close()


@contextlib.contextmanager
def command(
    *arguments: str,
    log: Path,
    python: str = sys.executable,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Command]:
    """`camera-hub` with these arguments, ended at the end."""
    running = Command(arguments, log, python, environment or {})
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.end()


def write_config(path: Path, **sections: object) -> Path:
    """A configuration file with these sections over sensible ones for tests."""
    config: dict[str, object] = {
        "site": {"id": "khe-coc", "name": "Xóm Khe Cốc"},
        "storage": {"path": str(path.parent / f"data-{path.stem}"), "max_gb": 1, "keep_free_gb": 0.05},
        "log": {"level": "info", "format": "json"},
        **sections,
    }
    path.write_text(json.dumps(config, ensure_ascii=False, indent=2), encoding="utf-8")
    path.chmod(0o600)
    return path


def users() -> list[dict[str, str]]:
    return [{"name": "canh-sat", "display_name": "Công an xã", "role": "admin", "password": PASSWORD}]


def server_section(**more: object) -> dict[str, object]:
    return {"host": "127.0.0.1", "port": free_port(), **more}


class Browserless:
    """Somebody signed in who speaks HTTP."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, timeout=20)

    def wait_until_up(self, timeout_s: float = 40) -> "Browserless":
        def up() -> bool:
            try:
                return self.http.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        until_blocking(up, timeout_s)
        return self

    def sign_in(self, name: str = "canh-sat", password: str = PASSWORD) -> "Browserless":
        answer = self.http.post("/api/login", json={"username": name, "password": password})
        assert answer.status_code == 200, answer.text
        # httpx keeps Secure cookies from plain HTTP; ours is not Secure there, so it is sent.
        return self

    def get(self, path: str, **parameters: Any) -> Any:
        answer = self.http.get(path, params=parameters)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer.json()

    def cameras(self) -> dict[str, dict[str, Any]]:
        """Camera's global id → what the API says of it."""
        return {camera["id"]: camera for camera in self.get("/api/cameras")["cameras"]}

    def not_online(self) -> dict[str, str]:
        """Cameras that are not online, and why."""
        return {
            id_: f"{found['state']}: {found['error']}"
            for id_, found in self.cameras().items()
            if found["state"] != "online"
        }

    def events(self, **parameters: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("/api/events", **parameters)["events"]
        return found

    def close(self) -> None:
        self.http.close()


@contextlib.contextmanager
def signed_in(port: int) -> Iterator[Browserless]:
    browser = Browserless(port)
    try:
        yield browser.wait_until_up().sign_in()
    finally:
        browser.close()
