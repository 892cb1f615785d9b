"""Which clips of an event there are, and of which seconds."""

from msgspec.structs import replace

from camera_hub.ingest.clips import (
    AFTER_US,
    BEFORE_US,
    MOST_US,
    SETTLE_US,
    SHORT_US,
    dues,
    is_all,
    span,
)
from camera_hub.ingest.outbox import ClipJob
from camera_hub.model import Event
from tests.support.server import START_US, event

S_US = 1_000_000


def ended(after_s: float) -> Event:
    return replace(event(), end_us=START_US + round(after_s * S_US), revision=2)


def test_a_short_clip_is_due_while_a_long_event_goes_on_and_the_whole_when_it_is_over() -> None:
    (first,) = dues(event())
    assert (first.short, first.only_sooner) == (True, False)
    assert first.due_us == START_US + SHORT_US + SETTLE_US
    short, whole = dues(ended(30))
    assert (short.short, short.only_sooner) == (True, True)
    assert (whole.short, whole.due_us) == (False, START_US + 30 * S_US + AFTER_US + SETTLE_US)


def test_an_event_that_is_told_when_it_is_over_has_both() -> None:
    short, whole = dues(replace(ended(30), revision=1))
    assert (short.short, short.only_sooner, whole.short) == (True, False, False)


def test_a_short_clip_is_of_the_seconds_around_the_best_picture() -> None:
    now_us = START_US + 60 * S_US
    from_us, to_us = span(ClipJob(ended(30), True, START_US + 20 * S_US), now_us)
    assert (from_us, to_us) == (START_US + 17 * S_US, START_US + 23 * S_US)


def test_it_stays_within_what_there_is() -> None:
    now_us = START_US + 10 * S_US
    at_start = span(ClipJob(event(), True, START_US), now_us)
    assert at_start == (START_US - BEFORE_US, START_US - BEFORE_US + SHORT_US)
    assert span(ClipJob(event(), True, now_us), now_us)[1] == now_us - SETTLE_US
    at_end = span(ClipJob(ended(30), True, START_US + 30 * S_US), now_us + 60 * S_US)
    assert at_end[1] == START_US + 32 * S_US
    assert at_end[1] - at_end[0] == SHORT_US


def test_without_a_best_picture_it_is_of_the_beginning() -> None:
    from_us, to_us = span(ClipJob(ended(30), True, 0), START_US + 60 * S_US)
    assert (from_us, to_us) == (START_US, START_US + SHORT_US)


def test_a_short_event_has_one_clip_of_all_of_it() -> None:
    job = ClipJob(ended(3), True, START_US + 2 * S_US)
    assert is_all(job)
    assert span(job, START_US + 60 * S_US) == (START_US - BEFORE_US, START_US + 3 * S_US + AFTER_US)
    assert not is_all(ClipJob(ended(5), True, 0))
    assert not is_all(ClipJob(event(), True, 0))


def test_the_whole_has_its_bound() -> None:
    from_us, to_us = span(ClipJob(ended(3600), False, 0), START_US + 4000 * S_US)
    assert (from_us, to_us) == (START_US - BEFORE_US, START_US + MOST_US)
