"""How a stream does, counted as its packets pass: rates over the last seconds, in fixed memory."""

import threading

from camera_hub.model import Packet, StreamHealth, StreamInfo, StreamName

WINDOW_S = 10  # whole seconds over which rates are measured


class StreamStats:
    """`add` in the reader's thread, `health` in any."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._info: StreamInfo | None = None
        self._second = 0  # monotonic; the second that is being counted
        self._begun = 0
        self._counts = [0] * WINDOW_S
        self._bytes = [0] * WINDOW_S
        self._keyframe_us: int | None = None
        self._keyframe_interval_us: int | None = None
        self._last_packet_us = 0

    def opened(self, info: StreamInfo, now_us: int) -> None:
        """A stream begins, or goes on as another; `now_us` is monotonic."""
        with self._lock:
            self._info = info
            self._keyframe_us = None
            self._keyframe_interval_us = None
            self._advance(now_us)
            self._begun = self._second

    def add(self, packet: Packet, now_us: int) -> None:
        """A packet passes."""
        with self._lock:
            self._advance(now_us)
            slot = self._second % WINDOW_S
            self._counts[slot] += 1
            self._bytes[slot] += len(packet.data)
            self._last_packet_us = packet.wall_us
            if packet.keyframe:
                if self._keyframe_us is not None:
                    self._keyframe_interval_us = packet.dts_us - self._keyframe_us
                self._keyframe_us = packet.dts_us

    def health(self, stream: StreamName, dropped: int, now_us: int) -> StreamHealth | None:
        """The measurements; None before the stream was first open."""
        with self._lock:
            info = self._info
            if info is None:
                return None
            self._advance(now_us)
            # The second that has just begun is not counted, unless it is all there is.
            full = min(self._second - self._begun, WINDOW_S - 1)
            slots = [(self._second - 1 - back) % WINDOW_S for back in range(full)] or [
                self._second % WINDOW_S
            ]
            interval_us = self._keyframe_interval_us
            return StreamHealth(
                stream=stream,
                codec=info.codec,
                width=info.width,
                height=info.height,
                fps=round(sum(self._counts[slot] for slot in slots) / len(slots), 2),
                kbit_s=round(sum(self._bytes[slot] for slot in slots) * 8 / 1000 / len(slots), 1),
                keyframe_interval_s=None if interval_us is None else round(interval_us / 1e6, 3),
                last_packet_us=self._last_packet_us,
                dropped=dropped,
                sound=info.sound.codec if info.sound is not None and info.sound.usable else "",
            )

    def _advance(self, now_us: int) -> None:
        """Empty the slots of the seconds that have passed."""
        second = now_us // 1_000_000
        for passed in range(self._second + 1, min(second, self._second + WINDOW_S) + 1):
            self._counts[passed % WINDOW_S] = 0
            self._bytes[passed % WINDOW_S] = 0
        self._second = max(self._second, second)
