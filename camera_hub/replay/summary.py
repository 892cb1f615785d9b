"""A replay's results as a person reads them in a terminal of 80 columns."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from camera_hub.replay.report_words import NONE, clock, long, many, number, seconds, share, times
from camera_hub.replay.result import ClipResult, Results, Score

EVENTS_MOST = 12  # of a clip in the table


def show(console: Console, results: Results, passed_s: float) -> None:
    """Print all of it; `passed_s` is how long the replay took."""
    names = short_names([clip.clip for clip in results.clips])
    console.print(_clips(results, names))
    for line in _faults(results, names):
        console.print(line, soft_wrap=True)  # one line each, for grep
    for line in _remarks(results, names):
        console.print(line)
    for part in _totals(results, passed_s):
        console.print(part)


def short_names(clips: list[str]) -> dict[str, str]:
    """The clips by as little of their paths as tells them apart."""
    names = {clip: PurePath(clip).name for clip in clips}
    seen = Counter(names.values())
    alike = [clip for clip in clips if seen[names[clip]] > 1]
    absolute = len({PurePath(clip).is_absolute() for clip in alike}) == 1
    top = os.path.commonpath(alike) if absolute else ""
    return names | {clip: os.path.relpath(clip, top) if top else clip for clip in alike}


def _clips(results: Results, names: dict[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("clip", overflow="fold", max_width=26)
    table.add_column("length", justify="right", no_wrap=True)
    table.add_column("events", no_wrap=True)
    for column in ("found", "missed", "false", "speed"):
        table.add_column(column, justify="right", no_wrap=True)
    for clip in results.clips:
        table.add_row(
            escape(names[clip.clip]),
            clock(clip.duration_s),
            _events(clip),
            *_counts(clip),
            times(clip.duration_s / clip.wall_s if clip.wall_s else None),
        )
    return table


def _events(clip: ClipResult) -> str:
    if isinstance(clip.error, str) and not clip.events:
        return "[red]cannot be read[/red]"
    rows = [_span(event.start_s, event.end_s) + _mark(event.kind) for event in clip.events[:EVENTS_MOST]]
    if len(clip.events) > EVENTS_MOST:
        rows.append(f"and {len(clip.events) - EVENTS_MOST} more")
    return "\n".join(rows) or "none"


def _mark(kind: str) -> str:
    return "" if kind == "motion" else f" {kind}"


def _span(start_s: float, end_s: float) -> str:
    return f"{clock(start_s)}–{clock(end_s)}"


def _counts(clip: ClipResult) -> tuple[str, str, str]:
    score = clip.score
    if score is None:
        return (NONE, NONE, NONE)
    found, missed, false = _both(score)
    return (
        f"{found} of {found + missed}" if found + missed else NONE,
        f"[bold red]{missed}[/]" if missed else "0",
        f"[bold red]{false}[/]" if false else "0",
    )


def _both(score: Score) -> tuple[int, int, int]:
    """Found, missed and false, of motion and tampering together."""
    return (
        score.found + score.tamper_found,
        score.missed + score.tamper_missed,
        score.false + score.tamper_false,
    )


def _faults(results: Results, names: dict[str, str]) -> Iterator[str]:
    """A line for each miss and each false alarm."""
    for clip in results.clips:
        name = escape(names[clip.clip])
        for label in clip.labels:
            if label.outcome == "missed":
                what = f"  {escape(label.what)}" if label.what else ""
                yield f"[red]missed[/] {name}  {_span(label.start_s, label.end_s)}  {label.kind}{what}"
        for event in clip.events:
            if event.outcome == "false":
                zones = f"  in {escape(', '.join(event.zones))}" if event.zones else ""
                yield f"[red]false[/]  {name}  {_span(event.start_s, event.end_s)}  {event.kind}{zones}"


def _remarks(results: Results, names: dict[str, str]) -> Iterator[str]:
    """What one should know of single clips."""
    for clip in results.clips:
        name = escape(names[clip.clip])
        for note in clip.notes:
            yield f"note   {name}  {escape(note)}"
        if clip.gate.startswith("off: "):
            yield f"note   {name}  gate {escape(clip.gate)}"


def _totals(results: Results, passed_s: float) -> Iterator[str | Table]:
    total, score = results.total, results.total.score
    yield ""
    speed = (
        f", {times(total.duration_s / passed_s)} as fast as real time" if passed_s and total.frames else ""
    )
    yield (
        f"{many(total.clips, 'clip')}, {long(total.duration_s)}: {many(total.events, 'event')} in "
        f"{passed_s:.1f} s{speed}"
    )
    yield from _crossings(results)
    if score is None:
        yield "No clip has labels, so there is no score; docs/tester.md says how to write them."
        return
    if score.clips < total.clips:
        yield f"The score is about the {many(score.clips, 'clip')} with labels that could be read."
    neither = sum(label.outcome == "maybe" for clip in results.clips for label in clip.labels)
    if neither:
        yield f"{many(neither, 'label counts', 'labels count')} neither way, after an unsure time."
    yield ""
    yield _measures(score)
    if results.total.per_condition:
        yield ""
        yield _conditions(results.total.per_condition)


def _crossings(results: Results) -> Iterator[str]:
    """How often each line was crossed, each way."""
    counts = Counter(
        (crossing.line, crossing.to_is or crossing.to)
        for clip in results.clips
        for event in clip.events
        for crossing in event.crossings
    )
    for (line, to), count in sorted(counts.items()):
        yield f"crossed {escape(line)}, to {escape(to)}: {many(count, 'time')}"


def _measures(score: Score) -> Table:
    table = Table.grid(padding=(0, 2))
    rows = [
        ("events found", f"{score.found} of {score.found + score.missed}", f"recall {number(score.recall)}"),
        ("false alarms", str(score.false), f"precision {number(score.precision)}, F1 {number(score.f1)}"),
        ("false alarms an hour", number(score.false_per_hour, 1), "of motion and tampering"),
        ("quiet time reported", share(score.quiet_reported), f"of {long(score.quiet_s)}"),
        ("delay", seconds(score.delay_median_s), f"median; 95 % within {seconds(score.delay_p95_s)}"),
        ("frames decoded", share(score.decoded_share), ""),
    ]
    if score.tamper_found or score.tamper_missed or score.tamper_false:
        found = f"{score.tamper_found} of {score.tamper_found + score.tamper_missed}"
        rows.append(("tampering found", found, f"{many(score.tamper_false, 'false one')}"))
    for row in rows:
        table.add_row(*row)
    return table


def _conditions(scores: dict[str, Score]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("condition", overflow="fold", max_width=22)
    for column in ("clips", "found", "missed", "false", "F1", "quiet"):
        table.add_column(column, justify="right", no_wrap=True)
    for condition, score in scores.items():
        found, missed, false = _both(score)
        table.add_row(
            escape(condition),
            str(score.clips),
            *(str(count) for count in (found, missed, false)),
            number(score.f1),
            share(score.quiet_reported),
        )
    return table
