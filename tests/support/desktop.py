"""A desktop for Chromium that shows its notifications to a test, and on which a test clicks them."""

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import needs

_SERVER = Path(__file__).with_name("desktop_server.py")


@dataclass(frozen=True)
class Shown:
    """A notification as the desktop got it."""

    number: int
    replaces: int  # 0: nothing that is still there
    title: str
    body: str
    buttons: dict[str, str]  # what is written on each → its name
    hints: list[str]


class Desktop:
    def __init__(self, server: asyncio.subprocess.Process, env: dict[str, str]) -> None:
        self.env = env
        self._server = server

    async def shown(self, timeout_s: float = 30) -> Shown:
        """The next notification."""
        async with asyncio.timeout(timeout_s):
            while True:
                told = await self.told()
                if "title" in told:
                    break
        named = told.pop("actions")
        buttons = dict(zip(named[1::2], named[::2], strict=True))
        return Shown(**told, buttons=buttons)

    async def click(self, shown: Shown, button: str = "default") -> None:
        assert self._server.stdin is not None
        self._server.stdin.write(f"{shown.number} {button}\n".encode())
        await self._server.stdin.drain()

    async def told(self) -> dict[str, Any]:
        assert self._server.stdout is not None
        line = await self._server.stdout.readline()
        assert line, "the desktop has gone"
        found: dict[str, Any] = json.loads(line)
        return found


@contextlib.asynccontextmanager
async def desktop() -> AsyncIterator[Desktop]:
    """`env` is what a program needs to find it."""
    python = needs.session_bus()
    pipe = asyncio.subprocess.PIPE
    bus = await asyncio.create_subprocess_exec(
        "dbus-daemon",
        "--session",
        "--nofork",
        "--nopidfile",
        "--print-address=1",
        stdout=pipe,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert bus.stdout is not None
        address = (await bus.stdout.readline()).decode().strip()
        env = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": address}
        server = await asyncio.create_subprocess_exec(
            str(python), str(_SERVER), stdin=pipe, stdout=pipe, env=env
        )
        try:
            made = Desktop(server, env)
            assert await made.told() == {"ready": True}
            yield made
        finally:
            server.kill()
            await server.wait()
    finally:
        bus.terminate()
        await bus.wait()
