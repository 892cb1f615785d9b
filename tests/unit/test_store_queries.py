"""Events are paged without a gap or a repeat and filtered as asked; cameras, sessions and bounds are kept."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from camera_hub.model import CameraInfo, EventKind
from camera_hub.store import Cursor, EventFilter, MediaKind, Store, UserRecord
from camera_hub.store.tidying import DAY_US
from tests.support.clocks import HandClock
from tests.support.server import CAMERAS, JPEG, SITE, START_US, event, ulid

IDLE_US = 7 * DAY_US


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with Store(tmp_path, clock=clock) as opened:
        yield opened


async def _tell(store: Store, *numbers: int, **more: object) -> None:
    for number in numbers:
        await store.deliver_event(SITE, f"m{number}", event(number, **more))  # type: ignore[arg-type]


async def _ids(store: Store, wanted: EventFilter) -> list[str]:
    return [stored.event.id for stored in (await store.event_page(wanted, 100)).events]


# -- pages -------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
async def test_pages_hold_each_event_once_also_with_equal_starts(store: Store, limit: int) -> None:
    for number in range(1, 15):
        await _tell(store, number, start_us=START_US + number // 4)
    seen: list[str] = []
    cursor: Cursor | None = None
    while True:
        page = await store.event_page(EventFilter(), limit, cursor)
        assert len(page.events) <= limit
        seen += [stored.event.id for stored in page.events]
        cursor = page.next
        if cursor is None:
            break
        cursor = Cursor.parse(str(cursor))
    assert seen == [ulid(number) for number in range(14, 0, -1)]


async def test_what_arrives_meanwhile_does_not_shift_the_pages(store: Store) -> None:
    await _tell(store, 1, 2, 3, 4)
    first = await store.event_page(EventFilter(), 2)
    await _tell(store, 9, start_us=START_US + 10)
    second = await store.event_page(EventFilter(), 2, first.next)
    ids = [stored.event.id for page in (first, second) for stored in page.events]
    assert ids == [ulid(4), ulid(3), ulid(2), ulid(1)]


async def test_a_full_last_page_says_that_it_is_the_last(store: Store) -> None:
    await _tell(store, 1, 2)
    assert (await store.event_page(EventFilter(), 2)).next is None


@pytest.mark.parametrize("text", ["", "1", "x-" + ulid(1), "1-" + ulid(10).lower(), f"1-{ulid(1)}x"])
def test_a_cursor_that_was_never_given_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        Cursor.parse(text)


# -- filters -----------------------------------------------------------------------------


async def test_filters(store: Store) -> None:
    await _tell(store, 1, zones=("Cổng",))
    await _tell(store, 2, camera="nha-van-hoa", start_us=START_US + 10)
    await _tell(store, 3, kind=EventKind.TAMPER, start_us=START_US + 20)
    await store.deliver_event("dong-tam", "m4", event(4, zones=("Cổng", "Sân"), start_us=START_US + 30))
    assert await _ids(store, EventFilter()) == [ulid(4), ulid(3), ulid(2), ulid(1)]
    assert await _ids(store, EventFilter(site="dong-tam")) == [ulid(4)]
    assert await _ids(store, EventFilter(site=SITE, camera="nha-van-hoa")) == [ulid(2)]
    assert await _ids(store, EventFilter(kind=EventKind.TAMPER)) == [ulid(3)]
    assert await _ids(store, EventFilter(zone="Cổng")) == [ulid(4), ulid(1)]
    assert await _ids(store, EventFilter(zone="Cổng", site=SITE)) == [ulid(1)]
    assert await _ids(store, EventFilter(after_us=START_US + 10, before_us=START_US + 30)) == [
        ulid(3),
        ulid(2),
    ]


# -- sites and cameras -------------------------------------------------------------------


async def test_cameras_are_as_the_site_told_them_last(store: Store) -> None:
    await store.site_linked(SITE, "Xóm Khe Cốc", "0.1.0", CAMERAS)
    assert [camera.info for camera in await store.cameras()] == list(CAMERAS)
    changed = (CameraInfo(id="nha-van-hoa", name="Nhà văn hoá mới"),)
    await store.site_linked(SITE, "Xóm Khe Cốc", "0.2.0", changed)
    assert [camera.info for camera in await store.cameras()] == list(changed)
    (site,) = await store.sites()
    assert site.software == "0.2.0"


async def test_a_camera_that_is_gone_still_names_its_events(store: Store) -> None:
    await store.site_linked(SITE, "Xóm Khe Cốc", "0.1.0", CAMERAS)
    await _tell(store, 1)
    await store.site_linked(SITE, "Xóm Khe Cốc", "0.1.0", ())
    stored = await store.event(ulid(1))
    assert stored is not None
    assert stored.camera_name == "Cổng làng"


async def test_the_last_contact_is_kept(store: Store, clock: HandClock) -> None:
    await store.site_linked(SITE, "Xóm Khe Cốc", "0.1.0", ())
    clock.go(100)
    await store.site_heard(SITE)
    (site,) = await store.sites()
    assert (site.linked_us, site.last_contact_us) == (START_US, clock.wall_us())


# -- sessions ----------------------------------------------------------------------------


async def test_a_session_ends_by_age_by_idling_and_by_hand(store: Store, clock: HandClock) -> None:
    await store.put_user(UserRecord("an", "An", "viewer", "hash"))
    for token in ("old", "idle", "used", "ended"):
        expires_us = clock.wall_us() + (2 if token == "old" else 30) * DAY_US
        await store.add_session(token, "an", expires_us)
    await store.end_session("ended")
    clock.go(5 * 86400)
    await store.session_seen("used")
    clock.go(3 * 86400)
    good = [token for token in ("old", "idle", "used", "ended") if await store.session(token, IDLE_US)]
    assert good == ["used"]


async def test_a_new_password_ends_the_users_other_sessions(store: Store) -> None:
    await store.put_user(UserRecord("an", "An", "viewer", "hash"))
    for token in ("here", "there"):
        await store.add_session(token, "an", START_US + DAY_US)
    await store.set_password("an", "new hash", keep_session="here")
    here = await store.session("here", IDLE_US)
    assert here is not None
    assert here.user.password_hash == "new hash"
    assert await store.session("there", IDLE_US) is None


async def test_users_that_leave_the_config_lose_their_sessions(store: Store) -> None:
    await store.put_user(UserRecord("an", "An", "viewer", "hash", "hash"))
    await store.put_user(UserRecord("admin", "Admin", "admin", "hash"))
    await store.add_session("token", "an", START_US + DAY_US)
    assert await store.remove_config_users_but(set()) == ["an"]
    assert await store.session("token", IDLE_US) is None
    assert await store.user("admin") is not None


# -- bounds ------------------------------------------------------------------------------


async def _with_picture(store: Store, number: int, start_us: int, jpeg: bytes = JPEG) -> None:
    await _tell(store, number, start_us=start_us, zones=("Cổng",))
    await store.deliver_picture(SITE, f"p{number}", ulid(number), "cong-lang", start_us, jpeg)


async def _media(store: Store) -> list[str]:
    found = [path for path in (store.folder / "media").rglob("*") if path.is_file()]
    return sorted(path.name[:26] for path in found)


async def test_events_go_after_their_days_with_their_files(store: Store, clock: HandClock) -> None:
    await _with_picture(store, 1, START_US)
    await _with_picture(store, 2, START_US + 2 * DAY_US)
    clock.now_us = 3 * DAY_US + 1
    await store.tidy(3, 10**9, IDLE_US)
    assert await _ids(store, EventFilter()) == [ulid(2)]
    assert await _ids(store, EventFilter(zone="Cổng")) == [ulid(2)]
    assert await _media(store) == [ulid(2)]


async def test_the_oldest_media_go_first_and_their_events_stay(store: Store) -> None:
    for number in range(1, 6):
        await _with_picture(store, number, START_US + number, bytes([number]) * 1000)
    await store.tidy(90, 2500, IDLE_US)
    assert await _media(store) == [ulid(4), ulid(5)]
    assert len(await _ids(store, EventFilter())) == 5
    gone = await store.event(ulid(1))
    assert gone is not None
    assert not gone.snapshot


async def test_pictures_whose_event_never_came_go_too(store: Store, clock: HandClock) -> None:
    await store.deliver_picture(SITE, "p1", ulid(1), "cong-lang", START_US, JPEG)
    clock.now_us = 4 * DAY_US
    await store.tidy(3, 10**9, IDLE_US)
    assert await _media(store) == []


async def test_litter_is_removed_and_what_is_fresh_is_left(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _with_picture(store, 1, START_US)
    litter = store.folder / "media" / SITE / "2026-05-28" / f"{ulid(7)}-abc.jpg.half1"
    litter.write_bytes(b"half")
    await store.tidy(90, 10**9, IDLE_US)
    assert litter.exists()
    monkeypatch.setattr("camera_hub.store.tidying._LITTER_AGE_S", -1.0)
    await store.tidy(90, 10**9, IDLE_US)
    assert not litter.exists()
    media = await store.event_media(ulid(1), MediaKind.PICTURE)
    assert media is not None
    assert (store.folder / media.path).exists()
