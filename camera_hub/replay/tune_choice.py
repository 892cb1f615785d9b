"""Which settings did best, on which clips that is asked, and whether the gain could be chance.

Pure and deterministic. Clips are told apart into folds by condition, so that each fold has some of
everything; what is chosen on all folds but one is judged on that one.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Literal, NamedTuple

from camera_hub.replay.report_words import many
from camera_hub.replay.result import ClipResult, Score
from camera_hub.replay.score import together

EXACT_MOST = 10  # clips that differ; with more, chance is tried out and not counted
TRIES = 1000
SEED = 20
CHANCE = 0.1  # a gain that chance would bring more often is noise

Measure = tuple[str, int, float]
"""A field of a score, 1 where more is better and -1 where less is, and its value where it cannot be said."""

MEASURES: tuple[Measure, ...] = (
    ("f1", 1, 1.0),
    ("false_per_hour", -1, 0.0),
    ("quiet_reported", -1, 0.0),
    ("delay_median_s", -1, 0.0),
)
STEPS = {"f1": 0.0001, "false_per_hour": 0.1, "quiet_reported": 0.001, "delay_median_s": 0.1}
"""Two values count as the same when they round to the same step."""

IN_WORDS = {
    "f1": "F1",
    "false_per_hour": "the number of false alarms per hour",
    "quiet_reported": "the quiet time reported",
    "delay_median_s": "the delay",
}


class Judged(NamedTuple):
    """What to do, and why."""

    verdict: Literal["change", "keep", "noise"]  # noise: keep, since the gain may be chance
    chance: float | None  # how often chance alone would bring as much, 0..1; None without a gain
    why: str  # a sentence or two


SET_IS_BEST = Judged("keep", None, "What is set now does best on all clips together.")


def worth(score: Score | None) -> tuple[float, ...]:
    """How good a score is; the first difference decides, more is better."""
    return tuple(worth_in(name, score) for name, _, _ in MEASURES)


def worth_in(measure: str, score: Score | None) -> float:
    """How good a score is in one measure, more is better."""
    _, sign, unsaid = next(one for one in MEASURES if one[0] == measure)
    value = getattr(score, measure) if score is not None else None
    return sign * round((unsaid if value is None else value) / STEPS[measure])


def best(results: Sequence[Sequence[ClipResult]], clips: Sequence[int]) -> int:
    """Which settings did best on `clips`: results by settings and clip. Of equals the first."""
    scores = [together(of_one[clip] for clip in clips) for of_one in results]
    return max(range(len(results)), key=lambda n: (worth(scores[n]), -n))


def folds(conditions: Mapping[str, Sequence[str]], count: int) -> list[list[str]]:
    """Clips (by name, with their conditions) in `count` groups that are about alike and of one size.

    The order in which clips are given does not matter.
    """
    ordered = sorted(conditions, key=lambda name: (sorted(conditions[name]), name))
    return [ordered[n::count] for n in range(count)]


def decisive(now: Sequence[ClipResult], then: Sequence[ClipResult]) -> str:
    """The first measure in which the two differ; empty where they are the same."""
    one, other = together(now), together(then)
    return next((name for name, _, _ in MEASURES if worth_in(name, one) != worth_in(name, other)), "")


def chance(measure: str, now: Sequence[ClipResult], then: Sequence[ClipResult]) -> float:
    """How often a gain as large as that of `then` would come if it did not matter which is which.

    A permutation test over clips, which are in the same order in both: between 0 and 1; 1 where
    there is no gain.
    """
    gain = worth_in(measure, together(then)) - worth_in(measure, together(now))
    if gain <= 0:
        return 1.0
    differ = [n for n, (a, b) in enumerate(zip(now, then, strict=True)) if _counts(a) != _counts(b)]
    as_large = tried = 0
    for swaps in _swaps(len(differ)):
        left, right = list(now), list(then)
        for clip, swapped in zip(differ, swaps, strict=True):
            if swapped:
                left[clip], right[clip] = right[clip], left[clip]
        tried += 1
        as_large += worth_in(measure, together(right)) - worth_in(measure, together(left)) >= gain
    return as_large / tried


def _counts(clip: ClipResult) -> tuple[float, ...]:
    return worth(clip.score) + ((clip.score.found, clip.score.missed, clip.score.false) if clip.score else ())


def _swaps(clips: int) -> Sequence[tuple[bool, ...]]:
    if clips <= EXACT_MOST:
        return list(product((False, True), repeat=clips))
    draw = random.Random(SEED)  # noqa: S311 - to be the same each time, not to be secret
    drawn = [tuple(draw.random() < 0.5 for _ in range(clips)) for _ in range(TRIES)]
    return [(False,) * clips, *drawn]


def judge(now: Sequence[ClipResult], then: Sequence[ClipResult], agreed: int, folds: int) -> Judged:
    """Whether what was chosen, `then`, is better than `now` on the same clips, which it was not chosen on.

    `agreed` of `folds` chose what all clips together would.
    """
    measure = decisive(now, then)
    if not measure:
        return Judged("keep", None, "No other settings did better on clips that were held back.")
    name = IN_WORDS[measure]
    if worth_in(measure, together(then)) < worth_in(measure, together(now)):
        why = f"What suited some clips did not suit those held back: {name} became worse."
        return Judged("keep", None, f"{why} Keep what is set; more clips of this camera would tell more.")
    odds = chance(measure, now, then)
    often = f"chance alone would bring as much in {round(100 * odds)} of 100 cases"
    if odds > CHANCE:
        why = f"The gain in {name} on clips that were held back is within noise: {often}."
        return Judged("noise", odds, f"{why} Keep what is set, or label more clips.")
    why = f"On clips that were held back {name} is better, and {often}."
    steady = f"{agreed} of {many(folds, 'fold')} chose these settings"
    if 2 * agreed < folds:
        steady += ", so others may be as good: more clips would tell"
    return Judged("change", odds, f"{why} {steady}.")
