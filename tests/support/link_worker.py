"""A worker's end of the link in a process of its own, to be killed: `python -m tests.support.link_worker`.

It has an outbox file and a key in a folder, dials a URL, and has no cameras.
"""

import asyncio
import sys
from pathlib import Path

from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.outbox import Outbox
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import Configure, Configured, Health, Still, StillRequest
from camera_hub.link.worker.budget import Budget
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.link.worker.protocols import Recordings
from camera_hub.model import CameraInfo, StreamName
from tests.support.no_recordings import NoRecordings
from tests.support.server import CAMERAS, SITE

NAME = "commune"


class Hamlet:
    """A worker's inside that remembers what is watched."""

    recordings: Recordings = NoRecordings()

    def __init__(self) -> None:
        self.watched: set[tuple[str, StreamName]] = set()

    def cameras(self) -> tuple[CameraInfo, ...]:
        return CAMERAS

    def health(self) -> Health:
        return Health(
            at_us=1, cameras=(), outbox_depth=0, disk_free_bytes=1, disk_total_bytes=2, recorded_bytes=0
        )

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        self.watched.add((camera, stream)) if on else self.watched.discard((camera, stream))

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        raise AssertionError("there is no sound")

    def unwatch_all(self, server: str) -> None:
        self.watched.clear()

    async def still(self, request: StillRequest) -> Still:
        return Still(request=request.request, jpeg=None, at_us=0, error="no camera")

    async def configure(self, server: str, wanted: Configure) -> Configured:
        return Configured(())


def worker_end(folder: Path, port: int, outbox: AsyncOutbox, budget: Budget | None = None) -> WorkerEnd:
    key = SiteKey.load_or_make(folder / "site.key")
    url = f"ws://127.0.0.1:{port}/api/link"
    place = outbox.for_server(NAME)
    return WorkerEnd(NAME, url, key, SITE, "Xóm Khe Cốc", "1", Hamlet(), place, budget=budget)


def open_outbox(folder: Path) -> AsyncOutbox:
    return AsyncOutbox(Outbox(folder / "worker.db", [NAME]))


async def main(folder: Path, port: int) -> None:
    await worker_end(folder, port, open_outbox(folder)).run()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
