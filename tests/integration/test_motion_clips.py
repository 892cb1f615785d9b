"""On real clips with labels every event and tampering is found, and nothing else. A floor, not a score."""

import pytest

from camera_hub.motion import MotionSettings
from camera_hub.replay.labels import labels_path, read_labels
from camera_hub.replay.runner import Job, run_one
from tests.support import needs

CLIPS = {
    "dusk-car-park": 1,
    "heavy-rain": 0,
    "lane-motorbikes": 1,
    "motorway": 1,
    "motorway-bend": 1,
    "night-yard": 1,
    "road-from-above": 1,
    "street-cloud-light": 0,
    "turned-foliage": 0,
    "visitors-one-by-one": 2,
    "waving-tree": 1,
    "winter-garden": 1,
}
"""Name: labelled events, after those less than 5 s apart are made one."""


@pytest.mark.parametrize(("name", "events"), CLIPS.items())
def test_clip(name: str, events: int) -> None:
    clip = needs.clips() / f"{name}.mp4"
    score = run_one(Job(str(clip), clip, MotionSettings(), read_labels(labels_path(clip)))).result.score
    assert score is not None
    assert (score.found, score.missed, score.false) == (events, 0, 0)
    turned = int(name == "turned-foliage")
    assert (score.tamper_found, score.tamper_missed, score.tamper_false) == (turned, 0, 0)
