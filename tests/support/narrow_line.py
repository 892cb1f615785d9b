"""A narrow line between a worker and its server: a TCP relay on 127.0.0.1 with a rate, a delay, and cuts.

Kernels without netem have no other way, and this one needs no rights. It keeps little itself: what does not
fit on the line waits where it would wait with a modem, in the sender.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine

_CHUNK = 1448
_BUFFER = 8 * 1024  # the kernel takes twice that


class Line:
    """Both directions have the same rate and delay. May be changed while it is used."""

    def __init__(
        self, address: tuple[str, int], kbit: float, delay_s: float, make: Callable[[], socket.socket]
    ) -> None:
        """`address` is the server's; `make` gives TCP sockets, of the network in which the line begins."""
        self.port = 0  # where the worker dials
        self.kbit = kbit
        self.delay_s = delay_s  # one way
        self.up_bytes = 0  # that have arrived at the server, since the beginning
        self.most_up_bytes: int | None = None  # after so many it is cut
        self.is_down = False
        self._server = address
        self._make = make
        self._tasks: set[asyncio.Task[None]] = set()
        self._sockets: set[socket.socket] = set()

    @property
    def bytes_per_s(self) -> float:
        return self.kbit * 125

    async def serve(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        with _small(self._make()) as listening:
            listening.bind(("127.0.0.1", self.port))
            self.port = listening.getsockname()[1]
            listening.listen()
            while True:
                near, _ = await loop.sock_accept(listening)
                if self.is_down:
                    near.close()
                else:
                    self._start(self._connected(near))

    def cut(self) -> None:
        """Break all connections, as when the power goes: what is on the line is lost."""
        for task in self._tasks:
            task.cancel()
        for sock in self._sockets:
            sock.close()
        self._sockets.clear()

    def _start(self, coroutine: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, near: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        far = _small(self._make())
        near.setblocking(False)
        try:
            await loop.sock_connect(far, self._server)
        except OSError:
            near.close()
            far.close()
            return
        self._sockets |= {near, far}
        self._start(self._carry(near, far, up=True))
        self._start(self._carry(far, near, up=False))

    async def _carry(self, source: socket.socket, sink: socket.socket, up: bool) -> None:
        loop = asyncio.get_running_loop()
        on_line: deque[tuple[float, bytes]] = deque()
        arrived = asyncio.Event()

        async def deliver() -> None:
            while True:
                while not on_line:
                    arrived.clear()
                    await arrived.wait()
                due, data = on_line.popleft()
                await asyncio.sleep(max(0, due - loop.time()))
                if not data:
                    raise EOFError
                await loop.sock_sendall(sink, data)
                if up:
                    self.up_bytes += len(data)
                    if self.most_up_bytes is not None and self.up_bytes >= self.most_up_bytes:
                        self.most_up_bytes = None
                        self.cut()

        async def take() -> None:
            free_at = loop.time()
            while True:
                data = await loop.sock_recv(source, _CHUNK)
                free_at = max(free_at, loop.time()) + len(data) / self.bytes_per_s
                await asyncio.sleep(max(0, free_at - loop.time()))
                on_line.append((loop.time() + self.delay_s, data))
                arrived.set()
                if not data:
                    return

        with contextlib.suppress(OSError, EOFError):
            taking = asyncio.ensure_future(take())
            try:
                await deliver()
            finally:
                taking.cancel()
                await asyncio.gather(taking, return_exceptions=True)
                for sock in (source, sink):
                    sock.close()
                    self._sockets.discard(sock)


def _small(sock: socket.socket) -> socket.socket:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setblocking(False)
    return sock


@contextlib.asynccontextmanager
async def narrow_line(
    port: int,
    kbit: float,
    delay_s: float = 0.0,
    host: str = "127.0.0.1",
    make: Callable[[], socket.socket] = socket.socket,
) -> AsyncIterator[Line]:
    """A line to a server's port."""
    line = Line((host, port), kbit, delay_s, make)
    serving = asyncio.ensure_future(line.serve())
    await asyncio.sleep(0)  # it listens
    try:
        yield line
    finally:
        serving.cancel()
        line.cut()
        await asyncio.gather(serving, return_exceptions=True)
