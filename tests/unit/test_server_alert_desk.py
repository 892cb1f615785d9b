"""The desk: every event is judged once, alerts open and join, people are told in time; also over restarts."""

from collections.abc import AsyncIterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from camera_hub.alerts import life
from camera_hub.alerts.engine import Engine, News
from camera_hub.alerts.life import Person
from camera_hub.alerts.occurrence import AlertKind, Occurrence
from camera_hub.alerts.rule import Rule, Step
from camera_hub.alerts.times import Calendar
from camera_hub.model import Verdict
from camera_hub.server.alert_desk import AlertDesk
from camera_hub.store import Store
from camera_hub.store.alert_records import AlertFilter, StoredAlert, StoredDelivery, Trouble
from tests.support.clocks import HandClock
from tests.support.server import SECOND_US, SITE, START_US, event, ulid

RULE = Rule("nguoi", "Có người", (AlertKind.MOTION,), steps=(Step(0, ("doi",)), Step(300, ("truong",))))
CALENDAR = Calendar(ZoneInfo("Asia/Ho_Chi_Minh"))


class Told:
    """A desk, and what it told."""

    def __init__(self, store: Store, clock: HandClock) -> None:
        self.alerts: list[StoredAlert] = []
        self.deliveries: list[StoredDelivery] = []
        self.desk = AlertDesk(
            store,
            CALENDAR,
            clock,
            on_alert=self.alerts.append,
            on_deliveries=self.deliveries.extend,
            targets=self.targets,
        )

    async def targets(self) -> dict[str, list[str]]:
        return {"doi": [""], "truong": [""]}

    @property
    def opened(self) -> list[str]:
        return list(dict.fromkeys(one.alert.id for one in self.alerts))


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with Store(tmp_path, clock=clock) as opened:
        await opened.alerts.put_rule(RULE)
        yield opened


async def moved(
    store: Store, number: int, at_s: float, end_s: float | None = None, revision: int = 1
) -> None:
    end_us = None if end_s is None else START_US + round(end_s * SECOND_US)
    one = event(number, start_us=START_US + round(at_s * SECOND_US), end_us=end_us, revision=revision)
    await store.deliver_event(SITE, f"m{number}-{revision}", one)


async def in_store(store: Store) -> list[StoredAlert]:
    return list((await store.alerts.alert_page(AlertFilter(), 100)).alerts)


