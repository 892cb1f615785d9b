"""The whole hub on one machine: `serve`, `ingest` and, for the demo, the practice hamlet.

Each is a command of its own in a process of its own, as it would be apart; this module only
starts them, passes on the wish to end, and starts again what died. Promises: when it ends, all
have ended; when it is killed, they end by themselves, since each watches a pipe of its parent.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

log = structlog.get_logger(__name__)

PARENT_PIPE = "CAMERA_HUB_PARENT_PIPE"
STOP_S = 4.0
BACKOFF_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STEADY_S = 30.0
FOR_PEOPLE = (1, 2)  # exit codes of a command that said what a person has to mend


@dataclass(frozen=True)
class Part:
    """One command of the hub: its name and its arguments after `camera-hub`."""

    name: str
    arguments: tuple[str, ...]


def parts(config_path: Path, practice: bool) -> list[Part]:
    """What runs on one machine for this config."""
    config = str(config_path)
    every = [
        Part("serve", ("serve", config, "--own-worker")),
        Part("ingest", ("ingest", config, "--own-server")),
    ]
    if practice:
        every.insert(0, Part("practice", ("practice", config)))
    return every


async def run(hub: Sequence[Part]) -> int:
    """Run all parts until SIGINT or SIGTERM, or until one says that a person must mend something.

    Returns the exit code: 0 after a wish to end.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for wish in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wish, stop.set)
    read_end, write_end = os.pipe()
    code = 0
    try:
        tasks = [asyncio.create_task(_keep(part, read_end, stop)) for part in hub]
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
        stop.set()
        codes = await asyncio.gather(*tasks)
        code = next((c for c in codes if c), 0)
        stopping.cancel()
    finally:
        os.close(write_end)
        os.close(read_end)
    return code


async def _keep(part: Part, parent_pipe: int, stop: asyncio.Event) -> int:
    """One part, started again when it dies; its exit code when it cannot start."""
    failures = 0
    loop = asyncio.get_running_loop()
    while not stop.is_set():
        began = loop.time()
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "camera_hub",
            *part.arguments,
            stdin=asyncio.subprocess.DEVNULL,
            env={**os.environ, PARENT_PIPE: str(parent_pipe)},
            pass_fds=(parent_pipe,),
        )
        ended = asyncio.create_task(process.wait())
        wish = asyncio.create_task(stop.wait())
        await asyncio.wait([ended, wish], return_when=asyncio.FIRST_COMPLETED)
        wish.cancel()
        if stop.is_set():
            await _end(process, ended)
            return 0
        code = ended.result()
        if code in FOR_PEOPLE:
            return code
        failures = 0 if loop.time() - began > STEADY_S else failures + 1
        log.error("a part of the hub ended; starting it again", part=part.name, code=code)
        try:
            async with asyncio.timeout(BACKOFF_S[min(failures, len(BACKOFF_S) - 1)]):
                await stop.wait()
        except TimeoutError:
            pass
    return 0


async def _end(process: asyncio.subprocess.Process, ended: "asyncio.Task[int]") -> None:
    """Ask a part to end; kill it when it does not."""
    if process.returncode is None:
        process.terminate()
    done, _ = await asyncio.wait([ended], timeout=STOP_S)
    if not done:
        process.kill()
        await ended


async def until_asked_to_end(main: "asyncio.Task[None]") -> None:
    """Run `main` until it ends, a signal comes, or the hub that started us has gone."""
    loop = asyncio.get_running_loop()
    pipe = os.environ.get(PARENT_PIPE)

    def end() -> None:
        # Once: Ctrl-C comes from the terminal and from the parent, and must not cut the clean-up short.
        if pipe is not None:
            loop.remove_reader(int(pipe))
        if not main.cancelling():
            main.cancel()

    for wish in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(wish, end)
    if pipe is not None:
        loop.add_reader(int(pipe), end)
    try:
        await main
    except asyncio.CancelledError:
        log.debug("asked to end")
