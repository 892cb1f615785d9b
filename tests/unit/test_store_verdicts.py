"""A verdict stays with its event whatever the site tells afterwards; nothing that was said is lost."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from camera_hub.model import Verdict
from camera_hub.store import EventFilter, Store, StoredEvent, UserRecord
from tests.support.clocks import HandClock
from tests.support.server import SITE, START_US, event, ulid

AN = UserRecord("an", "Bác An", "police", "hash")
BINH = UserRecord("binh", "Chú Bình", "police", "hash")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with Store(tmp_path, clock=clock) as opened:
        await opened.deliver_event(SITE, "m1", event())
        yield opened


async def _judge(store: Store, verdict: Verdict | None, note: str = "", user: UserRecord = AN) -> StoredEvent:
    judged = await store.judge(ulid(1), verdict, note, user)
    assert judged is not None
    return judged[0]


async def test_a_verdict_says_who_and_when(store: Store, clock: HandClock) -> None:
    judged = await _judge(store, Verdict.FALSE, "lá chuối")
    assert judged.verdict is not None
    assert (judged.verdict.verdict, judged.verdict.note) == (Verdict.FALSE, "lá chuối")
    assert (judged.verdict.by, judged.verdict.by_name) == ("an", "Bác An")
    assert judged.verdict.at_us == clock.wall_us()
    assert await store.event(ulid(1)) == judged
    assert (await store.event_page(EventFilter(), 10)).events == (judged,)


async def test_the_newest_verdict_counts_and_all_are_kept(store: Store) -> None:
    await _judge(store, Verdict.FALSE)
    await _judge(store, Verdict.REAL, user=BINH)
    taken_back = await _judge(store, None)
    assert taken_back.verdict is None
    again = await _judge(store, Verdict.TEST, "tập huấn")
    assert again.verdict is not None
    assert again.verdict.verdict is Verdict.TEST
    said = [(one.verdict, one.by) for one in await store.verdicts(ulid(1))]
    assert said == [(Verdict.FALSE, "an"), (Verdict.REAL, "binh"), (None, "an"), (Verdict.TEST, "an")]


async def test_said_twice_in_the_same_words_it_counts_once(store: Store) -> None:
    await _judge(store, Verdict.REAL)
    assert (await store.judge(ulid(1), Verdict.REAL, "", BINH)) == (await store.event(ulid(1)), False)
    await _judge(store, None)
    await _judge(store, None)
    assert [one.verdict for one in await store.verdicts(ulid(1))] == [Verdict.REAL, None]


async def test_taking_back_what_nobody_said_changes_nothing(store: Store) -> None:
    assert (await _judge(store, None)).verdict is None
    assert await store.verdicts(ulid(1)) == []


async def test_a_verdict_outlives_later_revisions(store: Store) -> None:
    await _judge(store, Verdict.REAL)
    delivery = await store.deliver_event(SITE, "m2", event(revision=2, end_us=START_US + 9))
    assert delivery.event is not None
    assert delivery.event.event.revision == 2
    assert delivery.event.verdict is not None
    assert delivery.event.verdict.verdict is Verdict.REAL


async def test_a_verdict_on_one_event_is_none_on_another(store: Store) -> None:
    await store.deliver_event(SITE, "m2", event(2))
    await _judge(store, Verdict.REAL)
    found = {one.event.id: one.verdict for one in (await store.event_page(EventFilter(), 10)).events}
    assert found[ulid(2)] is None
    assert found[ulid(1)] is not None


async def test_there_is_no_verdict_on_an_event_that_is_not_there(store: Store) -> None:
    assert await store.judge(ulid(9), Verdict.REAL, "", AN) is None
    assert await store.verdicts(ulid(9)) == []


async def test_of_many_at_once_none_is_lost(store: Store) -> None:
    notes = [f"người {number}" for number in range(12)]
    await asyncio.gather(*(_judge(store, Verdict.REAL, note) for note in notes))
    assert sorted(one.note for one in await store.verdicts(ulid(1))) == sorted(notes)


async def test_a_verdict_goes_with_its_event(store: Store, clock: HandClock) -> None:
    await _judge(store, Verdict.REAL)
    clock.go(100 * 86_400)
    await store.tidy(keep_days=90, max_media_bytes=10**9, session_idle_us=10**9)
    assert await store.event(ulid(1)) is None
    assert await store.verdicts(ulid(1)) == []
