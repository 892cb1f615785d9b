"""Judges what happens by the rules, keeps the alerts that come of it, and has people told in time.

One task (`run`) does all of it, in order, so that an alert opens once. Promises: every event that the store
keeps is judged, also when the server died in between; nothing is judged twice in its effect. Whoever
changes rules, alerts or events calls `rules_changed`, `closed` or `wake`.
Relies on the store's `unjudged`, `occurrences` and unique keys (camera_hub/store/alert_store.py).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from ulid import ULID

from camera_hub.alerts.engine import LONGEST_US, Engine, Group, Joined, Neighbours, News, Opened, same_site
from camera_hub.alerts.life import Alert
from camera_hub.alerts.occurrence import Occurrence, of_event
from camera_hub.alerts.rule import SECOND_US, Rule
from camera_hub.alerts.times import Calendar
from camera_hub.clock import Clock
from camera_hub.store import Store, StoreError
from camera_hub.store.alert_records import AlertFilter, StoredAlert, StoredDelivery, Trouble

log = structlog.get_logger(__name__)

BATCH = 200
REMEMBERED_US = 2 * 3600 * SECOND_US  # how far back a restart looks, at least
MOST_REMEMBERED = 20_000
RETRY_S = 2.0
LOOK_AGAIN_S = 60.0  # at the latest, whatever the clocks do
FORGET_US = 86_400 * SECOND_US

Targets = Callable[[], Awaitable[Mapping[str, Sequence[str]]]]
"""The receivers of each channel, as they are now."""


async def nobody() -> Mapping[str, Sequence[str]]:
    return {}


class AlertDesk:
    """`on_alert` hears of every alert that opens or changes; `on_deliveries` of what is to be delivered."""

    def __init__(
        self,
        store: Store,
        calendar: Calendar,
        clock: Clock,
        *,
        on_alert: Callable[[StoredAlert], None],
        on_deliveries: Callable[[Sequence[StoredDelivery]], None] = lambda _: None,
        targets: Targets = nobody,
        neighbours: Neighbours = same_site,
    ) -> None:
        self._store = store
        self._calendar = calendar
        self._clock = clock
        self._on_alert = on_alert
        self._on_deliveries = on_deliveries
        self._targets = targets
        self._neighbours = neighbours
        self._engines: dict[str, Engine] = {}
        self._news = asyncio.Event()
        self._stale = True  # the rules are to be read anew
        self._troubles: list[Trouble] = []
        self._closed: list[str] = []

    def wake(self) -> None:
        """Something was kept that the rules have not heard of."""
        self._news.set()

    def rules_changed(self) -> None:
        self._stale = True
        self.wake()

    def trouble(self, trouble: Trouble) -> None:
        """A trouble that is kept already began or ended."""
        self._troubles.append(trouble)
        self.wake()

    def closed(self, alert_id: str) -> None:
        """Somebody has closed an alert: nothing joins it any more."""
        self._closed.append(alert_id)
        self.wake()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self._news.clear()
            try:
                more = await self.work()
                pause_s = 0.0 if more else await self._until_next_s()
            except StoreError as exc:
                log.error("alerts cannot be kept now; trying again", error=str(exc))
                self._stale = True  # what the engines took, and the store did not, is taken anew
                pause_s = RETRY_S
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._news.wait()

    async def work(self) -> bool:
        """All that is to be done now; True where more may wait. Raises StoreError."""
        if self._stale:
            await self._read_rules()
        while self._closed:
            alert_id = self._closed.pop()
            for engine in self._engines.values():
                engine.closed(alert_id)
        while self._troubles:
            await self._judge(self._troubles[0].occurrence())
            self._troubles.pop(0)
        waiting = await self._store.alerts.unjudged(BATCH)
        for event in waiting:
            await self._judge(of_event(event.site, event.event))
        await self._tick()
        await self._tell()
        if waiting:  # last, since the telling need not wait for it: judged again, nothing new comes of it
            await self._store.alerts.judged(waiting)
        return bool(waiting)

    # -- judging -------------------------------------------------------------------------

    async def _read_rules(self) -> None:
        """The rules as they are now, each brought to where it would be had it never stopped."""
        rules = [stored.rule for stored in await self._store.alerts.rules() if stored.rule.on]
        now_us = self._clock.wall_us()
        back_us = now_us - max([REMEMBERED_US, *(_reach_us(rule) for rule in rules)])
        groups = await self._groups(back_us)
        past = sorted(
            await self._store.alerts.occurrences(back_us, MOST_REMEMBERED), key=lambda one: one.start_us
        )
        engines = {}
        for rule in rules:
            engine = Engine(rule, self._calendar, lambda: str(ULID()), self._neighbours)
            engine.restore(groups.get(rule.id, []))
            engines[rule.id] = engine
        self._engines = engines
        self._stale = False
        for occurrence in past:
            await self._judge(occurrence)

    async def _groups(self, back_us: int) -> dict[str, list[Group]]:
        """The alerts of the last hours, by rule."""
        found: dict[str, list[Group]] = {}
        page = await self._store.alerts.alert_page(AlertFilter(after_us=back_us), MOST_REMEMBERED)
        for stored in reversed(page.alerts):
            parts = [
                *(of_event(one.site, one.event) for one in stored.events),
                *(trouble.occurrence() for trouble in stored.troubles),
            ]
            if parts:
                alert = stored.alert
                group = Group(alert.id, alert.opened_us, stored.last_us, {one.id: one for one in parts})
                group.closed = alert.verdict is not None
                found.setdefault(alert.rule, []).append(group)
        return found

    async def _judge(self, occurrence: Occurrence) -> None:
        now_us = self._clock.wall_us()
        for engine in self._engines.values():
            try:
                for alert_id, news in engine.take(occurrence, now_us):
                    await self._keep(engine.rule, alert_id, news)
            except StoreError:
                raise
            except Exception:  # one event that we cannot judge must not keep the others from it
                log.exception("a rule could not judge", rule=engine.rule.id, occurrence=occurrence.id)

    async def _tick(self) -> None:
        now_us = self._clock.wall_us()
        for engine in self._engines.values():
            for alert_id, news in engine.tick(now_us):
                await self._keep(engine.rule, alert_id, news)
            engine.forget_before(now_us - FORGET_US)

    async def _keep(self, rule: Rule, alert_id: str, news: News) -> None:
        match news:
            case Opened(at_us=at_us, occurrences=occurrences):
                first = occurrences[0]
                alert = Alert(alert_id, rule.id, at_us, self._clock.wall_us(), rule.urgency)
                stored = await self._store.alerts.open_alert(alert, rule, first.kind, first.site, occurrences)
                if stored is not None:
                    log.info("alert", alert=alert_id, rule=rule.id, site=first.site, kind=first.kind.value)
            case Joined(occurrence=occurrence):
                stored = await self._store.alerts.join(alert_id, occurrence, self._clock.wall_us())
        if stored is not None:
            self._on_alert(stored)

    # -- telling -------------------------------------------------------------------------

    async def _tell(self) -> None:
        """Whoever is to be told by now, of an alert that nobody has seen to."""
        due = await self._store.alerts.to_tell(BATCH)
        if not due:
            return
        targets = await self._targets()
        for stored in due:
            engine = self._engines.get(stored.alert.rule)
            steps = () if engine is None else engine.rule.steps
            made = await self._store.alerts.tell(stored.alert.id, steps, targets)
            if stored.alert.told_steps and (now := await self._store.alerts.alert(stored.alert.id)):
                self._on_alert(now)
            if made:
                self._on_deliveries(made)

    async def _until_next_s(self) -> float:
        times = [at for engine in self._engines.values() if (at := engine.next_us) is not None]
        due_us = await self._store.alerts.next_step_us()
        if due_us is not None:
            times.append(due_us)
        if not times:
            return LOOK_AGAIN_S
        return min(max((min(times) - self._clock.wall_us()) / 1e6, 0.0), LOOK_AGAIN_S)


def _reach_us(rule: Rule) -> int:
    """How far back something can lie that still matters to the rule."""
    count_s = 0.0 if rule.count is None else rule.count.within_s
    longest_s = max(rule.join_s, rule.cooldown_s, count_s)
    return LONGEST_US + round(longest_s * SECOND_US)
