"""Stories of the practice hamlet: they follow from their words, end where they began, and loop."""

import pytest

from camera_hub.model import HubError
from camera_hub.simulate import solids
from camera_hub.simulate.movers import Mover
from camera_hub.simulate.optics import HEIGHT, WIDTH
from camera_hub.simulate.places import SCENES
from camera_hub.simulate.scenario import SEAM_S, Passage, scenario

SEEDS = range(1, 13)


@pytest.mark.parametrize("scene_id", SCENES)
def test_the_same_words_tell_the_same_story_and_others_another(scene_id: str) -> None:
    assert scenario(scene_id, 3) == scenario(scene_id, 3)
    assert scenario(scene_id, 3).passages != scenario(scene_id, 4).passages


@pytest.mark.parametrize("scene_id", SCENES)
def test_somebody_passes_and_nobody_at_the_seam(scene_id: str) -> None:
    for seed in SEEDS:
        story = scenario(scene_id, seed)
        assert story.passages
        for passage in story.passages:
            assert passage.start_s >= SEAM_S
            assert passage.end_s <= story.duration_s - 1.0


@pytest.mark.parametrize("scene_id", SCENES)
def test_movers_come_from_outside_the_picture_and_leave_it(scene_id: str) -> None:
    for seed in SEEDS:
        story = scenario(scene_id, seed)
        for passage in story.passages:
            mover = Mover(passage, story.conditions)
            for t in (passage.start_s, passage.end_s):
                assert _share_in_picture(story.scene.id, mover, t) < 0.02, (seed, passage.kind, t)


def _share_in_picture(scene_id: str, mover: Mover, t: float) -> float:
    x, z, heading = mover.place(t)
    picture = solids.draw(mover.parts(t), (x, 0.0, z), heading, SCENES[scene_id].optics)
    if picture is None:
        return 0.0
    cover = picture.pixels[..., 3].astype(float)
    inside = cover[
        max(0, -picture.top) : max(0, HEIGHT - picture.top),
        max(0, -picture.left) : max(0, WIDTH - picture.left),
    ]
    return float(inside.sum() / cover.sum())


def test_every_kind_of_mover_occurs() -> None:
    kinds = {
        passage.kind for scene_id in SCENES for seed in SEEDS for passage in scenario(scene_id, seed).passages
    }
    assert kinds == {"person", "motorbike", "bicycle", "dog", "buffalo", "herder"}


def test_conditions_of_ones_own_take_the_place_of_the_scenes() -> None:
    story = scenario("cong-lang", 1, frozenset({"night", "insect", "rain"}), 40)
    assert story.conditions == {"night", "insect", "rain"}
    assert {n.kind for n in story.nuisances} == {"insect"}
    assert scenario("cong-lang", 1, frozenset({"rain"})).conditions == {"day", "rain"}


def test_quiet_means_that_nobody_passes_and_busy_that_more_do() -> None:
    assert scenario("cong-lang", 1, frozenset({"quiet"})).passages == ()
    usual = sum(len(scenario("cong-lang", s, frozenset({"day"}), 300).passages) for s in SEEDS)
    busy = sum(len(scenario("cong-lang", s, frozenset({"day", "busy"}), 300).passages) for s in SEEDS)
    assert busy > 1.3 * usual


def test_a_mover_stands_where_it_pauses_and_arrives_that_much_later() -> None:
    passage = Passage("person", ((0.0, 0.0), (10.0, 0.0)), 2.0, 1.0, 7, pause_at_m=4.0, pause_s=5.0)
    mover = Mover(passage, frozenset({"day"}))
    assert passage.end_s == pytest.approx(17.0)
    assert mover.gone(5.0) == pytest.approx(3.0)
    assert mover.gone(8.0) == mover.gone(10.5) == pytest.approx(4.0)
    assert mover.gone(17.0) == pytest.approx(10.0)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("pho-co", 1, None, 60.0), "choose one of cong-lang"),
        (("cong-lang", 1, frozenset({"snow"}), 60.0), "no condition 'snow'"),
        (("cong-lang", 1, None, 0.5), "from 2 seconds to a day"),
    ],
)
def test_what_does_not_exist_is_refused_in_words(
    words: tuple[str, int, frozenset[str] | None, float], says: str
) -> None:
    with pytest.raises(HubError, match=says):
        scenario(*words)
