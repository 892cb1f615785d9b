"""Waiting for things to come true: generous, since machines are noisy."""

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable


async def until(what: Callable[[], object], timeout_s: float = 20, every_s: float = 0.02) -> None:
    """Wait until `what()` is true; fails with its name after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, f"still not true after {timeout_s} s: {what}"
        await asyncio.sleep(every_s)


async def until_async(
    what: Callable[[], Awaitable[object]], timeout_s: float = 20, every_s: float = 0.1
) -> None:
    """Like `until`, for a coroutine."""
    deadline = time.monotonic() + timeout_s
    while not await what():
        assert time.monotonic() < deadline, f"still not true after {timeout_s} s: {what}"
        await asyncio.sleep(every_s)


def until_blocking(what: Callable[[], object], timeout_s: float = 20, every_s: float = 0.05) -> None:
    """Like `until`, without an event loop."""
    deadline = time.monotonic() + timeout_s
    while not what():
        assert time.monotonic() < deadline, f"still not true after {timeout_s} s: {what}"
        time.sleep(every_s)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port
