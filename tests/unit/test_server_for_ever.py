"""Work of the server that breaks is told of and goes on."""

import asyncio
import contextlib

import pytest

from camera_hub.server import for_ever as module
from camera_hub.server.for_ever import for_ever


async def test_what_breaks_or_ends_begins_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSES_S", (0.0, 0.0))
    runs = 0
    enough = asyncio.Event()

    async def work() -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            raise KeyError("ours")
        if runs == 3:
            enough.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(for_ever("alerts", work))
    async with asyncio.timeout(10):
        await enough.wait()
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert task.cancelled()
