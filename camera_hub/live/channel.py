"""One stream of one camera on its way to many viewers.

Promises: packets come in once and are handed on without a copy; a viewer starts from the newest
keyframe; one that does not keep up loses its own oldest packets, is moved to a keyframe and counted,
and delays nobody; what waits for a viewer is bounded. Relies on one event loop for all its calls.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import Protocol

import msgspec

from camera_hub.annexb import ParameterSets, nal_units, parameter_sets, with_parameter_sets
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.live import gop
from camera_hub.model import Packet, SoundPacket, StreamInfo, StreamName

SLOW_PACKETS = 25  # so many waiting when a keyframe comes: the viewer is better off going on from there
# Room for a cached group and what comes while it leaves. The viewers of a stream hold the same packets.
MAX_WAITING_PACKETS = 2 * gop.MAX_PACKETS
MAX_WAITING_BYTES = 2 * gop.MAX_BYTES
STALE_US = 5_000_000  # a stream that is silent for so long is not shown as if it were live


class Opened(msgspec.Struct, frozen=True):
    """The stream begins, or begins anew: what came before says nothing of what follows."""

    info: StreamInfo


class Paused(msgspec.Struct, frozen=True):
    """Nothing comes for now; `reason` is for people. An `Opened` follows when it goes on."""

    reason: str


LiveItem = Packet | Opened | Paused


class Watching(Protocol):
    """One who watches, as a channel sees it; all calls return at once."""

    def put(self, item: Opened | Paused) -> None:
        """What is to be known of the packets that follow."""

    def put_packet(self, packet: Packet) -> None:
        """The next packet, ready to be decoded."""

    def restart(self) -> None:
        """Begin with what is cached."""

    def end(self, reason: str) -> None:
        """No more comes, for a reason in words."""


Hear = Callable[[tuple[SoundPacket, ...]], object]
"""What a listener is given: a stream's sound as it comes; returns at once."""


