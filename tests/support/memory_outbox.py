"""An outbox without a disk, for the tests of the link."""

from collections.abc import Sequence

from camera_hub.link.messages import Durable


class Box:
    """An outbox in memory."""

    def __init__(self, messages: Sequence[Durable] = ()) -> None:
        self.waiting = {message.id: message for message in messages}

    async def unacknowledged(self, skip: frozenset[str], limit: int) -> Sequence[Durable]:
        return [message for id_, message in self.waiting.items() if id_ not in skip][:limit]

    async def acknowledge(self, ids: Sequence[str]) -> None:
        for id_ in ids:
            self.waiting.pop(id_, None)
