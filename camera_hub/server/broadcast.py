"""`Updates`: the broadcaster behind /api/updates. Knows nothing of HTTP nor of what it carries.

Promises: `publish` never waits; a client that does not keep up is let go; what was sent lately is
remembered for clients that come back.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pydantic import BaseModel

MAX_CLIENTS = 500
MAX_WAITING = 256  # updates of one client
REMEMBERED = 1000  # updates, for those who come back
RESET = b"event: reset\ndata: {}\n\n"


Listener = Callable[[str, BaseModel], None]
"""Hears the kind of an update, and what it carries."""


class Client:
    """One who follows."""

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque()
        self._news = asyncio.Event()
        self._ended = False

    def put(self, data: bytes) -> bool:
        """False when the client does not keep up."""
        if len(self._waiting) >= MAX_WAITING:
            return False
        self._waiting.append(data)
        self._news.set()
        return True

    def end(self) -> None:
        self._ended = True
        self._news.set()

    async def next(self) -> bytes | None:
        """All that waits, as one piece; None when it is over."""
        await self._news.wait()
        if self._ended:
            return None
        self._news.clear()
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


class Updates:
    """Everybody who follows what changes."""

    def __init__(self) -> None:
        self._start = secrets.token_hex(4)
        self._number = 0
        self._clients: set[Client] = set()
        self._remembered: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)
        self._closed = False
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> None:
        """Have somebody in this process hear of all that is published; it must not wait."""
        self._listeners.append(listener)

    @property
    def clients(self) -> int:
        return len(self._clients)

    @property
    def full(self) -> bool:
        return len(self._clients) >= MAX_CLIENTS

    def publish(self, kind: str, data: BaseModel) -> None:
        for listener in self._listeners:
            listener(kind, data)
        self._send(kind, data.model_dump_json())

    def _send(self, kind: str, text: str) -> None:
        self._number += 1
        message = f"event: {kind}\nid: {self._start}-{self._number}\ndata: {text}\n\n".encode()
        self._remembered.append((self._number, message))
        for client in [client for client in self._clients if not client.put(message)]:
            client.end()
            self._clients.discard(client)

    def start_anew(self) -> None:
        """Has all who follow read everything again."""
        self._send("reset", "{}")

    @contextmanager
    def subscribe(self, last_id: str | None = None) -> Iterator[Client]:
        """Follow, from after `last_id` where that is still known."""
        client = Client()
        missed = b"" if last_id is None else self._missed(last_id)
        if missed:
            client.put(missed)
        if self._closed:
            client.end()
        self._clients.add(client)
        try:
            yield client
        finally:
            self._clients.discard(client)

    def close(self) -> None:
        """Ends all streams, so that the server can end."""
        self._closed = True
        for client in self._clients:
            client.end()
        self._clients.clear()

    def _missed(self, last_id: str) -> bytes:
        start, _, number = last_id.partition("-")
        if start != self._start or not (number.isascii() and number.isdecimal()):
            return RESET
        last = int(number)
        oldest = self._number - len(self._remembered) + 1
        if not oldest - 1 <= last <= self._number:
            return RESET
        return b"".join(message for at, message in self._remembered if at > last)
