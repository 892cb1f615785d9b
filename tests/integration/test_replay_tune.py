"""`camera-hub tune` on real clips finds what is better, and leaves alone what is right or may be chance."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from camera_hub.cli import app
from camera_hub.motion import MotionSettings
from camera_hub.replay.jobs import jobs_of
from camera_hub.replay.runner import run_one
from camera_hub.replay.tune import TooFewClipsError, Tuning, tune
from camera_hub.replay.tune_command import show
from camera_hub.replay.tune_search import search
from tests.support.scene_clips import scene

PRESETS = [MotionSettings(), MotionSettings(sensitivity="low"), MotionSettings(sensitivity="high")]


def small(folder: Path, count: int) -> Path:
    """One who is small and faint, which `high` is made for, somewhere in each clip."""
    for n in range(count):
        begin = 4.0 + 0.5 * n
        scene(
            folder / f"small-{n}.mp4",
            13,
            [(begin, begin + 5)],
            size_px=(4, 6),
            tones=22,
            seed=n,
            conditions=["day"],
        )
    return folder


def plain(folder: Path, count: int) -> Path:
    """One whom every setting finds."""
    for n in range(count):
        scene(folder / f"plain-{n}.mp4", 13, [(4, 9)], seed=n)
    return folder


def tuned(folder: Path) -> Tuning:
    jobs = jobs_of([str(folder)], PRESETS[0], None)
    return tune(jobs, PRESETS[0], folds=5, workers=2, on_progress=lambda *done: None, candidates=PRESETS)


def told(outcome: Tuning) -> str:
    console = Console(file=StringIO(), width=100)
    show(console, outcome)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_what_is_better_on_clips_held_back_is_recommended(tmp_path: Path) -> None:
    outcome = tuned(small(tmp_path, 5))
    assert outcome.judged.verdict == "change"
    assert outcome.best.sensitivity == "high"
    assert outcome.now.score is not None
    assert outcome.held_back is not None
    assert (outcome.now.score.f1 or 0) < (outcome.held_back.f1 or 0)
    assert outcome.agreed == len(outcome.folds) == 5
    assert sorted(name for fold in outcome.folds for name in fold.clips) == sorted(outcome.clips)
    text = told(outcome)
    assert "motion:\n  sensitivity: high\n" in text
    assert "5 of 5 folds chose these settings" in text


def test_one_clip_among_others_may_be_chance(tmp_path: Path) -> None:
    outcome = tuned(plain(small(tmp_path, 1), 2))
    assert outcome.judged.verdict in ("noise", "keep")
    assert "Keep what is set" in outcome.judged.why or "No other" in outcome.judged.why


def test_what_is_right_is_left_alone(tmp_path: Path) -> None:
    outcome = tuned(plain(tmp_path, 3))
    assert outcome.judged.verdict == "keep"
    assert outcome.best == PRESETS[0]
    assert "Change nothing." in told(outcome)
    assert "sensitivity:" not in told(outcome)


def test_the_search_finds_what_the_pipeline_finds(tmp_path: Path) -> None:
    jobs = jobs_of([str(plain(small(tmp_path, 1), 1))], PRESETS[0], None)
    results, failed = search(jobs, PRESETS, 1)
    assert failed == []
    for settings, of_one in zip(PRESETS, results, strict=True):
        for job, result in zip(jobs_of([str(tmp_path)], settings, None), of_one, strict=True):
            truth = run_one(job).result
            assert [event.start_s for event in result.events] == [event.start_s for event in truth.events]


def test_too_few_clips_are_told_in_a_sentence(tmp_path: Path) -> None:
    clip = scene(tmp_path / "one.mp4", 2, [])
    for name, text in (("one", "there is 1"), ("none", "there are none (")):
        if name == "none":
            clip.with_name("one.events.json").unlink()
        jobs = jobs_of([str(clip)], PRESETS[0], None)
        with pytest.raises(TooFewClipsError, match="at least 2 labelled clips") as told:
            tune(jobs, PRESETS[0], folds=5, workers=1, on_progress=lambda *done: None)
        assert text in str(told.value)


def test_a_clip_that_cannot_be_played_is_left_out(tmp_path: Path) -> None:
    plain(tmp_path, 2)
    (tmp_path / "bad.mp4").write_bytes(b"no video at all")
    (tmp_path / "bad.events.json").write_text('{"events": []}')
    outcome = tuned(tmp_path)
    assert len(outcome.clips) == 2
    assert any("bad.mp4" in reason for reason in outcome.left_out)


def test_the_command_prints_json_and_words(tmp_path: Path) -> None:
    plain(tmp_path, 2)
    done = CliRunner().invoke(app, ["tune", str(tmp_path), "--json", "-", "--jobs", "1", "--folds", "4"])
    assert done.exit_code == 0, done.output
    data = json.loads(done.stdout)
    assert data["verdict"] in ("keep", "noise")  # never that two clips show a gain
    assert data["settings"] == {"sensitivity": "normal", "exact": {}}
    assert len(data["folds"]) == 2
    assert "2 clips give 2 folds, not 4" in done.stderr
