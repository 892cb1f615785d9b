"""What is wrong with cameras and sites begins and ends once, also over a restart of the server."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from camera_hub.alerts.occurrence import AlertKind
from camera_hub.link.messages import Health, LinkHealth
from camera_hub.model import CameraHealth, CameraState, RecordingCause
from camera_hub.server.broadcast import Updates
from camera_hub.server.settings import KnownSite
from camera_hub.server.sites_state import SitesState
from camera_hub.server.troubles import SERVER, Troubles
from camera_hub.store import Store
from camera_hub.store.alert_records import Trouble
from tests.support.clocks import HandClock
from tests.support.server import CAMERAS, SITE, START_US, hello

GB = 10**9


class DiskUsage(NamedTuple):
    total: int
    used: int
    free: int


class Watched:
    def __init__(self, store: Store, clock: HandClock) -> None:
        self.clock = clock
        self.told: list[Trouble] = []
        self.state = SitesState(store, Updates(), (KnownSite(SITE, "Xóm Khe Cốc", "key"),), clock)
        self.troubles = Troubles(self.state, store.alerts, clock, self.told.append, store.folder)

    async def linked(self) -> None:
        await self.state.load()
        await self.state.site_connected(hello())

    async def health(
        self,
        state: CameraState = CameraState.ONLINE,
        *,
        ahead_s: float = 0,
        free: int = 50 * GB,
        recording: RecordingCause | None = None,
        waiting: int = 0,
        link: LinkHealth | None = None,
    ) -> None:
        first, second = (one.id for one in CAMERAS)
        cameras = (
            CameraHealth(first, state, START_US, recording_cause=recording),
            CameraHealth(second, CameraState.ONLINE, START_US),
        )
        at_us = self.clock.wall_us() + round(ahead_s * 1e6)
        await self.state.health(SITE, Health(at_us, cameras, waiting, free, 100 * GB, 0, link))
        await self.troubles.look()

    @property
    def said(self) -> list[tuple[AlertKind, str, bool]]:
        return [(one.kind, one.camera, one.end_us is not None) for one in self.told]


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
async def store(tmp_path: Path, clock: HandClock) -> AsyncIterator[Store]:
    async with Store(tmp_path, clock=clock) as opened:
        yield opened


async def test_a_camera_that_stays_away(store: Store, clock: HandClock) -> None:
    watched = Watched(store, clock)
    await watched.linked()
    await watched.health()
    await watched.health(CameraState.CONNECTING)
    assert watched.told == []  # a hiccup
    clock.go(10)
    await watched.health(CameraState.CONNECTING)
    await watched.health(CameraState.CONNECTING)
    await watched.health()
    assert watched.said == [
        (AlertKind.CAMERA_AWAY, "cong-lang", False),
        (AlertKind.CAMERA_AWAY, "cong-lang", True),
    ]
    assert watched.told[0].start_us == START_US
    assert watched.told[1].id == watched.told[0].id


async def test_a_site_that_is_silent_for_a_minute(store: Store, clock: HandClock) -> None:
    watched = Watched(store, clock)
    await watched.linked()
    await watched.health()
    await watched.state.site_gone(SITE)
    clock.go(59)
    await watched.troubles.look()
    assert watched.told == []
    clock.go(1)
    await watched.troubles.look()
    assert watched.said == [(AlertKind.SITE_AWAY, "", False)]
    await watched.linked()
    await watched.troubles.look()
    assert watched.said[1:] == [(AlertKind.SITE_AWAY, "", True)]


async def test_a_camera_that_was_away_when_its_site_went_is_not_back_by_that(
    store: Store, clock: HandClock
) -> None:
    watched = Watched(store, clock)
    await watched.linked()
    clock.go(10)
    await watched.health(CameraState.STALLED)
    await watched.state.site_gone(SITE)
    clock.go(120)
    await watched.troubles.look()
    assert watched.said == [(AlertKind.CAMERA_AWAY, "cong-lang", False), (AlertKind.SITE_AWAY, "", False)]


async def test_a_server_that_was_down_calls_no_site_away_for_that(store: Store, clock: HandClock) -> None:
    before = Watched(store, clock)
    await before.linked()
    await before.health()
    clock.go(3600)
    after = Watched(store, clock)
    await after.state.load()
    await after.troubles.look()
    clock.go(30)
    await after.troubles.look()
    assert after.told == []
    clock.go(30)
    await after.troubles.look()
    assert after.said == [(AlertKind.SITE_AWAY, "", False)]


async def test_a_trouble_goes_on_over_a_restart(store: Store, clock: HandClock) -> None:
    before = Watched(store, clock)
    await before.linked()
    clock.go(10)
    await before.health(CameraState.UNAUTHORISED)
    after = Watched(store, clock)
    await after.state.load()
    await after.troubles.look()
    await after.linked()
    await after.health(CameraState.UNAUTHORISED)
    assert after.told == []
    await after.health()
    assert after.said == [(AlertKind.CAMERA_AWAY, "cong-lang", True)]


async def test_a_site_that_is_away_still_is_after_a_restart_and_is_told_once(
    store: Store, clock: HandClock
) -> None:
    before = Watched(store, clock)
    await before.linked()
    await before.health()
    await before.state.site_gone(SITE)
    clock.go(60)
    await before.troubles.look()
    after = Watched(store, clock)
    await after.state.load()
    for _ in range(4):
        await after.troubles.look()
        clock.go(20)
    assert after.told == []
    await after.linked()
    await after.troubles.look()
    assert after.said == [(AlertKind.SITE_AWAY, "", True)]


async def test_disk_and_clock(store: Store, clock: HandClock) -> None:
    watched = Watched(store, clock)
    await watched.linked()
    await watched.health(free=GB // 4)
    await watched.health()
    await watched.health(recording=RecordingCause.DISK_FAILING)
    await watched.health(ahead_s=-11)
    await watched.health(ahead_s=9)
    assert watched.said == [
        (AlertKind.DISK, "", False),
        (AlertKind.DISK, "", True),
        (AlertKind.DISK, "", False),
        (AlertKind.CLOCK, "", False),
        (AlertKind.DISK, "", True),
        (AlertKind.CLOCK, "", True),
    ]


async def test_what_waited_behind_a_backlog_is_no_wrong_clock(store: Store, clock: HandClock) -> None:
    watched = Watched(store, clock)
    await watched.linked()
    await watched.health(ahead_s=-40, waiting=5000)  # of an older worker, which does not measure it
    await watched.health(ahead_s=-40, waiting=5000, link=LinkHealth(5000, clock_offset_us=20_000))
    assert watched.said == []
    await watched.health(link=LinkHealth(0, clock_offset_us=-11_000_000))
    await watched.health(ahead_s=-40, link=LinkHealth(0, clock_offset_us=1))
    assert watched.said == [(AlertKind.CLOCK, "", False), (AlertKind.CLOCK, "", True)]


async def test_a_flood_begins_and_ends(store: Store, clock: HandClock) -> None:
    watched = Watched(store, clock)
    await watched.linked()
    for on in (True, False):
        watched.state.flooding(SITE, on)
        await watched.troubles.look()
    assert watched.said == [(AlertKind.FLOOD, "", False), (AlertKind.FLOOD, "", True)]


async def test_the_disk_of_the_server_itself(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(store, clock)
    for free in (GB // 4, GB // 4, 2 * GB):
        monkeypatch.setattr(shutil, "disk_usage", lambda _, free=free: DiskUsage(100 * GB, 0, free))
        await watched.troubles.look()
    assert [(one.site, one.end_us is not None) for one in watched.told] == [(SERVER, False), (SERVER, True)]


async def test_a_large_disk_that_is_filled_as_it_may_is_not_full(
    store: Store, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(store, clock)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: DiskUsage(1000 * GB, 998 * GB, 2 * GB))
    await watched.troubles.look()
    assert watched.told == []
