"""The store keeps what sites deliver exactly once: twice, late, early or from the wrong site."""

import asyncio
import contextlib
import errno
import hashlib
import math
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from camera_hub.model import Crossing
from camera_hub.store import (
    Dating,
    Delivery,
    EventFilter,
    MediaKind,
    Outcome,
    Store,
    StoreFullError,
    UnacceptableError,
)
from tests.support.server import JPEG, SECOND_US, SITE, START_US, event, ulid


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path) as opened:
        yield opened


async def _picture(
    store: Store, message: str, at_us: int = START_US, jpeg: bytes = JPEG, site: str = SITE
) -> Delivery:
    return await store.deliver_picture(site, message, ulid(1), "cong-lang", at_us, jpeg)


def _files(store: Store) -> list[str]:
    return sorted(
        path.relative_to(store.folder).as_posix()
        for path in (store.folder / "media").rglob("*")
        if path.is_file()
    )


async def test_an_event_is_kept_as_it_was_told(store: Store) -> None:
    told = event(zones=("Lòng đường", "Cổng"), end_us=START_US + 5)
    delivery = await store.deliver_event(SITE, "m1", told)
    assert delivery.outcome is Outcome.APPLIED
    kept = await store.event(told.id)
    assert kept is not None
    assert kept.event == told
    assert (kept.site, kept.snapshot, kept.clip) == (SITE, False, False)


async def test_a_message_that_comes_twice_has_no_second_effect(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event(revision=1))
    await store.deliver_event(SITE, "m2", event(revision=2))
    again = await store.deliver_event(SITE, "m1", event(revision=1))
    assert again.outcome is Outcome.DUPLICATE
    assert again.event is not None
    assert again.event.event.revision == 2


async def test_an_id_that_comes_again_with_something_else_is_refused(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event(revision=1))
    await _picture(store, "p1")
    with pytest.raises(UnacceptableError, match="held something else"):
        await store.deliver_event(SITE, "m1", event(revision=2))
    with pytest.raises(UnacceptableError, match="held something else"):
        await _picture(store, "p1", jpeg=b"another")
    kept = await store.event(ulid(1))
    assert kept is not None
    assert kept.event.revision == 1
    assert len(_files(store)) == 1


async def test_in_a_batch_each_message_has_its_own_outcome(store: Store) -> None:
    await store.deliver_event("dong-tam", "x", event(9))
    await store.deliver_event(SITE, "m0", event(1, zones=("Cổng",)))
    outcomes = await store.deliver_events(
        SITE,
        [
            ("m0", event(1, zones=("Cổng",))),
            ("m1", event(1, revision=3, zones=("Sân",))),
            ("m2", event(1, revision=2)),
            ("m3", event(9)),  # another site's
            ("m4", event(2)),
            ("m4", event(2)),
            ("m4", event(3)),
            ("no id" * 30, event(4)),
            ("m5", event(5)),
        ],
    )
    told = [o.outcome if isinstance(o, Delivery) else None for o in outcomes]
    assert told == [
        Outcome.DUPLICATE,
        Outcome.APPLIED,
        Outcome.STALE,
        None,
        Outcome.APPLIED,
        Outcome.DUPLICATE,
        None,
        None,
        Outcome.APPLIED,
    ]
    first = await store.event(ulid(1))
    assert first is not None
    assert (first.event.revision, first.event.zones) == (3, ("Sân",))
    assert not (await store.event_page(EventFilter(zone="Cổng"), 10)).events
    assert len((await store.event_page(EventFilter(site=SITE), 10)).events) == 3


async def test_of_many_copies_at_once_one_is_applied(store: Store) -> None:
    many = [store.deliver_event(SITE, "m1", event()) for _ in range(20)]
    many += [_picture(store, "p1") for _ in range(20)]
    outcomes = [delivery.outcome for delivery in await asyncio.gather(*many)]
    assert outcomes.count(Outcome.APPLIED) == 2
    assert outcomes.count(Outcome.DUPLICATE) == 38
    assert len(_files(store)) == 1
    assert len((await store.event_page(EventFilter(), 10)).events) == 1


async def test_two_stores_on_one_database_apply_a_message_once(tmp_path: Path) -> None:
    async with Store(tmp_path) as one, Store(tmp_path) as other:
        many = [which.deliver_event(SITE, "m1", event()) for which in (one, other) for _ in range(10)]
        outcomes = [delivery.outcome for delivery in await asyncio.gather(*many)]
    assert outcomes.count(Outcome.APPLIED) == 1


async def test_the_same_message_id_of_two_sites_is_two_messages(store: Store) -> None:
    await store.deliver_event("khe-coc", "m1", event(1))
    assert (await store.deliver_event("dong-tam", "m1", event(2))).outcome is Outcome.APPLIED


async def test_a_later_revision_replaces_an_earlier_one_and_its_zones(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event(zones=("Cổng",), revision=1))
    await store.deliver_event(SITE, "m2", event(zones=("Sân",), revision=2, end_us=START_US + 9))
    kept = await store.event(ulid(1))
    assert kept is not None
    assert (kept.event.revision, kept.event.zones) == (2, ("Sân",))
    assert not (await store.event_page(EventFilter(zone="Cổng"), 10)).events
    assert len((await store.event_page(EventFilter(zone="Sân"), 10)).events) == 1


