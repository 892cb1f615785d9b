"""Whatever is cut, killed and started anew between whichever messages: all arrives, once, and in order.

The real outbox, lanes, store and both ends' halves of the protocol, without a socket: hypothesis is the line.
"""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.outbox import ClipJob, Outbox
from camera_hub.link.messages import (
    SERVER_SKILLS,
    Ack,
    ClipWanted,
    EventClip,
    ServerMessage,
    decode_from_server,
    encode,
)
from camera_hub.link.server.taking import Taking
from camera_hub.link.worker.budget import Budget, Limits
from camera_hub.link.worker.sending import Sending
from camera_hub.live.hub import LiveHub
from camera_hub.model import Event
from camera_hub.server.broadcast import Updates
from camera_hub.server.commune import Commune
from camera_hub.server.sites_state import SitesState
from camera_hub.store import Dating, Delivery, EventFilter, MediaKind, Outcome, Store, UnacceptableError
from tests.support.clocks import HandClock
from tests.support.server import JPEG, SITE, START_US, event

MEMORY = Path("/dev/shm")  # a disk that need not be waited for, where there is one
NARROW_KBIT = 1  # so that pieces are small


class Line(RuleBasedStateMachine):
    """A hamlet, a commune, and all that can happen between them."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.runner = asyncio.Runner()
        self.clock = HandClock()
        self.told: dict[str, Event] = {}  # as the hamlet told it last
        self.clips: dict[str, bytes] = {}
        self.pictures: dict[str, bytes] = {}
        self.applied: list[tuple[str, int]] = []  # (event, revision), in the order of their taking effect
        self.down: list[bytes] = []  # on its way to the hamlet
        self.sending: Sending | None = None
        self.taking: Taking | None = None
        self.runner.run(self.open_hamlet())
        self.runner.run(self.open_commune())

    async def open_hamlet(self) -> None:
        self.outbox = AsyncOutbox(Outbox(self.folder / "worker.db", ["commune"], clock=self.clock))

    async def open_commune(self) -> None:
        self.store = Store(self.folder / "server", clock=self.clock)
        await self.store.open()
        deliver = self.store.deliver_events

        async def noted(
            site: str, told: Sequence[tuple[str, Event]], dating: Dating | None = None
        ) -> list[Delivery | UnacceptableError]:
            outcomes = await deliver(site, told, dating)
            for (_, one), outcome in zip(told, outcomes, strict=True):
                assert isinstance(outcome, Delivery)
                if outcome.outcome is Outcome.APPLIED:
                    self.applied.append((one.id, one.revision))
            return outcomes

        self.store.deliver_events = noted  # type: ignore[method-assign]
        state = SitesState(self.store, Updates(), (), self.clock)
        self.commune = Commune(state, LiveHub(_nothing, _nothing))

    # -- what happens in the hamlet ---------------------------------------------------------

    @rule(camera=st.sampled_from(["cong-lang", "nha-van-hoa"]), picture=st.integers(0, 9000))
    def an_event_opens(self, camera: str, picture: int) -> None:
        self.tell(event(len(self.told) + 1, camera=camera), picture)

    @precondition(lambda self: self.told)
    @rule(which=st.integers(0, 10**6), picture=st.integers(0, 9000))
    def an_event_goes_on(self, which: int, picture: int) -> None:
        known = list(self.told.values())[which % len(self.told)]
        again = event(1, camera=known.camera, revision=known.revision + 1)
        self.tell(replace(again, id=known.id), picture)

    def tell(self, one: Event, picture: int) -> None:
        self.told[one.id] = one
        jpeg = None
        if picture:
            jpeg = self.pictures[one.id] = JPEG + bytes([picture % 251]) * picture
        self.outbox.file.put_event(one, jpeg, START_US + one.revision)
        self.changed()

    @precondition(lambda self: self.told)
    @rule(which=st.integers(0, 10**6), size=st.integers(1, 20_000), short=st.booleans())
    def a_clip_is_cut(self, which: int, size: int, short: bool) -> None:
        one = list(self.told.values())[which % len(self.told)]
        if one.id in self.clips:
            return
        content = self.clips[one.id] = bytes([size % 251, which % 251]) * size
        made = EventClip(f"clip-{one.id}", one.id, one.camera, START_US, 1, content, short)
        self.outbox.file.put_clip(made, ClipJob(one, short, 0))
        self.changed()

    def changed(self) -> None:
        if self.sending is not None:
            self.sending.outbox_changed()

    # -- what happens on the line -----------------------------------------------------------

    @rule(new_ends=st.booleans())
    def the_line_is_cut_and_dialled_again(self, new_ends: bool) -> None:
        self.down.clear()
        can = SERVER_SKILLS if new_ends else frozenset[str]()
        self.runner.run(self.connect(can))

    async def connect(self, can: frozenset[str]) -> None:
        budget = Budget(Limits(), UTC, self.clock)
        place = self.outbox.for_server("commune")
        self.sending = Sending("commune", place, await place.newest(), can, budget, list)
        self.taking = Taking(SITE, self.commune, self.answer, _nothing, unknown=_nothing)

    async def answer(self, message: ServerMessage) -> None:
        self.down.append(encode(message))

    @rule()
    def the_worker_is_killed(self) -> None:
        self.lose()
        self.outbox.close()
        self.runner.run(self.open_hamlet())

    @rule()
    def the_server_is_killed(self) -> None:
        self.lose()
        self.runner.run(self.store.close())
        self.runner.run(self.open_commune())

    def lose(self) -> None:
        self.down.clear()
        self.sending = self.taking = None

    @precondition(lambda self: self.sending is not None)
    @rule(most=st.integers(1, 12))
    def messages_arrive_at_the_server(self, most: int) -> None:
        self.runner.run(self.up(most))

    async def up(self, most: int) -> int:
        assert self.sending is not None
        assert self.taking is not None
        count = 0
        while count < most:
            step = await self.sending.next(lambda: 0, NARROW_KBIT)
            if step.data is None:
                break
            await self.taking.take(step.data)
            count += 1
        while not self.taking.is_idle:
            await self.taking.keep_next()
        return count

    @precondition(lambda self: self.down)
    @rule(most=st.integers(1, 12))
    def answers_arrive_at_the_worker(self, most: int) -> None:
        self.runner.run(self.take_answers(most))

    async def take_answers(self, most: int) -> None:
        assert self.sending is not None
        now, self.down = self.down[:most], self.down[most:]
        for data in now:
            message = decode_from_server(data)
            match message:
                case Ack(ids=ids):
                    await self.outbox.for_server("commune").acknowledge(ids)
                    self.sending.acknowledged(ids)
                case ClipWanted():
                    self.sending.wanted(message)

    # -- what always holds -------------------------------------------------------------------

    @invariant()
    def the_counts_are_right(self) -> None:
        box = self.outbox.file
        assert box.waiting == {"commune": box.depth}

    async def check(self) -> None:
        for _ in range(1000):
            if not await self.up(50) and not self.down:
                break
            await self.take_answers(1000)
        assert self.outbox.file.depth == 0
        found = (await self.store.event_page(EventFilter(), 200)).events
        assert {one.event.id: one.event for one in found} == self.told
        for kind, told in ((MediaKind.CLIP, self.clips), (MediaKind.PICTURE, self.pictures)):
            for event_id, content in told.items():
                media = await self.store.event_media(event_id, kind)
                assert media is not None
                assert (self.store.folder / media.path).read_bytes() == content
        assert not list((self.folder / "server" / "arriving").rglob("*.part"))

    def teardown(self) -> None:
        try:
            self.the_line_is_cut_and_dialled_again(new_ends=True)
            self.runner.run(self.check())
            assert len(set(self.applied)) == len(self.applied)
            for event_id in self.told:
                revisions = [revision for id_, revision in self.applied if id_ == event_id]
                assert revisions == sorted(revisions)
        finally:
            self.outbox.close()
            self.runner.run(self.store.close())
            self.runner.close()
            shutil.rmtree(self.folder)


async def _nothing(*_: object) -> None: ...


TestLine = Line.TestCase
TestLine.settings = settings(
    max_examples=15,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
