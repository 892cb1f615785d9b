"""What people said of a camera's events becomes what is known of the time that a video shows."""

import msgspec

from camera_hub.labels.spans import labels
from camera_hub.model import EventKind, Verdict
from camera_hub.store import StoredEvent, StoredVerdict
from tests.support.server import SECOND_US, SITE, START_US, event

VIDEO = (START_US, START_US + 20 * SECOND_US)


def judged(
    start_s: float, end_s: float | None, verdict: Verdict | None, kind: EventKind = EventKind.MOTION
) -> StoredEvent:
    end_us = None if end_s is None else START_US + round(end_s * SECOND_US)
    told = event(start_us=START_US + round(start_s * SECOND_US), kind=kind)
    said = None if verdict is None else StoredVerdict(verdict, "", "an", "An", START_US)
    return StoredEvent(SITE, msgspec.structs.replace(told, end_us=end_us), "Cổng làng", True, True, said)


def test_what_was_real_is_an_event_and_what_was_false_is_nothing() -> None:
    found = labels([judged(3, 7.25, Verdict.REAL), judged(10, 12, Verdict.FALSE)], VIDEO)
    assert found == {
        "events": [{"start_s": 3.0, "end_s": 7.25, "what": "mover"}],
        "maybe": [],
        "tamper": [],
    }


def test_what_nobody_judged_and_what_was_a_test_counts_neither_way() -> None:
    found = labels([judged(10, 12, Verdict.TEST), judged(3, 7, None)], VIDEO)
    assert found["maybe"] == [{"start_s": 3.0, "end_s": 7.0}, {"start_s": 10.0, "end_s": 12.0}]
    assert found["events"] == []


def test_while_a_camera_was_really_covered_movement_counts_neither_way() -> None:
    found = labels([judged(3, 7, Verdict.REAL, EventKind.TAMPER)], VIDEO)
    assert found["tamper"] == found["maybe"] == [{"start_s": 3.0, "end_s": 7.0}]
    assert found["events"] == []


def test_what_reaches_out_of_the_video_is_cut_at_its_edges() -> None:
    around = [judged(-5, 2, Verdict.REAL), judged(18, 60, Verdict.REAL), judged(15, None, None)]
    found = labels([*around, judged(-9, -5, Verdict.REAL), judged(20, 30, Verdict.REAL)], VIDEO)
    assert [(span["start_s"], span["end_s"]) for span in found["events"]] == [(0, 2), (18, 20)]
    assert found["maybe"] == [{"start_s": 15.0, "end_s": 20.0}]


def test_an_event_of_one_picture_is_an_event_too() -> None:
    assert labels([judged(3, 3, Verdict.REAL)], VIDEO)["events"] == [
        {"start_s": 3.0, "end_s": 3.1, "what": "mover"}
    ]


def test_where_no_picture_was_recorded_nobody_knows() -> None:
    gap = (START_US + 4 * SECOND_US, START_US + 6 * SECOND_US)
    assert labels([], VIDEO, [gap])["maybe"] == [{"start_s": 4.0, "end_s": 6.0}]
