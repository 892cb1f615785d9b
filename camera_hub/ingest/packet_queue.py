"""The bounded way from a stream's reader to one consumer.

`put` never waits: a consumer that is slow loses its oldest GOP, is counted, and delays nobody.
What is left always begins at a keyframe, since a GOP without its head is worth nothing. Only a clip
that is read as fast as possible waits for its consumers (`patient`): there is no camera to delay.
"""

import threading
from collections import deque
from enum import Enum

from camera_hub.config import CameraConfig
from camera_hub.model import Packet, StreamInfo


class Pause(Enum):
    """The stream has stopped for now; nothing follows until it is opened again."""

    PAUSE = "pause"


Item = StreamInfo | Packet | Pause


class PacketQueue:
    """For one reader and one consumer thread."""

    def __init__(
        self, max_packets: int = 1000, max_bytes: int = 32 * 1024 * 1024, *, patient: bool = False
    ) -> None:
        self.dropped = 0
        self._patient = patient
        self._max_packets = max_packets
        self._max_bytes = max_bytes
        self._items: deque[Item] = deque()
        self._packets = 0
        self._bytes = 0
        self._needs_keyframe = True
        self._changed = threading.Condition()

    def put(self, item: Item) -> None:
        with self._changed:
            while self._patient and isinstance(item, Packet) and self._is_full():
                self._changed.wait(1)
            if isinstance(item, Packet):
                if self._needs_keyframe and not item.keyframe:
                    self.dropped += 1
                    return
                self._needs_keyframe = False
                self._packets += 1
                self._bytes += len(item.data)
            else:
                self._needs_keyframe = True
            self._items.append(item)
            while not self._patient and self._is_over():
                self._drop_oldest_gop()
            self._changed.notify_all()

    def get(self, timeout_s: float) -> Item | None:
        """The next item, None after `timeout_s`."""
        with self._changed:
            if not self._items:
                self._changed.wait(timeout_s)
            if not self._items:
                return None
            item = self._items.popleft()
            self._forget(item)
            if self._patient:
                self._changed.notify_all()
            return item

    def drain(self) -> list[Item]:
        """All that waits, at once."""
        with self._changed:
            items = list(self._items)
            self._items.clear()
            self._packets = self._bytes = 0
            if self._patient:
                self._changed.notify_all()
            return items

    def _is_full(self) -> bool:
        return self._packets >= self._max_packets or self._bytes >= self._max_bytes

    def _is_over(self) -> bool:
        return self._packets > self._max_packets or self._bytes > self._max_bytes

    def _drop_oldest_gop(self) -> None:
        """Drop packets from the oldest on, up to the next keyframe; what is no packet stays."""
        kept: deque[Item] = deque()
        dropped = 0
        while self._items:
            item = self._items[0]
            if isinstance(item, Packet):
                if item.keyframe and dropped:
                    break
                self._forget(item)
                dropped += 1
            else:
                kept.append(item)
            self._items.popleft()
        self._items.extendleft(reversed(kept))
        self.dropped += dropped
        if self._packets == 0:
            self._needs_keyframe = True

    def _forget(self, item: Item) -> None:
        if isinstance(item, Packet):
            self._packets -= 1
            self._bytes -= len(item.data)


def packet_queue(camera: CameraConfig) -> PacketQueue:
    """The queue that a camera's consumers need."""
    return PacketQueue(patient=camera.is_clip and camera.clip.pace == "full-speed")
