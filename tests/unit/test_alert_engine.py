"""Which occurrences make one alert: joined, counted, cooled down; and the trial on the past."""

import itertools
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.alerts.engine import LONGEST_US, Engine, Group, Joined, Opened
from camera_hub.alerts.occurrence import AlertKind, Occurrence
from camera_hub.alerts.rule import SECOND_US, Count, Miss, Rule
from camera_hub.alerts.times import Calendar
from camera_hub.alerts.trial import try_rule
from tests.unit.test_alert_times import us

CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))
T0 = us("2026-11-25 23:00")
MOTION = (AlertKind.MOTION,)


def seen(
    at_s: float, camera: str = "cong-xom", *, site: str = "khe-coc", lasts_s: float | None = 5
) -> Occurrence:
    start = T0 + round(at_s * SECOND_US)
    end = None if lasts_s is None else start + round(lasts_s * SECOND_US)
    return Occurrence(f"{site}/{camera}/{at_s}", AlertKind.MOTION, site, camera, start, end)


def engine(**rule: object) -> Engine:
    numbers = itertools.count(1)
    made = Rule(**{"id": "r", "name": "n", "kinds": MOTION, **rule})  # type: ignore[arg-type]
    return Engine(made, CALENDAR, lambda: f"a{next(numbers)}")


def told(of: Engine, *occurrences: Occurrence) -> list[str]:
    """`a1+` for an alert that opened, `a1` for what joined it."""
    said = []
    for one in occurrences:
        for alert, news in of.take(one, one.end_us or one.start_us):
            said.append(f"{alert}+" if isinstance(news, Opened) else alert)
    return said


def test_a_mover_over_several_cameras_is_one_alert() -> None:
    of = engine(join_s=60)
    assert told(of, seen(0), seen(30, "nga-ba"), seen(80, "cau"), seen(200)) == ["a1+", "a1", "a1", "a2+"]


def test_hamlets_are_apart() -> None:
    assert told(engine(), seen(0), seen(1, site="dong-lom")) == ["a1+", "a2+"]


def test_cameras_that_are_no_neighbours_are_apart() -> None:
    of = Engine(
        Rule("r", "n", MOTION), CALENDAR, iter("xyz").__next__, lambda one, other: one.camera == other.camera
    )
    assert [alert for one in (seen(0), seen(1, "cau"), seen(2)) for alert, _ in of.take(one, T0 * 2)] == [
        "x",
        "y",
        "x",
    ]


def test_an_event_told_again_makes_no_second_alert() -> None:
    of = engine()
    assert told(of, seen(0, lasts_s=None), seen(0, lasts_s=None), seen(0)) == ["a1+"]


def test_no_alert_goes_on_for_ever() -> None:
    minutes = [seen(60.0 * minute) for minute in range(20)]
    of = engine(join_s=90)
    said = told(of, *minutes)
    assert said.count("a2+") == 1
    assert said.index("a2+") == LONGEST_US // (60 * SECOND_US) + 1


def test_so_many_within_so_long() -> None:
    of = engine(count=Count(3, 600), join_s=0)
    news = [n for at in (0, 700, 900, 1000) for _, n in of.take(seen(at), T0 * 2)]
    assert len(news) == 1
    assert isinstance(news[0], Opened)
    assert [one.start_us for one in news[0].occurrences] == [seen(at).start_us for at in (700, 900, 1000)]


def test_cool_down() -> None:
    of = engine(join_s=10, cooldown_s=300)
    assert told(of, seen(0), seen(100), seen(299), seen(301)) == ["a1+", "a2+"]


def test_nothing_joins_what_is_dealt_with() -> None:
    of = engine()
    told(of, seen(0))
    of.closed("a1")
    assert told(of, seen(20)) == ["a2+"]


