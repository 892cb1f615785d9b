"""`AlertStore`: the door to alerts, rules, channels and deliveries. `Store.alerts` is one.

Each method is one transaction. Invariants besides those of the package:
- an occurrence belongs to at most one alert of a rule, whoever asks and however often;
- an alert and its newest step change together; a step is never changed;
- what is told of an alert to one receiver of a channel stands once;
- an event waits in `unjudged` from its delivery on until the rules have heard of it, also over a crash.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select, update
from ulid import ULID

from camera_hub.alerts.life import Act, Alert, AlertState, AlertStep, due_step, escalate
from camera_hub.alerts.occurrence import AlertKind, Occurrence, of_event
from camera_hub.alerts.rule import Rule, Step
from camera_hub.clock import Clock
from camera_hub.store import alerts, events, telling, verdicts
from camera_hub.store.alert_records import (
    AlertFilter,
    AlertPage,
    DeliveryState,
    StoredAlert,
    StoredDelivery,
    StoredRule,
    Subscription,
    Telling,
    Trouble,
)
from camera_hub.store.database import Database, whole
from camera_hub.store.records import Cursor, EventFilter, StoredEvent, StoredVerdict
from camera_hub.store.tables import troubles, unjudged

FRESH_US = 120 * 1_000_000

Change = Callable[[Alert], tuple[Alert, AlertStep]]


class AlertStore:
    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    # -- rules ---------------------------------------------------------------------------

    async def rules(self) -> list[StoredRule]:
        async with self._database.read() as connection:
            found = await telling.settings(connection, telling.RULES)
        return [StoredRule(msgspec.convert(body, Rule), from_config) for _, body, from_config in found]

    @whole
    async def put_rule(self, rule: Rule, *, from_config: bool = False) -> None:
        async with self._database.write() as connection:
            body = msgspec.to_builtins(rule)
            await telling.put_setting(connection, telling.RULES, rule.id, body, from_config=from_config)

    async def channels(self) -> list[dict[str, Any]]:
        """The channels that people made on the dashboard, whole: with their secrets."""
        async with self._database.read() as connection:
            return [body for _, body, _ in await telling.settings(connection, telling.CHANNELS)]

    @whole
    async def put_channel(self, key: str, body: dict[str, Any]) -> None:
        async with self._database.write() as connection:
            await telling.put_setting(connection, telling.CHANNELS, key, body, from_config=False)

    @whole
    async def remove_channel(self, key: str) -> bool:
        async with self._database.write() as connection:
            return await telling.remove_setting(connection, telling.CHANNELS, key)

    async def texts(self) -> dict[str, dict[str, str]]:
        """The templates of messages that somebody has changed, by language."""
        async with self._database.read() as connection:
            return await telling.texts(connection)

    @whole
    async def put_texts(self, language: str, body: dict[str, str] | None) -> None:
        """Changes a language's templates; None: they are as they came."""
        async with self._database.write() as connection:
            await telling.put_texts(connection, language, body)

    @whole
    async def remove_rule(self, rule_id: str) -> bool:
        async with self._database.write() as connection:
            return await telling.remove_setting(connection, telling.RULES, rule_id)

    @whole
    async def keep_config_rules(self, rules: Sequence[Rule]) -> None:
        """The rules of the config as they are now; those that it has no longer go."""
        async with self._database.write() as connection:
            await telling.remove_config_settings_but(connection, telling.RULES, {rule.id for rule in rules})
            for rule in rules:
                body = msgspec.to_builtins(rule)
                await telling.put_setting(connection, telling.RULES, rule.id, body, from_config=True)

    # -- what happens ----------------------------------------------------------------------

    async def unjudged(self, limit: int) -> list[StoredEvent]:
        """Events of which the rules have not heard as they are now: this moment's, and then the oldest.

        After days without a link thousands wait, and what goes on now must not wait for them. All sites have
        their turn in each batch, so that one that brings very many does not keep the others waiting.
        """
        fresh = unjudged.c.event_id >= _first_id(self._clock.wall_us() - FRESH_US)
        async with self._database.read() as connection:
            sites = (await connection.scalars(select(unjudged.c.site).distinct())).all()
            ids: list[str] = []
            for site in sites:
                of_site = select(unjudged.c.event_id).where(unjudged.c.site == site)
                of_site = of_site.order_by(fresh.desc(), unjudged.c.event_id)
                ids += (await connection.scalars(of_site.limit(-(-limit // len(sites))))).all()
            return await events.some(connection, ids)

    @whole
    async def judged(self, heard: Sequence[StoredEvent]) -> None:
        """The rules have heard of these events; one that has changed since stays."""
        async with self._database.write() as connection:
            now = {
                one.event.id: one.event for one in await events.some(connection, [e.event.id for e in heard])
            }
            same = [e.event.id for e in heard if (there := now.get(e.event.id)) is None or there == e.event]
            await connection.execute(delete(unjudged).where(unjudged.c.event_id.in_(same)))

    @whole
    async def put_trouble(self, trouble: Trouble) -> None:
        """Keeps that a trouble began, or that it ended."""
        async with self._database.write() as connection:
            values = msgspec.to_builtins(trouble)
            changed = await connection.execute(
                update(troubles).where(troubles.c.id == trouble.id).values(values)
            )
            if not changed.rowcount:
                await connection.execute(insert(troubles).values(values))

    async def open_troubles(self) -> list[Trouble]:
        async with self._database.read() as connection:
            rows = await connection.execute(select(troubles).where(troubles.c.end_us.is_(None)))
            return [alerts.trouble(row) for row in rows.all()]

    async def occurrences(self, after_us: int, limit: int) -> list[Occurrence]:
        """Events and troubles that began at `after_us` or later, the newest `limit` of each."""
        async with self._database.read() as connection:
            page = await events.page(connection, EventFilter(after_us=after_us), limit, None)
            query = select(troubles).where(troubles.c.start_us >= after_us)
            rows = await connection.execute(query.order_by(troubles.c.start_us.desc()).limit(limit))
            found = [of_event(one.site, one.event) for one in page.events]
            return [*found, *(alerts.trouble(row).occurrence() for row in rows.all())]

    async def events(self, event_ids: Sequence[str]) -> list[StoredEvent]:
        """Those of the events that are there."""
        async with self._database.read() as connection:
            return await events.some(connection, event_ids)

    # -- alerts --------------------------------------------------------------------------

    @whole
    async def open_alert(
        self, alert: Alert, rule: Rule, kind: AlertKind, site: str, occurrences: Sequence[Occurrence]
    ) -> StoredAlert | None:
        """A new alert; None where one of its occurrences belongs to another of the rule already."""
        async with self._database.write() as connection:
            if await alerts.taken(connection, rule.id, [one.id for one in occurrences]):
                return None
            due = due_step(alert, rule.steps)
            await alerts.insert_alert(connection, alert, rule.name, kind, site, due and due[0])
            await alerts.add_occurrences(connection, alert, occurrences, alert.opened_us)
            return await alerts.get(connection, alert.id)

    @whole
    async def join(self, alert_id: str, occurrence: Occurrence, at_us: int) -> StoredAlert | None:
        """The occurrence belongs to the alert; None where it does already, or there is no such alert."""
        async with self._database.write() as connection:
            stored = await alerts.get(connection, alert_id)
            if stored is None or await alerts.taken(connection, stored.alert.rule, [occurrence.id]):
                return None
            await alerts.add_occurrences(connection, stored.alert, [occurrence], at_us)
            return await alerts.get(connection, alert_id)

    @whole
    async def act(self, alert_id: str, change: Change) -> StoredAlert | None:
        """What a person does with an alert; `change` is one of `alerts.life`, and what it raises is raised.

        A verdict on an alert is one on its events too. None where there is no such alert.
        """
        async with self._database.write() as connection:
            stored = await alerts.get(connection, alert_id)
            if stored is None:
                return None
            changed, step = change(stored.alert)
            # Who sees to it has been reached: nobody else need be told.
            due_us = (
                None if changed.state is not AlertState.NEW else await alerts.due_of(connection, alert_id)
            )
            await alerts.save(connection, changed, due_us)
            await alerts.insert_step(connection, changed, step)
            if changed.state is not AlertState.NEW:
                await telling.drop_open(connection, alert_id, step.at_us)
            if step.act in (Act.CLOSED, Act.REOPENED) and step.by is not None:
                said = StoredVerdict(step.verdict, step.note, step.by.name, step.by.display_name, step.at_us)
                for one in stored.events:
                    await verdicts.put(connection, one.event.id, said)
            return await alerts.get(connection, alert_id)

    async def alert(self, alert_id: str) -> StoredAlert | None:
        async with self._database.read() as connection:
            return await alerts.get(connection, alert_id)

    async def alert_page(self, wanted: AlertFilter, limit: int, cursor: Cursor | None = None) -> AlertPage:
        async with self._database.read() as connection:
            return await alerts.page(connection, wanted, limit, cursor)

    async def history(self, alert_id: str) -> list[AlertStep]:
        """All that was done with an alert, the newest last."""
        async with self._database.read() as connection:
            return await alerts.history(connection, alert_id)

    async def alerts_of_events(self, event_ids: Sequence[str]) -> dict[str, list[str]]:
        async with self._database.read() as connection:
            return await alerts.of_events(connection, event_ids)

    # -- telling -------------------------------------------------------------------------

    async def to_tell(self, limit: int) -> list[StoredAlert]:
        """Alerts of which somebody is to be told now."""
        async with self._database.read() as connection:
            ids = await alerts.due(connection, self._clock.wall_us(), limit)
            found = [await alerts.get(connection, one) for one in ids]
            return [one for one in found if one is not None]

    @whole
    async def tell(
        self, alert_id: str, steps: tuple[Step, ...], targets: Mapping[str, Sequence[str]]
    ) -> list[StoredDelivery]:
        """The alert's next step is taken: whoever it names is to be told. Gives what is to be delivered.

        `targets` are the receivers of each channel; a channel that is not in it is none any more.
        """
        now_us = self._clock.wall_us()
        async with self._database.write() as connection:
            stored = await alerts.get(connection, alert_id)
            if stored is None:
                return []
            due = due_step(stored.alert, steps)
            if due is None or due[0] > now_us:
                await alerts.save(connection, stored.alert, due and due[0])
                return []
            changed, step = escalate(stored.alert, now_us)
            if step is not None:
                await alerts.insert_step(connection, changed, step)
            following = due_step(changed, steps)
            await alerts.save(connection, changed, following and following[0])
            what = Telling.OPENED if step is None else Telling.ESCALATED
            made = [
                StoredDelivery(
                    str(ULID()),
                    alert_id,
                    name,
                    target,
                    what,
                    DeliveryState.WAITING,
                    0,
                    now_us,
                    now_us,
                    None,
                    "",
                )
                for name in dict.fromkeys(due[1].to)
                for target in targets.get(name, ())
            ]
            await telling.add_deliveries(connection, made)
            return made

    async def next_step_us(self) -> int | None:
        """When an alert's next step is to be taken."""
        async with self._database.read() as connection:
            return await alerts.next_due(connection)

    async def next_delivery_us(self) -> int | None:
        async with self._database.read() as connection:
            return await telling.next_due(connection)

    async def due_deliveries(self, limit: int) -> list[StoredDelivery]:
        async with self._database.read() as connection:
            return await telling.due_deliveries(connection, self._clock.wall_us(), limit)

    @whole
    async def delivered(self, ids: Sequence[str], state: DeliveryState, error: str = "") -> None:
        """They are sent, folded, given up or dropped."""
        async with self._database.write() as connection:
            await telling.end_deliveries(connection, ids, state, self._clock.wall_us(), error)

    @whole
    async def delivery_failed(self, key: str, error: str, again_us: int) -> None:
        async with self._database.write() as connection:
            await telling.fail_delivery(connection, key, error, again_us)

    @whole
    async def hold_deliveries(self, ids: Sequence[str], until_us: int) -> None:
        """They are told later; that is no try that failed."""
        async with self._database.write() as connection:
            await telling.hold(connection, ids, until_us)

    @whole
    async def send_again(self, key: str) -> StoredDelivery | None:
        """One that was given up is tried anew; None where there is no such one."""
        async with self._database.write() as connection:
            return await telling.send_again(connection, key, self._clock.wall_us())

    async def deliveries_of(self, alert_id: str) -> list[StoredDelivery]:
        async with self._database.read() as connection:
            return await telling.deliveries_of(connection, alert_id)

    async def newest_deliveries(
        self, channel: str, states: Sequence[DeliveryState] | None = None, limit: int = 50
    ) -> list[StoredDelivery]:
        async with self._database.read() as connection:
            return await telling.newest_deliveries(connection, channel, states, limit)

    # -- browsers that are told by Web Push --------------------------------------------------

    @whole
    async def put_subscription(self, made: Subscription) -> None:
        async with self._database.write() as connection:
            await telling.put_subscription(connection, made)

    async def subscriptions(self, user: str | None = None) -> list[Subscription]:
        async with self._database.read() as connection:
            return await telling.all_subscriptions(connection, user)

    @whole
    async def remove_subscription(self, key: str, user: str | None = None) -> bool:
        async with self._database.write() as connection:
            return await telling.remove_subscription(connection, key, user)


def _first_id(at_us: int) -> str:
    """The smallest id (ULID) that is made at an instant."""
    return str(ULID.from_bytes((at_us // 1000).to_bytes(6, "big") + bytes(10)))