async def test_an_earlier_revision_that_arrives_late_changes_nothing(store: Store) -> None:
    await store.deliver_event(SITE, "m2", event(revision=2, end_us=START_US + 9))
    late = await store.deliver_event(SITE, "m1", event(revision=1))
    assert late.outcome is Outcome.STALE
    assert late.event is not None
    assert late.event.event.end_us == START_US + 9


@settings(max_examples=5, deadline=None)
@given(orders=st.lists(st.permutations([*range(1, 5), *range(1, 5)]), min_size=5, max_size=5))
async def test_in_any_order_and_doubled_the_last_revision_stays(orders: list[list[int]]) -> None:
    with TemporaryDirectory() as folder:
        async with Store(Path(folder)) as store:
            for number, order in enumerate(orders):
                for revision in order:
                    message = f"m{number}-{revision}"
                    await store.deliver_event(SITE, message, event(number, revision=revision))
                kept = await store.event(ulid(number))
                assert kept is not None
                assert kept.event.revision == 4


async def test_a_picture_that_comes_before_its_event_waits_for_it(store: Store) -> None:
    early = await _picture(store, "p1")
    assert early == Delivery(Outcome.APPLIED, None)
    assert await store.event_media(ulid(1), MediaKind.PICTURE) is None
    facts = await store.deliver_event(SITE, "m1", event())
    assert facts.event is not None
    assert facts.event.snapshot
    media = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert media is not None
    assert (store.folder / media.path).read_bytes() == JPEG
    assert (media.bytes, media.sha256) == (len(JPEG), hashlib.sha256(JPEG).hexdigest())


async def test_a_later_picture_replaces_the_file_of_an_earlier_one(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event())
    await _picture(store, "p1", at_us=START_US)
    await _picture(store, "p2", at_us=START_US + 1, jpeg=b"later")
    media = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert media is not None
    assert (store.folder / media.path).read_bytes() == b"later"
    assert _files(store) == [media.path]


async def test_an_earlier_picture_that_arrives_late_changes_nothing(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event())
    await _picture(store, "p2", at_us=START_US + 1, jpeg=b"later")
    assert (await _picture(store, "p1", at_us=START_US)).outcome is Outcome.STALE
    media = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert media is not None
    assert (store.folder / media.path).read_bytes() == b"later"
    assert len(_files(store)) == 1


async def test_the_same_picture_under_another_id_keeps_its_file(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event())
    await _picture(store, "p1", at_us=START_US + 1)
    await _picture(store, "p2", at_us=START_US + 1)
    await _picture(store, "p3", at_us=START_US)
    media = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert media is not None
    assert _files(store) == [media.path]


async def test_a_clip_is_kept_beside_the_picture(store: Store) -> None:
    await store.deliver_event(SITE, "m1", event())
    await _picture(store, "p1")
    await store.deliver_clip(SITE, "c1", ulid(1), "cong-lang", START_US, 6_000_000, b"mp4")
    kept = await store.event(ulid(1))
    assert kept is not None
    assert (kept.snapshot, kept.clip) == (True, True)
    assert len(_files(store)) == 2


async def test_a_site_cannot_touch_an_event_of_another(store: Store) -> None:
    await store.deliver_event("khe-coc", "m1", event(revision=1))
    with pytest.raises(UnacceptableError, match="another site"):
        await store.deliver_event("dong-tam", "m1", event(revision=9))
    with pytest.raises(UnacceptableError, match="another site"):
        await _picture(store, "p1", site="dong-tam")
    kept = await store.event(ulid(1))
    assert kept is not None
    assert (kept.site, kept.event.revision, kept.snapshot) == ("khe-coc", 1, False)
    assert _files(store) == []


async def test_a_picture_that_waits_belongs_to_its_site(store: Store) -> None:
    await _picture(store, "p1", site="khe-coc")
    with pytest.raises(UnacceptableError, match="another site"):
        await store.deliver_event("dong-tam", "m1", event())


@pytest.mark.parametrize(
    "event_id",
    ["../../../../etc/passwd", "", "01ARZ3NDEKTSV4RRFFQ69G5FA", "01arz3ndektsv4rrffq69g5fav", "8" + "Z" * 25],
)
async def test_an_event_id_that_is_no_ulid_never_reaches_the_disk(store: Store, event_id: str) -> None:
    with pytest.raises(UnacceptableError, match="no ULID"):
        await store.deliver_picture(SITE, "p1", event_id, "cong-lang", START_US, JPEG)
    assert _files(store) == []


