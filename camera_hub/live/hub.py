"""Which streams are watched, on the server: asks the sites for them, and lets them go.

Promises: a stream is asked for when its first viewer comes and let go a little after the last has
left; nothing flows that nobody watches; the asks for one stream are made in order; its sound is asked for
each time it is opened while somebody listens, and let go at once. Relies on `start` and `stop`, which reach
the site when it is linked; whoever owns the link repeats `wanted()` when a site comes back.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live.channel import LiveChannel
from camera_hub.live.transcode import Transcodes
from camera_hub.model import Packet, SoundPacket, StreamInfo, StreamName

log = structlog.get_logger(__name__)

LINGER_S = 5.0  # a reload or a look at another tile does not stop the stream

Ask = Callable[[str, StreamName], Awaitable[None]]
"""Start or stop a stream, by the camera's global id and the stream's name."""

AskSound = Callable[[str, StreamName, bool], Awaitable[None]]
"""Have an open stream's sound sent too, or stop it; what is asked reaches the site in that order."""

_Key = tuple[str, StreamName]


async def _no_sound(camera: str, stream: StreamName, on: bool) -> None:
    """For those who have none."""


class LiveHub:
    """All channels, by the camera's global id ("khe-coc.cong-lang") and stream."""

    def __init__(
        self,
        start: Ask,
        stop: Ask,
        linger_s: float = LINGER_S,
        clock: Clock = SYSTEM_CLOCK,
        transcodes: Transcodes | None = None,
        listen: AskSound = _no_sound,
    ) -> None:
        self._start = start
        self._stop = stop
        self._listen = listen
        self._asking_sound: set[asyncio.Task[None]] = set()
        self._linger_s = linger_s
        self._clock = clock
        self._transcodes = Transcodes() if transcodes is None else transcodes
        self._channels: dict[_Key, LiveChannel] = {}
        self._lingering: dict[_Key, asyncio.TimerHandle] = {}
        self._wanted: set[_Key] = set()
        self._asked: set[_Key] = set()
        self._asking: dict[_Key, asyncio.Task[None]] = {}
        self._closed = False

    def channel(self, camera: str, stream: StreamName) -> LiveChannel:
        """The stream's channel. One that nobody watches is let go after the linger time."""
        key = (camera, stream)
        channel = self._channels.get(key)
        if channel is None:
            channel = self._channels[key] = LiveChannel(
                camera, stream, self._viewers_changed, self._clock, self._heard_changed
            )
            self._viewers_changed(channel)
        return channel

    def transcoded(self, camera: str, stream: StreamName) -> LiveChannel:
        """The stream in H.264 whatever the camera sends. Raises NotLiveError; see `Transcodes`."""
        return self._transcodes.channel(camera, stream, lambda: self.channel(camera, stream))

    def wanted(self) -> set[tuple[str, StreamName]]:
        """What the sites should be sending now, as (global camera id, stream)."""
        return self._wanted.copy()

    def opened(self, camera: str, stream: StreamName, info: StreamInfo) -> None:
        """A site says that a watched stream flows (again)."""
        channel = self._channels.get((camera, stream))
        if channel is not None:
            channel.opened(info)
            if channel.heard:
                self._heard_changed(channel)

    def feed(self, camera: str, stream: StreamName, packets: Iterable[Packet]) -> None:
        """A site's packets; those of a stream that nobody watches any more are not used."""
        channel = self._channels.get((camera, stream))
        if channel is not None:
            channel.feed(packets)

    def feed_sound(self, camera: str, stream: StreamName, packets: tuple[SoundPacket, ...]) -> None:
        """A site's sound; that to which nobody listens any more is not used."""
        channel = self._channels.get((camera, stream))
        if channel is not None:
            channel.feed_sound(packets)

    def site_gone(self, site: str, reason: str) -> None:
        """A site's link is down: its viewers are told, and stay for its return."""
        for (camera, _), channel in self._channels.items():
            if camera.partition(".")[0] == site:
                channel.pause(reason)

    async def close(self) -> None:
        """Send all viewers away and ask for nothing more."""
        self._closed = True
        await self._transcodes.close()
        for timer in self._lingering.values():
            timer.cancel()
        self._lingering.clear()
        for channel in self._channels.values():
            channel.end("the server stops")
        asking = [*self._asking.values(), *self._asking_sound]
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)

    def _viewers_changed(self, channel: LiveChannel) -> None:
        key = (channel.camera, channel.stream)
        if self._closed:
            return
        timer = self._lingering.pop(key, None)
        if timer is not None:
            timer.cancel()
        if channel.viewers:
            self._channels[key] = channel
            self._wanted.add(key)
            self._ask(key)
        else:
            loop = asyncio.get_running_loop()
            self._lingering[key] = loop.call_later(self._linger_s, self._let_go, key)

    def _heard_changed(self, channel: LiveChannel) -> None:
        key = (channel.camera, channel.stream)
        if self._closed or self._channels.get(key) is not channel:
            return
        sound = None if channel.info is None else channel.info.sound
        if sound is not None and sound.usable:
            task = asyncio.get_running_loop().create_task(self._ask_sound(key, channel.heard))
            self._asking_sound.add(task)
            task.add_done_callback(self._asking_sound.discard)

    async def _ask_sound(self, key: _Key, on: bool) -> None:
        log.info("stream listened to" if on else "sound let go", camera=key[0], stream=key[1])
        try:
            await self._listen(*key, on)
        except Exception:
            log.exception("a site could not be asked for sound", camera=key[0], stream=key[1], on=on)

    def _let_go(self, key: _Key) -> None:
        self._lingering.pop(key, None)
        channel = self._channels.pop(key, None)
        if channel is not None:
            channel.pause("nobody watched")  # one who still holds it must not start from an old picture
        self._wanted.discard(key)
        self._ask(key)

    def _ask(self, key: _Key) -> None:
        """Bring what is asked of the site in line with what is wanted, one ask at a time."""
        if key not in self._asking and (key in self._wanted) != (key in self._asked):
            task = asyncio.get_running_loop().create_task(self._bring_in_line(key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))

    async def _bring_in_line(self, key: _Key) -> None:
        while (key in self._wanted) != (key in self._asked):
            on = key in self._wanted
            self._asked.add(key) if on else self._asked.discard(key)
            log.info("stream watched" if on else "stream let go", camera=key[0], stream=key[1])
            try:
                await (self._start if on else self._stop)(*key)
            except Exception:
                # The owner of the link repeats what is wanted when the site is back.
                log.exception("a site could not be asked", camera=key[0], stream=key[1], on=on)
