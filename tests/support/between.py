"""What may stand between a worker and its server: an HTTP proxy (CONNECT), and somebody who opens TLS."""

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.certificates import Files


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _join(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
) -> None:
    await asyncio.gather(_pump(near[0], far[1]), _pump(far[0], near[1]))


@dataclass
class Proxy:
    """An HTTP proxy that tunnels by CONNECT (RFC 9110, 9.3.6), to this machine whatever is asked for."""

    password: str | None = None  # of the user `me`, where it wants one
    refuses: int | None = None  # a status, where it lets nobody through
    port: int = 0
    asked: list[str] = field(default_factory=list)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, target, _ = head.split("\r\n", maxsplit=1)[0].split(" ")
        self.asked.append(f"{method} {target}")
        wanted = base64.b64encode(f"me:{self.password}".encode()).decode()
        if self.password is not None and f"Basic {wanted}" not in head:
            status = "407 Proxy Authentication Required"
        elif self.refuses is not None:
            status = f"{self.refuses} No"
        else:
            far = await asyncio.open_connection("127.0.0.1", int(target.rpartition(":")[2]))
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await _join((reader, writer), far)
            return
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@contextlib.asynccontextmanager
async def proxy(password: str | None = None, refuses: int | None = None) -> AsyncIterator[Proxy]:
    made = Proxy(password, refuses)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()


@contextlib.asynccontextmanager
async def interceptor(shown: Files, port: int, authority: Path | None) -> AsyncIterator[int]:
    """Somebody who shows a certificate of his own and passes all on, by TLS or plainly; gives his port."""
    near_tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    near_tls.load_cert_chain(shown.certificate, shown.key)
    far_tls = None if authority is None else ssl.create_default_context(cafile=authority)
    if far_tls is not None:
        far_tls.check_hostname = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far = await asyncio.open_connection("127.0.0.1", port, ssl=far_tls)
        await _join((reader, writer), far)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=near_tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