class Viewer:
    """One who takes its time: `async with channel.subscribe() as viewer: async for item in viewer: ...`.

    The iteration ends when the channel ends; `reason` then says why, in words.
    """

    def __init__(self, channel: "LiveChannel") -> None:
        self.dropped = 0  # packets that this viewer was too slow for
        self.skips = 0  # how often it was moved to a keyframe
        self.reason = ""
        self._channel = channel
        self._items: deque[LiveItem] = deque()
        self._bytes = 0
        self._wants_keyframe = True
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def waiting(self) -> int:
        """Items that wait to be taken."""
        return len(self._items)

    async def __aenter__(self) -> "Viewer":
        self._channel.enter(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def leave(self) -> None:
        """Watch no more; may be called twice."""
        self.end("")
        self._items.clear()
        self._bytes = 0
        self._channel.discard(self)

    def __aiter__(self) -> AsyncIterator[LiveItem]:
        return self

    async def __anext__(self) -> LiveItem:
        while not self._items:
            if self._ended:
                raise StopAsyncIteration
            self._waiter = asyncio.get_running_loop().create_future()
            try:
                await self._waiter
            finally:
                self._waiter = None
        item = self._items.popleft()
        if isinstance(item, Packet):
            self._bytes -= len(item.data)
        return item

    def restart(self) -> None:
        """Begin again at the newest keyframe: the cached one, or the next where none is cached."""
        self._drop_packets()
        for packet in self._channel.cached():
            self.put_packet(packet)

    def put(self, item: Opened | Paused) -> None:
        if self._items and not isinstance(self._items[-1], Packet):
            self._items.pop()  # it was never taken, and the last word holds
        self._items.append(item)
        self._wants_keyframe = True
        self._wake()

    def put_packet(self, packet: Packet) -> None:
        if self._wants_keyframe and not packet.keyframe:
            return
        if packet.keyframe and len(self._items) >= SLOW_PACKETS:
            self._skip()
        self._wants_keyframe = False
        self._items.append(packet)
        self._bytes += len(packet.data)
        if len(self._items) > MAX_WAITING_PACKETS or self._bytes > MAX_WAITING_BYTES:
            self._skip()
        self._wake()

    def end(self, reason: str) -> None:
        """No more comes; what waits may still be taken."""
        if not self._ended:
            self._ended = True
            self.reason = reason
            self._wake()

    def _skip(self) -> None:
        """Let all that waits go, and wait for the next keyframe."""
        self.skips += 1
        self.dropped += self._drop_packets()

    def _drop_packets(self) -> int:
        """Forget the packets that wait, keep what was said of the stream; how many were forgotten."""
        before = len(self._items)
        said = [item for item in self._items if not isinstance(item, Packet)]
        self._items.clear()
        self._items.extend(said[-1:])  # the last word holds
        self._bytes = 0
        self._wants_keyframe = True
        return before - len(said)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class LiveChannel:
    """One stream, from the site that sends it to those who watch.

    `camera` is the global id ("khe-coc.cong-lang"). `changed` is called when a viewer came or
    left, `heard_changed` when a listener did.
    """

    def __init__(
        self,
        camera: str,
        stream: StreamName,
        changed: Callable[["LiveChannel"], None] = lambda channel: None,
        clock: Clock = SYSTEM_CLOCK,
        heard_changed: Callable[["LiveChannel"], None] = lambda channel: None,
    ) -> None:
        self.camera = camera
        self.stream = stream
        self.info: StreamInfo | None = None
        self.paused = ""  # why nothing comes, in words
        self.reordered = False  # the stream has B-frames: decoded in another order than shown
        self._changed = changed
        self._heard_changed = heard_changed
        self._clock = clock
        self._cache = gop.GopCache()
        self._told = ParameterSets("")  # at the opening
        self._viewers: set[Watching] = set()
        self._listeners: set[Hear] = set()
        self._fed_us = 0
        self._shown_us: int | None = None
        self._backward = 0

    @property
    def viewers(self) -> int:
        return len(self._viewers)

    @property
    def heard(self) -> bool:
        """Whether somebody listens."""
        return bool(self._listeners)

    def listen(self, hear: Hear) -> None:
        """Be given the stream's sound too, while it is watched. Nothing of it is cached."""
        self._listeners.add(hear)
        self._heard_changed(self)

    def unlisten(self, hear: Hear) -> None:
        """Hear no more; may be called twice."""
        if hear in self._listeners:
            self._listeners.remove(hear)
            self._heard_changed(self)

    def feed_sound(self, packets: tuple[SoundPacket, ...]) -> None:
        """The stream's sound, as it comes."""
        for hear in tuple(self._listeners):
            hear(packets)

    def subscribe(self) -> Viewer:
        """A viewer; it watches from `async with` on."""
        return Viewer(self)

    def opened(self, info: StreamInfo) -> None:
        """The stream flows (again)."""
        self._forget()
        self.info = info
        self._told = parameter_sets(info.codec, nal_units(info.extradata))
        self.paused = ""
        for viewer in tuple(self._viewers):  # one may leave meanwhile
            viewer.put(Opened(info))

    def feed(self, packets: Iterable[Packet]) -> None:
        """The stream's next packets, in decoding order. What comes before `opened` is not used."""
        if self.info is None:
            return
        for packet in packets:
            ready = self._decodable(packet)
            self._watch_order(ready)
            self._cache.add(ready)
            for viewer in tuple(self._viewers):  # one may leave meanwhile
                viewer.put_packet(ready)
        self._fed_us = self._clock.monotonic_us()

    def pause(self, reason: str) -> None:
        """Nothing comes for now, and what is cached is no longer live."""
        self._forget()
        self.paused = reason
        for viewer in tuple(self._viewers):  # one may leave meanwhile
            viewer.put(Paused(reason))

    def end(self, reason: str) -> None:
        """Send every viewer away."""
        for viewer in tuple(self._viewers):  # one may leave meanwhile
            viewer.end(reason)

    def cached(self) -> tuple[Packet, ...]:
        """What a viewer starts with; empty when nothing came for a while, since that is not live."""
        if self._clock.monotonic_us() - self._fed_us > STALE_US:
            self._cache.clear()
        return self._cache.packets()

    def enter(self, viewer: Watching) -> None:
        self._viewers.add(viewer)
        if self.info is not None:
            viewer.put(Opened(self.info))
        elif self.paused:
            viewer.put(Paused(self.paused))
        viewer.restart()
        self._changed(self)

    def discard(self, viewer: Watching) -> None:
        if viewer in self._viewers:
            self._viewers.remove(viewer)
            self._changed(self)

    def _forget(self) -> None:
        self._cache.clear()
        self.info = None
        self.reordered = False
        self._shown_us = None
        self._backward = 0

    def _decodable(self, packet: Packet) -> Packet:
        if not packet.keyframe:
            return packet
        data = with_parameter_sets(packet.data, self._told)
        return packet if data is packet.data else msgspec.structs.replace(packet, data=data)

    def _watch_order(self, packet: Packet) -> None:
        """Presentation times that step back again and again, by less than a second, are B-frames."""
        previous, self._shown_us = self._shown_us, packet.pts_us
        if previous is not None and 0 < previous - packet.pts_us < 1_000_000:
            self._backward += 1
            self.reordered = self.reordered or self._backward >= 2
