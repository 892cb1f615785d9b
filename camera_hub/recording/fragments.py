"""Gathers packets into fragments.

Promises: a fragment ends with the first picture that makes it as long as FRAGMENT_US, if no keyframe ends it
before; fragments begin at keyframes where that leaves none of them tiny. Pure, and no
picture's bytes are copied.
"""

from collections.abc import Sequence
from typing import NamedTuple

from camera_hub.model import Packet
from camera_hub.mp4.boxes import Sample, fragment_head
from camera_hub.mp4.timeline import Place

FRAGMENT_US = 2_000_000
SHORT_US = 1_000_000  # a keyframe ends no fragment shorter than this which begins with one
FRAGMENT_BYTES = 8 << 20  # a fragment ends once it is larger


class Built(NamedTuple):
    """A whole fragment: its bytes in pieces, and its end from the segment's start."""

    parts: list[bytes | memoryview]
    end_us: int


class FragmentBuilder:
    """`add` packets in their order, then `end`."""

    def __init__(self, usual_us: int) -> None:
        """`usual_us` is how long a picture lasts where nothing follows that would tell."""
        self.usual_us = usual_us
        self.last_us = 0  # the newest packet's time
        self._sequence = 0
        self._samples: list[Sample] = []
        self._data: list[bytes | memoryview] = []
        self._data_size = 0
        self._begin_us = 0
        self._begin_wall_us = 0
        self._open: Sample | None = None  # the newest, whose duration only the next packet tells

    def add(self, packet: Packet, place: Place, units: Sequence[memoryview]) -> Built | None:
        """Take a packet; the fragment that ends before it, if one does."""
        built = None
        if self._open is not None:
            self.usual_us = place.time_us - self.last_us
            self._end_sample(place.time_us)
            if self._due(packet.keyframe, place.time_us):
                built = self._build(place.time_us)
        if not self._samples:
            self._begin_us, self._begin_wall_us = place.time_us, packet.wall_us
        size = 0
        for unit in units:
            self._data += (len(unit).to_bytes(4), unit)
            size += 4 + len(unit)
        self._data_size += size
        self._open = Sample(0, size, place.offset_us, packet.keyframe)
        self.last_us = place.time_us
        return built

    def end(self, end_us: int) -> Built | None:
        """What has been gathered, up to `end_us`; None where that is nothing."""
        self._end_sample(end_us)
        return self._build(end_us) if self._samples else None

    def _due(self, keyframe: bool, time_us: int) -> bool:
        length_us = time_us - self._begin_us
        if keyframe and (length_us >= SHORT_US or not self._samples[0].keyframe):
            return True
        return length_us >= FRAGMENT_US or self._data_size >= FRAGMENT_BYTES

    def _end_sample(self, end_us: int) -> None:
        if self._open is not None:
            self._samples.append(self._open._replace(duration_us=end_us - self.last_us))
            self._open = None

    def _build(self, end_us: int) -> Built:
        self._sequence += 1
        head = fragment_head(self._sequence, self._begin_us, self._begin_wall_us, self._samples)
        built = Built([head, *self._data], end_us)
        self._samples, self._data, self._data_size = [], [], 0
        return built
