"""On real clips a camera that is turned away is told within ten seconds, and no other is called tampered.

Through the whole way from packets on: the gate has to be awake while it is suspected.
"""

from camera_hub.model import EventKind, TamperCause
from camera_hub.motion import MotionSettings
from camera_hub.replay.result import EventResult
from camera_hub.replay.runner import Job, run_one
from tests.support import needs

TURNED = "turned-foliage"


def tampers(name: str) -> list[EventResult]:
    clip = needs.clips() / f"{name}.mp4"
    result = run_one(Job(name, clip, MotionSettings())).result
    return [event for event in result.events if event.kind is EventKind.TAMPER]


def test_a_camera_that_is_turned_away() -> None:
    [event] = tampers(TURNED)
    assert event.cause is TamperCause.TURNED
    assert 11.9 <= event.start_s <= 14
    assert event.told_s <= 22.9


def test_no_other_clip() -> None:
    others = sorted(clip.stem for clip in needs.clips().glob("*.mp4") if clip.stem != TURNED)
    assert len(others) >= 10
    told = {name: tampers(name) for name in others}
    assert {name for name, events in told.items() if events} == set()
