"""One linked worker, as the server has it: what goes to it, and the answers that are waited for."""

import asyncio
import itertools
from typing import Protocol

from camera_hub.link.messages import Hello, ServerMessage, Still, StillRequest, encode
from camera_hub.link.server.ranges import RangesIn

SEND_S = 20.0  # a worker that takes nothing for so long is gone
STILL_S = 5.0

_requests = itertools.count(1)


class Socket(Protocol):
    """A WebSocket that carries bytes; `receive` raises EOFError when the other end has gone."""

    async def receive(self) -> bytes: ...

    async def send(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class LinkedSite:
    """From its Welcome to its end."""

    def __init__(self, hello: Hello, socket: Socket, address: str) -> None:
        self.name = hello.site
        self.run = hello.run
        self.can = frozenset(hello.can)
        self.address = address
        self.cut = False  # nothing that it sends is taken any more
        self.key_nonce: bytes | None = None  # of the NewKeyWanted that waits for its answer
        self.floods = False
        self.not_taken: set[str] = set()  # names of messages that the log has
        self.ranges = RangesIn(self.send)
        self._socket = socket
        self._lock = asyncio.Lock()
        self._stills: dict[int, asyncio.Future[Still]] = {}

    async def send(self, message: ServerMessage) -> None:
        """Raises TimeoutError or EOFError when the worker no longer takes anything."""
        async with self._lock, asyncio.timeout(SEND_S):
            await self._socket.send(encode(message))

    async def send_or_close(self, message: ServerMessage) -> None:
        try:
            await self.send(message)
        except (EOFError, TimeoutError):
            await self.close()

    async def close(self) -> None:
        for waiting in self._stills.values():
            waiting.cancel()
        self.ranges.close()
        await self._socket.close()

    async def still(self, camera: str, height: int | None) -> Still:
        """One picture of a camera as it is now; its `error` says in words why there is none."""
        request = next(_requests)
        answer: asyncio.Future[Still] = asyncio.get_running_loop().create_future()
        self._stills[request] = answer
        try:
            async with asyncio.timeout(STILL_S):
                await self.send(StillRequest(request=request, camera=camera, height=height))
                return await answer
        except (TimeoutError, EOFError):
            return no_still("the site did not answer in time")
        except asyncio.CancelledError:
            if answer.cancelled():
                return no_still("the site has just gone")
            raise
        finally:
            self._stills.pop(request, None)

    def hear_still(self, message: Still) -> None:
        waiting = self._stills.get(message.request)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)


def no_still(error: str) -> Still:
    """In place of a picture: why there is none."""
    return Still(request=0, jpeg=None, at_us=0, error=error)
