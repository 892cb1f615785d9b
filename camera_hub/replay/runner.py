"""Many clips on many processes: jobs in, results out in the same order, whatever the number of processes.

A clip that cannot be read, or whose decoder crashes, becomes a result with an error, and the
others go on. An observer may look over the pipeline's shoulder, in the clip's own process.
"""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext
from multiprocessing.sharedctypes import SynchronizedArray
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import msgspec

from camera_hub.cameras.source import CameraError
from camera_hub.motion import MotionSettings
from camera_hub.replay import score
from camera_hub.replay.clips import as_text
from camera_hub.replay.gathered import seconds
from camera_hub.replay.labels import Labels
from camera_hub.replay.play import OnShare, Played
from camera_hub.replay.result import ClipResult, Results, Total
from camera_hub.watch import Look, Watch

POLL_S = 0.2
CRASHED = "the decoder crashed on the clip {clip}; try it in a player, and tell us of it"


class Job(msgspec.Struct, frozen=True):
    """A clip to be run, with all that its process has to know."""

    clip: str  # as given
    path: Path
    settings: MotionSettings
    labels: Labels | None = None


class Observer(Protocol):
    """Looks over the pipeline's shoulder while one clip runs, in the process that runs it."""

    def observe(self, look: Look, watch: Watch) -> None:
        """A picture has been decoded; its times count from the clip's first frame."""

    def by_product(self, result: ClipResult) -> Any:
        """What to hand back with the clip's result, which is scored already; it is pickled."""


MakeObserver = Callable[[Job], Observer]
"""Makes a clip's observer, in the process that runs it; a function of a module, since it is pickled."""


class Outcome(NamedTuple):
    """What came of a job."""

    result: ClipResult
    by_product: Any = None  # None without an observer, or where the clip could not be read


def run_all(
    jobs: Sequence[Job],
    workers: int,
    make_observer: MakeObserver | None = None,
    on_progress: Callable[[float], None] = lambda clips: None,
) -> list[Outcome]:
    """The outcomes in the order of the jobs, from as many processes as `workers`; 1 stays in this one.

    `on_progress` is called now and then with the number of clips that are done, parts of clips
    included.
    """
    if min(workers, len(jobs)) > 1:
        return _Pool(min(workers, len(jobs))).run(jobs, make_observer, on_progress)
    outcomes: list[Outcome] = []
    for job in jobs:
        outcomes.append(run_one(job, make_observer, lambda share: on_progress(len(outcomes) + share)))
        on_progress(len(outcomes))
    return outcomes


def run_one(
    job: Job, make_observer: MakeObserver | None = None, on_share: OnShare = lambda share: None
) -> Outcome:
    """One clip, in this process. Says `cv2.setNumThreads(1)` to nobody: that is the process's own affair."""
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    observer = make_observer(job) if make_observer is not None else None
    played = Played(job.path, job.settings, observer.observe if observer else _nobody, on_share)
    try:
        played.run()
    except CameraError as error:
        played.error = error
    wall_s, cpu_s = time.perf_counter() - wall_s, time.process_time() - cpu_s
    result = _result(job, played, wall_s, cpu_s)
    if job.labels is not None and played.error is None:
        result = score.scored(_with_doubts(result, job.labels), job.labels)
    if observer is None or not played.frames:
        return Outcome(result)
    return Outcome(result, observer.by_product(result))


def _with_doubts(result: ClipResult, labels: Labels) -> ClipResult:
    """The result, with a note where the labels cannot all be this clip's."""
    late_s = max((span.start_s for span in (*labels.events, *labels.tamper)), default=0.0)
    if late_s <= result.duration_s:
        return result
    note = f"a label begins at {late_s:g} s, after the clip's end; see whether they are its labels"
    return msgspec.structs.replace(result, notes=(*result.notes, note))


def _nobody(look: Look, watch: Watch) -> None:
    pass


