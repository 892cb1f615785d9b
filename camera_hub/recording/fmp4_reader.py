"""Reads the segments that `fmp4` writes: also one that is being written, or that was cut off anywhere.

Promises: only whole fragments come out, up to the first that is not whole; nothing in a damaged file raises
anything but `NotASegmentError`, and only about the file's head. Samples' bytes are read when asked for.
"""

import json
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from camera_hub.mp4.boxes import NTP_EPOCH_S, ORIGIN_BOX, TIMESCALE, Origin, Sample

_LARGEST_HEAD = 1 << 20
_LARGEST_MOOF = 4 << 20  # 250 000 samples: no fragment of ours comes near
_READ_AHEAD = 4096  # holds `prft` and `moof` of most fragments
_CODECS = {b"avc1": "h264", b"hvc1": "hevc"}
_PRFT = 32  # bytes of a fragment's first box


class NotASegmentError(Exception):
    """The file's head is missing, cut off, or not ours."""


class Head(NamedTuple):
    """What a segment says of itself."""

    entry: bytes  # the sample entry box, as it is in `stsd`
    codec: str
    width: int  # px
    height: int  # px
    origin: Origin
    size: int  # bytes of the file before the first fragment


class Fragment(NamedTuple):
    """Where a fragment lies in its file and what it holds."""

    begin: int  # byte offset of its `prft`
    end: int
    time_us: int  # decoding time of its first sample, from the segment's start
    wall_us: int  # when that sample reached the hub
    data: int  # byte offset of its first sample's bytes
    samples: list[Sample]

    @property
    def end_us(self) -> int:
        """Decoding time of its end, from the segment's start."""
        return self.time_us + sum(s.duration_us for s in self.samples)


class SegmentReader:
    """An open segment. Raises OSError as `open` does, and NotASegmentError."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            self.head = _read_head(self._fd)
        except BaseException:
            os.close(self._fd)
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._fd)

    def fragments(self) -> Iterator[Fragment]:
        """The whole fragments, in order, as far as the file reaches now."""
        at = self.head.size
        while (found := self._fragment(at)) is not None:
            yield found
            at = found.end

    def read(self, at: int, size: int) -> bytes:
        """`size` bytes at `at`. Raises EOFError where the file has been cut meanwhile."""
        data = os.pread(self._fd, size, at)
        while len(data) < size:
            more = os.pread(self._fd, size - len(data), at + len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def _fragment(self, at: int) -> Fragment | None:
        size = os.fstat(self._fd).st_size
        ahead = os.pread(self._fd, _READ_AHEAD, at)
        if len(ahead) < _PRFT + 8 or ahead[4:8] != b"prft":
            return None
        moof_size, kind = struct.unpack_from(">I4s", ahead, _PRFT)
        if kind != b"moof" or not 8 < moof_size <= _LARGEST_MOOF:
            return None
        head_size = _PRFT + moof_size + 8
        if len(ahead) < head_size:
            ahead = os.pread(self._fd, head_size, at)
        try:
            time_us, samples = _parse_moof(ahead[_PRFT + 8 : _PRFT + moof_size])
            mdat_size, kind = struct.unpack_from(">I4s", ahead, _PRFT + moof_size)
        except (struct.error, KeyError):
            return None
        data = at + head_size
        end = data + mdat_size - 8
        if kind != b"mdat" or end > size or mdat_size - 8 != sum(s.size for s in samples) or not samples:
            return None
        (ntp,) = struct.unpack_from(">Q", ahead, 16)
        return Fragment(at, end, time_us, wall_time_us(ntp), data, samples)


def wall_time_us(ntp: int) -> int:
    """The wall time of an NTP timestamp, between 1968 and 2104 (RFC 4330, 3)."""
    era = 0 if ntp >> 63 else 2**64
    return ((ntp + era) * 1_000_000 + 2**31) // 2**32 - NTP_EPOCH_S * 1_000_000


def _parse_moof(payload: bytes) -> tuple[int, list[Sample]]:
    """(time_us, samples). Raises KeyError or struct.error."""
    traf = dict(_boxes(dict(_boxes(payload))[b"traf"]))
    (time_us,) = struct.unpack_from(">Q", traf[b"tfdt"], 4)
    trun = traf[b"trun"]
    version_flags, count = struct.unpack_from(">II", trun)
    if version_flags != 0x01000F01 or len(trun) != 12 + 16 * count:
        raise KeyError("not our trun")
    rows = struct.iter_unpack(">IIIi", trun[12:])
    return time_us, [
        Sample(length, size, offset, not flags & 0x10000) for length, size, flags, offset in rows
    ]


def _read_head(fd: int) -> Head:
    """Raises NotASegmentError."""
    begin = os.pread(fd, 16, 0)
    if len(begin) < 16 or begin[4:12] != b"ftypiso6":
        raise NotASegmentError("the file does not begin as a segment does")
    (ftyp_size,) = struct.unpack_from(">I", begin)
    data = os.pread(fd, _LARGEST_HEAD, 0) if ftyp_size > _READ_AHEAD else os.pread(fd, _READ_AHEAD, 0)
    if len(data) < ftyp_size + 8:
        raise NotASegmentError("the file's head is cut off")
    moov_size, kind = struct.unpack_from(">I4s", data, ftyp_size)
    if kind != b"moov" or moov_size > _LARGEST_HEAD:
        raise NotASegmentError("the file's head is not a segment's")
    size = ftyp_size + moov_size
    if len(data) < size:
        data = os.pread(fd, size, 0)
    try:
        return _parse_moov(data[ftyp_size + 8 : size], size)
    except (KeyError, ValueError, TypeError, IndexError, struct.error) as exc:
        raise NotASegmentError("the file's head is cut off or not a segment's") from exc


def _parse_moov(payload: bytes, size: int) -> Head:
    moov = dict(_boxes(payload))
    mdia = dict(_boxes(dict(_boxes(moov[b"trak"]))[b"mdia"]))
    stbl = dict(_boxes(dict(_boxes(mdia[b"minf"]))[b"stbl"]))
    (timescale,) = struct.unpack_from(">I", mdia[b"mdhd"], 20)
    entry = stbl[b"stsd"][8:]
    width, height = struct.unpack_from(">HH", entry, 32)
    if timescale != TIMESCALE or moov[b"uuid"][:16] != ORIGIN_BOX:
        raise ValueError("not ours")
    told = json.loads(moov[b"uuid"][16:])
    origin = Origin(str(told["camera"]), str(told["stream"]), int(told["start_us"]), int(told["stream_us"]))
    return Head(entry, _CODECS[entry[4:8]], width, height, origin, size)


def _boxes(data: bytes) -> list[tuple[bytes, bytes]]:
    """(kind, payload) of the boxes in `data`, up to the first that is not whole."""
    found = []
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        if size < 8 or at + size > len(data):
            break
        found.append((kind, data[at + 8 : at + size]))
        at += size
    return found
