"""A bad network between a viewer and the server: a UDP relay that is late, narrow, and loses packets.

Kernels without netem have no other way to delay, and this one needs no rights.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

Address = tuple[str, int]

QUEUE_S = 0.2


@dataclass
class Network:
    """What happens to each datagram, either way. May be changed while it is used."""

    delay_s: float = 0.0  # one way
    loss: float = 0.0  # of datagrams
    kbit_s: int | None = None  # at most, in all; more than QUEUE_S of it does not wait but is lost
    chance: Random = field(default_factory=lambda: Random(1))  # the same on every run
    lost: int = 0
    passed: int = 0
    _free_at: float = 0.0  # when all that waits has left

    def takes_s(self, size: int, now: float) -> float | None:
        """How long a datagram of so many bytes is on its way; None if it is lost."""
        waits_s = 0.0
        if self.kbit_s is not None:
            waits_s = max(self._free_at - now, 0.0)
        if waits_s > QUEUE_S or self.chance.random() < self.loss:
            self.lost += 1
            return None
        self.passed += 1
        if self.kbit_s is not None:
            self._free_at = now + waits_s + size * 8 / (self.kbit_s * 1000)
        return self.delay_s + waits_s


class _Far(asyncio.DatagramProtocol):
    """The relay's end towards the server, for one viewer's address."""

    def __init__(self, near: "_Near", viewer: Address) -> None:
        self._near = near
        self._viewer = viewer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._near.later(self._near.transport, data, self._viewer)

    def error_received(self, exc: Exception) -> None:
        pass


class _Near(asyncio.DatagramProtocol):
    """Its end towards viewers."""

    def __init__(self, network: Network, server: Address) -> None:
        self._network = network
        self._server = server
        self._far: dict[Address, asyncio.Future[_Far]] = {}

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        if addr not in self._far:
            self._far[addr] = asyncio.ensure_future(self._open(addr))
        far = self._far[addr]
        far.add_done_callback(lambda done: self.later(done.result().transport, data, None))

    async def _open(self, viewer: Address) -> _Far:
        loop = asyncio.get_running_loop()
        _, far = await loop.create_datagram_endpoint(lambda: _Far(self, viewer), remote_addr=self._server)
        return far

    def later(self, transport: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
        loop = asyncio.get_running_loop()
        takes_s = self._network.takes_s(len(data), loop.time())
        if takes_s is not None:
            loop.call_later(takes_s, self._pass, transport, data, to)

    @staticmethod
    def _pass(transport: asyncio.DatagramTransport, data: bytes, to: Address | None) -> None:
        if not transport.is_closing():
            transport.sendto(data, to)

    def close(self) -> None:
        self.transport.close()
        for far in self._far.values():
            if far.done():
                far.result().transport.close()


class Relays:
    """Relays through a network, at an address of ours, until they are closed."""

    def __init__(self, network: Network, host: str = "127.0.0.1") -> None:
        self.network = network
        self._host = host
        self._near: list[_Near] = []

    async def through(self, answer: str) -> str:
        """An SDP answer whose candidates are relays to those that it had."""
        lines = []
        for line in answer.splitlines():
            match = re.fullmatch(r"(a=candidate:\S+ 1 udp \d+) (\S+) (\d+)( typ host.*)", line)
            if match is None:
                lines.append(line)
            elif ":" not in match[2]:
                port = await self._open((match[2], int(match[3])))
                lines.append(f"{match[1]} {self._host} {port}{match[4]}")
        return "\r\n".join(lines) + "\r\n"

    async def _open(self, server: Address) -> int:
        loop = asyncio.get_running_loop()
        transport, near = await loop.create_datagram_endpoint(
            lambda: _Near(self.network, server), local_addr=(self._host, 0)
        )
        self._near.append(near)
        port: int = transport.get_extra_info("sockname")[1]
        return port

    def close(self) -> None:
        for near in self._near:
            near.close()


@contextlib.asynccontextmanager
async def bad_network(
    delay_s: float, loss: float = 0.0, kbit_s: int | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Relays]:
    relays = Relays(Network(delay_s, loss, kbit_s), host)
    try:
        yield relays
    finally:
        relays.close()
