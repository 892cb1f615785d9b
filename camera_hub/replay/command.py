"""`camera-hub replay`: what the person asked for, carried out and told.

Results go to standard output, all else to standard error, so that `--json -` can be piped. What
cannot work (a label file with errors, a folder that is not there to write into) is told before
any clip has run.
"""

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import cv2
import msgspec
from rich.console import Console
from rich.markup import escape

from camera_hub.model import HubError
from camera_hub.replay.baseline import Comparison, compare, read_baseline
from camera_hub.replay.jobs import UsageError, jobs_of, settings_of
from camera_hub.replay.junit import junit
from camera_hub.replay.progress import shown
from camera_hub.replay.report import write_report
from camera_hub.replay.result import Results
from camera_hub.replay.runner import processors, results_of, run_all
from camera_hub.replay.summary import show
from camera_hub.replay.trace import traced

PIPE = "-"


class Outputs(msgspec.Struct, frozen=True):
    """Where the results go, besides the terminal."""

    json: str | None = None  # a path, or - for standard output
    report: Path | None = None
    junit: Path | None = None

    def check(self) -> None:
        """Raises UsageError where one of them could not be written."""
        files = [self.report, self.junit, Path(self.json) if self.json not in (None, PIPE) else None]
        for file in files:
            if file is None:
                continue
            if file.is_dir():
                raise UsageError(f"{file} is a folder; give the path of a file to write")
            if not file.parent.is_dir():
                raise UsageError(f"there is no folder {file.parent} to write {file.name} into; make it first")


def replay(
    given: Sequence[str],
    *,
    config: Path | None = None,
    camera: str | None = None,
    labels: Path | None = None,
    outputs: Outputs,
    workers: int | None = None,
    baseline: Path | None = None,
) -> int:
    """The whole command; its exit code."""
    outputs.check()
    earlier = read_baseline(baseline) if baseline is not None else None
    jobs = jobs_of(given, settings_of(config, camera), labels)
    cv2.setNumThreads(1)  # its own threads bring nothing at this size
    begun_s = time.monotonic()
    with shown(len(jobs)) as on_progress:
        outcomes = run_all(
            jobs, workers or processors(), traced if outputs.report is not None else None, on_progress
        )
    passed_s = time.monotonic() - begun_s
    results = results_of([outcome.result for outcome in outcomes])
    if outputs.json is not None:
        _write_json(results, outputs.json)
    if outputs.junit is not None:
        _write(outputs.junit, junit(results))
    if outputs.report is not None:
        traces = [outcome.by_product for outcome in outcomes]
        write_report(outputs.report, results, traces, passed_s=passed_s, made=datetime.now().astimezone())
    if outputs.json != PIPE:
        show(Console(highlight=False), results, passed_s)
    for clip in results.clips:
        if isinstance(clip.error, str):
            print(f"camera-hub: {clip.error}", file=sys.stderr)
    worse = earlier is not None and _tell(compare(results, earlier), outputs.json == PIPE)
    return 1 if worse or results.total.errors else 0


def _tell(comparison: Comparison, on_stderr: bool) -> bool:
    """Print what has changed; whether it is worse."""
    console = Console(stderr=on_stderr, highlight=False)
    changes = (("[red]worse[/]", comparison.worse), ("[green]better[/]", comparison.better))
    for word, lines in (*changes, ("note", comparison.notes)):
        for line in lines:
            console.print(f"{word}  {escape(line)}", soft_wrap=True)
    if comparison.worse:
        console.print("[bold red]Worse than the baseline.[/]")
    else:
        console.print(
            "Not worse than the baseline." if not comparison.better else "Better than the baseline."
        )
    return bool(comparison.worse)


def _write_json(results: Results, out: str) -> None:
    data = msgspec.json.encode(results) + b"\n"
    if out != PIPE:
        _write(Path(out), data)
        return
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def _write(file: Path, data: bytes) -> None:
    try:
        file.write_bytes(data)
    except OSError as exc:
        raise HubError(f"{file} cannot be written: {exc.strerror}; give another path") from exc
