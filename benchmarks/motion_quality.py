"""How true our events are, beside MOG2, KNN, a running average and DVR-Scan, scored by the same code.

    python -m benchmarks.motion_quality --work DIR [--quick] [--json OUT] [--minutes M] [--clips FOLDER…]

Runs over the labelled real clips, over clips composed from them (`benchmarks.compose`), and over the
practice hamlet's rendered clips, of which there are at least 60 minutes by 40 seeds. What is made is
kept in DIR, since rendering takes hours; so is what was found there before. `--quick` takes every
sixth clip. `--clips` takes other folders of labelled clips instead. Everybody has its defaults.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import cv2
import msgspec

from benchmarks import rivals
from benchmarks.compose.__main__ import CLIPS
from benchmarks.compose.__main__ import compose_into as compose_clips
from camera_hub.model import HubError
from camera_hub.motion import MotionSettings
from camera_hub.replay import score
from camera_hub.replay.jobs import jobs_of
from camera_hub.replay.result import ClipResult, Score
from camera_hub.replay.runner import Job, processors, run_one
from camera_hub.simulate.hamlet import SCENES, render_clip

HAMLET_S = 60.0
SEEDS = (1100, 1200, 1300, 1400, 1500)
STORIES = (
    "night,insect", "day,wind", "dusk,lamp,stands", "night,headlights", "day,rain", "night,quiet,insect",
    "day,clouds", "night,rain", "dusk,headlights,busy", "night,stands", "day,quiet,wind,rain", "night,lamp",
    "dusk,clouds,wind", "night,quiet,headlights,insect",
)  # fmt: skip
QUICK = 6  # of so many clips one


class Judged(msgspec.Struct, frozen=True):
    """One detector over all clips."""

    name: str
    total: Score
    per_condition: dict[str, Score]
    per_set: dict[str, Score]


def hamlet(folder: Path, minutes: float) -> list[Path]:
    """The hamlet's small streams, `minutes` of them at least; rendered where they are not there yet."""
    names, clips = sorted(SCENES), list[Path]()
    for seed in SEEDS:
        for number, story in enumerate(STORIES):
            if len(clips) * HAMLET_S >= 60 * minutes:
                return clips
            scene = names[(number + seed // 100) % len(names)]
            wanted = frozenset(story.split(","))
            files = render_clip(scene, seed + number, folder, conditions=wanted, duration_s=HAMLET_S)
            clips.append(files.sub)
            sys.stderr.write(f"hamlet: {len(clips)} clips\n")
    return clips


def work_off(job: Job, command: Path | None) -> dict[str, ClipResult]:
    """One clip by everybody, scored; by the detector's name."""
    cv2.setNumThreads(1)
    ours = run_one(job).result
    found, cpu_s = rivals.timed(job.path)
    if command is not None:
        found["DVR-Scan"] = rivals.by_dvr_scan(command, job.path)
    results = {rivals.OURS: ours}
    for name, spans in found.items():
        told = rivals.result(ours, spans, cpu_s)
        results[name] = told if job.labels is None else score.scored(told, job.labels)
    return results


def judge(sets: dict[str, list[Job]], command: Path | None) -> list[Judged]:
    """Everybody over all clips."""
    jobs = [(name, job) for name, several in sets.items() for job in several]
    by_name: dict[str, list[tuple[str, ClipResult]]] = {}
    with ProcessPoolExecutor(processors()) as pool:
        done = pool.map(work_off, [job for _, job in jobs], [command] * len(jobs))
        for number, ((where, job), results) in enumerate(zip(jobs, done, strict=True), 1):
            for name, result in results.items():
                by_name.setdefault(name, []).append((where, result))
            sys.stderr.write(f"{number} of {len(jobs)}: {job.path.name}\n")
    return [_judged(name, results, list(sets)) for name, results in by_name.items()]


def _judged(name: str, results: Sequence[tuple[str, ClipResult]], sets: Iterable[str]) -> Judged:
    clips = [result for _, result in results]
    total = score.together(clips)
    if total is None:
        raise HubError("none of the clips has labels; NAME.mp4 needs NAME.events.json beside it")
    per_set = {one: score.together(r for where, r in results if where == one) for one in sets}
    return Judged(
        name,
        total,
        score.per_condition(clips),
        {one: of_set for one, of_set in per_set.items() if of_set is not None},
    )


def table(judged: Sequence[Judged]) -> str:
    """In Markdown: the totals, F1 by where the clips are from, and F1 by condition."""
    rows = [
        "| | found | missed | false | precision | recall | F1 | false alarms an hour | quiet time reported "
        "| median delay | tampering found |",
        "|---|" + "---:|" * 10,
    ]
    for one in judged:
        s = one.total
        rows.append(
            f"| {one.name} | {s.found} | {s.missed} | {s.false} | {_number(s.precision)} "
            f"| {_number(s.recall)} | {_number(s.f1)} | {_number(s.false_per_hour, 1)} "
            f"| {_percent(s.quiet_reported)} "
            f"| {_number(s.delay_median_s)} s | {s.tamper_found} of {s.tamper_found + s.tamper_missed} |"
        )
    for title, of in (("set", "per_set"), ("condition", "per_condition")):
        keys = list(getattr(judged[0], of))
        rows += ["", f"| F1 by {title} | min | " + " | ".join(one.name for one in judged) + " |"]
        rows.append("|---|---:|" + "---:|" * len(judged))
        for key in keys:
            scores = [getattr(one, of)[key] for one in judged]
            cells = [_number(s.f1) if s.f1 is not None else f"{s.false} false" for s in scores]
            rows.append(f"| {key} | {scores[0].duration_s / 60:.1f} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f} %"


def main() -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.motion_quality", description=__doc__)
    parser.add_argument("--work", type=Path, required=True, help="a folder for what is made, kept")
    parser.add_argument("--quick", action="store_true", help="every sixth clip only")
    parser.add_argument("--minutes", type=float, default=60, help="of the hamlet and of composed clips, each")
    parser.add_argument(
        "--clips", type=Path, nargs="*", help="folders of labelled clips, instead of all that"
    )
    parser.add_argument("--json", type=Path, help="write all scores there as well")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    try:
        sets = _sets(given.work, given.clips, given.minutes / QUICK if given.quick else given.minutes)
    except HubError as error:
        parser.error(str(error))
    if given.quick:
        sets = {name: jobs if len(jobs) < 2 * QUICK else jobs[::QUICK] for name, jobs in sets.items()}
    command = rivals.dvr_scan(given.work)
    if command is None:
        sys.stderr.write(f"DVR-Scan is left out: `pip install {rivals.DVR_SCAN}` did not work here\n")
    judged = judge(sets, command)
    print(table(judged))
    if given.json is not None:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(judged)) + b"\n")


def _sets(work: Path, folders: list[Path] | None, minutes: float) -> dict[str, list[Job]]:
    settings = MotionSettings()
    if folders:
        return {folder.name: jobs_of([str(folder)], settings, None) for folder in folders}
    if not CLIPS.is_dir():
        raise HubError(f"{CLIPS} is not there; give folders of labelled clips by --clips")
    compose_clips(work / "composed", 1, minutes)
    rendered = hamlet(work / "hamlet", minutes)
    return {
        "real": jobs_of([str(CLIPS)], settings, None),
        "composed": jobs_of([str(work / "composed")], settings, None),
        "hamlet": jobs_of([str(clip) for clip in rendered], settings, None),
    }


if __name__ == "__main__":
    main()
