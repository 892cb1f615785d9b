"""An outbox without a disk, for the tests of the link."""

from collections.abc import Sequence

from camera_hub.link.messages import Durable, Lane, Shed, lane_of
from camera_hub.link.worker.outgoing import Numbered


class Box:
    """An outbox in memory."""

    def __init__(self, messages: Sequence[Durable] = ()) -> None:
        self.waiting: dict[str, Durable] = {}
        self._numbers: dict[str, int] = {}
        self.put(*messages)

    def put(self, *messages: Durable) -> None:
        for message in messages:
            self.waiting[message.id] = message
            self._numbers[message.id] = len(self._numbers) + 1

    async def newest(self) -> int:
        return len(self._numbers)

    async def unacknowledged(
        self, lane: Lane, after: int, until: int | None, limit: int
    ) -> Sequence[Numbered]:
        found = [
            Numbered(self._numbers[one.id], one) for one in self.waiting.values() if lane_of(one) is lane
        ]
        return [one for one in found if after < one.number and (until is None or one.number <= until)][:limit]

    async def acknowledge(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            self.waiting.pop(id_, None)

    def depth(self) -> int:
        return len(self.waiting)

    def shed(self) -> Sequence[Shed]:
        return ()
