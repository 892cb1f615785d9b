"""A picture as RTP payloads, once for all who watch, and the few RTCP packets that we send. No I/O.

Promises: payloads as in RFC 6184 with packetization-mode 1, so small that an RTP packet stays within
`MTU` bytes; NAL units are neither changed nor left out; the fragments of one NAL unit are of one size,
the last one apart, so that the kernel can cut them out of one buffer. RTCP as in RFC 3550.
"""

import struct
from collections.abc import Iterator

from camera_hub.annexb import nal_units
from camera_hub.live import gop
from camera_hub.model import Packet

MTU = 1200  # bytes of an RTP packet before encryption; with IP, UDP and TURN around it still under 1280
HEADER_BYTES = 12
PAYLOAD_BYTES = MTU - HEADER_BYTES
CLOCK_HZ = 90_000

_STAP_A, _FU_A = 24, 28
_START, _END = 0x80, 0x40
_NTP_EPOCH_S = 2_208_988_800  # 1900 to 1970

_REPORT = struct.Struct("!BBHIQIIIBBHI")


class Picture:
    """A packet with its RTP payloads, which all of a stream's viewers share."""

    __slots__ = ("packet", "payloads", "size")

    def __init__(self, packet: Packet) -> None:
        self.packet = packet
        self.payloads = tuple(payloads(packet.data))
        self.size = sum(map(len, self.payloads))


class Packetiser:
    """One stream's pictures, packetised when the first viewer needs them and kept while others may.

    What is kept begins with the newest keyframe and has the bounds of the cached group.
    """

    def __init__(self) -> None:
        self._pictures: dict[int, Picture] = {}  # by the packet's id, which is its own while it is kept
        self._bytes = 0

    def picture(self, packet: Packet) -> Picture:
        known = self._pictures.get(id(packet))
        if known is not None:
            return known
        made = Picture(packet)
        full = self._bytes + made.size > gop.MAX_BYTES or len(self._pictures) >= gop.MAX_PACKETS
        if packet.keyframe or full:
            self._pictures.clear()
            self._bytes = 0
        self._pictures[id(packet)] = made
        self._bytes += made.size
        return made


def payloads(data: bytes) -> Iterator[bytes]:
    """The RTP payloads of an access unit (Annex B, H.264): small NAL units together, large ones in parts."""
    together: list[memoryview] = []
    room = PAYLOAD_BYTES - 1
    for unit in nal_units(data):
        needs = 2 + len(unit)
        if together and needs > room:
            yield _aggregated(together)
            together, room = [], PAYLOAD_BYTES - 1
        if needs <= room:
            together.append(unit)
            room -= needs
        elif len(unit) <= PAYLOAD_BYTES:
            yield bytes(unit)
        else:
            yield from _fragments(unit)
    if together:
        yield _aggregated(together)


def _aggregated(units: list[memoryview]) -> bytes:
    """A single NAL unit as it is, several as STAP-A (5.7.1)."""
    if len(units) == 1:
        return bytes(units[0])
    forbidden = max(unit[0] & 0x80 for unit in units)
    importance = max(unit[0] & 0x60 for unit in units)
    parts: list[bytes | memoryview] = [bytes([forbidden | importance | _STAP_A])]
    for unit in units:
        parts += (len(unit).to_bytes(2, "big"), unit)
    return b"".join(parts)


def _fragments(unit: memoryview) -> Iterator[bytes]:
    """FU-A (5.8): full ones, and a last one with what is left."""
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 0x1F
    step = PAYLOAD_BYTES - 2
    for begin in range(1, len(unit), step):
        first = _START if begin == 1 else 0
        last = _END if begin + step >= len(unit) else 0
        yield bytes([indicator, kind | first | last]) + unit[begin : begin + step]


def sender_report(ssrc: int, cname: bytes, wall_us: int, rtp_time: int, packets: int, size: int) -> bytes:
    """An SR with a CNAME (6.4.1, 6.5): the wall time (µs since 1970) that belongs to an RTP time.

    `packets` and `size` are what was sent so far, payload bytes alone.
    """
    ntp = (wall_us // 1_000_000 + _NTP_EPOCH_S) << 32 | (wall_us % 1_000_000 << 32) // 1_000_000
    item = bytes([1, len(cname)]) + cname
    item += bytes(4 - len(item) % 4)  # at least one zero ends the items
    words = 1 + len(item) // 4
    head = _REPORT.pack(
        0x80, 200, 6, ssrc, ntp, rtp_time, packets & 0xFFFFFFFF, size & 0xFFFFFFFF, 0x81, 202, words, ssrc
    )
    return head + item
