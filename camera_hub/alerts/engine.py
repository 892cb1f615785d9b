"""Which occurrences make one alert: joined, counted, cooled down. Pure: no I/O, no clock, no chance.

One `Engine` a rule. Invariants:
- an occurrence belongs to at most one alert of a rule, however often it is told, and in whatever order;
- what the engine says depends on the occurrences and on `now_us` alone, so that a trial on the past says
  what the rule would have done;
- after a restart, `restore` and then the newest occurrences once more bring it to where it was.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from camera_hub.alerts.occurrence import Occurrence
from camera_hub.alerts.rule import SECOND_US, Count, Meant, Rule, judge
from camera_hub.alerts.times import Calendar

LONGEST_US = (
    900 * SECOND_US
)  # an alert takes no more in so long after it opened: a busy evening is not one alert

Neighbours = Callable[[Occurrence, Occurrence], bool]
"""Whether a mover may go from where the one was to where the other was."""


def same_site(one: Occurrence, other: Occurrence) -> bool:
    """Neighbours where nobody has said which cameras are: all of a hamlet."""
    return one.site == other.site


def neighbours_of(groups: Sequence[Sequence[str]]) -> Neighbours:
    """Neighbours by groups of cameras' global ids; a camera that is in none has all of its site."""
    of: dict[str, set[str]] = {}
    for group in groups:
        for camera in group:
            of.setdefault(camera, {camera}).update(group)

    def near(one: Occurrence, other: Occurrence) -> bool:
        if one.site != other.site:
            return False
        here, there = f"{one.site}.{one.camera}", f"{other.site}.{other.camera}"
        mine, theirs = of.get(here), of.get(there)
        return (mine is None or there in mine) and (theirs is None or here in theirs)

    return near


class Opened(NamedTuple):
    """An alert begins with these, the last of which made it."""

    at_us: int
    occurrences: tuple[Occurrence, ...]


class Joined(NamedTuple):
    """An occurrence belongs to an alert that is there already."""

    alert: str
    occurrence: Occurrence


News = Opened | Joined


@dataclass
class Group:
    """An alert as the engine sees it: what belongs to it, and until when more can."""

    alert: str
    opened_us: int
    last_us: int  # the newest instant at which something of it was meant
    occurrences: dict[str, Occurrence]
    closed: bool = False  # somebody has dealt with it: nothing joins it any more


@dataclass
class _Site:
    groups: list[Group] = field(default_factory=list)
    waiting: list[tuple[int, Occurrence]] = field(default_factory=list)  # for a count: when it was meant


