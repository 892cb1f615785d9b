"""A real replay's report: pictures of just what was missed or false, and the clip's signals."""

import json
from pathlib import Path

import av
import pytest

from camera_hub.motion import MotionSettings
from camera_hub.replay.jobs import jobs_of
from camera_hub.replay.labels import read_labels
from camera_hub.replay.report import report
from camera_hub.replay.runner import Outcome, results_of, run_one
from camera_hub.replay.trace import ClipTrace, traced
from tests.support.replayed import MADE
from tests.support.scene_clips import scene


def run(clip: Path) -> tuple[Outcome, ClipTrace]:
    (job,) = jobs_of([str(clip)], MotionSettings(), None)
    outcome = run_one(job, traced)
    assert isinstance(outcome.by_product, ClipTrace)
    return outcome, outcome.by_product


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, ClipTrace]:
    """One walks unlabelled, one as labelled, and a label has nobody."""
    clip = tmp_path_factory.mktemp("wrong") / "wrong.mp4"
    scene(clip, 30, [(4, 8), (14, 18)], labels=[(14, 18), (24, 28)])
    return run(clip)


def test_what_was_missed_and_what_was_false_have_pictures(wrong: tuple[Outcome, ClipTrace]) -> None:
    outcome, trace = wrong
    score = outcome.result.score
    assert score is not None
    assert (score.found, score.missed, score.false) == (1, 1, 1)
    assert len(trace.missed) == len(trace.events) == 1
    missed, false = trace.missed[0], trace.events[0]
    assert missed.span == (24.0, 28.0)
    assert 24 <= missed.picture.t_s < 28
    assert false.start_s == next(event.start_s for event in outcome.result.events if event.outcome == "false")
    assert 4 <= false.picture.t_s <= 9
    assert false.picture.box is not None


def test_pictures_are_no_wider_than_they_need_be(wrong: tuple[Outcome, ClipTrace], tmp_path: Path) -> None:
    _, trace = wrong
    (tmp_path / "false.jpg").write_bytes(trace.events[0].picture.jpeg)
    with av.open(str(tmp_path / "false.jpg")) as image:
        picture = next(image.decode(video=0))
        assert (picture.width, picture.height) == (320, 180)


def test_signals_rise_where_something_moves(wrong: tuple[Outcome, ClipTrace]) -> None:
    _, trace = wrong
    believed = [t_s for t_s, value in trace.signals["believed"] if value]
    assert believed
    assert all(4 <= t_s <= 9 or 14 <= t_s <= 19 for t_s in believed)
    differs = dict(trace.signals["differs"])
    assert max(value for t_s, value in differs.items() if 4 < t_s < 8) > 5 * max(
        value for t_s, value in differs.items() if 22 < t_s < 30
    )
    assert set(trace.signals) >= {"differs", "light", "followed", "believed", "asleep", "excess", "limit"}


def test_a_watched_clip_gives_the_same_result(wrong: tuple[Outcome, ClipTrace], tmp_path: Path) -> None:
    outcome, _ = wrong
    scene(tmp_path / "wrong.mp4", 30, [(4, 8), (14, 18)], labels=[(14, 18), (24, 28)])
    (job,) = jobs_of([str(tmp_path / "wrong.mp4")], MotionSettings(), None)
    assert run_one(job).result.events == outcome.result.events


def test_without_labels_every_event_has_its_picture(tmp_path: Path) -> None:
    clip = scene(tmp_path / "free.mp4", 20, [(4, 8), (13, 17)])
    clip.with_name("free.events.json").unlink()
    outcome, trace = run(clip)
    assert len(trace.events) == len(outcome.result.events) == 2
    text = report(results_of([outcome.result]), [trace], passed_s=1.0, made=MADE)
    assert text.count("<figure") == 2


def test_where_labels_say_that_somebody_is_a_missed_picture_shows_it(tmp_path: Path) -> None:
    clip = scene(tmp_path / "boxes.mp4", 12, [], labels=[(4, 8)])
    file = clip.with_name("boxes.events.json")
    document = json.loads(file.read_text())
    times = [round(4 + 0.1 * n, 1) for n in range(40)]
    document["events"][0]["boxes"] = [[t_s, t_s / 20, 0.5, 0.1, 0.2] for t_s in times]
    file.write_text(json.dumps(document))
    _, trace = run(clip)
    (missed,) = trace.missed
    (box,) = missed.picture.known
    assert box == pytest.approx((missed.picture.t_s / 20, 0.5, 0.1, 0.2), abs=0.01)


@pytest.mark.parametrize("boxes", [7, "x", [[1, 2]], [{"left": 3}], [[0, "a", 0, 0, 0]], None])
def test_boxes_of_another_form_are_let_be(boxes: object, tmp_path: Path) -> None:
    clip = scene(tmp_path / "other.mp4", 1, [])
    file = clip.with_name("other.events.json")
    file.write_text(json.dumps({"events": [{"start_s": 0.2, "end_s": 0.8, "boxes": boxes}]}))
    assert read_labels(file).events[0].boxes == ()
