"""An encoded clip as a stream without an end: access units by number, round after round.

Relies on: PyAV for where each access unit lies in the file; their bytes are read from the mapped
file when they are sent, so that a clip costs no memory of its own.
"""

import mmap
import time
from dataclasses import dataclass
from pathlib import Path

import av

MAX_PAYLOAD = 1400  # bytes of an RTP payload, so that a packet fits any usual path
CLOCK_HZ = 90000


@dataclass(frozen=True)
class Unit:
    """One encoded picture: where it lies in the file, when it is shown, whether it can be begun with."""

    at: int
    size: int
    time_s: float
    keyframe: bool


class Timeline:
    """A looping clip on the clock: it began when it was opened, and all who watch see the same."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            base = stream.time_base or 0
            self.units = [
                Unit(packet.pos, packet.size, float(packet.pts * base), packet.is_keyframe)
                for packet in container.demux(stream)
                if packet.size and packet.pts is not None and packet.pos is not None
            ]
            rate = float(stream.average_rate or 15)
        self.duration_s = self.units[-1].time_s - self.units[0].time_s + 1 / rate
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.began = time.monotonic()

    def when(self, number: int) -> float:
        """Seconds since the beginning at which unit `number` is shown; numbers go on over rounds."""
        rounds, index = divmod(number, len(self.units))
        return rounds * self.duration_s + self.units[index].time_s - self.units[0].time_s

    def now(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.began

    def next_keyframe(self, after_s: float) -> int:
        """The number of the first keyframe that is shown at `after_s` or later."""
        number = int(after_s // self.duration_s) * len(self.units)
        while self.when(number) < after_s or not self.units[number % len(self.units)].keyframe:
            number += 1
        return number

    def keyframe(self, number: int) -> bool:
        return self.units[number % len(self.units)].keyframe

    def nalus(self, number: int) -> list[bytes]:
        """The NAL units of a unit (ISO/IEC 14496-15 lengths of four bytes taken off)."""
        unit = self.units[number % len(self.units)]
        data = self._bytes[unit.at : unit.at + unit.size]
        found, offset = [], 0
        while offset + 4 <= len(data):
            size = int.from_bytes(data[offset : offset + 4], "big")
            found.append(data[offset + 4 : offset + 4 + size])
            offset += 4 + size
        return found


def payloads(nalus: list[bytes]) -> list[tuple[bytes, bool]]:
    """RTP payloads of an access unit and whether each is its last (RFC 6184, packetization mode 1)."""
    out: list[tuple[bytes, bool]] = []
    for i, nalu in enumerate(nalus):
        last = i == len(nalus) - 1
        if len(nalu) <= MAX_PAYLOAD:
            out.append((nalu, last))
            continue
        indicator, kind = (nalu[0] & 0xE0) | 28, nalu[0] & 0x1F
        room = MAX_PAYLOAD - 2
        for start in range(1, len(nalu), room):
            end = start + room >= len(nalu)
            header = bytes((indicator, kind | (0x80 if start == 1 else 0) | (0x40 if end else 0)))
            out.append((header + nalu[start : start + room], last and end))
    return out
