"""Keeps one camera's process alive: starts it, listens, and starts it again when it ends.

Promises: a process that dies or falls silent is back within seconds, with a growing pause
when it keeps dying; what it was asked for (live taps) is asked again; nobody else notices.
"""

import asyncio
import contextlib
import itertools
import multiprocessing
import random
import signal
import socket
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess

import msgspec
import structlog

from camera_hub.clock import Clock
from camera_hub.config import CameraConfig
from camera_hub.ingest import camera_process
from camera_hub.ingest.channel import WorkerEnd
from camera_hub.ingest.messages import (
    Beat,
    EventFound,
    FromCamera,
    Listen,
    MakeStill,
    Scene,
    StillMade,
    Stop,
    Switch,
    Tap,
    TapOpened,
    TapPackets,
    TapSound,
)
from camera_hub.model import CameraHealth, CameraState, Cause, StreamName

log = structlog.get_logger(__name__)

SILENT_S = 15.0  # a process that has not beaten for so long is hung
STEADY_S = 60.0  # a process that ran so long begins its backoff anew
BACKOFF_S = (0.2, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
STOP_S = 3.0
STILL_S = 4.0


News = EventFound | TapOpened | TapPackets | TapSound


def forkserver() -> ForkServerContext:
    """Where camera processes come from: a server that has loaded the big libraries once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["camera_hub.ingest.camera_process"])
    return context


class CameraKeeper:
    """One camera. `on_news` gets events and live packets, `on_health` every change of state."""

    def __init__(
        self,
        spec: camera_process.CameraSpec,
        context: ForkServerContext,
        starting: asyncio.Lock,
        clock: Clock,
        on_news: Callable[[str, News], None],
        on_health: Callable[[], None],
        on_death: Callable[[str], None],
    ) -> None:
        self.camera = spec.camera.id
        self.health = CameraHealth(
            camera=self.camera,
            state=CameraState.CONNECTING,
            since_us=clock.wall_us(),
            detects=spec.detect,
            records=spec.record,
        )
        self.spec = spec
        self._context = context
        self._starting = starting
        self._clock = clock
        self._on_news = on_news
        self._on_health = on_health
        self._on_death = on_death
        self._channel: WorkerEnd | None = None
        self._taps: set[StreamName] = set()
        self._stills: dict[int, asyncio.Future[StillMade]] = {}
        self._requests = itertools.count(1)
        self._restarts = 0

    async def run(self) -> None:
        """Until cancelled; the process is gone when this returns."""
        failures = 0
        while True:
            began_us = self._clock.monotonic_us()
            process, channel = await self._start()
            hung = False
            try:
                hung = await self._listen(channel)
            finally:
                self._channel = None
                await asyncio.shield(self._end(process, channel))
            lasted_s = (self._clock.monotonic_us() - began_us) / 1e6
            failures = 0 if lasted_s > STEADY_S else failures + 1
            self._died(process.exitcode, hung)
            pause_s = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1] if failures else BACKOFF_S[0]
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))  # noqa: S311 - jitter, no secret

    def tap(self, stream: StreamName, on: bool) -> None:
        """Have the stream's packets come, from its newest keyframe on; or stop them."""
        self._taps.add(stream) if on else self._taps.discard(stream)
        if self._channel is not None:
            self._channel.send(Tap(stream=stream, on=on))

    def listen(self, stream: StreamName, on: bool) -> None:
        """Have a tapped stream's sound come too, until it is opened anew; or stop it."""
        if self._channel is not None:
            self._channel.send(Listen(stream=stream, on=on))

    def use(self, spec: camera_process.CameraSpec) -> None:
        """Other switches, zones, masks or lines from now on; the stream goes on. What else differs holds
        from the process's next start on."""
        before, self.spec = self.spec, spec
        if self._channel is None:
            return
        if (before.detect, before.record) != (spec.detect, spec.record):
            self._channel.send(Switch(detect=spec.detect, record=spec.record))
        if (scene := scene_of(spec.camera)) != scene_of(before.camera):
            self._channel.send(scene)

    async def still(self, height: int | None) -> StillMade:
        """A picture as it is now; its `error` says in words why there is none."""
        request = next(self._requests)
        if self._channel is None:
            return StillMade(request=request, jpeg=None, at_us=0, error="the camera's process is starting")
        answer: asyncio.Future[StillMade] = asyncio.get_running_loop().create_future()
        self._stills[request] = answer
        self._channel.send(MakeStill(request=request, height=height))
        try:
            async with asyncio.timeout(STILL_S):
                return await answer
        except TimeoutError:
            return StillMade(request=request, jpeg=None, at_us=0, error="the camera did not answer in time")
        finally:
            self._stills.pop(request, None)

    # -- one life of the process -----------------------------------------------------------

    async def _start(self) -> tuple[ForkServerProcess, WorkerEnd]:
        ours, theirs = socket.socketpair()
        spec = self.spec
        process = self._context.Process(
            target=camera_process.main, args=(spec, theirs), name=f"camera {self.camera}", daemon=True
        )
        async with self._starting:
            await asyncio.to_thread(process.start)
        theirs.close()
        channel = await WorkerEnd.open(ours)
        for stream in self._taps:
            channel.send(Tap(stream=stream, on=True))
        self._channel = channel
        now, self.spec = self.spec, spec  # what changed while the process was started, it is told now
        self.use(now)
        log.info("camera process started", camera=self.camera, pid=process.pid)
        self.health = msgspec.structs.replace(self.health, pid=process.pid)
        return process, channel

    async def _listen(self, channel: WorkerEnd) -> bool:
        """Until the process is no more, or, and that is True, has fallen silent."""
        heard = asyncio.get_running_loop().time()
        while True:
            try:
                async with asyncio.timeout_at(heard + SILENT_S):
                    message = await channel.receive()
            except TimeoutError:
                return True
            except EOFError:
                return False
            if isinstance(message, Beat):
                heard = asyncio.get_running_loop().time()
            self._take(message)

    def _take(self, message: FromCamera) -> None:
        match message:
            case Beat(health=health):
                changed = _visible(health) != _visible(self.health)
                self.health = msgspec.structs.replace(health, restarts=self._restarts, pid=self.health.pid)
                if changed:
                    self._on_health()
            case StillMade(request=request):
                waiting = self._stills.get(request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case EventFound() | TapOpened() | TapPackets() | TapSound():
                self._on_news(self.camera, message)

    def _died(self, code: int | None, hung: bool) -> None:
        self._restarts += 1
        how = "hung and was killed" if hung else _how_it_ended(code)
        log.error("camera process ended; starting it again", camera=self.camera, how=how)
        self.health = CameraHealth(
            camera=self.camera,
            state=CameraState.CONNECTING,
            since_us=self._clock.wall_us(),
            error=f"the camera's process {how}; it is being started again",
            restarts=self._restarts,
            cause=Cause.PROCESS_HUNG if hung else Cause.PROCESS_ENDED,
            cause_detail="" if hung else _signal(code) or str(code),
            detects=self.spec.detect,
            records=self.spec.record,
        )
        self._on_death(self.camera)
        self._on_health()

    async def _end(self, process: ForkServerProcess, channel: WorkerEnd) -> None:
        """The process is told to stop, and killed when it does not; nothing of it is left."""
        channel.send(Stop())
        # It may still have things to say (a closing event) before it closes its end.
        with contextlib.suppress(EOFError, TimeoutError):
            async with asyncio.timeout(STOP_S):
                while True:
                    self._take(await channel.receive())
        channel.close()
        if not await asyncio.to_thread(_join, process, 0.5):
            process.kill()
            await asyncio.to_thread(_join, process, 2)


def scene_of(camera: CameraConfig) -> Scene:
    """The parts of the picture that have a name."""
    info = camera.info()
    return Scene(zones=info.zones, masks=camera.mask_zones(), lines=info.lines)


def _visible(health: CameraHealth) -> tuple[object, ...]:
    """What is told at once when it changes."""
    return health.state, health.error, health.recording, health.detects, health.records


def _join(process: ForkServerProcess, timeout_s: float) -> bool:
    process.join(timeout_s)
    return process.exitcode is not None


def _how_it_ended(code: int | None) -> str:
    by = _signal(code)
    return f"was ended by {by}" if by else f"ended with code {code}"


def _signal(code: int | None) -> str:
    """The name of the signal that ended a process; empty where none did."""
    if code is None or code >= 0:
        return ""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