async def test_an_event_becomes_an_alert_and_somebody_is_told(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    (stored,) = await in_store(store)
    assert [one.event.id for one in stored.events] == [ulid(1)]
    assert [(one.channel, one.alert) for one in told.deliveries] == [("doi", stored.alert.id)]
    await told.desk.work()
    assert len(told.deliveries) == 1


async def test_what_comes_soon_after_joins_and_tells_nobody(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    clock.go(30)
    await moved(store, 2, 30)
    await told.desk.work()
    (stored,) = await in_store(store)
    assert [one.event.id for one in stored.events] == [ulid(1), ulid(2)]
    assert len(told.deliveries) == 1
    assert len(told.alerts[-1].events) == 2


async def test_after_a_crash_nothing_is_lost_and_nothing_twice(store: Store, clock: HandClock) -> None:
    await moved(store, 1, 0)
    first = Told(store, clock)
    await first.desk.work()
    await moved(store, 2, 10)  # kept, and the server dies before it is judged
    again = Told(store, clock)
    await again.desk.work()
    await again.desk.work()
    (stored,) = await in_store(store)
    assert len(stored.events) == 2
    assert again.deliveries == []


async def test_a_crash_between_keeping_an_alert_and_noting_it(store: Store, clock: HandClock) -> None:
    await moved(store, 1, 0)
    first = Told(store, clock)
    heard = await store.alerts.unjudged(10)
    await first.desk.work()
    await store.deliver_event(SITE, "again", msgspec.structs.replace(heard[0].event, revision=2))
    again = Told(store, clock)
    await again.desk.work()
    assert len(await in_store(store)) == 1


async def test_nobody_answers(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    clock.go(299)
    await told.desk.work()
    assert [one.channel for one in told.deliveries] == ["doi"]
    clock.go(1)
    await told.desk.work()
    assert [one.channel for one in told.deliveries] == ["doi", "truong"]


async def test_somebody_answers(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    an = Person("an", "An")
    await store.alerts.act(told.opened[0], lambda alert: life.acknowledge(alert, 1, an, clock.wall_us()))
    clock.go(1000)
    await told.desk.work()
    assert [one.channel for one in told.deliveries] == ["doi"]


async def test_what_arrives_days_late_is_told_and_escalates_from_then_on(
    store: Store, clock: HandClock
) -> None:
    clock.go(3 * 86_400)
    told = Told(store, clock)
    await moved(store, 1, 0, end_s=5)
    await told.desk.work()
    assert [one.channel for one in told.deliveries] == ["doi"]
    clock.go(300)
    await told.desk.work()
    assert [one.channel for one in told.deliveries] == ["doi", "truong"]


async def test_nothing_joins_a_closed_alert(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    an = Person("an", "An")
    await store.alerts.act(
        told.opened[0], lambda alert: life.close(alert, 1, an, Verdict.FALSE, "", clock.wall_us())
    )
    told.desk.closed(told.opened[0])
    await moved(store, 2, 10)
    await told.desk.work()
    assert len(await in_store(store)) == 2
    again = Told(store, clock)  # and a restart knows it too
    await moved(store, 3, 20)
    await again.desk.work()
    assert [len(one.events) for one in await in_store(store)] == [2, 1]


async def test_a_rule_that_is_switched_on_hears_of_what_begins_then(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    clock.go(3600)
    late = Rule("dem", "Ban đêm", (AlertKind.MOTION,), since_us=clock.wall_us())
    await store.alerts.put_rule(late)
    told.desk.rules_changed()
    await moved(store, 2, 3600)
    await told.desk.work()
    assert sorted(one.alert.rule for one in await in_store(store)) == ["dem", "nguoi", "nguoi"]
    await store.alerts.remove_rule("dem")
    told.desk.rules_changed()
    await moved(store, 3, 7200)
    await told.desk.work()
    assert sorted(one.alert.rule for one in await in_store(store)) == ["dem", "nguoi", "nguoi", "nguoi"]


async def test_a_trouble_that_lasts(store: Store, clock: HandClock) -> None:
    told = Told(store, clock)
    await store.alerts.put_rule(Rule("mat", "Mất camera", (AlertKind.CAMERA_AWAY,), lasts_s=60))
    trouble = Trouble(ulid(50), AlertKind.CAMERA_AWAY, SITE, "cong-lang", START_US)
    await store.alerts.put_trouble(trouble)
    told.desk.trouble(trouble)
    await told.desk.work()
    assert await in_store(store) == []
    clock.go(60)
    await told.desk.work()
    (stored,) = await in_store(store)
    assert stored.troubles == (trouble,)


async def test_an_event_that_must_last_is_judged_again_at_its_end(store: Store, clock: HandClock) -> None:
    await store.alerts.put_rule(msgspec.structs.replace(RULE, lasts_s=20))
    told = Told(store, clock)
    await moved(store, 1, 0)
    await told.desk.work()
    assert await in_store(store) == []
    await moved(store, 1, 0, end_s=25, revision=2)
    clock.go(25)
    await told.desk.work()
    (stored,) = await in_store(store)
    assert stored.alert.opened_us == START_US + 20 * SECOND_US


async def test_an_event_that_a_rule_cannot_judge_keeps_no_other_from_it(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Engine.take

    def breaks(engine: Engine, occurrence: Occurrence, now_us: int) -> list[tuple[str, News]]:
        if occurrence.id == ulid(1):
            raise ZeroDivisionError
        return take(engine, occurrence, now_us)

    monkeypatch.setattr(Engine, "take", breaks)
    told = Told(store, clock)
    await store.deliver_event(SITE, "m1", event(1))
    await store.deliver_event(SITE, "m2", event(2))
    await told.desk.work()
    assert len(told.opened) == 1
    assert await store.alerts.unjudged(10) == []
