"""The practice hamlet's clips: all scenes of a seed, rendered side by side by two processes.

Relies on: clips. Promises: what is there already is not rendered again; a clip is told of as soon
as it is whole; when the caller gives up or dies, the rendering ends.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event

from camera_hub.model import HubError
from camera_hub.simulate.clips import ClipFiles, OnProgress, files_of, render
from camera_hub.simulate.places import SCENES
from camera_hub.simulate.scenario import scenario

__all__ = ["SCENES", "ClipFiles", "prepare", "render_clip"]

PROCESSES = 2
POLL_S = 0.2
POLITE = 5  # the renderers stand behind the hub itself

OnScene = Callable[[str, float], None]
"""Called with a scene's id and the share of its clip that is done, 0..1."""
OnReady = Callable[[str, ClipFiles], None]
"""Called with a scene's id and its clip."""


def render_clip(
    scene_id: str,
    seed: int,
    folder: Path,
    on_progress: OnProgress = lambda share: None,
    *,
    conditions: frozenset[str] | None = None,
    duration_s: float | None = None,
) -> ClipFiles:
    """One scene's clip in this process. Raises HubError for a scene or condition that does not exist."""
    return render(scenario(scene_id, seed, conditions, duration_s), folder, on_progress)


@dataclass
class _Job:
    scene_id: str
    process: BaseProcess
    pipe: Connection


def prepare(
    folder: Path,
    seed: int,
    on_progress: OnScene = lambda scene_id, share: None,
    on_ready: OnReady = lambda scene_id, files: None,
    *,
    scenes: tuple[str, ...] = tuple(SCENES),
    duration_s: float | None = None,
    stop: Event | None = None,
) -> None:
    """Have all scenes' clips in `folder`; blocks until they are, or until `stop` is set.

    Raises HubError where a clip cannot be made, in words.
    """
    waiting = []
    for scene_id in scenes:
        files = files_of(folder, scenario(scene_id, seed, None, duration_s))
        if files.are_there():
            on_progress(scene_id, 1.0)
            on_ready(scene_id, files)
        else:
            waiting.append(scene_id)
    running: list[_Job] = []
    try:
        while (waiting or running) and not (stop and stop.is_set()):
            while waiting and len(running) < PROCESSES:
                running.append(_begin(waiting.pop(0), seed, folder, duration_s))
            heard = wait([job.pipe for job in running], POLL_S)
            for job in [job for job in running if job.pipe in heard]:
                if _listen(job, on_progress, on_ready):
                    job.process.join()
                    running.remove(job)
    finally:
        for job in running:
            job.process.terminate()
            job.process.join()
            job.pipe.close()


def _begin(scene_id: str, seed: int, folder: Path, duration_s: float | None) -> _Job:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_work, args=(scene_id, seed, folder, duration_s, theirs, os.getpid()), daemon=True
    )
    process.start()
    theirs.close()
    return _Job(scene_id, process, ours)


def _listen(job: _Job, on_progress: OnScene, on_ready: OnReady) -> bool:
    """Hear one word of a job; whether it has ended."""
    try:
        word = job.pipe.recv()
    except EOFError:
        word = "its process ended at once"
    if isinstance(word, float):
        on_progress(job.scene_id, word)
        return False
    job.pipe.close()
    if isinstance(word, ClipFiles):
        on_ready(job.scene_id, word)
        return True
    raise HubError(f"the practice clip of {job.scene_id} could not be made: {word}")


def _work(
    scene_id: str, seed: int, folder: Path, duration_s: float | None, pipe: Connection, parent: int
) -> None:
    """A renderer's whole life."""
    os.nice(POLITE)
    # Ctrl-C is the parent's to hear; its word to end is heard in order, so that no half file stays.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))

    def tell(share: float) -> None:
        if os.getppid() != parent:
            raise SystemExit(1)
        pipe.send(share)

    try:
        pipe.send(render_clip(scene_id, seed, folder, tell, duration_s=duration_s))
    except (OSError, HubError, MemoryError) as error:
        pipe.send(f"{error}; see that {folder} can be written and has a gigabyte free")
