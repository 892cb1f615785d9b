"""Which servers watch which streams: each stream is tapped once, however many watch.

Promises: a server that begins to watch gets the newest group of pictures at once, and one that watches
already does not notice; nobody is shown what has stood still for seconds as if it were live.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from camera_hub.clock import Clock
from camera_hub.link.messages import LiveOpened, LivePackets
from camera_hub.live.gop import GopCache
from camera_hub.model import Packet, StreamInfo, StreamName

STALE_US = 5_000_000


@dataclass
class _Tap:
    servers: set[str] = field(default_factory=set)
    info: StreamInfo | None = None
    gop: GopCache = field(default_factory=GopCache)
    fed_us: int = 0  # monotonic


class Taps:
    """Of one worker."""

    def __init__(
        self,
        tap: Callable[[str, StreamName, bool], None],
        send: Callable[[str, LiveOpened | LivePackets], None],
        clock: Clock,
    ) -> None:
        """`tap` has a stream come, from its newest keyframe on, or stops it; `send` is to a server."""
        self._tap = tap
        self._send = send
        self._clock = clock
        self._taps: dict[tuple[str, StreamName], _Tap] = {}

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        tap = self._taps.get((camera, stream))
        if not on:
            if tap is not None:
                tap.servers.discard(server)
                if not tap.servers:
                    del self._taps[camera, stream]
                    self._tap(camera, stream, False)
            return
        if tap is None:
            self._taps[camera, stream] = _Tap({server})
            self._tap(camera, stream, True)
            return
        tap.servers.add(server)
        if tap.info is not None:
            self._send(server, LiveOpened(camera=camera, stream=stream, info=tap.info))
            packets = tap.gop.packets()
            if packets and self._clock.monotonic_us() - tap.fed_us < STALE_US:
                self._send(server, LivePackets(camera=camera, stream=stream, packets=packets))

    def unwatch_all(self, server: str) -> None:
        for camera, stream in [key for key, tap in self._taps.items() if server in tap.servers]:
            self.watch(server, camera, stream, on=False)

    def opened(self, camera: str, stream: StreamName, info: StreamInfo) -> None:
        """A tapped stream begins, or begins anew."""
        tap = self._taps.get((camera, stream))
        if tap is None:
            return
        tap.info = info
        tap.gop.clear()
        for server in tap.servers:
            self._send(server, LiveOpened(camera=camera, stream=stream, info=info))

    def packets(self, camera: str, stream: StreamName, packets: Sequence[Packet]) -> None:
        tap = self._taps.get((camera, stream))
        if tap is None:
            return
        for packet in packets:
            tap.gop.add(packet)
        tap.fed_us = self._clock.monotonic_us()
        message = LivePackets(camera=camera, stream=stream, packets=tuple(packets))
        for server in tap.servers:
            self._send(server, message)
