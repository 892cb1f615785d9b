"""What one server watches over its link: which streams, and how much of them the line has room for.

Promises: what is watched flows, and nothing else; where the line is too narrow the small stream flows in
place of the full one, then keyframes alone, under the name that was asked for and opened anew, so that
the server and its viewers need not know; it comes back by itself. Sound comes with what it was asked for,
until that is opened anew.
"""

from camera_hub.clock import Clock
from camera_hub.link.messages import LiveOpened, LivePackets, LiveSize, LiveSound
from camera_hub.link.worker.outgoing import LiveBuffer
from camera_hub.link.worker.protocols import Hamlet
from camera_hub.link.worker.squeeze import Squeeze
from camera_hub.model import StreamName


class Watched:
    """One link's."""

    def __init__(self, server: str, hamlet: Hamlet, clock: Clock) -> None:
        self._server = server
        self._hamlet = hamlet
        self._clock = clock
        self._squeeze = Squeeze(clock.monotonic_us())
        self._buffers: dict[tuple[str, StreamName], LiveBuffer] = {}

    @property
    def buffers(self) -> list[LiveBuffer]:
        return list(self._buffers.values())

    @property
    def size(self) -> LiveSize:
        return self._squeeze.size

    def watch(self, camera: str, stream: StreamName, on: bool) -> None:
        """Have a stream sent from its newest keyframe on, or no more. Asked again, it starts anew."""
        before = self._buffers.pop((camera, stream), None)
        if on:
            buffer = self._buffers[camera, stream] = LiveBuffer(camera, stream)
            self._fit(buffer)
            self._hamlet.watch(self._server, camera, buffer.source, on=True)
        if before is not None:
            self._let_go(camera, before.source)

    def listen(self, camera: str, stream: StreamName, on: bool) -> None:
        """Have a watched stream's sound sent too, or no more."""
        buffer = self._buffers.get((camera, stream))
        if buffer is not None:
            buffer.heard = on
            self._hear(camera, buffer.source)

    def opened(self, message: LiveOpened) -> None:
        for buffer in self._fed_by(message.camera, message.stream):
            buffer.open(message.info)

    def packets(self, message: LivePackets) -> None:
        now_us = self._clock.monotonic_us()
        for buffer in self._fed_by(message.camera, message.stream):
            buffer.add(message.packets, now_us)

    def sound(self, message: LiveSound) -> None:
        for buffer in self._fed_by(message.camera, message.stream):
            if buffer.heard:
                buffer.add_sound(message.packets)

    def judge(self) -> bool:
        """To be called about every half second; whether `size` changed."""
        now_us = self._clock.monotonic_us()
        late_us = max((buffer.late_us(now_us) for buffer in self._buffers.values()), default=0)
        skips = sum(buffer.skips for buffer in self._buffers.values())
        for buffer in self._buffers.values():
            buffer.skips = 0
        if not self._squeeze.seen(late_us, skips, now_us):
            return False
        for buffer in self._buffers.values():
            source = buffer.source
            self._fit(buffer)
            if buffer.source != source:
                buffer.heard = False  # the server asks again once it is open
                self._hamlet.watch(self._server, buffer.camera, buffer.source, on=True)
                self._let_go(buffer.camera, source)
        return True

    def clear(self) -> None:
        """The connection has gone: nothing is watched."""
        self._buffers.clear()
        self._hamlet.unwatch_all(self._server)

    def _fit(self, buffer: LiveBuffer) -> None:
        """Bring one in line with what there is room for."""
        streams = next((info.streams for info in self._hamlet.cameras() if info.id == buffer.camera), ())
        squeezed = self.size is not LiveSize.WHOLE and "sub" in streams
        buffer.source = "sub" if squeezed else buffer.stream
        buffer.keyframes_only = self.size is LiveSize.KEYFRAMES
        buffer.restart()

    def _fed_by(self, camera: str, source: StreamName) -> list[LiveBuffer]:
        return [buffer for buffer in self.buffers if (buffer.camera, buffer.source) == (camera, source)]

    def _hear(self, camera: str, source: StreamName) -> None:
        heard = any(buffer.heard for buffer in self._fed_by(camera, source))
        self._hamlet.listen(self._server, camera, source, heard)

    def _let_go(self, camera: str, source: StreamName) -> None:
        if self._fed_by(camera, source):
            self._hear(camera, source)
        else:
            self._hamlet.watch(self._server, camera, source, on=False)
