"""The rehearsal itself: a worker of its own beside the hub's, until all is over and told.

Its folder is `rehearsal/` in the hub's data folder: its key stays there, its recordings and its
outbox go when it ends; what a killed one left goes when the next begins. Promises: when it returns
or is cancelled, nothing of it runs, and no event of it goes on for ever on the dashboard.
"""

import asyncio
import shutil
import urllib.error
import urllib.request
from pathlib import Path

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config import Config, LinkServerConfig
from camera_hub.folder import hold_folder
from camera_hub.ingest.worker import Worker
from camera_hub.model import CameraHealth, Cause, HubError
from camera_hub.rehearsal.told import Say, Told

LOOK_S = 0.25
LINK_S = 8.0  # a hub that has not let us in by then will not
SETTLE_S = 4.0  # pictures that still wait for the detector when a clip is over have been seen by then
TELL_MOST_S = 90.0  # an event's clip is cut some seconds after its end
GOODBYE_S = 5.0
ANSWER_S = 5.0
_RESTARTED = (Cause.PROCESS_ENDED, Cause.PROCESS_HUNG)


async def rehearse(plan: Config, hub: LinkServerConfig, page: str, say: Say) -> int:
    """Plays the cameras of `plan` (see `cast`) to the server `hub`, whose dashboard is at `page`.

    The exit code: 1 where the hub did not take everything. Raises HubError where it does not run or does not
    let us in, and when another rehearsal is going on.
    """
    await asyncio.to_thread(require_running, page)
    folder = plan.storage.path
    with hold_folder(folder, "rehearsal"):
        await asyncio.to_thread(clear, folder)
        try:
            return await _Rehearsal(plan, hub, page, say).run()
        finally:
            await asyncio.to_thread(clear, folder)


def require_running(page: str) -> None:
    """Raises HubError where no hub answers."""
    try:
        with urllib.request.urlopen(f"{page}/healthz", timeout=ANSWER_S):  # noqa: S310 - http, as made by us
            pass
    except (urllib.error.URLError, OSError, ValueError) as exc:
        raise HubError(
            f"no hub answers at {page} ({getattr(exc, 'reason', exc)}); start it with `camera-hub run` and "
            "the same configuration, and rehearse then"
        ) from exc


def clear(folder: Path) -> None:
    """Removes what a rehearsal leaves, but for its key and its lock."""
    shutil.rmtree(folder / "recordings", ignore_errors=True)
    for file in folder.glob("worker.db*"):
        file.unlink(missing_ok=True)


class _Rehearsal:
    def __init__(self, plan: Config, hub: LinkServerConfig, page: str, say: Say) -> None:
        self._plan = plan
        self._page = page
        self._say = say
        self._told = Told(SYSTEM_CLOCK, say)
        self._worker = Worker(plan, [hub], SYSTEM_CLOCK, self._told.through)

    async def run(self) -> int:
        names = ", ".join(camera.id for camera in self._plan.cameras)
        self._say(f"Rehearsing at {self._page}: {names}. Ctrl-C ends it.")
        running = asyncio.create_task(self._worker.run())
        try:
            await self._until_over(running)
            whole = await self._until_told(TELL_MOST_S)
            await self._last_word()
        except asyncio.CancelledError:
            # What is open has to be closed at the hub too; nobody would do it later.
            await self._until_told(GOODBYE_S, cut_short=True)
            self._say(self._told.summary())
            raise
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        self._say(self._told.summary())
        if not whole:
            self._say("The hub did not take everything in time; what it did not take is lost. Is it well?")
        return 0 if whole else 1

    async def _until_over(self, running: "asyncio.Task[None]") -> None:
        """Until every clip is over. Raises HubError where the hub does not let us in."""
        loop = asyncio.get_running_loop()
        (link,) = self._worker.links
        began, linked = loop.time(), False
        over_at: float | None = None
        while over_at is None or loop.time() - over_at < SETTLE_S:
            await asyncio.sleep(LOOK_S)
            if running.done():
                running.result()
            cameras = self._worker.health().cameras
            self._told.cameras(cameras)
            linked = linked or link.connected
            if not linked and loop.time() - began > LINK_S:
                why = link.error or "it does not answer"
                raise HubError(
                    f"the hub at {self._page} does not let the rehearsal in; give the configuration that it "
                    f"was started with, on its machine ({why})"
                )
            if over_at is None and all(map(_is_over, cameras)):
                over_at = loop.time()

    async def _until_told(self, most_s: float, cut_short: bool = False) -> bool:
        """Until the hub has everything; False where it has not after `most_s`."""
        try:
            async with asyncio.timeout(most_s):
                if cut_short:
                    await self._worker.end_cameras()
                while True:
                    if await self._worker.all_told(clips=not cut_short):
                        return True
                    await asyncio.sleep(LOOK_S)
        except TimeoutError:
            return False

    async def _last_word(self) -> None:
        """How things are at the end, which is what the hub will say of the site from now on."""
        for link in self._worker.links:
            link.health_changed()
        await asyncio.sleep(LOOK_S)


def _is_over(health: CameraHealth) -> bool:
    return health.cause is not None and health.cause not in _RESTARTED
