"""Lines, people's heights and exact numbers: what may stand in the file, and what is said of mistakes."""

import re
from pathlib import Path

import pytest

from camera_hub.config import CameraConfig, ConfigError, ExactConfig, load_config
from camera_hub.model import Line
from camera_hub.motion import Numbers, PersonHeight
from camera_hub.motion.exact import EXACT, exact
from camera_hub.watch import motion_settings
from tests.support.needs import ROOT

HEAD = """site: {id: a, name: A}
cameras:
- id: mot
  name: Một
  streams: {main: "rtsp://10.0.0.1/a"}
"""


def load(folder: Path, camera: str) -> CameraConfig:
    file = folder / "hub.yaml"
    file.write_text(HEAD + "".join(f"  {line}\n" for line in camera.splitlines()))
    [loaded] = load_config(file, {}).cameras
    return loaded


def test_the_detector_is_told_all(tmp_path: Path) -> None:
    camera = load(
        tmp_path,
        """motion:
  sensitivity: high
  person_height: [{at: [0.5, 0.9], height: 0.4}, {at: [0.4, 0.5], height: 0.1}]
  exact: {patience: 1.3, least_area: 40}
lines: [{name: Cổng xóm, points: [[0.2, 0.6], [0.8, 0.6]], right_is: vào xóm}]
""",
    )
    settings = motion_settings(camera)
    assert settings.lines == (Line("Cổng xóm", ((0.2, 0.6), (0.8, 0.6)), right_is="vào xóm"),)
    assert settings.person_height == (PersonHeight((0.5, 0.9), 0.4), PersonHeight((0.4, 0.5), 0.1))
    assert settings.numbers == Numbers(patience=1.3, least_area=40)
    assert exact(settings).patience == 1.3
    assert exact(settings).least_area == 40
    assert exact(settings).least_tones == EXACT["high"].least_tones


def test_without_them_the_numbers_are_those_of_the_sensitivity(tmp_path: Path) -> None:
    settings = motion_settings(load(tmp_path, "motion: {sensitivity: low}"))
    assert not settings.lines
    assert not settings.person_height
    assert exact(settings) == EXACT["low"]


LINE = "lines: [{name: A, points: "
TALL = "motion: {person_height: "
WANTED = "give at least 2, each as [x, y]"


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        (LINE + "[[0, 0]]}]", f"lines[0].points: has 1 point; {WANTED}"),
        (LINE + "[[0, 0], [1]]}]", "lines[0].points[1]: is not a point; write it as [x, y]"),
        (LINE + "[[0, 0], [2, 1]]}]", "lines[0].points[1][0]: is 2, outside the picture; x and y go"),
        (LINE + "0}]", f"lines[0].points: is not a list of points; {WANTED}"),
        (LINE + "[[0, 0], [0, 0], [1, 1]]}]", "lines[0].points: has the same point twice in a row; draw"),
        ("lines: [{name: A}]", f"lines[0].points: is missing; {WANTED}"),
        ("lines: [{name: A, points: [[0, 0], [1, 1]], left: x}]", "left: there is no such key; did you"),
        (
            "lines: [{name: A, points: [[0, 0], [1, 1]]}, {name: A, points: [[0, 0], [1, 1]]}]",
            "lines[1].name: `A` is the same as that of lines[0]; give each line its own name",
        ),
        (TALL + "[{at: [0.5, 0.9], height: 0.4}]}", "person_height: has one place; measure a person at two"),
        (
            TALL + "[{at: [0.5, 0.9], height: 0.4}, {at: [0.1, 0.85], height: 0.1}]}",
            "person_height: has two places at about the same height of the picture; take one far",
        ),
        (
            TALL + "[{at: [0.5, 0.9], height: 0.1}, {at: [0.1, 0.5], height: 0.4}]}",
            "person_height: has the taller person further up in the picture",
        ),
        (
            TALL + "[{at: [0.5, 0.9], height: 0.4}, {at: [0.1, 0.2], height: 0.3}]}",
            "person_height: has a person of 0.3 whose feet are 0.2 below the picture's top",
        ),
        (
            TALL + "[{height: 0.4}, {at: [0.1, 0.5], height: 0.1}]}",
            "person_height[0].at: is missing",
        ),
        (
            TALL + "[{at: [0.5], height: 0.4}, {at: 5, height: 0.1}]}",
            "person_height[0].at: is not a point; write it as [x, y]",
        ),
        (
            TALL + "[{at: [0.5, 300], height: 0.4}, {at: [0.1, 0.5], height: 0.1}]}",
            "person_height[0].at[1]: is 300, outside the picture",
        ),
        (
            TALL + "[{at: [0.5, 0.9], height: 80}, {at: [0.1, 0.5], height: 0.1}]}",
            "person_height[0].height: `80` is too large; give a number up to 1",
        ),
        ("motion: {exact: {patience: 0}}", "exact.patience: `0` is too small; give a number from 0.3 on"),
        ("motion: {exact: {spread: 2}}", "exact.spread: there is no such key; did you mean `spreads`?"),
    ],
)
def test_mistakes_are_named_with_what_would_be_right(tmp_path: Path, camera: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, camera)
    assert f".{said}" in str(caught.value)
    assert "6: " in str(caught.value)


def test_the_guide_has_the_numbers_behind_each_word_and_their_ranges() -> None:
    guide = (ROOT / "docs" / "motion.md").read_text()
    for name, schema in ExactConfig.model_json_schema()["properties"].items():
        number = schema["anyOf"][0]
        [row] = re.findall(rf"^\| `{name}` \|.*$", guide, re.MULTILINE)
        cells = [cell.strip() for cell in row.strip("|").split("|")][2:]
        numbers = [f"{getattr(EXACT[word], name):g}" for word in ("low", "normal", "high")]
        assert cells == [*numbers, f"{number['minimum']:g}, {number['maximum']:g}"], name
        assert schema["description"].endswith(f"normal is {numbers[1]}."), name
