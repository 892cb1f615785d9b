"""A whole server on a port of its own, in a thread: for clients that are not ours and know no asyncio."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar
from unittest.mock import patch

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.server import serve as serving
from camera_hub.server.serve import Assembled, Started, serve
from camera_hub.server.settings import ServerSettings
from tests.support.server import quick_passwords

_T = TypeVar("_T")


@dataclass
class RunningServer:
    """`run` lets a coroutine run in the server's own loop."""

    url: str
    hub: Assembled
    loop: asyncio.AbstractEventLoop

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


@contextlib.contextmanager
def remembered_hub() -> Iterator[list[Assembled]]:
    """Gives the inside of each server that starts meanwhile, so that a test can play the site.

    Passwords cost next to nothing in them.
    """
    hubs: list[Assembled] = []
    original = serving.assembled

    @contextlib.asynccontextmanager
    async def remembered(*args: Any, **kwargs: Any) -> AsyncIterator[Assembled]:
        async with original(*args, **kwargs) as hub:
            hubs.append(hub)
            yield hub

    with (
        patch.object(serving, "assembled", remembered),
        patch.object(serving, "Passwords", quick_passwords),
    ):
        yield hubs


@contextlib.contextmanager
def server_in_thread(settings: ServerSettings, clock: Clock = SYSTEM_CLOCK) -> Iterator[RunningServer]:
    """Starts `serve` as the command does; cancels it at the end."""
    listening = threading.Event()
    told: list[Started] = []
    loop = asyncio.new_event_loop()

    def started(what: Started) -> None:
        told.append(what)
        listening.set()

    async def main() -> None:
        await serve(settings, started=started, clock=clock)

    task = loop.create_task(main())

    def ended(_: object) -> None:
        listening.set()
        loop.stop()

    task.add_done_callback(ended)
    thread = threading.Thread(target=loop.run_forever, name="server")
    with remembered_hub() as hubs:
        thread.start()
        try:
            assert listening.wait(30), "the server did not start in time"
            if not told:
                task.result()
            yield RunningServer(told[0].url, hubs[0], loop)
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join(20)
            loop.close()
            assert not thread.is_alive(), "the server did not end"
