"""What a server asks of a worker and waits for: each question is answered when its answer is there."""

import asyncio
from collections.abc import Callable

from camera_hub.link.messages import (
    Configure,
    RangeMore,
    RangeStop,
    RangeWanted,
    ServerMessage,
    SpansWanted,
    StillRequest,
)
from camera_hub.link.worker.protocols import Hamlet
from camera_hub.link.worker.ranges import RangesOut
from camera_hub.link.worker.sending import Sending

Question = StillRequest | SpansWanted | Configure


class Answering:
    """One connection's."""

    def __init__(
        self, server: str, hamlet: Hamlet, ranges: RangesOut, sending: Sending, wake: Callable[[], None]
    ) -> None:
        self._server = server
        self._hamlet = hamlet
        self._ranges = ranges
        self._sending = sending
        self._wake = wake
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, message: ServerMessage) -> bool:
        """Whether it is a question; then it is answered."""
        match message:
            case StillRequest() | SpansWanted() | Configure():
                task = asyncio.create_task(self._answer(message))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            case RangeWanted() | RangeMore() | RangeStop():
                refused = self._ranges.hear(message)
                self._sending.control.extend([refused] if refused else [])
            case _:
                return False
        return True

    def close(self) -> None:
        """Nobody waits for answers any more."""
        for task in self._tasks:
            task.cancel()

    async def _answer(self, question: Question) -> None:
        match question:
            case StillRequest():
                self._sending.answers.append(await self._hamlet.still(question))
            case SpansWanted():
                self._sending.answers.append(await self._hamlet.recordings.spans(question))
            case Configure():
                self._sending.control.append(await self._hamlet.configure(self._server, question))
        self._wake()
