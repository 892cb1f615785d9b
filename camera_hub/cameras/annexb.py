"""Access units in Annex B, taken apart as far as their parameter sets; bytes in, bytes out.

ITU-T H.264 (7.3.1, 7.4.1, annex B) and H.265 (7.3.1, 7.4.2, annex B).
"""

from collections.abc import Iterator
from typing import NamedTuple

START_CODE = b"\x00\x00\x00\x01"

_SHORT_START_CODE = b"\x00\x00\x01"


class _Codec(NamedTuple):
    parameter_sets: tuple[int, ...]  # NAL unit types, in the order in which they are needed
    sps: int
    delimiter: int  # access unit delimiter
    pictures: range  # types of NAL units that hold a part of a picture


_CODECS = {
    "h264": _Codec(parameter_sets=(7, 8), sps=7, delimiter=9, pictures=range(1, 6)),
    "hevc": _Codec(parameter_sets=(32, 33, 34), sps=33, delimiter=35, pictures=range(32)),
}


def nal_type(codec: str, nal: bytes) -> int:
    """The NAL unit's type, from its header."""
    return nal[0] & 0x1F if codec == "h264" else (nal[0] >> 1) & 0x3F


def nal_units(data: bytes) -> Iterator[bytes]:
    """The NAL units of an Annex B byte stream, one after another, without start codes."""
    start = data.find(_SHORT_START_CODE)
    while start >= 0:
        start += len(_SHORT_START_CODE)
        end = data.find(_SHORT_START_CODE, start)
        nal = (data[start:] if end < 0 else data[start:end]).rstrip(b"\x00")
        if nal:
            yield nal
        start = end


class ParameterSets:
    """The parameter sets of a stream, as they were last sent."""

    def __init__(self, codec: str, extradata: bytes = b"") -> None:
        self._codec = codec
        self._kinds = _CODECS[codec]
        self._sets: dict[int, list[bytes]] = {}
        self._take(nal_units(extradata))

    @property
    def complete(self) -> bool:
        """Whether a decoder could start with these."""
        return all(self._sets.get(kind) for kind in self._kinds.parameter_sets)

    @property
    def sps(self) -> bytes | None:
        """The (first) sequence parameter set, with its NAL unit header."""
        found = self._sets.get(self._kinds.sps)
        return found[0] if found else None

    def annexb(self) -> bytes:
        """All of them, in the order in which a decoder needs them."""
        return self._joined(self._kinds.parameter_sets)

    def with_parameter_sets(self, keyframe: bytes) -> bytes:
        """The keyframe with all parameter sets in it; those that it brings replace ours."""
        found = self._take(self._head(keyframe))
        missing = tuple(kind for kind in self._kinds.parameter_sets if kind not in found)
        if not missing:
            return keyframe
        at = self._after_delimiter(keyframe)
        return keyframe[:at] + self._joined(missing) + keyframe[at:]

    def _take(self, nals: Iterator[bytes]) -> set[int]:
        found: dict[int, list[bytes]] = {}
        for nal in nals:
            kind = nal_type(self._codec, nal)
            if kind in self._kinds.parameter_sets:
                found.setdefault(kind, []).append(nal)
        self._sets |= found
        return set(found)

    def _head(self, unit: bytes) -> Iterator[bytes]:
        """The NAL units before the picture itself, which is long and of no interest here."""
        start = unit.find(_SHORT_START_CODE)
        while 0 <= start < len(unit) - 3:
            start += len(_SHORT_START_CODE)
            if nal_type(self._codec, unit[start : start + 1]) in self._kinds.pictures:
                return
            end = unit.find(_SHORT_START_CODE, start)
            yield (unit[start:] if end < 0 else unit[start:end]).rstrip(b"\x00")
            start = end

    def _joined(self, kinds: tuple[int, ...]) -> bytes:
        return b"".join(START_CODE + nal for kind in kinds for nal in self._sets.get(kind, ()))

    def _after_delimiter(self, unit: bytes) -> int:
        """Where parameter sets may stand: an access unit delimiter has to be first."""
        first = unit.find(_SHORT_START_CODE) + len(_SHORT_START_CODE)
        if first < len(unit) and nal_type(self._codec, unit[first : first + 1]) == self._kinds.delimiter:
            following = unit.find(_SHORT_START_CODE, first)
            if following > 0:
                return following - 1 if unit[following - 1] == 0 else following
        return 0
