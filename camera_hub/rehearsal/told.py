"""What the hub acknowledged, and how long after the mover came. Knows no clock but the one it is given."""

import statistics
from collections.abc import Callable, Sequence

from camera_hub.clock import Clock
from camera_hub.link.messages import EventNews, Lane, Shed
from camera_hub.link.worker.end import Outbox
from camera_hub.link.worker.outgoing import Numbered
from camera_hub.model import CameraHealth, CameraState, Event

Say = Callable[[str], None]


class Told:
    """One rehearsal's events. `through` puts it between a link and what waits for it."""

    def __init__(self, clock: Clock, say: Say) -> None:
        self._clock = clock
        self._say = say
        self._began_us: dict[str, int] = {}  # camera → wall, when its clip began
        self._known: set[str] = set()
        self.delays_s: list[float] = []
        """From a mover's first picture to the hub's word that it has the event."""

    def cameras(self, healths: Sequence[CameraHealth]) -> None:
        """How the cameras do now: the moment when one came online is its clip's beginning."""
        for health in healths:
            if health.state is CameraState.ONLINE:
                self._began_us.setdefault(health.camera, health.since_us)

    def through(self, waiting: Outbox) -> Outbox:
        return _Overheard(waiting, self._acknowledged)

    def _acknowledged(self, event: Event) -> None:
        if event.id in self._known:
            return
        self._known.add(event.id)
        delay_s = (self._clock.wall_us() - event.start_us) / 1e6
        self.delays_s.append(delay_s)
        at_us = event.start_us - self._began_us.get(event.camera, event.start_us)
        minutes, seconds = divmod(max(at_us, 0) // 1_000_000, 60)
        self._say(f"{minutes:02}:{seconds:02}  {event.camera}  {event.kind}  told after {delay_s:.1f} s")

    def summary(self) -> str:
        if not self.delays_s:
            return "No event was told: nothing that the hub takes for a mover was in the clips."
        count = len(self.delays_s)
        middle, most = statistics.median(self.delays_s), max(self.delays_s)
        return (
            f"{count} event{'' if count == 1 else 's'} told; from the mover's first picture to the hub: "
            f"{middle:.1f} s (median), {most:.1f} s (longest)."
        )


class _Overheard:
    """An outbox that tells of the events that were acknowledged for the first time."""

    def __init__(self, waiting: Outbox, acknowledged: Callable[[Event], None]) -> None:
        self._waiting = waiting
        self._acknowledged = acknowledged
        self._sent: dict[str, Event] = {}

    async def newest(self) -> int:
        return await self._waiting.newest()

    async def unacknowledged(
        self, lane: Lane, after: int, until: int | None, limit: int
    ) -> Sequence[Numbered]:
        found = await self._waiting.unacknowledged(lane, after, until, limit)
        news = [message for _, message in found if isinstance(message, EventNews)]
        self._sent.update((message.id, message.event) for message in news)
        return found

    def depth(self) -> int:
        return self._waiting.depth()

    def shed(self) -> Sequence[Shed]:
        return self._waiting.shed()

    async def acknowledge(self, ids: Sequence[str]) -> None:
        await self._waiting.acknowledge(ids)
        for id_ in ids:
            event = self._sent.pop(id_, None)
            if event is not None:
                self._acknowledged(event)
