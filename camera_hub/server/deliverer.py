"""Takes what is to be delivered to where it goes, one task for all, many deliveries at once.

Promises: what was to be told is told at least once, also over a restart, and not twice unless the server died
between the sending and the noting of it; each try's outcome is kept; a receiver that hangs delays nobody
else; a flood is folded into one message with a count. Whoever adds deliveries calls `wake`.
"""

import asyncio
import contextlib
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from camera_hub.alerts.telling.message import NotDeliveredError, Told
from camera_hub.alerts.telling.retries import again_us
from camera_hub.clock import Clock
from camera_hub.config.alerts import ChannelConfig
from camera_hub.server.channels import Channels
from camera_hub.store import StoreError
from camera_hub.store.alert_records import DeliveryState, StoredAlert, StoredDelivery
from camera_hub.store.alert_store import AlertStore

log = structlog.get_logger(__name__)

BATCH = 200
AT_ONCE = 20  # sendings
LOOK_AGAIN_S = 60.0
RETRY_S = 2.0
FOLDED_FROM = 4  # so many alerts that wait for one receiver become one message
FLOOD_MESSAGES = 6  # more messages than these ...
FLOOD_US = 600 * 1_000_000  # ... in so long wait, and are folded then

Receiver = tuple[str, str]  # channel, target
Write = Callable[[Sequence[StoredAlert], Sequence[StoredDelivery], ChannelConfig], Awaitable[Told]]
Send = Callable[[ChannelConfig, str, Told, str], Awaitable[None]]
"""(channel, target, message, the delivery's id); raises NotDeliveredError."""


class Deliverer:
    """`write` makes the message of some alerts, `send` takes it there, `gone` lets a target go."""

    def __init__(
        self,
        store: AlertStore,
        channels: Channels,
        clock: Clock,
        write: Write,
        send: Send,
        gone: Callable[[str], Awaitable[None]],
    ) -> None:
        self._store = store
        self._channels = channels
        self._clock = clock
        self._write = write
        self._send = send
        self._gone = gone
        self._news = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()
        self._busy: set[Receiver] = set()
        self._sent_us: dict[Receiver, deque[int]] = defaultdict(lambda: deque(maxlen=FLOOD_MESSAGES))

    def wake(self, _: Sequence[StoredDelivery] = ()) -> None:
        self._news.set()

    async def run(self) -> None:
        """Until cancelled; what is being sent then is sent again after a restart, if it was not noted."""
        try:
            while True:
                self._news.clear()
                try:
                    await self.work()
                    pause_s = await self._until_next_s()
                except StoreError as exc:
                    log.error("deliveries cannot be kept now; trying again", error=str(exc))
                    pause_s = RETRY_S
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._news.wait()
        finally:
            for task in self._sending:
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def work(self) -> None:
        """Begins all sendings that are due. Raises StoreError."""
        waiting: dict[Receiver, list[StoredDelivery]] = defaultdict(list)
        for one in await self._store.due_deliveries(BATCH):
            waiting[one.channel, one.target].append(one)
        for receiver, deliveries in waiting.items():
            if receiver in self._busy or len(self._sending) >= AT_ONCE:
                continue
            self._busy.add(receiver)
            task = asyncio.create_task(self._deliver(receiver, deliveries))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
            task.add_done_callback(self.wake_after)

    def wake_after(self, _: object) -> None:
        self._news.set()

    async def settled(self) -> None:
        """Wait until nothing is being sent."""
        while self._sending:
            await asyncio.gather(*self._sending, return_exceptions=True)

    async def _deliver(self, receiver: Receiver, deliveries: list[StoredDelivery]) -> None:
        try:
            stored = await self._channels.find(receiver[0])
            ids = [one.id for one in deliveries]
            if stored is None or not stored.channel.enabled:
                await self._store.delivered(ids, DeliveryState.DROPPED, "the channel is no more, or is off")
            elif stored.channel.kind == "webhook":
                for one in deliveries:  # machines count for themselves
                    await self._try(stored.channel, receiver, [one])
            else:
                await self._to_people(stored.channel, receiver, deliveries)
        except StoreError as exc:
            log.error("what became of a delivery cannot be kept; it is sent again", error=str(exc))
            await asyncio.sleep(RETRY_S)
        finally:
            self._busy.discard(receiver)

    async def _to_people(
        self, channel: ChannelConfig, receiver: Receiver, deliveries: list[StoredDelivery]
    ) -> None:
        now_us, sent = self._clock.wall_us(), self._sent_us[receiver]
        if len(sent) == FLOOD_MESSAGES and now_us - sent[0] < FLOOD_US:
            urgent, rest = await self._urgent(deliveries)
            await self._store.hold_deliveries([one.id for one in rest], sent[0] + FLOOD_US)
            deliveries = urgent
        if len(deliveries) >= FOLDED_FROM:
            await self._try(channel, receiver, deliveries)
            return
        for one in deliveries:
            await self._try(channel, receiver, [one])

    async def _urgent(
        self, deliveries: list[StoredDelivery]
    ) -> tuple[list[StoredDelivery], list[StoredDelivery]]:
        """Those that do not wait for the end of a flood, and the rest."""
        urgent: list[StoredDelivery] = []
        rest: list[StoredDelivery] = []
        for one in deliveries:
            stored = await self._store.alert(one.alert)
            (urgent if stored is not None and stored.alert.urgency == "urgent" else rest).append(one)
        return urgent, rest

    async def _try(
        self, channel: ChannelConfig, receiver: Receiver, deliveries: list[StoredDelivery]
    ) -> None:
        """One message for all these deliveries, and what became of it."""
        found = [await self._store.alert(one.alert) for one in deliveries]
        alerts = [one for one in found if one is not None]
        ids = [one.id for one in deliveries]
        if not alerts:
            await self._store.delivered(ids, DeliveryState.DROPPED, "the alert is no more")
            return
        newest = deliveries[-1]
        try:
            message = await self._write(alerts, deliveries, channel)
            await self._send(channel, receiver[1], message, newest.id)
        except NotDeliveredError as exc:
            await self._failed(channel, receiver, deliveries, exc)
            return
        except Exception as exc:  # a library's own mistake must not stop the others
            log.exception("a delivery broke", channel=channel.id)
            await self._failed(channel, receiver, deliveries, NotDeliveredError(f"it broke ({exc})"))
            return
        self._sent_us[receiver].append(self._clock.wall_us())
        await self._store.delivered([newest.id], DeliveryState.SENT)
        if len(ids) > 1:
            await self._store.delivered(ids[:-1], DeliveryState.FOLDED)

    async def _failed(
        self,
        channel: ChannelConfig,
        receiver: Receiver,
        deliveries: list[StoredDelivery],
        why: NotDeliveredError,
    ) -> None:
        log.warning("not delivered", channel=channel.id, why=str(why), alerts=len(deliveries))
        now_us = self._clock.wall_us()
        for one in deliveries:
            next_us = again_us(one.attempts + 1, now_us, why.after_s, machine=channel.kind == "webhook")
            if why.again and next_us is not None:
                await self._store.delivery_failed(one.id, str(why), next_us)
            else:
                await self._store.delivered([one.id], DeliveryState.GIVEN_UP, str(why))
        if why.gone and receiver[1]:
            await self._gone(receiver[1])

    async def _until_next_s(self) -> float:
        next_us = await self._store.next_delivery_us()
        if next_us is None:
            return LOOK_AGAIN_S
        # What is due already waits for a sending to end, and that wakes us.
        return min(max((next_us - self._clock.wall_us()) / 1e6, RETRY_S), LOOK_AGAIN_S)
