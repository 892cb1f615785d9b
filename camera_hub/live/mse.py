"""Live video to browsers by fragmented MP4 over a WebSocket, for Media Source Extensions.

Promises: a stream is muxed once, while somebody watches it in this way, and all viewers are given the same
bytes objects, WebSocket frame and all. A viewer starts from the cached group of pictures and is at the live
edge at once. Viewers who listen share a second muxing, with sound, so that those who do not have no part in
it. Nothing is queued for one who does not keep up: the stream remembers two groups of pictures,
the viewer its place among them; it goes on from there when its socket has drained, from the newest keyframe
where it fell far behind, and is dropped when nothing drains at all. Relies on one event loop.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol

import msgspec
import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live import gop
from camera_hub.live.channel import STALE_US, LiveChannel, Opened, Paused
from camera_hub.live.fragments import CannotMuxError, Fragment, Head, LiveMuxer
from camera_hub.live.limits import Limits
from camera_hub.live.listening import Listening
from camera_hub.live.messages import (
    ClockMessage,
    EndedMessage,
    OpenedMessage,
    PausedMessage,
    binary_frame,
    text_frame,
)
from camera_hub.live.whep import READY_S, NotLiveError
from camera_hub.model import NotLive, Packet, StreamInfo

log = structlog.get_logger(__name__)

SLOW_US = 2_000_000  # a viewer who is so far behind goes on at a newer keyframe
STUCK_US = 10_000_000  # one whose socket took nothing for so long is dropped


class Wire(Protocol):
    """A viewer's WebSocket, as far as it is needed here."""

    def can_write(self) -> bool:
        """Whether more may be written now; `resume` is called when that comes true again."""

    @property
    def waiting_bytes(self) -> int:
        """What was written and has not left yet."""

    def write(self, frames: bytes) -> None:
        """Send whole WebSocket frames; nothing happens once the connection is closed."""

    def abort(self) -> None:
        """Cut the connection, whatever waits."""


class MseViewer:
    """One who watches; `leave` when its connection has gone."""

    def __init__(
        self, stream: "_MseStream", wire: Wire, ended: Callable[[], None], released: Callable[[], None]
    ) -> None:
        self.skips = 0  # how often it was moved to a newer keyframe
        self.began = False
        self.wire = wire
        self._stream = stream
        self._ended = ended
        self._released = released
        self._chapter = -1
        self._next = -1  # the place in the chapter; -1: wait for a keyframe
        self._stuck_since_us: int | None = None
        self._waiting_bytes = 0

    def leave(self) -> None:
        """Watch no more; may be called twice."""
        if self._stream.discard(self):
            self._released()

    def end(self, reason: str, code: NotLive | None = None) -> None:
        """Say why no more comes, and have the connection closed."""
        self.leave()
        self.wire.write(text_frame(EndedMessage(reason, code)))
        self._ended()

    def resume(self) -> None:
        """The socket has drained."""
        self._stuck_since_us = None
        if self._stream.has(self):
            self.pump()

    def answer_clock(self, asked: str) -> None:
        """What a viewer asked: what time it is. Anything else is not understood, and not answered."""
        try:
            sent = msgspec.json.decode(asked, type=ClockMessage).sent
        except (msgspec.DecodeError, UnicodeError):
            return
        if self.wire.can_write():
            self.wire.write(text_frame(ClockMessage(sent, self._stream.wall_us())))

    def pump(self) -> None:
        """Send what has come since, as far as the socket takes it."""
        stream, wire = self._stream, self.wire
        if not wire.can_write():
            return
        if self._chapter != stream.chapter:
            if not stream.can_begin():
                return
            wire.write(stream.head)
            self._chapter, self._next, self.began = stream.chapter, stream.key, True
        elif self._next < stream.first or stream.behind_us(self._next) > SLOW_US:
            if not stream.can_begin():
                self._next = -1
                return
            if self._next < stream.key:
                self._next = stream.key
                self.skips += 1
        for frame in stream.frames_from(self._next):
            if not wire.can_write():
                return
            wire.write(frame)
            self._next += 1

    def is_stuck(self, now_us: int) -> bool:
        """Whether its socket has taken nothing for too long."""
        if self.wire.can_write():
            return False
        waiting = self.wire.waiting_bytes
        if self._stuck_since_us is None or waiting < self._waiting_bytes:
            self._stuck_since_us = now_us
        self._waiting_bytes = waiting
        return now_us - self._stuck_since_us > STUCK_US