def test_what_goes_on_is_meant_when_its_time_comes() -> None:
    of = engine(kinds=MOTION, lasts_s=60)
    going_on = seen(0, lasts_s=None)
    assert of.take(going_on, T0) == []
    assert of.next_us == T0 + 60 * SECOND_US
    assert of.tick(T0 + 59 * SECOND_US) == []
    assert of.tick(T0 + 60 * SECOND_US) == [("a1", Opened(T0 + 60 * SECOND_US, (going_on,)))]
    assert of.next_us is None


def test_a_site_whose_clock_is_ahead_is_not_waited_for() -> None:
    tomorrow = T0 - 86_400 * SECOND_US
    assert engine().take(seen(0, lasts_s=None), tomorrow) != []
    of = engine(lasts_s=60)
    of.take(seen(0, lasts_s=None), tomorrow)
    assert of.next_us == tomorrow + 60 * SECOND_US
    assert engine(lasts_s=4).take(seen(0), tomorrow) != []


def test_what_ends_before_its_time_is_not_meant() -> None:
    of = engine(kinds=MOTION, lasts_s=60)
    of.take(seen(0, lasts_s=None), T0)
    assert of.take(seen(0, lasts_s=30), T0 + 30 * SECOND_US) == []
    assert of.tick(T0 * 2) == []


def test_after_a_restart_all_goes_on() -> None:
    first = engine(join_s=60)
    told(first, seen(0), seen(30, "nga-ba"))
    second = engine(join_s=60)
    second.restore(
        [Group("before", T0, T0 + 30 * SECOND_US, {o.id: o for o in (seen(0), seen(30, "nga-ba"))})]
    )
    assert told(second, seen(0), seen(30, "nga-ba"), seen(60, "cau")) == ["before"]


def test_what_is_long_ago_is_let_go() -> None:
    of = engine(join_s=60, count=Count(2, 60))
    told(of, seen(0), seen(1), seen(500))
    of.forget_before(T0 + 400 * SECOND_US)
    assert told(of, seen(520)) == ["a2+"]
    of.forget_before(T0 * 2)
    assert of.take(seen(520), T0 * 2) == []  # it waits for a second one, as if it were new


def test_a_trial_says_what_the_rule_would_have_done() -> None:
    rule = Rule("r", "n", MOTION, lasts_s=4, join_s=60)
    trial = try_rule(rule, [seen(500), seen(0), seen(30), seen(600, lasts_s=1)], CALENDAR, T0 * 2)
    assert [len(alert.occurrences) for alert in trial.alerts] == [2, 1]
    assert trial.missed == {Miss.SHORT: 1}


_walks = st.lists(
    st.tuples(st.integers(0, 3000), st.sampled_from(["cong-xom", "cau"]), st.integers(1, 30)),
    max_size=30,
    unique_by=lambda one: one[:2],
)


@given(walks=_walks, count=st.integers(1, 3), cooldown=st.integers(0, 400))
def test_the_trial_is_what_the_engine_does(
    walks: list[tuple[int, str, int]], count: int, cooldown: int
) -> None:
    rule = Rule("r", "n", MOTION, join_s=60, cooldown_s=cooldown, count=Count(count, 300))
    events = [seen(at, camera, lasts_s=lasts) for at, camera, lasts in walks]
    numbers = itertools.count(1)
    of = Engine(rule, CALENDAR, lambda: str(next(numbers)))
    live: dict[str, list[str]] = {}
    for one in sorted(events, key=lambda one: (one.start_us, one.id)):
        for alert, news in of.take(one, one.start_us):
            parts = [news.occurrence] if isinstance(news, Joined) else news.occurrences
            live.setdefault(alert, []).extend(part.id for part in parts)
        of.take(one, T0 * 2)  # told again at its end
    trial = try_rule(rule, events, CALENDAR, T0 * 2)
    assert list(live.values()) == [[one.id for one in alert.occurrences] for alert in trial.alerts]
    taken = [key for alert in live.values() for key in alert]
    assert len(taken) == len(set(taken))
