"""What is worse than before, and what only looks like it."""

import pytest
from msgspec.structs import replace

from camera_hub.replay.baseline import BaselineError, Comparison, compare
from camera_hub.replay.labels import Labels, LabelSpan
from camera_hub.replay.result import ClipResult, Results, Span
from camera_hub.replay.runner import results_of
from camera_hub.replay.score import scored
from tests.unit.test_replay_score import clip, event

LABELS = Labels(events=(LabelSpan(start_s=10, end_s=20), LabelSpan(start_s=40, end_s=50)))
BOTH = ((10.0, 20.0), (40.0, 50.0))


def run(*spans: Span, name: str = "a.mp4", labels: Labels = LABELS) -> ClipResult:
    return scored(replace(clip(*(event(*span) for span in spans)), clip=name), labels)


def against(now: list[ClipResult], then: list[ClipResult]) -> Comparison:
    return compare(results_of(now), results_of(then))


def test_the_same_is_neither_worse_nor_better() -> None:
    assert against([run(*BOTH)], [run(*BOTH)]) == Comparison((), (), ())


def test_a_miss_that_is_new() -> None:
    found = against([run(BOTH[0])], [run(*BOTH)])
    assert found.worse == (
        "a.mp4: missed: motion 0:40.0–0:50.0",
        "a.mp4: F1 1.000 → 0.667",
        "all clips: F1 1.000 → 0.667",
    )
    assert against([run(*BOTH)], [run(BOTH[0])]).worse == ()


def test_a_false_alarm_that_is_new() -> None:
    found = against([run(*BOTH, (70, 71))], [run(*BOTH)])
    assert "a.mp4: a false alarm: motion 1:10.0–1:11.0" in found.worse


def test_one_false_alarm_in_the_place_of_another_is_new() -> None:
    """Though F1 is the same."""
    found = against([run(*BOTH, (80, 81))], [run(*BOTH, (60, 61))])
    assert found.worse == ("a.mp4: a false alarm: motion 1:20.0–1:21.0",)
    assert found.better == ("a.mp4: no longer a false alarm: motion 1:00.0–1:01.0",)


def test_a_false_alarm_that_begins_a_little_later_is_the_same() -> None:
    assert against([run(*BOTH, (70.5, 74))], [run(*BOTH, (70, 71))]).worse == (
        "a.mp4: quiet time reported 1.5 % → 5.1 %",
        "all clips: quiet time reported 1.5 % → 5.1 %",
    )


def test_one_long_false_alarm_excuses_but_one() -> None:
    found = against([run((60, 62), (70, 72), (80, 82))], [run((60, 85))])
    assert [line for line in found.worse if "false" in line] == [
        "a.mp4: a false alarm: motion 1:10.0–1:12.0",
        "a.mp4: a false alarm: motion 1:20.0–1:22.0",
    ]


def test_more_of_the_quiet_time_by_half_a_point() -> None:
    then = run(*BOTH, (70, 71))
    assert against([run(*BOTH, (70, 71.3))], [then]).worse == ()
    assert len(against([run(*BOTH, (70, 71.5))], [then]).worse) == 2


def test_a_clip_that_could_be_read_before() -> None:
    broken = replace(run(), score=None, labels=(), error="the clip a.mp4 is empty")
    assert against([broken], [run(*BOTH)]).worse == ("a.mp4: the clip a.mp4 is empty",)


def test_clips_are_the_same_by_name_where_folders_differ() -> None:
    then = [run(*BOTH, name="/ci/1/a.mp4"), run(*BOTH, name="/ci/1/b.mp4")]
    now = [run(*BOTH, name="clips/a.mp4"), run(name="clips/b.mp4")]
    assert [line.split(":")[0] for line in against(now, then).worse] == ["clips/b.mp4"] * 3 + ["all clips"]


def test_clips_in_one_run_alone_are_told_and_not_compared() -> None:
    then = [run(*BOTH), run(*BOTH, name="old.mp4"), run(*BOTH, name="older.mp4")]
    now = [run(*BOTH), run(name="new.mp4")]
    assert against(now, then) == Comparison(
        (),
        (),
        (
            "not compared, since the baseline does not have it: new.mp4",
            "not compared, since this run does not have it: old.mp4, and 1 more",
        ),
    )


def test_nothing_in_common_is_an_error() -> None:
    with pytest.raises(BaselineError, match="nothing was compared"):
        against([run(name="x.mp4")], [run(name="y.mp4")])
    with pytest.raises(BaselineError, match="nothing was compared"):
        compare(results_of([]), Results(clips=(), total=results_of([]).total))