class _MseStream:
    """One stream, muxed for all its viewers.

    A chapter begins with a `head`: what a viewer is told before the frames that follow. Frames are counted
    from 0 in each chapter; `first` is the oldest that is remembered, `key` the newest keyframe.
    """

    def __init__(self, channel: LiveChannel, clock: Clock, sound: bool) -> None:
        self.chapter = 0
        self.head = b""
        self.first = 0
        self.key = 0
        self._channel = channel
        self._clock = clock
        self._listening = Listening(channel) if sound else None
        self._frames: list[bytes] = []
        self._times: list[int] = []
        self._bytes = 0
        self._startable = False  # `key` is remembered, or nothing comes and that is the news
        self._fed_us = 0
        self._flowing = False
        self._head: Head | None = None
        self._reordered = False  # as `head` tells it
        self._muxer: LiveMuxer | None = None
        self._viewers: set[MseViewer] = set()
        self._task: asyncio.Task[None] | None = None

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    def has(self, viewer: MseViewer) -> bool:
        return viewer in self._viewers

    def enter(self, viewer: MseViewer) -> None:
        self._viewers.add(viewer)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        viewer.pump()

    def discard(self, viewer: MseViewer) -> bool:
        """Whether it was there. Nothing is muxed after the last one."""
        if viewer not in self._viewers:
            return False
        self._viewers.remove(viewer)
        if not self._viewers and self._task is not None:
            self._task.cancel()
            self._task = None
            if self._listening is not None:
                self._listening.close()
            self._forget()
        return True

    def can_begin(self) -> bool:
        """Whether a viewer can begin with `head` and `key`: what was silent for a while is not live."""
        if self._flowing and self._clock.monotonic_us() - self._fed_us > STALE_US:
            return False
        return self._startable

    def behind_us(self, place: int) -> int:
        """How much older the frame at a place that is remembered is than the newest; 0 at the live edge."""
        index = place - self.first
        return self._times[-1] - self._times[index] if index < len(self._times) else 0

    def frames_from(self, place: int) -> list[bytes]:
        return self._frames[place - self.first :]

    def wall_us(self) -> int:
        return self._clock.wall_us()

    def end_all(self, reason: str, code: NotLive | None = None) -> None:
        for viewer in list(self._viewers):
            viewer.end(reason, code)

    async def _run(self) -> None:
        async with self._channel.subscribe() as source:
            try:
                async for item in source:
                    match item:
                        case Packet():
                            self._take(item)
                        case Opened(info=info):
                            self._open(info)
                        case Paused(reason=reason):
                            self._pause(reason)
                self.end_all(source.reason)
            except CannotMuxError as exc:
                self.end_all(str(exc), NotLive.CODEC)
            except Exception:
                log.exception("a stream could not be muxed", camera=self._channel.camera)
                self.end_all("the server could not send this stream; its log says why")

    def _open(self, info: StreamInfo) -> None:
        sound = self._listening.opened(info.sound) if self._listening is not None else None
        self._muxer = LiveMuxer(info, sound)

    def _take(self, packet: Packet) -> None:
        fragment = self._muxer.fragment(packet) if self._muxer is not None else None
        if fragment is None:
            return
        if fragment.head is not None:
            self._begin(self._opening(fragment.head), fragment.head)
            self._flowing = True
        elif self._head is not None and self._channel.reordered and not self._reordered:
            self.head = self._opening(self._head)  # for those who come later
        self._remember(fragment)
        now_us = self._fed_us = self._clock.monotonic_us()
        for viewer in list(self._viewers):
            viewer.pump()
            if viewer.is_stuck(now_us):
                self._drop(viewer)

    def _remember(self, fragment: Fragment) -> None:
        if fragment.keyframe:
            # The group before stays, for those who are a little behind.
            self._let_go(max(self.key - self.first, 0))
            self.key = self.first + len(self._frames)
            self._startable = True
        self._frames.append(binary_frame(fragment.data))
        self._times.append(fragment.time_us)
        self._bytes += len(fragment.data)
        if self._full() and self.first < self.key:
            self._let_go(self.key - self.first)
        if self._full():
            self._let_go(len(self._frames) - 1)
            self._startable = False

    def _full(self) -> bool:
        return self._bytes > gop.MAX_BYTES or len(self._frames) > gop.MAX_PACKETS

    def _let_go(self, count: int) -> None:
        self.first += count
        self._bytes -= sum(map(len, self._frames[:count]))
        del self._frames[:count], self._times[:count]

    def _opening(self, head: Head) -> bytes:
        reordered = self._reordered = self._channel.reordered
        opened = OpenedMessage(self._channel.stream, head.codec, head.width, head.height, reordered)
        return text_frame(opened) + binary_frame(head.data)

    def _begin(self, words: bytes, head: Head | None) -> None:
        self._forget()
        self.chapter += 1
        self.head, self._head = words, head

    def _pause(self, reason: str) -> None:
        self._begin(text_frame(PausedMessage(reason)), None)
        self._muxer = None
        self._startable = True
        for viewer in list(self._viewers):
            viewer.pump()

    def _forget(self) -> None:
        self._frames, self._times, self._bytes = [], [], 0
        self.first = self.key = 0
        self._startable = self._flowing = False

    def _drop(self, viewer: MseViewer) -> None:
        log.info("a viewer took nothing and is dropped", camera=self._channel.camera)
        viewer.leave()
        viewer.wire.abort()


