"""On real clips with labels every event is found and nothing else is told. A floor, not a score."""

import json
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from camera_hub.motion import MotionDetector
from tests.support import needs
from tests.unit.motion_scenes import spans, watch
from tests.unit.motion_score import Span, score

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


def frames(clip: Path) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Luma and time of every frame of `clip`."""
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            plane = frame.planes[0]
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)
            yield rows[:, : plane.width], round(float(frame.time or 0.0) * 1e6)


def labelled(labels: dict[str, list[dict[str, float]]], key: str) -> list[Span]:
    return [(label["start_s"], label["end_s"]) for label in labels[key]]


@pytest.mark.parametrize(("name", "events"), CLIPS.items())
def test_clip(name: str, events: int) -> None:
    folder = needs.clips()
    labels = json.loads((folder / f"{name}.events.json").read_text())
    told = spans(watch(MotionDetector(), frames(folder / f"{name}.mp4")))
    result = score(told, labelled(labels, "events"), labelled(labels, "maybe"))
    assert result.false == ()
    assert (result.found, result.missed) == (events, 0)
