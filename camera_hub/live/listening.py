"""The sound of a stream on its way to those who listen by MSE: asked for, made AAC, given to the muxer.

Promises: the stream's sound flows only while a `Listening` is open; what has to be encoded is encoded once
for all who listen, in a thread; sound that stays away, or cannot be used, holds up no picture. What waits is
bounded. Relies on one event loop.
"""

import asyncio
from collections import deque

import structlog

from camera_hub.live.channel import LiveChannel
from camera_hub.live.sound import LiveSound
from camera_hub.live.voice import Frame, Voice, voice
from camera_hub.model import SoundInfo, SoundPacket

log = structlog.get_logger(__name__)

MAX_WAITING = 200  # packets; some seconds


class Listening:
    """Listens to a channel from the first `opened` to `close`."""

    def __init__(self, channel: LiveChannel) -> None:
        self._channel = channel
        self._waiting: deque[SoundPacket] = deque(maxlen=MAX_WAITING)
        self._come = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def opened(self, info: SoundInfo | None) -> LiveSound | None:
        """The stream begins (anew); its sound for the muxer, None where there is none that can be used."""
        self._stop()
        made = None
        if info is not None and info.usable:
            try:
                made = voice(info)
            except ValueError as exc:
                log.warning("a camera's sound cannot be used", camera=self._channel.camera, error=str(exc))
        if made is None:
            self._channel.unlisten(self._hear)
            return None
        sound = LiveSound(made.made)
        self._task = asyncio.get_running_loop().create_task(self._make(made, sound))
        self._channel.listen(self._hear)
        return sound

    def close(self) -> None:
        """Listen no more; may be opened again."""
        self._channel.unlisten(self._hear)
        self._stop()

    def _stop(self) -> None:
        self._waiting.clear()
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _hear(self, packets: tuple[SoundPacket, ...]) -> None:
        self._waiting.extend(packets)
        self._come.set()

    async def _make(self, made: Voice, sound: LiveSound) -> None:
        try:
            await self._make_for_ever(made, sound)
        except Exception:
            log.exception("a camera's sound could not be made", camera=self._channel.camera)
            self._channel.unlisten(self._hear)

    async def _make_for_ever(self, made: Voice, sound: LiveSound) -> None:
        while True:
            await self._come.wait()
            self._come.clear()
            packets = tuple(self._waiting)
            self._waiting.clear()
            frames: list[Frame]
            if made.encodes:
                frames = await asyncio.to_thread(made.take, packets)
            else:
                frames = made.take(packets)
            sound.hear(frames)
