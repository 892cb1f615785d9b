"""Composed clips: the same seed gives the same clip, and its labels say what is in the picture."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.compose.__main__ import make
from benchmarks.compose.cutouts import CutOuts
from benchmarks.compose.film import Composition, Film
from benchmarks.compose.footage import Footage
from benchmarks.compose.labels import Labels
from benchmarks.compose.story import RECIPES, compose
from camera_hub.replay.labels import read_labels
from tests.support import needs

BOX = (100.0, 100.0, 120.0, 140.0)


@pytest.fixture(scope="module")
def footage() -> Footage:
    return Footage(needs.clips())


@pytest.fixture(scope="module")
def cuts(footage: Footage) -> CutOuts:
    return CutOuts(footage)


def composed(footage: Footage, cuts: CutOuts, condition: str, seconds: float = 12) -> Composition:
    made = compose(condition, 3, 5, footage, cuts)
    return replace(made, duration_s=min(made.duration_s, seconds), form=replace(made.form, fps=10))


def seen(
    labels: Labels, spans: list[tuple[float, float, float]], parked: float | None = None
) -> dict[str, list[object]]:
    """Labels of one mover whose share (from, to, share) is given."""
    for start, end, share in spans:
        for number in range(round(start * 10), round(end * 10)):
            labels.add(0, number / 10, share, BOX)
    return labels.document(["person"], [parked], [], 60)


def test_half_of_a_mover_is_an_event_and_less_is_maybe() -> None:
    found = seen(Labels(320, 0.1), [(2, 3, 0.3), (10, 14, 0.8)])
    assert found["events"] == [{"start_s": 10, "end_s": 14, "what": "person"}]
    assert found["maybe"] == [{"start_s": 2, "end_s": 3}]


def test_a_maybe_beside_its_event_is_left_out() -> None:
    found = seen(Labels(320, 0.1), [(9.5, 10, 0.3), (10, 14, 0.8)])
    assert found["maybe"] == []


def test_a_mover_of_less_than_8_px_at_320_is_maybe() -> None:
    found = seen(Labels(1920, 0.1), [(10, 14, 1.0)])  # 40 px of 1920 are 7 of 320
    assert found["events"] == []
    assert found["maybe"] == [{"start_s": 10, "end_s": 14}]


def test_what_parks_is_an_event_until_it_stands() -> None:
    found = seen(Labels(320, 0.1), [(10, 30, 1.0)], parked=13.0)
    assert found["events"] == [{"start_s": 10, "end_s": 13.0, "what": "person"}]
    assert found["maybe"] == [{"start_s": 13.0, "end_s": 19.0}]


def test_the_same_seed_gives_the_same_clip(footage: Footage, cuts: CutOuts, tmp_path: Path) -> None:
    first = make(composed(footage, cuts, "wind", 2), tmp_path / "one.mp4")
    second = make(composed(footage, cuts, "wind", 2), tmp_path / "two.mp4")
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "two.mp4").read_bytes()
    assert {**first, "clip": ""} == {**second, "clip": ""}


def test_labels_can_be_read_by_the_lab(footage: Footage, cuts: CutOuts, tmp_path: Path) -> None:
    document = make(composed(footage, cuts, "day"), tmp_path / "day.mp4")
    labels = read_labels(tmp_path / "day.events.json")
    assert len(labels.events) == len(document["events"])
    assert json.loads((tmp_path / "day.events.json").read_text())["conditions"] == ["day"]


def test_where_a_label_is_the_picture_differs(footage: Footage, cuts: CutOuts) -> None:
    """The mover that a label tells of is in the picture: without movers, it is another one."""
    made = composed(footage, cuts, "day", 15)
    with_movers, without = Film(made), Film(replace(made, movers=[]))
    differs = []
    for one, other in zip(with_movers.planes(), without.planes(), strict=True):
        differs.append(int((np.abs(one.astype(int) - other) > 20).sum()))
    events = with_movers.labels()["events"]
    assert events
    assert not without.labels()["events"]
    for event in events:
        middle = round(10 * min((event["start_s"] + event["end_s"]) / 2, 14.9))
        assert differs[middle] > 30
    assert min(differs) < 30


@pytest.mark.parametrize("condition", sorted(RECIPES))
def test_each_condition_has_frames_of_its_size(footage: Footage, cuts: CutOuts, condition: str) -> None:
    made = composed(footage, cuts, condition, 1)
    planes = next(Film(made).planes())
    assert planes.shape == (made.form.height * 3 // 2, made.form.width)
    assert condition in made.conditions


def test_a_tampering_is_labelled_and_nobody_comes_then(footage: Footage, cuts: CutOuts) -> None:
    made = compose("tamper", 3, 5, footage, cuts)
    start = made.tampers[0].times[0]
    assert all(mover.end_s <= start or mover.parks_s for mover in made.movers)
    assert made.tampers[0].label[0] >= start
