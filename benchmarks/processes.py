"""The processes that a benchmark starts: servers, cameras, viewers. They end with it, whatever happens."""

import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

READY_S = 60.0


@contextmanager
def process(*command: str, log: Path = Path(os.devnull)) -> Iterator[int]:
    """A command and its process id; what it says goes to `log`."""
    with log.open("wb") as said:
        running = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        yield running.pid
    finally:
        running.send_signal(signal.SIGTERM)
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def camera_hub(*arguments: str, log: Path = Path(os.devnull)) -> AbstractContextManager[int]:
    return process(sys.executable, "-m", "camera_hub", *arguments, log=log)


def await_answer(url: str) -> bytes:
    """What a server says, as soon as it does; ends the benchmark when it never does."""
    deadline = time.monotonic() + READY_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                return bytes(answer.read())
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(f"{url} does not answer")
            time.sleep(0.3)
