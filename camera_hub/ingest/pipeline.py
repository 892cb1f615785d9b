"""One stream of a camera: what its reader brings goes to recorder, watcher and live tap.

The reader's thread only puts packets into bounded queues and is never delayed; the recorder
works in a thread of its own; the live tap flows only while somebody watches. Sound goes to those
who listen live and nowhere else: it is neither kept nor cached.
"""

import threading
from collections.abc import Callable

from camera_hub.cameras import CameraError, open_source
from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.cameras.reader import StreamReader
from camera_hub.clock import Clock
from camera_hub.config import CameraConfig
from camera_hub.ingest.channel import CameraEnd
from camera_hub.ingest.messages import TapOpened, TapPackets, TapSound
from camera_hub.ingest.outlet import Outlet
from camera_hub.ingest.packet_queue import PacketQueue, Pause, packet_queue
from camera_hub.ingest.watcher import Watcher
from camera_hub.live.gop import GopCache
from camera_hub.model import (
    CameraState,
    Packet,
    RecordingCause,
    SoundPacket,
    StreamHealth,
    StreamInfo,
    StreamName,
)
from camera_hub.recording import Recorder

OLD_KEYFRAME_US = 8_000_000  # with rare keyframes the newest may show what was long ago
GATHER_S = 0.5  # packets are written together: a thread that wakes for each costs more than the writing


class StreamPipeline:
    """`start`, then `tap` as often as liked, then `stop` and `join`."""

    def __init__(
        self,
        camera: CameraConfig,
        stream: StreamName,
        recorder: Recorder | None,
        watcher: Watcher | None,
        channel: CameraEnd,
        on_state: Callable[[], None],
        clock: Clock,
        *,
        record: bool = True,
    ) -> None:
        """`record`: whether the recorder gets something for now; see `record`."""
        self.stream = stream
        self.state = CameraState.CONNECTING
        self.error: CameraError | None = None
        self.since_us = clock.wall_us()
        self._clock = clock
        self._on_state = on_state
        self._recorder = recorder
        self._records = Outlet(packet_queue(camera), record)
        watches = [watcher.outlet] if watcher else []
        self._outlets = [*([self._records] if recorder else []), *watches]
        self._tap = _Tap(stream, channel)
        self._reader = StreamReader(
            open_source=lambda: open_source(camera, stream, clock, self._tap.sound),
            on_info=self._opened,
            on_packet=self._packet,
            on_state=self._state_changed,
            clock=clock,
        )
        self._stopping = threading.Event()
        self._recorder_alive_us = clock.monotonic_us()
        self._threads = [threading.Thread(target=self._reader.run, name=f"read-{stream}", daemon=True)]
        if recorder is not None:
            self._threads.append(
                threading.Thread(
                    target=self._record,
                    args=(recorder, self._records.queue),
                    name=f"record-{stream}",
                    daemon=True,
                )
            )

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask the threads to end."""
        self._reader.stop()
        self._stopping.set()

    def join(self, timeout_s: float = 1.5) -> None:
        """Wait until the recorder has closed its file; the reader may be deep in a read."""
        for thread in reversed(self._threads):
            thread.join(timeout_s)

    def tap(self, on: bool) -> None:
        """Send the stream's packets to the worker, from the newest keyframe on; or stop."""
        self._tap.switch(on)

    def listen(self, on: bool) -> None:
        """Send the sound of the tapped stream too, as it comes; or stop."""
        self._tap.listen(on)

    def record(self, on: bool) -> None:
        """Keep the stream on disk from its next keyframe on, or no more; the stream is not touched."""
        self._records.on = on

    def picture(self) -> DecodedFrame | None:
        """The newest keyframe, or the newest picture where that is old: for a camera of which nobody
        has decoded anything lately."""
        info, packets = self._tap.cached()
        if info is None or not packets or self.state is not CameraState.ONLINE:
            return None
        decoder = LumaDecoder(info)
        old = packets[-1].wall_us - packets[0].wall_us > OLD_KEYFRAME_US
        frames = [frame for packet in (packets if old else packets[:1]) for frame in decoder.decode(packet)]
        frames += decoder.flush()
        return frames[-1] if frames else None

    @property
    def alive_us(self) -> int:
        """Monotonic; when the recorder last came round. The reader watches itself."""
        return self._recorder_alive_us if self._recorder else self._clock.monotonic_us()

    @property
    def recording_problem(self) -> str:
        return self._recorder.problem if self._recorder and self._records.on else ""

    @property
    def recording_cause(self) -> RecordingCause | None:
        return self._recorder.cause if self._recorder and self._records.on else None

    def health(self) -> StreamHealth | None:
        """None while the stream has never been open."""
        return self._reader.health(self.stream, sum(outlet.queue.dropped for outlet in self._outlets))

    # -- called by the reader's thread -----------------------------------------------------

    def _opened(self, info: StreamInfo) -> None:
        self._tap.opened(info)
        for outlet in self._outlets:
            outlet.opened(info)

    def _packet(self, packet: Packet) -> None:
        for outlet in self._outlets:
            outlet.packet(packet)
        self._tap.packet(packet)

    def _state_changed(self, state: CameraState, error: CameraError | None, wall_us: int) -> None:
        if self.state is CameraState.ONLINE and state is not CameraState.ONLINE:
            self._tap.stopped()
            for outlet in self._outlets:
                outlet.paused()
        if state is not self.state:
            self.since_us = wall_us
        self.state, self.error = state, error
        self._on_state()

    # -- the recorder's thread -------------------------------------------------------------

    def _record(self, recorder: Recorder, queue: PacketQueue) -> None:
        stopping = False
        while not stopping:
            stopping = self._stopping.wait(GATHER_S)
            self._recorder_alive_us = self._clock.monotonic_us()
            for item in queue.drain():
                match item:
                    case Packet():
                        recorder.write(item)
                    case StreamInfo():
                        recorder.start(item)
                    case Pause():
                        recorder.close()
        recorder.close()