class MseStreams:
    """All streams that are watched in this way. To be used in one event loop."""

    def __init__(self, limits: Limits, ready_s: float = READY_S, clock: Clock = SYSTEM_CLOCK) -> None:
        self._limits = limits
        self._ready_s = ready_s
        self._clock = clock
        self._streams: dict[tuple[LiveChannel, bool], _MseStream] = {}
        self._closed = False

    def __len__(self) -> int:
        return sum(stream.viewers for stream in self._streams.values())

    def watch(
        self,
        channel: LiveChannel,
        wire: Wire,
        owner: str,
        ended: Callable[[], None],
        sound: bool = False,
    ) -> MseViewer:
        """Begin to send a stream, with its sound where that is wanted and it has some. `ended` is called when
        no more comes and the connection is to be closed.

        Raises TooManyViewersError, NotLiveError when the server stops.
        """
        if self._closed:
            raise NotLiveError("the server stops")
        give_back = self._limits.take(owner, channel.camera)
        stream = self._streams.get((channel, sound))
        if stream is None:
            stream = self._streams[channel, sound] = _MseStream(channel, self._clock, sound)

        def released() -> None:
            waiting.cancel()
            give_back()
            if not stream.viewers:
                self._streams.pop((channel, sound), None)

        def too_late() -> None:
            if not viewer.began:
                words = (
                    f"no picture came from the camera's {channel.stream} stream within {self._ready_s:g} s"
                )
                viewer.end(words, NotLive.NO_PICTURE)

        viewer = MseViewer(stream, wire, ended, released)
        waiting = asyncio.get_running_loop().call_later(self._ready_s, too_late)
        stream.enter(viewer)
        return viewer

    def close(self) -> None:
        """Send all viewers away and take no more."""
        self._closed = True
        for stream in list(self._streams.values()):
            stream.end_all("the server stops")
