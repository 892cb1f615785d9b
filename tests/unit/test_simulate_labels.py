"""Labels of practice clips: a mover counts from when half of it shows, large enough, and not before."""

import itertools
from typing import Any

from camera_hub.simulate.labels import Labels, Seen
from camera_hub.simulate.scenario import scenario

FRAME_S = 1 / 15


def document(
    sightings: list[tuple[float, Seen]], what: tuple[str, ...] = ("person", "dog")
) -> dict[str, Any]:
    labels = Labels(scenario("cong-lang", 1), list(what), FRAME_S)
    for t, seen in sightings:
        labels.add(t, [seen])
    return labels.document("clip.mp4", 15)


def shown(share: float, mover: int = 0, size: int = 60) -> Seen:
    return Seen(mover, 100, 200, 100 + size // 2, 200 + size, share)


def spell(start: int, end: int, seen: Seen) -> list[tuple[float, Seen]]:
    return [(frame * FRAME_S, seen) for frame in range(start, end)]


def test_an_event_lasts_from_the_first_frame_that_counts_to_the_end_of_the_last() -> None:
    written = document(spell(0, 30, shown(0.3)) + spell(30, 75, shown(0.9)) + spell(75, 80, shown(0.2)))
    (event,) = written["events"]
    assert event["start_s"] == 2.0
    assert event["end_s"] == 5.0
    assert event["what"] == "person"


def test_half_of_it_is_enough_and_less_is_not() -> None:
    assert document(spell(0, 30, shown(0.5)))["events"]
    assert not document(spell(0, 30, shown(0.49)))["events"]


def test_what_is_too_small_to_be_asked_for_is_a_maybe() -> None:
    written = document(spell(0, 45, shown(1.0, size=12)))
    assert written["events"] == []
    assert written["maybe"] == [{"start_s": 0.0, "end_s": 3.0, "what": "person"}]


def test_a_maybe_beside_an_event_is_part_of_its_edge() -> None:
    written = document(spell(0, 10, shown(0.3)) + spell(10, 40, shown(1.0)))
    assert written["maybe"] == []


def test_two_movers_are_two_events_and_one_that_was_hidden_long_is_two_as_well() -> None:
    written = document(
        spell(0, 30, shown(1.0)) + spell(60, 90, shown(1.0)) + spell(15, 45, shown(1.0, mover=1))
    )
    assert [(e["mover"], e["what"], e["start_s"]) for e in written["events"]] == [
        (0, "person", 0.0),
        (1, "dog", 1.0),
        (0, "person", 4.0),
    ]


def test_boxes_are_fractions_of_the_picture_at_times_within_the_event() -> None:
    (event,) = document(spell(0, 30, shown(1.0)))["events"]
    assert event["boxes"][0] == [0.0, 0.0781, 0.2778, 0.0234, 0.0833]
    times = [box[0] for box in event["boxes"]]
    assert times == sorted(times)
    assert times[-1] < event["end_s"] <= times[-1] + 2 * FRAME_S
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.3
