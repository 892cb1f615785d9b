"""The score by event, case by case, as docs/tester.md defines it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.model import EventKind
from camera_hub.replay.labels import Labels, LabelSpan
from camera_hub.replay.result import ClipResult, EventResult, Score, Span
from camera_hub.replay.score import joined, per_condition, scored, together

M, T = EventKind.MOTION, EventKind.TAMPER


def event(start: float, end: float, kind: EventKind = M) -> EventResult:
    return EventResult(
        start_s=start,
        end_s=end,
        kind=kind,
        score=1.0,
        zones=(),
        track=(),
        told_s=start,
        best_s=start,
        box=(0, 0, 1, 1),
    )


def clip(*events: EventResult, duration: float = 100.0, frames: int = 1000, decoded: int = 500) -> ClipResult:
    return ClipResult(
        clip="a.mp4",
        duration_s=duration,
        fps=10.0,
        frames=frames,
        frames_decoded=decoded,
        wall_s=1.0,
        cpu_s=1.0,
        events=events,
        score=None,
    )


def spans(*given: Span) -> tuple[LabelSpan, ...]:
    return tuple(LabelSpan(start_s=start, end_s=end) for start, end in given)


def labels(
    *events: Span,
    maybe: tuple[Span, ...] = (),
    tamper: tuple[Span, ...] = (),
    conditions: tuple[str, ...] = (),
) -> Labels:
    return Labels(events=spans(*events), maybe=spans(*maybe), tamper=spans(*tamper), conditions=conditions)


def score(known: Labels, *events: EventResult, duration: float = 100.0) -> Score:
    found = scored(clip(*events, duration=duration), known).score
    assert found is not None
    return found


def counts(known: Labels, *events: EventResult) -> tuple[int, int, int]:
    found = score(known, *events)
    return found.found, found.missed, found.false


def test_labels_less_than_5_s_apart_are_one() -> None:
    assert [label.span for label in joined(spans((10, 12), (16.9, 18), (23, 24)))] == [(10, 18), (23, 24)]
    assert [label.span for label in joined(spans((10, 30), (12, 14), (34, 35)))] == [(10, 35)]
    whole = joined([LabelSpan(start_s=1, end_s=2, what="person"), LabelSpan(start_s=3, end_s=4, what="dog")])
    assert whole[0].what == "person, dog"


@pytest.mark.parametrize(
    ("start", "found"), [(8.9, 0), (9.0, 1), (9.5, 1), (10.0, 1), (19.9, 1), (20.0, 1), (20.1, 0)]
)
def test_a_label_is_found_by_an_event_that_starts_in_it_from_1_s_before(start: float, found: int) -> None:
    assert counts(labels((10, 20)), event(start, 40)) == (found, 1 - found, 0)


def test_one_endless_event_over_three_visitors_finds_one_of_them() -> None:
    visitors = labels((10, 20), (30, 40), (50, 60))
    assert counts(visitors, event(10, 60)) == (1, 2, 0)
    assert counts(visitors, event(0, 100)) == (0, 3, 0)
    assert counts(visitors, event(10, 20), event(30, 40), event(50, 60)) == (3, 0, 0)


def test_an_event_in_parts_finds_its_label_once() -> None:
    assert counts(labels((10, 30)), event(10, 15), event(18, 20), event(25, 31)) == (1, 0, 0)


@pytest.mark.parametrize(("span", "false"), [((5, 9), 1), ((5, 9.1), 0), ((20.9, 25), 0), ((21, 25), 1)])
def test_an_event_is_false_when_it_overlaps_no_label_grown_by_1_s(span: Span, false: int) -> None:
    assert score(labels((10, 20)), event(*span)).false == false


def test_what_overlaps_a_maybe_counts_neither_way() -> None:
    known = labels((10, 20), maybe=((40, 50),))
    result = scored(clip(event(10, 20), event(49.9, 60), event(70, 71)), known)
    assert [one.outcome for one in result.events] == ["true", "maybe", "false"]
    assert result.maybe == ((40.0, 50.0),)


def test_an_event_that_began_in_the_maybe_before_its_label_does_not_miss_it() -> None:
    """As with somebody who is half hidden at first: who reports him at once is not wrong."""
    known = labels((10, 20), (30, 40), maybe=((5, 9.5),))
    result = scored(clip(event(6, 20)), known)
    assert [label.outcome for label in result.labels] == ["maybe", "missed"]
    assert result.score is not None
    assert (result.score.found, result.score.missed, result.score.false) == (0, 1, 0)


def test_a_maybe_elsewhere_excuses_nothing() -> None:
    assert counts(labels((10, 20), maybe=((2, 5),)), event(3, 20)) == (0, 1, 0)  # it ends long before
    assert counts(labels((10, 20), maybe=((5, 9.5),)), event(3, 20)) == (0, 1, 0)  # the event began before it
    assert counts(labels((10, 20), maybe=((5, 9.5),))) == (0, 1, 0)  # there is no event
    assert counts(labels((10, 20), maybe=((15, 25),)), event(22, 24)) == (0, 1, 0)  # it comes after the start


def test_a_label_within_a_maybe_may_be_found_but_not_missed() -> None:
    assert counts(labels((10, 20), maybe=((8, 22),))) == (0, 0, 0)
    assert counts(labels((10, 20), maybe=((8, 22),)), event(11, 20)) == (1, 0, 0)


@pytest.mark.parametrize(("start", "found"), [(8.9, 0), (9, 1), (20, 1), (20.1, 0)])
def test_tampering_is_found_by_a_tamper_event_within_10_s(start: float, found: int) -> None:
    got = score(labels(tamper=((10, 60),)), event(start, 61, T))
    assert (got.tamper_found, got.tamper_missed, got.tamper_false) == (found, 1 - found, 0)
    assert (got.found, got.missed, got.false) == (0, 0, 0)


def test_movement_does_not_find_tampering_nor_tampering_movement() -> None:
    got = score(labels((10, 20), tamper=((40, 50),)), event(10, 20, T), event(40, 50, M))
    assert (got.found, got.missed, got.false) == (0, 1, 0)  # who tampers moves: neither way
    assert (got.tamper_found, got.tamper_missed, got.tamper_false) == (0, 1, 1)


def test_a_tamper_event_is_false_unless_near_a_tamper_label_or_a_maybe() -> None:
    known = labels(maybe=((40, 50),), tamper=((10, 20),))
    result = scored(clip(event(20.9, 22, T), event(50.9, 55, T), event(51, 55, T)), known)
    assert [one.outcome for one in result.events] == ["true", "maybe", "false"]


def test_precision_recall_and_f1() -> None:
    got = score(
        labels((10, 20), (30, 40), (50, 60)), event(10, 11), event(31, 32), event(70, 71), event(80, 81)
    )
    assert (got.found, got.missed, got.false) == (2, 1, 2)
    assert (got.precision, got.recall, got.f1) == (0.5, 0.6667, 0.5714)


def test_what_cannot_be_said_is_none() -> None:
    nothing = score(labels())
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)
    assert (nothing.delay_median_s, nothing.delay_p95_s) == (None, None)
    false = score(labels(), event(1, 2))
    assert (false.precision, false.recall, false.f1) == (0.0, None, 0.0)
    missed = score(labels((1, 2)))
    assert (missed.precision, missed.recall, missed.f1) == (None, 0.0, 0.0)


def test_false_alarms_an_hour_count_both_kinds() -> None:
    got = score(labels((10, 20)), event(30, 31), event(40, 41, T), duration=1800.0)
    assert got.false_per_hour == 4.0


def test_the_share_of_quiet_time_that_was_reported() -> None:
    known = labels((10, 20), maybe=((50, 60),), tamper=((80, 100),))
    # Quiet: 0..7, 23..50, 60..77: 51 s. Reported of it: 23..25 and 40..50, once each.
    got = score(known, event(11, 25), event(40, 55), event(42, 45), event(30, 35, T))
    assert got.quiet_s == 51.0
    assert got.quiet_reported == round(12 / 51, 4)
    assert score(labels((0, 100))).quiet_reported is None


def test_delay_is_from_label_start_to_event_start() -> None:
    got = score(
        labels((10, 20), (30, 40), (50, 60)), event(9.5, 20), event(30.3, 31), event(33, 40), event(52, 60)
    )
    assert got.delay_median_s == 0.3
    assert got.delay_p95_s == 1.83
    assert score(labels((10, 20)), event(10.4, 20)).delay_p95_s == 0.4


def test_all_clips_together_and_per_condition() -> None:
    one = scored(clip(event(10.2, 20)), labels((10, 20), conditions=("night", "rain", "night")))
    two = scored(clip(event(50, 51), decoded=1000), labels((10, 20), conditions=("night",)))
    unlabelled = clip(event(1, 2))
    whole = together([one, two, unlabelled])
    assert whole is not None
    assert (whole.found, whole.missed, whole.false, whole.clips) == (1, 1, 1, 2)
    assert (whole.decoded_share, whole.duration_s, whole.false_per_hour) == (0.75, 200.0, 18.0)
    conditions = per_condition([one, two, unlabelled])
    assert list(conditions) == ["night", "rain"]
    assert (conditions["night"].clips, conditions["rain"].clips) == (2, 1)
    assert (conditions["rain"].missed, conditions["rain"].false) == (0, 0)
    assert together([unlabelled]) is None


some_spans = st.lists(
    st.tuples(st.integers(0, 900), st.integers(1, 200)).map(lambda s: (s[0] / 10, (s[0] + s[1]) / 10)),
    max_size=6,
)


@given(events=some_spans, known=some_spans, maybe=some_spans)
def test_the_counts_always_add_up(events: list[Span], known: list[Span], maybe: list[Span]) -> None:
    result = scored(clip(*(event(*span) for span in events)), labels(*known, maybe=tuple(maybe)))
    got = result.score
    assert got is not None
    outcomes = [label.outcome for label in result.labels]
    assert got.found + got.missed + outcomes.count("maybe") == len(joined(spans(*known)))
    assert got.found <= len(events)
    assert got.false == [one.outcome for one in result.events].count("false")
    assert got.quiet_reported is None or 0 <= got.quiet_reported <= 1
    assert 0 <= got.quiet_s <= 100.0


@given(events=some_spans, known=some_spans)
def test_without_a_maybe_the_score_is_the_definition_in_one_line_each(
    events: list[Span], known: list[Span]
) -> None:
    got = score(labels(*known), *(event(*span) for span in events))
    whole = [label.span for label in joined(spans(*known))]
    assert got.found == sum(any(a - 1 <= start <= b for start, _ in events) for a, b in whole)
    assert got.false == sum(not any(start < b + 1 and end > a - 1 for a, b in whole) for start, end in events)
