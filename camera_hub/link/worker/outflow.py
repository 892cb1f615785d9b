"""From what is to be sent onto the wire: no more at once than the line takes, on as soon as there is more."""

import asyncio
import contextlib

from websockets.asyncio.client import ClientConnection

from camera_hub.clock import Clock
from camera_hub.link.worker.line import Line
from camera_hub.link.worker.pace import Pace
from camera_hub.link.worker.sending import Sending

_AGAIN_US, _LONGEST_US = 5_000, 100_000  # until the line is looked at again


async def flow(
    socket: ClientConnection, sending: Sending, pace: Pace, wake: asyncio.Event, clock: Clock
) -> None:
    """Sends what `sending` has, in its order, until cancelled; `wake` says that there is more."""
    line = Line(socket)

    def gate_us() -> int:
        under_way = line.under_way()
        pace.seen(under_way, line.round_trip_us(), clock.monotonic_us())
        over = under_way - pace.room
        if over < 0:
            return 0
        return min(max(int(over * 1e6 / (pace.bytes_per_s or 100_000)), _AGAIN_US), _LONGEST_US)

    while True:
        wake.clear()
        rate = pace.bytes_per_s
        step = await sending.next(gate_us, None if rate is None else rate / 125)
        if step.data is not None:
            await socket.send(step.data)
            pace.sent(len(step.data))
            continue
        # A time limit is an error to nobody here.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(None if step.wait_us is None else step.wait_us / 1e6):
                await wake.wait()