class _Tap:
    """The newest GOP of a stream, and its way to the worker while somebody watches."""

    def __init__(self, stream: StreamName, channel: CameraEnd) -> None:
        self._stream = stream
        self._channel = channel
        self._lock = threading.Lock()
        self._info: StreamInfo | None = None
        self._gop = GopCache()
        self._on = False
        self._heard = False
        self._wants_keyframe = False

    def switch(self, on: bool) -> None:
        with self._lock:
            self._on = on
            self._heard = self._heard and on
            if on and self._info is not None:
                self._channel.send(TapOpened(stream=self._stream, info=self._info))
                packets = tuple(self._gop.packets())
                self._wants_keyframe = not packets
                if packets:
                    self._channel.send(TapPackets(stream=self._stream, packets=packets))

    def listen(self, on: bool) -> None:
        with self._lock:
            self._heard = on and self._on

    def sound(self, packet: SoundPacket) -> None:
        with self._lock:
            if self._heard:
                self._channel.send(TapSound(stream=self._stream, packets=(packet,)))

    def cached(self) -> tuple[StreamInfo | None, tuple[Packet, ...]]:
        with self._lock:
            return self._info, tuple(self._gop.packets())

    def opened(self, info: StreamInfo) -> None:
        with self._lock:
            self._info = info
            self._gop.clear()
            self._wants_keyframe = True
            if self._on:
                self._channel.send(TapOpened(stream=self._stream, info=info))

    def stopped(self) -> None:
        with self._lock:
            self._gop.clear()  # nobody shall be shown the past as if it were live

    def packet(self, packet: Packet) -> None:
        with self._lock:
            self._gop.add(packet)
            if not self._on or (self._wants_keyframe and not packet.keyframe):
                return
            sent = self._channel.send(TapPackets(stream=self._stream, packets=(packet,)))
            self._wants_keyframe = not sent
