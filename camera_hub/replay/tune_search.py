"""Many settings over the same clips: each clip is decoded once, and every detector sees its frames.

Without the gate, since settings cannot change what packets weigh; but a scene at rest is looked
at as seldom as in a worker. Relies on the runner for processes, errors and progress.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from camera_hub.model import GateReason
from camera_hub.motion import Gate, MotionDetector, MotionSettings
from camera_hub.replay.gathered import Gathered
from camera_hub.replay.labels import Labels
from camera_hub.replay.result import ClipResult
from camera_hub.replay.runner import Job, run_all
from camera_hub.replay.score import scored
from camera_hub.watch import Look, Watch


def search(
    jobs: Sequence[Job],
    candidates: Sequence[MotionSettings],
    workers: int,
    on_progress: Callable[[float], None] = lambda clips: None,
) -> tuple[list[list[ClipResult]], list[ClipResult]]:
    """Scored results of labelled clips, by settings and clip, and the clips that could not be played.

    The latter are in none of the former.
    """
    outcomes = run_all(jobs, workers, partial(_tried, tuple(candidates)), on_progress)
    failed = [outcome.result for outcome in outcomes if isinstance(outcome.result.error, str)]
    played = [outcome.by_product for outcome in outcomes if not isinstance(outcome.result.error, str)]
    return [[of_clip[n] for of_clip in played] for n in range(len(candidates))], failed


def _tried(candidates: tuple[MotionSettings, ...], job: Job) -> "_Tried":
    return _Tried(candidates, job.labels or Labels())


class _One:
    """One candidate's detector on its way through a clip."""

    def __init__(self, settings: MotionSettings) -> None:
        self._detector = MotionDetector(settings)
        self._rests = Gate()  # for its rule of when a look is worth it
        self._events = Gathered()
        self._last_us = 0

    def see(self, luma: NDArray[np.uint8], t_us: int) -> None:
        self._last_us = t_us
        if self._rests.worth_a_look(t_us):
            reports = self._detector.process(luma, t_us)
            self._rests.learn(t_us, reports, self._detector.idle)
            self._events.take(reports)

    def result(self, played: ClipResult, labels: Labels) -> ClipResult:
        self._events.take(self._detector.flush(self._last_us))
        events = tuple(replace(event, track=()) for event in self._events.results())
        return scored(replace(played, events=events), labels)


class _Tried:
    """A `runner.Observer`: all candidates over one clip."""

    def __init__(self, candidates: Sequence[MotionSettings], labels: Labels) -> None:
        self._candidates = [_One(settings) for settings in candidates]
        self._labels = labels

    def observe(self, look: Look, watch: Watch) -> None:
        watch.gate.give_up(GateReason.SWITCHED_OFF)
        luma, t_us = look.frame.luma, look.frame.pts_us
        for candidate in self._candidates:
            candidate.see(luma, t_us)

    def by_product(self, result: ClipResult) -> list[ClipResult]:
        return [candidate.result(result, self._labels) for candidate in self._candidates]
