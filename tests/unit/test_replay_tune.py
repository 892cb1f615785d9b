"""Tuning chooses by the score, never on the clips that it is judged on, and knows chance when it sees it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.config.motion import ExactConfig, MotionConfig
from camera_hub.motion import MotionSettings, Numbers
from camera_hub.motion.exact import exact
from camera_hub.replay import tune_choice as choice
from camera_hub.replay.result import ClipResult
from camera_hub.replay.tune_settings import as_yaml, candidates, words
from tests.support.replayed import clip, event, labelled

FOUND = (event(10, 14),)
LATE = (event(12, 14),)
FALSE = (event(10, 14), event(40, 44))


def played(*outcomes: Sequence[object]) -> list[ClipResult]:
    """Clips with one label each, from 10 s to 14 s."""
    return [clip(f"{n}.mp4", tuple(events), labelled((10, 14))) for n, events in enumerate(outcomes)]  # type: ignore[arg-type]


def test_f1_comes_first_then_false_alarms_then_quiet_time_then_delay() -> None:
    all_found, one_false, one_missed = played(FOUND, FOUND), played(FOUND, FALSE), played(FOUND, ())
    late = played(LATE, LATE)
    results = [one_missed, late, one_false, all_found]
    assert choice.best(results, [0, 1]) == 3
    assert choice.best(results[:3], [0, 1]) == 1
    assert choice.decisive(late, all_found) == "delay_median_s"
    assert choice.decisive(one_false, all_found) == "f1"
    assert choice.decisive(all_found, all_found) == ""


def test_of_equals_what_is_set_now_stays() -> None:
    assert choice.best([played(FOUND, FOUND)] * 3, [0, 1]) == 0


def test_only_the_clips_asked_for_decide() -> None:
    first_better, second_better = played(FOUND, ()), played((), FOUND)
    assert choice.best([first_better, second_better], [0]) == 0
    assert choice.best([first_better, second_better], [1]) == 1


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8), st.sampled_from([("day",), ("night",), ("rain", "day")]), min_size=2
    ),
    st.integers(2, 6),
    st.randoms(use_true_random=False),
)
def test_folds_share_out_all_clips_and_conditions_whatever_their_order(
    conditions: dict[str, tuple[str, ...]], count: int, random: object
) -> None:
    count = min(count, len(conditions))
    shared = choice.folds(conditions, count)
    assert sorted(name for fold in shared for name in fold) == sorted(conditions)
    assert max(map(len, shared)) - min(map(len, shared)) <= 1
    for condition in set(conditions.values()):
        held = [sum(conditions[name] == condition for name in fold) for fold in shared]
        assert max(held) - min(held) <= 1
    shuffled = list(conditions)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choice.folds({name: conditions[name] for name in shuffled}, count) == shared


def test_one_clip_that_got_better_may_be_chance_and_six_are_not() -> None:
    one = choice.chance("f1", played((), *[FOUND] * 5), played(*[FOUND] * 6))
    six = choice.chance("f1", played(*[()] * 6), played(*[FOUND] * 6))
    assert one == pytest.approx(1 / 2)
    assert six == pytest.approx(1 / 64)
    assert six < choice.CHANCE < one


def test_no_gain_is_chance() -> None:
    assert choice.chance("f1", played(FOUND, FOUND), played(FOUND, ())) == 1.0


def test_chance_of_many_clips_is_tried_out_the_same_way_each_time() -> None:
    now, then = played(*[()] * 14), played(*[FOUND] * 14)
    assert choice.chance("f1", now, then) == choice.chance("f1", now, then) < choice.CHANCE


def test_the_verdict_is_by_what_was_held_back() -> None:
    missed, found = played(*[()] * 6), played(*[FOUND] * 6)
    assert choice.judge(missed, found, 5, 5).verdict == "change"
    assert choice.judge(found, missed, 5, 5).verdict == "keep"
    assert choice.judge(found, found, 5, 5).verdict == "keep"
    one = choice.judge(played((), *[FOUND] * 5), found, 5, 5)
    assert one.verdict == "noise"
    assert "50 of 100" in one.why


def test_settings_that_few_folds_chose_are_told_to_be_unsteady() -> None:
    missed, found = played(*[()] * 6), played(*[FOUND] * 6)
    assert "others may be as good" in choice.judge(missed, found, 1, 5).why
    assert "others may be as good" not in choice.judge(missed, found, 4, 5).why


def test_candidates_begin_with_what_is_set_and_keep_all_else() -> None:
    now = MotionSettings(sensitivity="low", numbers=Numbers(least_area=40.0))
    found = candidates(now)
    assert found[0] == now
    assert len(set(found)) == len(found)
    assert {one.sensitivity for one in found} == {"low", "normal", "high"}
    assert all(one.zones == now.zones and one.masks == now.masks for one in found)
    assert any(exact(one).least_area == 32.0 for one in found)


@pytest.mark.parametrize("sensitivity", ["low", "normal", "high"])
@pytest.mark.parametrize("numbers", [Numbers(), Numbers(patience=0.3, least_travel=100.0, spreads=8.0)])
def test_what_is_printed_can_stand_in_a_configuration(sensitivity: str, numbers: Numbers) -> None:
    from ruamel.yaml import YAML

    for one in candidates(MotionSettings(sensitivity=sensitivity, numbers=numbers)):  # type: ignore[arg-type]
        section = YAML(typ="safe").load(as_yaml(one))["motion"]
        config = MotionConfig(**section)
        assert config.sensitivity == one.sensitivity
        assert Numbers(**config.exact.model_dump()) == one.numbers


def test_settings_in_words() -> None:
    assert words(MotionSettings()) == "normal"
    assert words(MotionSettings(numbers=Numbers(least_area=20.0))) == "normal, least_area 20"
    assert set(ExactConfig.model_fields) == set(Numbers.__struct_fields__)
