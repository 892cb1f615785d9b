"""Streams that are encoded anew for browsers that do not play them as they are, on demand.

Promises: one transcode for each stream, however many watch it and by whichever way; at most so many at
once, none by default; each in a process of its own that begins with the first viewer and is gone a few
seconds after the last; one that dies or hangs is killed and begun anew, with a pause that grows. Relies on
one event loop.
"""

import asyncio
import contextlib
import random
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live.channel import LiveChannel, Opened, Paused, Viewer
from camera_hub.live.feed import NotLiveError
from camera_hub.live.transcode_wire import Begin, Coded, Figures, Shape, framed, read_async
from camera_hub.model import NotLive, Packet, StreamName

log = structlog.get_logger(__name__)

LINGER_S = 4.0
HUNG_S = 15.0  # a process that says nothing for so long is killed
END_S = 1.0  # for one that ends by itself
STEADY_S = 60.0  # one that ran for so long begins its pauses anew
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
COMMAND = (sys.executable, "-m", "camera_hub.live.transcode_process")
AGAIN = "the server's transcoding of this stream broke off; it begins again by itself"
TAKEN = "the server needed the place for the transcoding of another stream; try again"

_Key = tuple[str, StreamName]
_BROKEN = (asyncio.IncompleteReadError, ConnectionError)  # what is seen of a process that dies


@dataclass
class TranscodeNumbers:
    """All transcodes since the server began."""

    cpu_us: int = 0
    restarts: int = 0  # of processes that died or hung
    refused: int = 0  # asked for when there was no place


class Transcodes:
    """All transcodes of this server: `most` at once. To be used in one event loop."""

    def __init__(
        self,
        most: int = 0,
        shape: Shape = Shape(),  # noqa: B008 - it cannot be changed
        linger_s: float = LINGER_S,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        self.most = most
        self.numbers = TranscodeNumbers()
        self._command = (*COMMAND, msgspec.json.encode(shape).decode())
        self._linger_s = linger_s
        self._clock = clock
        self._running: dict[_Key, _Transcode] = {}
        self._lingering: dict[_Key, asyncio.TimerHandle] = {}
        self._ending: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._running)

    def channel(self, camera: str, stream: StreamName, source: Callable[[], LiveChannel]) -> LiveChannel:
        """The stream in H.264. One that nobody watches is let go after the linger time.

        `source` gives the stream as the camera sends it. Raises NotLiveError where transcoding is off, or as
        much is transcoded as may be.
        """
        key = (camera, stream)
        found = self._running.get(key)
        if found is None:
            self._make_room()
            channel = LiveChannel(camera, stream, self._viewers_changed, self._clock)
            found = _Transcode(channel, source, self._command, self.numbers, self._clock)
            self._running[key] = found
            self._viewers_changed(channel)
        return found.channel

    async def close(self) -> None:
        """End all, and leave no process."""
        self.most = 0
        for key in list(self._running):
            self._let_go(key, "the server stops")
        await asyncio.gather(*self._ending, return_exceptions=True)

    def _make_room(self) -> None:
        if not self.most:
            raise NotLiveError(
                "this server does not transcode streams (live.transcode.max); set the camera to H.264 "
                "without B-frames",
                NotLive.CODEC,
            )
        if len(self._running) >= self.most and self._lingering:
            self._let_go(next(iter(self._lingering)), TAKEN)  # the one that is alone the longest
        if len(self._running) >= self.most:
            self.numbers.refused += 1
            raise NotLiveError(
                f"{self.most} streams are being transcoded, as many as the server may at once "
                "(live.transcode.max); close one of those views and try again",
                NotLive.TOO_MANY_TRANSCODES,
            )

    def _viewers_changed(self, channel: LiveChannel) -> None:
        key = (channel.camera, channel.stream)
        job = self._running.get(key)
        if job is None or job.channel is not channel:
            channel.end(TAKEN)
            return
        timer = self._lingering.pop(key, None)
        if timer is not None:
            timer.cancel()
        if channel.viewers:
            job.start()
        else:
            loop = asyncio.get_running_loop()
            self._lingering[key] = loop.call_later(self._linger_s, self._let_go, key, "nobody watched")

    def _let_go(self, key: _Key, reason: str) -> None:
        timer = self._lingering.pop(key, None)
        if timer is not None:
            timer.cancel()
        job = self._running.pop(key)
        task = job.stop(reason)
        if task is not None:
            self._ending.add(task)
            task.add_done_callback(self._ending.discard)


