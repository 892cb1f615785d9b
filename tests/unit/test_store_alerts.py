"""Alerts in the store: each occurrence once, each act once, each receiver told once; also over a crash."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest
from ulid import ULID

from camera_hub.alerts import life
from camera_hub.alerts.life import Act, Alert, AlertState, ConflictError, Person
from camera_hub.alerts.occurrence import AlertKind, of_event
from camera_hub.alerts.rule import Rule, Step, Urgency
from camera_hub.model import Verdict
from camera_hub.store import Store
from camera_hub.store.alert_records import (
    AlertFilter,
    DeliveryState,
    StoredAlert,
    Subscription,
    Telling,
    Trouble,
)
from camera_hub.store.records import UserRecord
from tests.support.clocks import HandClock
from tests.support.server import SITE, START_US, event, ulid

AN, BINH = Person("an", "Thiếu tá An"), Person("binh", "Đại úy Bình")
STEPS = (Step(0, ("doi",)), Step(300, ("doi", "truong")))
RULE = Rule("nguoi", "Có người", (AlertKind.MOTION,), steps=STEPS)
ALERT = ulid(900)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with Store(tmp_path, clock=clock) as opened:
        for number in (1, 2):
            await opened.deliver_event(SITE, f"m{number}", event(number))
        yield opened


async def opened(store: Store, *numbers: int, alert_id: str = ALERT) -> StoredAlert | None:
    occurrences = [of_event(SITE, event(number)) for number in numbers]
    alert = Alert(alert_id, RULE.id, START_US, START_US, Urgency.URGENT)
    return await store.alerts.open_alert(alert, RULE, AlertKind.MOTION, SITE, occurrences)


async def test_an_alert_with_what_belongs_to_it(store: Store) -> None:
    stored = await opened(store, 1)
    assert stored is not None
    assert [one.event.id for one in stored.events] == [ulid(1)]
    joined = await store.alerts.join(ALERT, of_event(SITE, event(2)), START_US + 5)
    assert joined is not None
    assert [one.event.id for one in joined.events] == [ulid(1), ulid(2)]
    assert joined.last_us == START_US + 5
    assert await store.alerts.alert(ALERT) == joined
    assert (await store.alerts.alert_page(AlertFilter(), 10)).alerts == (joined,)
    assert await store.alerts.alerts_of_events([ulid(1), ulid(2)]) == {ulid(1): [ALERT], ulid(2): [ALERT]}


async def test_an_occurrence_belongs_to_one_alert_of_a_rule(store: Store) -> None:
    assert await opened(store, 1)
    assert await opened(store, 1, 2, alert_id=ulid(901)) is None
    assert await store.alerts.join(ALERT, of_event(SITE, event(1)), START_US) is None
    assert len((await store.alerts.alert_page(AlertFilter(), 10)).alerts) == 1


async def test_what_people_do_is_its_history(store: Store, clock: HandClock) -> None:
    await opened(store, 1, 2)
    await store.alerts.act(ALERT, lambda alert: life.acknowledge(alert, 1, AN, clock.wall_us()))
    closed = await store.alerts.act(
        ALERT, lambda alert: life.close(alert, 2, AN, Verdict.FALSE, "chó", clock.wall_us())
    )
    assert closed is not None
    assert (closed.alert.state, closed.alert.owner, closed.alert.verdict) == (
        AlertState.CLOSED,
        AN,
        Verdict.FALSE,
    )
    assert [step.act for step in await store.alerts.history(ALERT)] == [
        Act.OPENED,
        Act.ACKNOWLEDGED,
        Act.CLOSED,
    ]
    for one in closed.events:
        assert one.verdict is not None
        assert (one.verdict.verdict, one.verdict.by, one.verdict.note) == (Verdict.FALSE, "an", "chó")
    again = await store.alerts.act(ALERT, lambda alert: life.reopen(alert, 3, BINH, "", clock.wall_us()))
    assert again is not None
    assert all(one.verdict is None or one.verdict.verdict is None for one in again.events)


async def test_of_two_who_close_at_once_one_is_first(store: Store, clock: HandClock) -> None:
    await opened(store, 1)

    async def close(who: Person, verdict: Verdict) -> StoredAlert | None:
        return await store.alerts.act(
            ALERT, lambda alert: life.close(alert, 1, who, verdict, "", clock.wall_us())
        )

    said = await asyncio.gather(close(AN, Verdict.FALSE), close(BINH, Verdict.REAL), return_exceptions=True)
    assert sorted(type(one).__name__ for one in said) == ["ConflictError", "StoredAlert"]
    conflict = next(one for one in said if isinstance(one, ConflictError))
    stored = await store.alerts.alert(ALERT)
    assert stored is not None
    assert stored.alert == conflict.alert
    assert len(await store.alerts.history(ALERT)) == 2


async def test_each_receiver_is_told_once_and_then_the_next_ones(store: Store, clock: HandClock) -> None:
    await opened(store, 1)
    targets = {"doi": ["a", "b"], "truong": [""]}
    assert [one.alert.id for one in await store.alerts.to_tell(10)] == [ALERT]
    first = await store.alerts.tell(ALERT, STEPS, targets)
    assert [(one.channel, one.target, one.what) for one in first] == [
        ("doi", "a", Telling.OPENED),
        ("doi", "b", Telling.OPENED),
    ]
    assert await store.alerts.tell(ALERT, STEPS, targets) == []
    assert await store.alerts.to_tell(10) == []
    assert await store.alerts.due_deliveries(10) == first
    await store.alerts.delivered([one.id for one in first], DeliveryState.SENT)
    assert await store.alerts.due_deliveries(10) == []
    assert await store.alerts.next_step_us() == START_US + 300_000_000
    clock.go(300)
    second = await store.alerts.tell(ALERT, STEPS, targets)
    assert [(one.channel, one.target) for one in second] == [("doi", "a"), ("doi", "b"), ("truong", "")]
    assert (await store.alerts.history(ALERT))[-1].act is Act.ESCALATED
    await store.alerts.act(ALERT, lambda alert: life.acknowledge(alert, 2, AN, clock.wall_us()))
    assert await store.alerts.due_deliveries(10) == []
    assert {one.state for one in await store.alerts.deliveries_of(ALERT)} == {
        DeliveryState.SENT,
        DeliveryState.DROPPED,
    }
    assert await store.alerts.next_step_us() is None


async def test_a_failed_delivery_is_tried_again_given_up_and_sent_anew(
    store: Store, clock: HandClock
) -> None:
    await opened(store, 1)
    (one,) = await store.alerts.tell(ALERT, (Step(0, ("doi",)),), {"doi": [""]})
    await store.alerts.delivery_failed(one.id, "no answer", START_US + 60_000_000)
    assert await store.alerts.due_deliveries(10) == []
    clock.go(60)
    (again,) = await store.alerts.due_deliveries(10)
    assert (again.attempts, again.error, again.state) == (1, "no answer", DeliveryState.FAILED)
    await store.alerts.delivered([one.id], DeliveryState.GIVEN_UP, "no answer for a day")
    assert [d.id for d in await store.alerts.newest_deliveries("doi", [DeliveryState.GIVEN_UP])] == [one.id]
    anew = await store.alerts.send_again(one.id)
    assert anew is not None
    assert anew.state is DeliveryState.WAITING
    assert await store.alerts.send_again(one.id) is None


async def test_the_rules_hear_of_every_event_also_over_a_crash(store: Store) -> None:
    heard = await store.alerts.unjudged(10)
    assert [one.event.id for one in heard] == [ulid(1), ulid(2)]
    changed = msgspec.structs.replace(event(2), revision=2, score=0.9)
    await store.deliver_event(SITE, "m3", changed)
    await store.alerts.judged(heard)
    assert [one.event for one in await store.alerts.unjudged(10)] == [changed]


async def test_the_rules_hear_of_all_that_comes_together_and_is_new(store: Store) -> None:
    await store.alerts.judged(await store.alerts.unjudged(10))
    newer = [msgspec.structs.replace(event(3), revision=number) for number in (1, 2)]
    told = [("m3", newer[0]), ("m4", newer[1]), ("m5", event(4)), ("m6", event(1)), ("m2", event(2))]
    await store.deliver_events(SITE, told)
    assert [one.event for one in await store.alerts.unjudged(10)] == [newer[1], event(4)]


async def test_what_goes_on_now_does_not_wait_for_a_backlog(store: Store, clock: HandClock) -> None:
    now = str(ULID.from_timestamp(clock.wall_us() / 1e6 - 60))
    await store.deliver_event(SITE, "m3", msgspec.structs.replace(event(3), id=now))
    assert [one.event.id for one in await store.alerts.unjudged(2)] == [ulid(1), now]


async def test_a_site_that_brings_very_many_keeps_no_other_waiting(store: Store) -> None:
    await store.deliver_events("na-lau", [(f"m{n}", event(100 + n)) for n in range(300)])
    await store.deliver_event(SITE, "m9", event(900))
    assert ulid(900) in {one.event.id for one in await store.alerts.unjudged(20)}


async def test_troubles_begin_and_end(store: Store) -> None:
    trouble = Trouble(ulid(50), AlertKind.SITE_AWAY, SITE, "", START_US)
    await store.alerts.put_trouble(trouble)
    assert await store.alerts.open_troubles() == [trouble]
    ended = msgspec.structs.replace(trouble, end_us=START_US + 1)
    await store.alerts.put_trouble(ended)
    assert await store.alerts.open_troubles() == []
    assert ended.occurrence() in await store.alerts.occurrences(START_US, 10)


async def test_filters_and_pages(store: Store, clock: HandClock) -> None:
    await opened(store, 1)
    await opened(store, 2, alert_id=ulid(901))
    await store.alerts.act(ALERT, lambda alert: life.close(alert, 1, AN, Verdict.REAL, "", clock.wall_us()))

    async def found(wanted: AlertFilter) -> list[str]:
        return [one.alert.id for one in (await store.alerts.alert_page(wanted, 10)).alerts]

    assert await found(AlertFilter(states=(AlertState.NEW,))) == [ulid(901)]
    assert await found(AlertFilter(states=(AlertState.CLOSED,), owner="an")) == [ALERT]
    assert await found(AlertFilter(site=SITE, camera=event(1).camera)) == [ulid(901), ALERT]
    assert await found(AlertFilter(site=SITE, camera="nowhere")) == []
    assert await found(AlertFilter(after_us=START_US + 1)) == []
    first = await store.alerts.alert_page(AlertFilter(), 1)
    second = await store.alerts.alert_page(AlertFilter(), 1, first.next)
    assert [one.alert.id for one in (*first.alerts, *second.alerts)] == [ulid(901), ALERT]
    assert second.next is None


async def test_rules_of_the_config_and_of_people(store: Store) -> None:
    mine = msgspec.structs.replace(RULE, id=ulid(70), name="Của tôi")
    await store.alerts.put_rule(mine)
    await store.alerts.keep_config_rules([RULE])
    assert [(one.rule, one.from_config) for one in await store.alerts.rules()] == [
        (RULE, True),
        (mine, False),
    ]
    await store.alerts.keep_config_rules([])
    assert [one.rule for one in await store.alerts.rules()] == [mine]
    assert await store.alerts.remove_rule(mine.id)
    assert not await store.alerts.remove_rule(mine.id)


async def test_old_alerts_go_with_their_history(store: Store, clock: HandClock) -> None:
    await opened(store, 1)
    await store.alerts.tell(ALERT, STEPS, {"doi": [""]})
    clock.go(200 * 86_400)
    await store.tidy(90, 10**12, 10**12)
    assert await store.alerts.alert(ALERT) is None
    assert await store.alerts.history(ALERT) == []
    assert await store.alerts.deliveries_of(ALERT) == []


async def test_a_browser_has_one_subscription(store: Store) -> None:
    await store.put_user(UserRecord("an", "An", "police", "hash"))
    first = Subscription(ulid(1), "an", "https://push.example/x", "k", "a", "vi", "Chrome", START_US)
    await store.alerts.put_subscription(first)
    second = Subscription(ulid(2), "an", "https://push.example/x", "k2", "a", "en", "Chrome", START_US)
    await store.alerts.put_subscription(second)
    assert await store.alerts.subscriptions("an") == [second]
    assert not await store.alerts.remove_subscription(second.id, "binh")
    assert await store.alerts.remove_subscription(second.id, "an")
