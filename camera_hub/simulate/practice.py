"""The practice hamlet as a command: renders what is missing, and serves each camera once it is ready.

Promises: the port answers at once (404 for a camera that is not ready), the first camera comes
after seconds, all of them are served until the task is cancelled, and nothing is left running.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from camera_hub.model import HubError
from camera_hub.simulate.clips import ClipFiles
from camera_hub.simulate.hamlet import SCENES, OnScene, prepare

log = structlog.get_logger(__name__)

HOST = "127.0.0.1"


def address(port: int, camera: str, stream: str, host: str = HOST) -> str:
    """Where a practice camera's stream is."""
    return f"rtsp://{host}:{port}/{camera}/{stream}"


async def practice(
    seed: int,
    port: int,
    folder: Path,
    on_progress: OnScene | None = None,
    *,
    host: str = HOST,
    duration_s: float | None = None,
    scenes: tuple[str, ...] = tuple(SCENES),
) -> None:
    """Serve the hamlet's cameras until cancelled; clips are kept in `folder`.

    Raises HubError where the port is taken, the folder cannot be written, or the toolkit that
    serves is not installed.
    """
    try:
        from camera_hub.simulate.rtsp import served
    except ModuleNotFoundError as error:
        raise HubError(
            f"the practice hamlet needs {error.name}, which is not installed; "
            "install it by: pip install 'camera-hub[demo]'"
        ) from None
    loop = asyncio.get_running_loop()
    stop = threading.Event()
    with _shown(scenes) if on_progress is None else nullcontext(on_progress) as tell:
        async with served(host, port) as server:
            log.info("practice cameras are being prepared", cameras=len(scenes), port=port)

            def ready(scene_id: str, files: ClipFiles) -> None:
                loop.call_soon_threadsafe(publish, scene_id, files)

            def publish(scene_id: str, files: ClipFiles) -> None:
                server.publish(scene_id, files)
                log.info("practice camera ready", camera=scene_id, url=address(port, scene_id, "main", host))

            def make() -> None:
                prepare(folder, seed, tell, ready, scenes=scenes, duration_s=duration_s, stop=stop)

            try:
                await asyncio.to_thread(make)
                await asyncio.get_running_loop().create_future()
            finally:
                stop.set()


def _shown(scenes: tuple[str, ...]) -> AbstractContextManager[OnScene]:
    return _Bar(scenes) if sys.stdout.isatty() else nullcontext(_Lines())


class _Lines:
    """Progress as a log line for every fifth of a clip."""

    def __init__(self) -> None:
        self._told: dict[str, int] = {}

    def __call__(self, scene_id: str, share: float) -> None:
        fifth = int(share * 5)
        if fifth > self._told.get(scene_id, 0) and fifth < 5:
            log.info("practice camera is being prepared", camera=scene_id, percent=fifth * 20)
        self._told[scene_id] = fifth


class _Bar:
    """Progress over all scenes as one bar that goes away when it is full."""

    def __init__(self, scenes: tuple[str, ...]) -> None:
        self._shares = dict.fromkeys(scenes, 0.0)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            console=Console(),
            transient=True,
        )

    def __enter__(self) -> Callable[[str, float], None]:
        self._progress.start()
        self._task = self._progress.add_task("practice hamlet", total=len(self._shares))
        return self._tell

    def _tell(self, scene_id: str, share: float) -> None:
        self._shares[scene_id] = share
        done = sum(share >= 1 for share in self._shares.values())
        self._progress.update(
            self._task,
            completed=sum(self._shares.values()),
            description=f"practice hamlet: {done} of {len(self._shares)} cameras ready",
        )
        if done == len(self._shares):
            self._progress.stop()

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def main(seed: int, port: int, folder: Path) -> None:
    """Serve the hamlet until interrupted; blocks. Raises HubError as `practice` does."""
    try:
        asyncio.run(practice(seed, port, folder))
    except KeyboardInterrupt:
        log.debug("asked to end")
