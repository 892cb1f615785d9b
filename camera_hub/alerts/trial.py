"""What a rule would have done with the past, before it is switched on. No I/O."""

import itertools
from collections.abc import Iterable
from typing import NamedTuple

import msgspec

from camera_hub.alerts.engine import Engine, Neighbours, Opened, same_site
from camera_hub.alerts.occurrence import Occurrence
from camera_hub.alerts.rule import Meant, Miss, Rule, judge
from camera_hub.alerts.times import Calendar


class WouldBe(NamedTuple):
    """An alert that the rule would have made."""

    opened_us: int
    occurrences: tuple[Occurrence, ...]  # in the order in which they came to it


class Trial(NamedTuple):
    alerts: tuple[WouldBe, ...]  # the oldest first
    missed: dict[Miss, int]  # how many occurrences the rule did not mean, by the reason


def try_rule(
    rule: Rule,
    occurrences: Iterable[Occurrence],
    calendar: Calendar,
    now_us: int,
    neighbours: Neighbours = same_site,
) -> Trial:
    """Judges all occurrences as if the rule had been on all the time."""
    rule = msgspec.structs.replace(rule, since_us=0, on=True)
    numbers = itertools.count()
    engine = Engine(rule, calendar, lambda: str(next(numbers)), neighbours)
    meant: list[tuple[int, Occurrence]] = []
    missed: dict[Miss, int] = {}
    for occurrence in occurrences:
        said = judge(rule, occurrence, calendar)
        if isinstance(said, Meant) and said.from_us > now_us:
            said = Miss.TIME  # it goes on, and the rule's time is still to come
        if isinstance(said, Meant):
            meant.append((said.from_us, occurrence))
        else:
            missed[said] = missed.get(said, 0) + 1
    alerts: dict[str, WouldBe] = {}
    # In the order in which the engine would have heard of them.
    for _, occurrence in sorted(meant, key=lambda one: (one[0], one[1].id)):
        for alert, news in engine.take(occurrence, now_us):
            if isinstance(news, Opened):
                alerts[alert] = WouldBe(news.at_us, news.occurrences)
            else:
                before = alerts[alert]
                alerts[alert] = before._replace(occurrences=(*before.occurrences, news.occurrence))
    return Trial(tuple(alerts.values()), missed)
