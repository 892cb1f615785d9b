"""Whether a replay does worse than an earlier one: a gate for CI.

Worse is: a label missed or a false alarm raised that was not before, a lower F1, a larger share of
quiet time reported, a clip that could be read before. Compared are the clips that are in both,
each for itself and all together.
"""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

import msgspec

from camera_hub.model import HubError
from camera_hub.replay import score
from camera_hub.replay.report_words import clock, number, share
from camera_hub.replay.result import ClipResult, Results, Score, Span

F1_STEP = 0.0005  # less is rounding
QUIET_STEP = 0.005  # of the quiet time
NEAR_S = 1.0  # what is no farther away than this is the same


class BaselineError(HubError):
    """An earlier run that one cannot compare with."""

    exit_code = 2


class Comparison(NamedTuple):
    """What has changed, in sentences."""

    worse: tuple[str, ...]
    better: tuple[str, ...]
    notes: tuple[str, ...]


def read_baseline(file: Path) -> Results:
    """What `--json` wrote. Raises BaselineError in words."""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        raise BaselineError(f"the baseline {file} is not there; make it by --json {file}") from None
    except OSError as exc:
        raise BaselineError(f"the baseline {file} cannot be read: {exc.strerror}") from None
    try:
        return msgspec.json.decode(data, type=Results)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise BaselineError(
            f"the baseline {file} is not what `camera-hub replay --json` writes ({exc}); make it anew"
        ) from None


def compare(now: Results, then: Results) -> Comparison:
    """What is worse now than it was then, and what is better. Raises BaselineError without a common clip."""
    pairs = _pairs(now.clips, then.clips)
    scored = [(new, old) for new, old in pairs if new.score is not None and old.score is not None]
    broken = [new for new, old in pairs if isinstance(new.error, str) and not isinstance(old.error, str)]
    if not scored and not broken:
        raise BaselineError("no clip has a score both in this run and in the baseline; nothing was compared")
    worse = [f"{clip.clip}: {clip.error}" for clip in broken]
    better: list[str] = []
    for new, old in scored:
        _faults(new, old, worse.append)
        _faults(old, new, better.append, gone=True)
        _measures(new.clip, new.score, old.score, worse, better)
    whole = len(pairs) == len(now.clips) == len(then.clips)
    old_total = then.total.score if whole else score.together(old for _, old in scored)
    new_total = now.total.score if whole else score.together(new for new, _ in scored)
    _measures("all clips", new_total, old_total, worse, better)
    return Comparison(tuple(worse), tuple(better), tuple(_alone(now.clips, then.clips, pairs)))


_Pair = tuple[ClipResult, ClipResult]


def _pairs(now: Iterable[ClipResult], then: Iterable[ClipResult]) -> list[_Pair]:
    """Each clip and what it was: by its path, else by its name where only one bears it."""
    now, then = list(now), list(then)
    by_path = {clip.clip: clip for clip in then}
    pairs = []
    for clip in now:
        old = by_path.get(clip.clip) or _only(then, clip, now)
        if old is not None:
            pairs.append((clip, old))
    return pairs


def _only(then: list[ClipResult], clip: ClipResult, now: list[ClipResult]) -> ClipResult | None:
    name = PurePath(clip.clip).name
    same = [old for old in then if PurePath(old.clip).name == name]
    alone = sum(PurePath(other.clip).name == name for other in now) == 1
    return same[0] if len(same) == 1 and alone else None


def _alone(now: Iterable[ClipResult], then: Iterable[ClipResult], pairs: list[_Pair]) -> Iterable[str]:
    new = {id(clip) for clip, _ in pairs}
    old = {id(clip) for _, clip in pairs}
    for where, alone in (
        ("the baseline does not have", [clip.clip for clip in now if id(clip) not in new]),
        ("this run does not have", [clip.clip for clip in then if id(clip) not in old]),
    ):
        if alone:
            more = f", and {len(alone) - 1} more" if len(alone) > 1 else ""
            yield f"not compared, since {where} it: {alone[0]}{more}"


def _faults(one: ClipResult, other: ClipResult, tell: Callable[[str], object], *, gone: bool = False) -> None:
    """Tell of each miss and each false alarm of `one` that `other` has not."""
    word = "no longer " if gone else ""
    for kind, span in _more(_missed(one), _missed(other)):
        tell(f"{one.clip}: {word}missed: {kind} {clock(span[0])}–{clock(span[1])}")
    for kind, span in _more(_false(one), _false(other)):
        tell(f"{one.clip}: {word}a false alarm: {kind} {clock(span[0])}–{clock(span[1])}")


_Fault = tuple[str, Span]


def _missed(clip: ClipResult) -> list[_Fault]:
    return [(label.kind, (label.start_s, label.end_s)) for label in clip.labels if label.outcome == "missed"]


def _false(clip: ClipResult) -> list[_Fault]:
    return [(event.kind, (event.start_s, event.end_s)) for event in clip.events if event.outcome == "false"]


def _more(faults: list[_Fault], known: list[_Fault]) -> Iterable[_Fault]:
    """The faults that are not known; a known one, however long, excuses but one."""
    left = list(known)
    for kind, span in faults:
        same = next((one for one in left if one[0] == kind and score.overlaps(span, one[1], NEAR_S)), None)
        if same is None:
            yield kind, span
        else:
            left.remove(same)


def _measures(where: str, new: Score | None, old: Score | None, worse: list[str], better: list[str]) -> None:
    if new is None or old is None:
        return
    if new.f1 is not None and old.f1 is not None and abs(new.f1 - old.f1) > F1_STEP:
        text = f"{where}: F1 {number(old.f1, 3)} → {number(new.f1, 3)}"
        (worse if new.f1 < old.f1 else better).append(text)
    quiet = (new.quiet_reported, old.quiet_reported)
    if quiet[0] is not None and quiet[1] is not None and abs(quiet[0] - quiet[1]) > QUIET_STEP:
        text = f"{where}: quiet time reported {share(quiet[1], 1)} → {share(quiet[0], 1)}"
        (worse if quiet[0] > quiet[1] else better).append(text)
