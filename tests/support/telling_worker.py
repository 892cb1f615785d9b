"""A worker without cameras that tells a long story, to be killed at any point: `python -m … FOLDER URL`.

The story is the same on every run: `EVENTS` events of `CAMERAS` cameras in an hour by the worker's clock,
each tenth told when it opens and when it closes, the others once. A line on standard input, `TO RATE`,
lets it go on to fact number TO, RATE facts a second (0: as fast as can be). How far it came stands in the
outbox, so a new process goes on where a killed one stopped.

Each message may be sent again, up to `LATE` messages later and in any order: what a broken middle box does.
For each connection the number of the newest fact at its beginning goes to FOLDER/connections.
"""

import asyncio
import sys
from pathlib import Path
from random import Random
from weakref import WeakKeyDictionary

from websockets.asyncio.client import ClientConnection

from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.outbox import Outbox
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import EventNews, decode_from_worker
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.model import Event
from tests.support.clocks import HandClock
from tests.support.link_worker import NAME, Hamlet
from tests.support.server import SITE, START_US, event

EVENTS = 10_000
CAMERAS = 7
HOUR_US = 3_600_000_000
TWICE = 0.05  # of the messages
LATE = 40
_CHUNK = 20
_OPEN = 9  # events that begin before one closes


def facts() -> list[tuple[int, int]]:
    """(event's number, revision), in the order in which they are told."""
    told: list[tuple[int, int]] = []
    for number in range(EVENTS + _OPEN):
        if number < EVENTS:
            told.append((number, 1))
        if (closes := number - _OPEN) >= 0 and closes % 10 == 0:
            told.append((closes, 2))
    return told


def told(number: int, revision: int) -> Event:
    """An event as it is told with a revision; the last one closes it."""
    start_us = START_US + number * HOUR_US // EVENTS
    is_open = number % 10 == 0 and revision == 1
    end_us = None if is_open else start_us + 3_000_000
    camera = f"camera-{number % CAMERAS}"
    return event(number + 1, camera=camera, start_us=start_us, end_us=end_us, revision=revision)


class Story:
    """What is put into the outbox."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.facts = facts()
        self.outbox = AsyncOutbox(Outbox(folder / "worker.db", [NAME], clock=self.clock))

    async def go_on(self, end: WorkerEnd, until: int, rate: int) -> None:
        box = self.outbox.file

        def put(count: int) -> int:
            done = box.newest()
            for number, revision in self.facts[done : min(done + count, until)]:
                self.clock.now_us = number * HOUR_US // EVENTS
                box.put_event(told(number, revision), None, 0)
            return box.newest()

        while await self.outbox.call(put, 1 if rate else _CHUNK) < until:
            end.outbox_changed()
            await asyncio.sleep(1 / rate if rate else 0)
        end.outbox_changed()


class Noting:
    """One server's place in the outbox; notes how far the story was when a connection began."""

    def __init__(self, outbox: AsyncOutbox, notes: Path) -> None:
        self._place = outbox.for_server(NAME)
        self._notes = notes
        self.unacknowledged = self._place.unacknowledged
        self.acknowledge = self._place.acknowledge
        self.depth = self._place.depth
        self.shed = self._place.shed

    async def newest(self) -> int:
        newest = await self._place.newest()
        with self._notes.open("a") as file:
            file.write(f"{newest}\n")
        return newest


def send_some_twice(chance: Random) -> None:
    """From now on, on every connection of this process."""
    send = ClientConnection.send
    kept: WeakKeyDictionary[ClientConnection, list[bytes]] = WeakKeyDictionary()

    async def sent(self: ClientConnection, data: bytes) -> None:
        await send(self, data)
        again = kept.setdefault(self, [])
        if isinstance(decode_from_worker(data), EventNews):
            if chance.random() < TWICE:
                again.append(data)
            if len(again) > LATE * TWICE:
                await send(self, again.pop(chance.randrange(len(again))))

    ClientConnection.send = sent  # type: ignore[method-assign,assignment]


async def main(folder: Path, url: str) -> None:
    story = Story(folder)
    send_some_twice(Random(story.outbox.file.newest()))
    key = SiteKey.load_or_make(folder / "site.key")
    place = Noting(story.outbox, folder / "connections")
    end = WorkerEnd(NAME, url, key, SITE, "Xóm Khe Cốc", "1", Hamlet(), place)
    linking = asyncio.ensure_future(end.run())
    while line := await asyncio.to_thread(sys.stdin.readline):
        until, rate = map(int, line.split())
        await story.go_on(end, until, rate)
    linking.cancel()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
