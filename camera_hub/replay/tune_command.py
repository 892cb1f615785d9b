"""`camera-hub tune`: what the person asked for, carried out and told.

The outcome goes to standard output, all else to standard error, so that `--json -` can be piped.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import cv2
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table

from camera_hub.replay import report_words as words
from camera_hub.replay import tune_settings as settings_of
from camera_hub.replay.command import PIPE, Outputs
from camera_hub.replay.jobs import jobs_of
from camera_hub.replay.jobs import settings_of as camera_settings
from camera_hub.replay.progress import LINE_EVERY_S
from camera_hub.replay.result import Score
from camera_hub.replay.runner import processors
from camera_hub.replay.tune import OnProgress, Tuning, tune

FOLDS = 5
FEW = 8  # clips; with fewer, chance can hardly be told from gain


def command(
    given: Sequence[str],
    *,
    config: Path | None = None,
    camera: str | None = None,
    labels: Path | None = None,
    json_out: str | None = None,
    workers: int | None = None,
    folds: int | None = None,
) -> int:
    """The whole command; its exit code."""
    Outputs(json=json_out).check()
    now = camera_settings(config, camera)
    jobs = jobs_of(given, now, labels)
    cv2.setNumThreads(1)
    with _progress() as on_progress:
        tuning = tune(
            jobs, now, folds=folds or FOLDS, workers=workers or processors(), on_progress=on_progress
        )
    for reason in tuning.left_out:
        print(f"left out: {reason}", file=sys.stderr)
    if folds is not None and folds > len(tuning.clips):
        print(f"{len(tuning.clips)} clips give {len(tuning.clips)} folds, not {folds}", file=sys.stderr)
    if json_out is not None:
        _write(json_out, msgspec.json.encode(as_data(tuning)) + b"\n")
    if json_out != PIPE:
        show(Console(highlight=False), tuning)
    return 0


def as_data(tuning: Tuning) -> dict[str, object]:
    """The outcome as `--json` prints it."""
    return {
        "version": 1,
        "verdict": tuning.judged.verdict,
        "why": tuning.judged.why,
        "chance": tuning.judged.chance,
        "settings": settings_of.as_data(tuning.wanted),
        "now": {"settings": settings_of.as_data(tuning.now.settings), "score": tuning.now.score},
        "held_back": tuning.held_back,
        "best": settings_of.as_data(tuning.best),
        "agreed": tuning.agreed,
        "folds": [
            {"clips": fold.clips, "settings": settings_of.as_data(fold.chosen), "score": fold.score}
            for fold in tuning.folds
        ],
        "tried": [
            {"settings": settings_of.as_data(one.settings), "score": one.score} for one in tuning.tried
        ],
        "clips": tuning.clips,
        "left_out": tuning.left_out,
    }


def show(console: Console, tuning: Tuning) -> None:
    """The outcome for people, with what to paste."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("")
    table.add_column(f"now: {settings_of.words(tuning.now.settings)}", justify="right")
    table.add_column("tuned, on held-back clips", justify="right")
    for name, values in _rows(tuning.now.score, tuning.held_back):
        table.add_row(name, *values)
    clips, folds = words.many(len(tuning.clips), "labelled clip"), words.many(len(tuning.folds), "fold")
    console.print(f"{clips} in {folds}, {len(tuning.tried)} settings tried.")
    console.print(table)
    console.print()
    if tuning.judged.verdict == "change":
        console.print(tuning.judged.why, soft_wrap=True)
        if len(tuning.clips) < FEW:
            console.print("These are few clips: look at others of this camera, too.", soft_wrap=True)
        console.print("\n# In the configuration, under the camera:", style="dim")
        console.print(settings_of.as_yaml(tuning.best), end="", markup=False)
        return
    console.print("[bold]Change nothing.[/bold]")
    console.print(tuning.judged.why, soft_wrap=True)
    if tuning.judged.verdict == "noise" and tuning.best != tuning.now.settings:
        console.print(
            f"On all clips together the best was: {settings_of.words(tuning.best)}.", soft_wrap=True
        )


ROWS: tuple[tuple[str, Callable[[Score], str]], ...] = (
    ("F1", lambda score: words.number(score.f1, 3)),
    ("found / missed / false", lambda score: f"{score.found} / {score.missed} / {score.false}"),
    ("false alarms per hour", lambda score: words.number(score.false_per_hour)),
    ("quiet time reported", lambda score: words.share(score.quiet_reported)),
    ("delay, median", lambda score: words.seconds(score.delay_median_s)),
)


def _rows(*scores: Score | None) -> Iterator[tuple[str, list[str]]]:
    for name, told in ROWS:
        yield name, [words.NONE if score is None else told(score) for score in scores]


def _write(out: str, data: bytes) -> None:
    if out == PIPE:
        sys.stdout.buffer.write(data)
        sys.stdout.flush()
    else:
        Path(out).write_bytes(data)


@contextmanager
def _progress() -> Iterator[OnProgress]:
    """A bar in a terminal, a line now and then elsewhere."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _Lines().tell
        return
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("tuning", total=1)
        yield lambda doing, clips, done: progress.update(task, description=doing, total=clips, completed=done)


class _Lines:
    def __init__(self) -> None:
        self._told_s = time.monotonic()

    def tell(self, doing: str, clips: int, done: float) -> None:
        now_s = time.monotonic()
        if now_s - self._told_s >= LINE_EVERY_S:
            self._told_s = now_s
            print(f"{doing}: {done:.1f} of {clips} clips", file=sys.stderr, flush=True)
