"""Keeps one stream coming: opens it, watches it, closes it, tries again, for ever.

`run` is made for a thread of its own. Whoever is called back is called in that thread, and must
be quick. `stop` returns at once; `run` follows with the next packet, or, if nothing comes, when
the source's own timeout has passed (a read inside FFmpeg cannot be broken off from outside).
The thread should therefore be a daemon.
"""

import threading
from collections.abc import Callable

import structlog

from camera_hub.cameras.retry import Progress, Retry
from camera_hub.cameras.source import CameraError, ClipOverError, Source, StalledError, UnauthorisedError
from camera_hub.cameras.stats import StreamStats
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.model import CameraState, Packet, StreamHealth, StreamInfo, StreamName

log = structlog.get_logger(__name__)

STALLED_AFTER_S = 10.0

OnInfo = Callable[[StreamInfo], object]
OnPacket = Callable[[Packet], object]
OnState = Callable[[CameraState, CameraError | None, int], object]


class StreamReader:
    """The loop of one stream.

    `open_source` makes a fresh source for each attempt. `on_info` precedes the packets of each
    connection, and those of a stream that changed; the packet after it is a keyframe. `on_state`
    gets the state, the last error (None when online) and the wall time (µs); it is called at each
    change of the state or of the error's words.
    """

    def __init__(
        self,
        open_source: Callable[[], Source],
        *,
        on_info: OnInfo,
        on_packet: OnPacket,
        on_state: OnState,
        clock: Clock = SYSTEM_CLOCK,
        stalled_after_s: float = STALLED_AFTER_S,
        retry: Retry | None = None,
    ) -> None:
        self._open_source = open_source
        self._on_info = on_info
        self._on_packet = on_packet
        self._on_state = on_state
        self._clock = clock
        self._stalled_after_s = stalled_after_s
        self._retry = retry or Retry()
        self._stats = StreamStats()
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._source: Source | None = None
        self._told: tuple[CameraState, str] | None = None
        self._online_us: int | None = None  # monotonic; since when this connection has run

    def run(self) -> None:
        """Read until `stop`, or until a clip that does not loop has ended."""
        self._tell(CameraState.CONNECTING, None)
        while not self._stopping.is_set():
            error = self._attempt()
            if self._stopping.is_set():
                break
            if error is None:
                error = ClipOverError("the clip has ended")
            self._tell(error.state, error)
            if error.final:
                break
            self._wait(error)

    def stop(self) -> None:
        """Ask `run` to end; from any thread, at any time, as often as liked."""
        self._stopping.set()
        with self._lock:
            if self._source is not None:
                self._source.interrupt()

    def health(self, stream: StreamName, dropped: int = 0) -> StreamHealth | None:
        """How the stream does; None while it has never been open. From any thread."""
        return self._stats.health(stream, dropped, self._clock.monotonic_us())

    def _attempt(self) -> CameraError | None:
        """One connection from beginning to end; what ended it, None for a clip that was over."""
        self._online_us = None
        try:
            source = self._open_source()
            with self._lock:
                self._source = source
            if self._stopping.is_set():
                return None
            try:
                self._read(source)
            finally:
                with self._lock:
                    self._source = None
                source.close()
        except CameraError as error:
            return error
        except Exception:
            # Ours to mend, but a camera that comes back is worth more than a thread that is dead.
            log.exception("reading a stream failed unexpectedly")
            return CameraError("reading the stream failed in an unexpected way; the log has the details")
        return None

    def _read(self, source: Source) -> None:
        info = source.open()
        now_us = self._clock.monotonic_us()
        self._stats.opened(info, now_us)
        self._on_info(info)
        progress = Progress(now_us, self._stalled_after_s)
        for packet in source.packets():
            if self._stopping.is_set():
                return
            now_us = self._clock.monotonic_us()
            if not progress.packet(packet.dts_us, now_us):
                raise StalledError(
                    f"the camera has sent pictures of one and the same time for {self._stalled_after_s:.0f} s"
                )
            if source.info is not info:
                info = source.info
                self._stats.opened(info, now_us)
                self._on_info(info)
            self._stats.add(packet, now_us)
            if self._online_us is None:
                self._online_us = now_us
                self._tell(CameraState.ONLINE, None)
            self._on_packet(packet)

    def _wait(self, error: CameraError) -> None:
        ran_us = 0 if self._online_us is None else self._clock.monotonic_us() - self._online_us
        delay_s = self._retry.failed(unauthorised=isinstance(error, UnauthorisedError), ran_s=ran_us / 1e6)
        log.debug("trying again", after_s=round(delay_s, 1), error=str(error))
        self._stopping.wait(delay_s)

    def _tell(self, state: CameraState, error: CameraError | None) -> None:
        told = (state, str(error or ""))
        if self._told != told:
            self._told = told
            self._on_state(state, error, self._clock.wall_us())
