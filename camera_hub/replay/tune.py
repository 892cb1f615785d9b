"""Better settings for a camera, from labelled clips of it, and what they would truly give.

All settings are tried on all clips. Which of them is chosen is judged on clips that had no part in
the choice: they are held back in turn (k-fold), and played through the worker's own pipeline with
what the others chose. What cannot be told from chance is not recommended.
"""

from collections.abc import Callable, Sequence

import msgspec

from camera_hub.model import HubError
from camera_hub.motion import MotionSettings
from camera_hub.replay import tune_choice as choice
from camera_hub.replay import tune_settings as settings_of
from camera_hub.replay.result import ClipResult, Score
from camera_hub.replay.runner import Job, run_all
from camera_hub.replay.score import together
from camera_hub.replay.tune_search import search

LEAST_CLIPS = 2

OnProgress = Callable[[str, int, float], None]
"""Called with what is being done, how many clips it takes, and how many are done."""


class TooFewClipsError(HubError):
    """There is nothing to choose by."""

    exit_code = 2


class Fold(msgspec.Struct, frozen=True, kw_only=True):
    """Clips held back, and what was chosen without them."""

    clips: tuple[str, ...]
    chosen: MotionSettings
    score: Score | None  # of `chosen` on `clips`


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """Settings, and their score on all clips."""

    settings: MotionSettings
    score: Score | None


class Tuning(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    clips: tuple[str, ...]  # labelled ones that could be played
    left_out: tuple[str, ...]  # why others have no part, in sentences
    now: Tried  # what is set, on all clips, through the worker's pipeline
    held_back: Score | None  # what the choice gives on clips that had no part in it, the same way
    folds: tuple[Fold, ...]
    best: MotionSettings  # chosen on all clips
    agreed: int  # folds that chose the same
    judged: choice.Judged
    tried: tuple[Tried, ...]  # on all clips, the best first

    @property
    def wanted(self) -> MotionSettings:
        """What should be set."""
        return self.best if self.judged.verdict == "change" else self.now.settings


def tune(
    jobs: Sequence[Job],
    now: MotionSettings,
    *,
    folds: int,
    workers: int,
    on_progress: OnProgress,
    candidates: Sequence[MotionSettings] | None = None,
) -> Tuning:
    """Search settings over the labelled clips of `jobs`, which have `now`.

    `candidates`: the settings to try, `now` first; not given: those of `tune_settings`. Raises
    TooFewClipsError with fewer than two labelled clips that can be played.
    """
    labelled = [job for job in jobs if job.labels is not None]
    left_out = [
        f"{job.clip} {'has no labels' if job.path.exists() else 'is not there'}"
        for job in jobs
        if job.labels is None
    ]
    _check(len(labelled), left_out)
    candidates = candidates or settings_of.candidates(now)
    doing = f"trying {len(candidates)} settings"
    results, failed = search(
        labelled, candidates, workers, lambda done: on_progress(doing, len(labelled), done)
    )
    left_out += [str(clip.error) for clip in failed]
    names = [clip.clip for clip in results[0]]
    _check(len(names), left_out)
    playable = {job.clip: job for job in labelled if job.clip in set(names)}
    place = {name: n for n, name in enumerate(names)}
    groups = choice.folds({clip.clip: clip.conditions for clip in results[0]}, min(folds, len(names)))
    chosen: dict[str, int] = {}
    for group in groups:
        others = [place[name] for name in names if name not in set(group)]
        chosen |= dict.fromkeys(group, choice.best(results, others))
    then, was = _played(playable, candidates, chosen, workers, on_progress)
    best = candidates[choice.best(results, range(len(names)))]
    agreed = sum(candidates[chosen[group[0]]] == best for group in groups)
    judged = choice.judge(was, then, agreed, len(groups)) if best != now else choice.SET_IS_BEST
    tried = [
        Tried(settings=one, score=together(of_one)) for one, of_one in zip(candidates, results, strict=True)
    ]
    return Tuning(
        clips=tuple(names),
        left_out=tuple(left_out),
        now=Tried(settings=now, score=together(was)),
        held_back=together(then),
        folds=tuple(
            Fold(
                clips=tuple(group),
                chosen=candidates[chosen[group[0]]],
                score=together(then[place[name]] for name in group),
            )
            for group in groups
        ),
        best=best,
        agreed=agreed,
        judged=judged,
        tried=tuple(sorted(tried, key=lambda one: choice.worth(one.score), reverse=True)),
    )


def _check(clips: int, left_out: Sequence[str]) -> None:
    if clips >= LEAST_CLIPS:
        return
    why = f" ({'; '.join(left_out[:3])})" if left_out else ""
    raise TooFewClipsError(
        f"tuning needs at least {LEAST_CLIPS} labelled clips that can be played, and there "
        f"{'is 1' if clips == 1 else 'are none'}{why}; with one alone, nobody could say whether what "
        "suits it suits others"
    )


def _played(
    jobs: dict[str, Job],
    candidates: Sequence[MotionSettings],
    chosen: dict[str, int],
    workers: int,
    on_progress: OnProgress,
) -> tuple[list[ClipResult], list[ClipResult]]:
    """Each clip through the worker's pipeline: with what was chosen without it, and as it is set now."""
    others = [
        msgspec.structs.replace(job, settings=candidates[chosen[name]])
        for name, job in jobs.items()
        if chosen[name]
    ]
    runs = [*jobs.values(), *others]
    outcomes = run_all(
        runs, workers, on_progress=lambda done: on_progress("held-back clips", len(runs), done)
    )
    was = [outcome.result for outcome in outcomes[: len(jobs)]]
    changed = {job.clip: outcome.result for job, outcome in zip(others, outcomes[len(jobs) :], strict=True)}
    return [changed.get(result.clip, result) for result in was], was
