"""Debian's coturn as a TURN server on 127.0.0.1, with a secret shared with the hub."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support import needs


def free_udp_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def coturn(folder: Path, secret: str, port: int = 0) -> AsyncIterator[int]:
    """Its port, by UDP and TCP. It relays to 127.0.0.1 too, which a real one must not."""
    port = port or free_udp_port()
    command = [needs.coturn(), "-n", "--listening-ip=127.0.0.1", f"--listening-port={port}", "--no-cli"]
    command += ["--relay-ip=127.0.0.1", "--allow-loopback-peers", "--no-tls", "--no-dtls", "--realm=xa"]
    command += ["--use-auth-secret", f"--static-auth-secret={secret}", "--log-file=stdout"]
    command += [f"--userdb={folder / 'turndb'}", f"--pidfile={folder / 'pid'}"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=folder
    )
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()
