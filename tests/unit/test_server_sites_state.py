"""What the sites' state tells the rules and the dashboard of events that come together."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from camera_hub.link.messages import EventNews
from camera_hub.server.broadcast import Updates
from camera_hub.server.sites_state import SitesState
from camera_hub.store import Store
from tests.support.clocks import HandClock
from tests.support.server import SITE, event


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path, clock=HandClock()) as opened:
        yield opened


async def test_the_rules_are_told_once_of_what_came_together_and_not_of_what_was_known(store: Store) -> None:
    woken: list[bool] = []
    published: list[object] = []
    updates = Updates()
    updates.listen(lambda kind, data: published.append((kind, data)))
    state = SitesState(store, updates, clock=HandClock(), on_event=lambda: woken.append(True))
    told = [
        EventNews("m1", event(1)),
        EventNews("m2", replace(event(1), revision=2)),
        EventNews("m3", event(2)),
    ]
    await state.deliver_events(SITE, told)
    assert len(woken) == 1
    assert len(published) == 2
    assert sum(state.events_received.values()) == 2
    await state.deliver_events(SITE, told)
    assert (len(woken), len(published)) == (1, 2)
    assert len(await store.alerts.unjudged(10)) == 2
    await state.deliver(SITE, EventNews("m4", event(3)))
    assert len(woken) == 2