class _Transcode:
    """One stream: from the camera's channel through a process into the channel of those who watch it here."""

    def __init__(
        self,
        channel: LiveChannel,
        source: Callable[[], LiveChannel],
        command: Sequence[str],
        numbers: TranscodeNumbers,
        clock: Clock,
    ) -> None:
        self.channel = channel
        self._source = source
        self._command = command
        self._numbers = numbers
        self._clock = clock
        self._log = log.bind(camera=channel.camera, stream=channel.stream)
        self._chapter = 0
        self._figures = Figures()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """May be called again."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self, reason: str) -> asyncio.Task[None] | None:
        """End it; its process has gone when the task has."""
        self.channel.end(reason)
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _run(self) -> None:
        try:
            reason = await self._transcode()
        except Exception:
            self._log.exception("a stream could not be transcoded")
            reason = "the server could not transcode this stream; its log says why"
        self.channel.end(reason)

    async def _transcode(self) -> str:
        """Until the camera's stream ends; why, in words."""
        failures = 0
        while True:
            async with self._source().subscribe() as viewer:
                opened = await self._opened(viewer)
                if opened is None:
                    return viewer.reason
                began_us = self._clock.monotonic_us()
                await self._process(viewer, opened)
                if viewer.reason:
                    return viewer.reason
            self._numbers.restarts += 1
            self._chapter += 1
            self.channel.pause(AGAIN)
            if self._clock.monotonic_us() - began_us > STEADY_S * 1e6:
                failures = 0
            pause_s = PAUSES_S[min(failures, len(PAUSES_S) - 1)]
            failures += 1
            await asyncio.sleep(pause_s * random.uniform(0.8, 1.0))  # noqa: S311 - jitter, no secret

    async def _opened(self, viewer: Viewer) -> Opened | None:
        """Until the camera's stream flows; None when it has ended."""
        async for item in viewer:
            match item:
                case Opened():
                    return item
                case Paused(reason=reason):
                    self.channel.pause(reason)
        return None

    async def _process(self, viewer: Viewer, opened: Opened) -> None:
        """Until the process ends, or the stream. No process is left."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        except OSError as exc:
            self._log.error("a transcode could not be started", error=str(exc))
            return
        assert process.stdin is not None
        assert process.stdout is not None
        self._log.info("a transcode begins", pid=process.pid, codec=opened.info.codec)
        self._figures = Figures()
        feeding = asyncio.create_task(self._feed(viewer, opened, process.stdin))
        reading = asyncio.create_task(self._read(process.stdout))
        try:
            await asyncio.wait((feeding, reading), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (feeding, reading):
                task.cancel()
            ends = await asyncio.gather(feeding, reading, return_exceptions=True)
            code = await _ended(process, by_itself=any(isinstance(one, _BROKEN) for one in ends))
            process.stdin.close()
            self._tell_end(process.pid, code, ends)

    async def _feed(self, viewer: Viewer, opened: Opened, pipe: asyncio.StreamWriter) -> None:
        self._begin(opened, pipe)
        async for item in viewer:
            match item:
                case Packet():
                    pipe.write(framed(Coded(item)))
                case Opened():
                    self._begin(item, pipe)
                case Paused(reason=reason):
                    self._chapter += 1
                    self.channel.pause(reason)
            await pipe.drain()

    def _begin(self, opened: Opened, pipe: asyncio.StreamWriter) -> None:
        self._chapter += 1
        pipe.write(framed(Begin(self._chapter, opened.info)))

    async def _read(self, pipe: asyncio.StreamReader) -> None:
        chapter = -1
        while True:
            async with asyncio.timeout(HUNG_S):
                message = await read_async(pipe)
            match message:
                case Begin(chapter=chapter, info=info):
                    if chapter == self._chapter:
                        self.channel.opened(info)
                case Coded(packet=packet):
                    if chapter == self._chapter:
                        self.channel.feed([packet])
                case Figures():
                    self._numbers.cpu_us += message.cpu_us - self._figures.cpu_us
                    self._figures = message

    def _tell_end(self, pid: int, code: int | None, ends: Sequence[object]) -> None:
        self._log.info("a transcode has ended", pid=pid, **msgspec.structs.asdict(self._figures))
        for one in ends:
            if isinstance(one, TimeoutError):
                self._log.warning("a transcode hung and was killed", pid=pid)
            elif isinstance(one, Exception) and not isinstance(one, _BROKEN):
                self._log.error("a transcode spoke nonsense", pid=pid, error=repr(one))
        if code is not None:
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            self._log.warning("a transcode ended by itself; what it said is above", pid=pid, how=how)


async def _ended(process: asyncio.subprocess.Process, by_itself: bool) -> int | None:
    """Wait until the process has gone; its exit code, None where we killed it."""
    if by_itself:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_S):
                return await process.wait()
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
    return None
