"""Debian's coturn for a test: a STUN and TURN server on an address of its own."""

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

from tests.support import needs

SECRET = "bí mật của xã"


def free_udp_port(host: str = "127.0.0.1") -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind((host, 0))
        port: int = free.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def coturn(folder: Path, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
    """Its port; SECRET is shared with it."""
    port = port or free_udp_port(host)
    command = [needs.coturn(), "-n", f"--listening-ip={host}", f"--listening-port={port}", "--no-cli"]
    command += [f"--relay-ip={host}", "--allow-loopback-peers", "--no-tls", "--no-dtls", "--realm=xa"]
    command += ["--use-auth-secret", f"--static-auth-secret={SECRET}", "--log-file=stdout"]
    command += [f"--userdb={folder / 'turndb'}", f"--pidfile={folder / 'pid'}"]
    process = await asyncio.create_subprocess_exec(
        *command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder
    )
    try:
        yield port
    finally:
        process.terminate()
        await process.wait()