@pytest.mark.parametrize(
    "broken",
    [
        lambda: event(start_us=-1),
        lambda: event(start_us=2**63),
        lambda: event(end_us=START_US - 1),
        lambda: event(revision=0),
        lambda: event(revision=2**40),
        lambda: event(camera="../x"),
        lambda: event(zones=("z" * 201,)),
        lambda: event(zones=tuple(map(str, range(500)))),
        lambda: replace(event(), mean_speed=math.nan),
        lambda: replace(event(), stays=(("z" * 201, 1),)),
        lambda: replace(event(), stays=(("z", 2**60),)),
        lambda: replace(event(), crossings=(Crossing("a", "left", 0, "z" * 201),)),
        lambda: replace(event(), crossings=(Crossing("a", "left", 0),) * 2000),
    ],
)
async def test_nonsense_is_refused_in_words(store: Store, broken: Callable[[], object]) -> None:
    with pytest.raises(UnacceptableError):
        await store.deliver_event(SITE, "m1", broken())  # type: ignore[arg-type]


async def test_a_disk_that_is_full_of_media_takes_nothing_and_says_so(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StoreFullError, match="the disk is full"):
            await _picture(store, "p1")
    assert _files(store) == []
    assert (await _picture(store, "p1")).outcome is Outcome.APPLIED


async def test_a_database_that_is_full_takes_nothing_and_says_so(tmp_path: Path) -> None:
    async with Store(tmp_path) as store:
        async with store._database.write() as connection:  # the only way in that SQLite offers
            await connection.exec_driver_sql("PRAGMA max_page_count = 1")
        long = event(zones=tuple(f"zone {number} " + "z" * 180 for number in range(100)))
        with pytest.raises(StoreFullError, match="the disk is full"):
            await store.deliver_event(SITE, "m1", long)
    async with Store(tmp_path) as store:
        assert (await store.deliver_event(SITE, "m1", long)).outcome is Outcome.APPLIED


async def test_a_delivery_that_is_cut_off_can_be_made_again(store: Store) -> None:
    for delay_s in (0.0, 0.001, 0.003, 0.01):
        task = asyncio.create_task(_picture(store, "p1"))
        await asyncio.sleep(delay_s)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await _picture(store, "p1")
    await store.deliver_event(SITE, "m1", event())
    media = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert media is not None
    assert (store.folder / media.path).read_bytes() == JPEG


YEAR_US = 365 * 86_400 * SECOND_US
NOW_US = START_US + 3600 * SECOND_US


@pytest.mark.parametrize(
    ("ahead_us", "known_us", "taken_out_us"),
    [
        (10 * YEAR_US, 10 * YEAR_US, 10 * YEAR_US),
        (-10 * YEAR_US, -10 * YEAR_US, -10 * YEAR_US),
        (10 * YEAR_US, None, 10 * YEAR_US - 3600 * SECOND_US),  # by when it was told
        (-10 * YEAR_US, 0, -10 * YEAR_US - 3600 * SECOND_US),  # the clock has been set since
        (7200 * SECOND_US, 7200 * SECOND_US, 7200 * SECOND_US),
        (7200 * SECOND_US, None, 0),  # it may be the server's clock that was set back
        (-30 * 86_400 * SECOND_US, 0, 0),  # a backlog
        (-30 * 86_400 * SECOND_US, 10 * YEAR_US, 0),  # of before the clock went wrong
    ],
)
async def test_times_that_cannot_be_right_are_dated_anew(
    store: Store, ahead_us: int, known_us: int | None, taken_out_us: int
) -> None:
    opened = event(1, start_us=START_US + ahead_us)
    closed = replace(opened, revision=2, end_us=opened.start_us + 9 * SECOND_US)
    dating = Dating(NOW_US, known_us)
    await store.deliver_events(SITE, [("m1", opened)], dating)
    await store.deliver_events(SITE, [("m2", closed)], Dating(NOW_US + SECOND_US, 0))
    kept = await store.event(opened.id)
    assert kept is not None
    assert kept.clock_off_us == taken_out_us
    assert kept.event.start_us == opened.start_us - taken_out_us
    assert kept.event.end_us is not None
    assert 0 <= kept.event.end_us - kept.event.start_us <= 9 * SECOND_US
    (again,) = await store.deliver_events(SITE, [("m2", closed)], Dating(NOW_US + 9 * SECOND_US, 0))
    assert isinstance(again, Delivery)
    assert again.outcome is Outcome.DUPLICATE


async def test_a_clock_that_was_set_while_an_event_went_on_makes_no_event_of_years(store: Store) -> None:
    opened = event(1, start_us=START_US - 10 * YEAR_US)
    await store.deliver_events(SITE, [("m1", opened)], Dating(NOW_US, -10 * YEAR_US))
    closed = replace(opened, revision=2, end_us=NOW_US)
    await store.deliver_events(SITE, [("m2", closed)], Dating(NOW_US, 0))
    kept = await store.event(opened.id)
    assert kept is not None
    assert (kept.event.start_us, kept.event.end_us) == (START_US, NOW_US)


async def test_a_picture_of_a_wrong_clock_goes_in_its_order(store: Store) -> None:
    dating = Dating(NOW_US, 10 * YEAR_US)
    at_us = START_US + 10 * YEAR_US
    await store.deliver_picture(SITE, "p1", ulid(1), "cong-lang", at_us, b"jpeg", dating)
    await store.deliver_event(SITE, "m1", event(1))
    item = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert item is not None
    assert item.at_us == START_US
