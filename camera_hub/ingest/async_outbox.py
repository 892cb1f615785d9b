"""The outbox for the event loop, and one server's place in it as the link wants it."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from camera_hub.ingest.outbox import Outbox
from camera_hub.link.messages import Lane, Shed
from camera_hub.link.worker.outgoing import Numbered
from camera_hub.model import HubError

_P = ParamSpec("_P")
_T = TypeVar("_T")


class OutboxError(HubError):
    """The disk does not let us read or write what waits, for now."""


class AsyncOutbox:
    """The outbox for the event loop: its calls run one after the other in a thread of their own."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox")

    async def call(self, method: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Run one of the outbox's methods."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: method(*args, **kwargs))

    @property
    def file(self) -> Outbox:
        return self._outbox

    def for_server(self, server: str) -> "ServerOutbox":
        return ServerOutbox(self, server)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._outbox.close()


class ServerOutbox:
    """One server's place in the outbox, as the link wants it."""

    def __init__(self, outbox: AsyncOutbox, server: str) -> None:
        self._outbox = outbox
        self._server = server

    async def newest(self) -> int:
        """Raises OutboxError."""
        return await self._call(self._outbox.file.newest)

    async def unacknowledged(
        self, lane: Lane, after: int, until: int | None, limit: int
    ) -> Sequence[Numbered]:
        """Raises OutboxError."""
        return await self._call(self._outbox.file.unacknowledged, self._server, lane, after, until, limit)

    async def acknowledge(self, ids: Sequence[str]) -> None:
        """Raises OutboxError: the messages stay, are sent again, and the server knows them."""
        await self._call(self._outbox.file.acknowledge, self._server, ids)

    def depth(self) -> int:
        return self._outbox.file.waiting.get(self._server, 0)

    def shed(self) -> Sequence[Shed]:
        return self._outbox.file.shed.get(self._server, ())

    async def _call(self, method: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await self._outbox.call(method, *args, **kwargs)
        except sqlite3.OperationalError as exc:
            raise OutboxError(f"the outbox cannot be used for now ({exc})") from exc