class Engine:
    """One rule. `new_id` makes the alerts' ids."""

    def __init__(
        self,
        rule: Rule,
        calendar: Calendar,
        new_id: Callable[[], str],
        neighbours: Neighbours = same_site,
    ) -> None:
        self.rule = rule
        self._calendar = calendar
        self._new_id = new_id
        self._neighbours = neighbours
        self._sites: dict[str, _Site] = {}
        self._taken: dict[str, str | None] = {}  # occurrence → its alert, None while it waits for others
        # Those that go on: when they will be meant, by our clock and by their own.
        self._later: dict[str, tuple[int, int, Occurrence]] = {}

    @property
    def next_us(self) -> int | None:
        """When `tick` has something to do."""
        return min((due for due, _, _ in self._later.values()), default=None)

    def restore(self, groups: Iterable[Group]) -> None:
        """The alerts of before, as the store has them."""
        for group in groups:
            for occurrence in group.occurrences.values():
                self._taken[occurrence.id] = group.alert
                self._sites.setdefault(occurrence.site, _Site())
            site = next(iter(group.occurrences.values())).site
            self._sites[site].groups.append(group)

    def take(self, occurrence: Occurrence, now_us: int) -> list[tuple[str, News]]:
        """An occurrence as it is now known; gives (alert, what is new of it)."""
        self._later.pop(occurrence.id, None)
        if self._taken.get(occurrence.id) is not None:
            return []
        said = judge(self.rule, occurrence, self._calendar)
        if not isinstance(said, Meant):
            return []
        # A site whose clock is ahead must not be waited for: what it tells of has begun.
        due_us = said.from_us - max(0, occurrence.start_us - now_us)
        if occurrence.end_us is None and due_us > now_us:
            self._later[occurrence.id] = (due_us, said.from_us, occurrence)
            return []
        return self._mean(occurrence, said.from_us)

    def tick(self, now_us: int) -> list[tuple[str, News]]:
        """What has come to be meant by its going on."""
        due = sorted((due, key) for key, (due, _, _) in self._later.items() if due <= now_us)
        news = []
        for _, key in due:
            _, at_us, occurrence = self._later.pop(key)
            news += self._mean(occurrence, at_us)
        return news

    def closed(self, alert: str) -> None:
        """Somebody has dealt with the alert."""
        for site in self._sites.values():
            for group in site.groups:
                if group.alert == alert:
                    group.closed = True

    def forget_before(self, wall_us: int) -> None:
        """Let go what nothing can join any more; `wall_us` is a day ago, or so."""
        for site in self._sites.values():
            gone = [group for group in site.groups if group.last_us < wall_us]
            site.groups = [group for group in site.groups if group.last_us >= wall_us]
            waiting = [one for one in site.waiting if one[0] < wall_us]
            site.waiting = [one for one in site.waiting if one[0] >= wall_us]
            for key in [key for group in gone for key in group.occurrences] + [o.id for _, o in waiting]:
                self._taken.pop(key, None)

    def _mean(self, occurrence: Occurrence, at_us: int) -> list[tuple[str, News]]:
        """The rule means it from `at_us` on: it joins an alert, waits for others, or opens one."""
        if occurrence.id in self._taken:  # it waits already, for a count
            return []
        site = self._sites.setdefault(occurrence.site, _Site())
        group = self._group(site, occurrence, at_us)
        if group is not None:
            group.occurrences[occurrence.id] = occurrence
            group.last_us = max(group.last_us, at_us)
            self._taken[occurrence.id] = group.alert
            return [(group.alert, Joined(group.alert, occurrence))]
        if self._cooling(site, at_us):
            return []
        together = [occurrence]
        if self.rule.count is not None:
            together = _enough(site, self.rule.count, occurrence, at_us)
            if not together:
                self._taken[occurrence.id] = None
                return []
        alert = self._new_id()
        site.groups.append(Group(alert, at_us, at_us, {one.id: one for one in together}))
        self._taken.update({one.id: alert for one in together})
        return [(alert, Opened(at_us, tuple(together)))]

    def _group(self, site: _Site, occurrence: Occurrence, at_us: int) -> Group | None:
        """The alert that the occurrence belongs to, if there is one."""
        join_us = round(self.rule.join_s * SECOND_US)
        for group in reversed(site.groups):
            near = group.opened_us - join_us <= at_us <= group.last_us + join_us
            open_ = not group.closed and at_us - group.opened_us <= max(LONGEST_US, join_us)
            if (
                near
                and open_
                and any(self._neighbours(one, occurrence) for one in group.occurrences.values())
            ):
                return group
        return None

    def _cooling(self, site: _Site, at_us: int) -> bool:
        cooldown_us = round(self.rule.cooldown_s * SECOND_US)
        return any(0 <= at_us - group.opened_us < cooldown_us for group in site.groups)


def _enough(site: _Site, count: Count, occurrence: Occurrence, at_us: int) -> list[Occurrence]:
    """All that waited and this one, where they are enough; else none, and this one waits."""
    within_us = round(count.within_s * SECOND_US)
    site.waiting = [(at, one) for at, one in site.waiting if abs(at_us - at) < within_us]
    together = [*(one for _, one in site.waiting), occurrence]
    if len(together) < count.at_least:
        site.waiting.append((at_us, occurrence))
        return []
    site.waiting.clear()
    return together