def _result(job: Job, played: Played, wall_s: float, cpu_s: float) -> ClipResult:
    file = played.file
    result = ClipResult(
        clip=job.clip,
        duration_s=seconds(played.duration_us),
        fps=round(played.fps, 3) if played.frames else 0.0,
        frames=played.frames,
        frames_decoded=played.decoded,
        wall_s=round(wall_s, 3),
        cpu_s=round(cpu_s, 3),
        events=played.events.results(),
        score=None,
        codec=file.codec if file else "",
        width=file.width if file else 0,
        height=file.height if file else 0,
        gate=played.gate if played.frames else "",
        notes=played.notes,
    )
    if played.error is None:
        return result
    return msgspec.structs.replace(result, error=as_text(str(played.error)))


def _failed(job: Job, error: str) -> Outcome:
    nothing = ClipResult(
        clip=job.clip,
        duration_s=0.0,
        fps=0.0,
        frames=0,
        frames_decoded=0,
        wall_s=0.0,
        cpu_s=0.0,
        events=(),
        score=None,
        error=error,
    )
    return Outcome(nothing)


def results_of(clips: Sequence[ClipResult]) -> Results:
    """The clips with their totals."""
    return Results(
        clips=tuple(clips),
        total=Total(
            clips=len(clips),
            errors=sum(isinstance(clip.error, str) for clip in clips),
            duration_s=round(sum(clip.duration_s for clip in clips), 3),
            frames=sum(clip.frames for clip in clips),
            frames_decoded=sum(clip.frames_decoded for clip in clips),
            wall_s=round(sum(clip.wall_s for clip in clips), 3),
            cpu_s=round(sum(clip.cpu_s for clip in clips), 3),
            events=sum(len(clip.events) for clip in clips),
            score=score.together(clips),
            per_condition=score.per_condition(clips),
        ),
    )


# -- processes ---------------------------------------------------------------------------------

_shares: "SynchronizedArray[float] | None" = None  # in a worker: how much of each clip is done


def _begin_worker(shares: "SynchronizedArray[float]") -> None:
    global _shares  # noqa: PLW0603 - a shared array can be handed over only when a process begins
    _shares = shares
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the command, which ends us
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)  # the other clips have the other cores


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run_in_worker(index: int, job: Job, make_observer: MakeObserver | None) -> Outcome:
    def on_share(share: float) -> None:
        if _shares is not None:
            _shares[index] = share

    outcome = run_one(job, make_observer, on_share)
    on_share(1.0)
    return outcome


class _Pool:
    """Processes that run jobs; one that crashes costs its own clip alone."""

    def __init__(self, workers: int) -> None:
        self._workers = workers

    def run(
        self,
        jobs: Sequence[Job],
        make_observer: MakeObserver | None,
        on_progress: Callable[[float], None],
    ) -> list[Outcome]:
        context = _context()
        shares = context.Array("d", len(jobs))
        done: dict[int, Outcome] = {}

        def some(indexes: Sequence[int], workers: int) -> None:
            others = set(multiprocessing.active_children())
            pool = ProcessPoolExecutor(workers, context, _begin_worker, (shares,))
            try:
                futures = {pool.submit(_run_in_worker, i, jobs[i], make_observer): i for i in indexes}
                left: set[Future[Outcome]] = set(futures)
                while left:
                    finished, left = wait(left, POLL_S)
                    for future in finished:
                        if not isinstance(future.exception(), BrokenProcessPool):
                            done[futures[future]] = future.result()
                    on_progress(sum(shares[:]))
            except BrokenProcessPool:  # also from `submit`
                pass
            except BaseException:  # Ctrl-C, say: nobody waits for clips that are nobody's
                for process in set(multiprocessing.active_children()) - others:
                    process.terminate()
                raise
            finally:
                pool.shutdown(cancel_futures=True)

        some(range(len(jobs)), self._workers)
        for index, job in enumerate(jobs):
            if index not in done:  # a process crashed; with one clip at a time it is clear on which
                some([index], 1)
            if index not in done:
                done[index] = _failed(job, as_text(CRASHED.format(clip=job.path.name)))
        return [done[index] for index in range(len(jobs))]


def _context() -> BaseContext:
    """Processes of their own, from a server that has loaded the big libraries once where there is one."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return context


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
