"""Annex B byte streams taken apart: NAL units, their types, and the parameter sets among them. No I/O.

Promises: a NAL unit's bytes are never changed, and those of a picture are not copied.
Relies on ITU-T H.264 (7.3.1, 7.4.1, annex B) and H.265 (7.3.1, 7.4.2, annex B).
"""

from collections.abc import Iterable
from typing import NamedTuple

START_CODE = b"\x00\x00\x00\x01"

_MARK = b"\x00\x00\x01"  # what all start codes have in common


_FILLING = (0, 3)  # bytes that words of padding end in
_NONE = -1  # a NAL unit type that no codec has


class _Types(NamedTuple):
    """The NAL unit types of a codec that matter here."""

    sets: tuple[int, int, int]  # VPS, SPS, PPS
    delimiter: int  # access unit delimiter
    pictures: range  # what holds a part of a picture
    fresh: range  # ... of one that needs no other


_TYPES = {
    "h264": _Types(sets=(_NONE, 7, 8), delimiter=9, pictures=range(1, 6), fresh=range(5, 6)),
    "hevc": _Types(sets=(32, 33, 34), delimiter=35, pictures=range(32), fresh=range(16, 24)),
}
_UNKNOWN = _Types(sets=(_NONE, _NONE, _NONE), delimiter=_NONE, pictures=range(0), fresh=range(0))

CODECS = tuple(_TYPES)
"""The codecs that are known here, by FFmpeg's names; the others have no parameter sets."""


def nal_units(data: bytes) -> list[memoryview]:
    """The NAL units of an access unit as views of `data`, without start codes; none where it is not Annex B.

    A NAL unit never ends in a zero byte: zeros before a start code belong to the start code.
    """
    view = memoryview(data)
    units = []
    begin = data.find(_MARK)
    while begin >= 0:
        begin += len(_MARK)
        following = data.find(_MARK, begin)
        end = following if following >= 0 else len(data)
        while end > begin and data[end - 1] == 0:
            end -= 1
        if end > begin:
            units.append(view[begin:end])
        begin = following
    return units


def head_units(codec: str, data: bytes) -> list[memoryview]:
    """The NAL units before the picture itself, which is long, so that finding its end would take a while."""
    return nal_units(data[: _picture_at(codec, data)])


def nal_type(codec: str, unit: bytes | memoryview) -> int:
    """The NAL unit's type, from its header."""
    return unit[0] & 0x1F if codec == "h264" else unit[0] >> 1 & 0x3F


def joined(units: Iterable[bytes | memoryview]) -> bytes:
    """An Annex B byte stream of NAL units."""
    return b"".join(part for unit in units for part in (START_CODE, unit))


class ParameterSets(NamedTuple):
    """What a decoder must know before the first picture, each a NAL unit without its start code."""

    codec: str
    vps: tuple[bytes, ...] = ()  # hevc alone
    sps: tuple[bytes, ...] = ()
    pps: tuple[bytes, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether a decoder could begin with them."""
        return bool(self.sps and self.pps and (self.vps or self.codec == "h264"))

    @property
    def units(self) -> tuple[bytes, ...]:
        """All of them, in the order in which a decoder needs them."""
        return self.vps + self.sps + self.pps

    def updated(self, newer: "ParameterSets") -> "ParameterSets":
        """Those of `newer`, and ours of the kinds that it lacks."""
        return ParameterSets(self.codec, newer.vps or self.vps, newer.sps or self.sps, newer.pps or self.pps)


def parameter_sets(codec: str, units: Iterable[bytes | memoryview]) -> ParameterSets:
    """The parameter sets among `units`, each once and in their order."""
    wanted = _TYPES.get(codec, _UNKNOWN).sets
    found: dict[int, dict[bytes, None]] = {kind: {} for kind in wanted}
    for unit in units:
        kind = nal_type(codec, unit)
        if kind in found:
            found[kind][bytes(unit)] = None
    return ParameterSets(codec, *(tuple(found[kind]) for kind in wanted))


def with_parameter_sets(keyframe: bytes, told: ParameterSets) -> bytes:
    """The keyframe with all kinds of parameter sets in it, so that a decoder can begin there.

    Of the kinds that it lacks, those that were told are put in. It comes back as it is where none are.
    """
    codec = told.codec
    head = head_units(codec, keyframe)
    own = parameter_sets(codec, head)
    sets = told.updated(own)
    if own.complete or sets == own:
        return keyframe
    delimiter = _TYPES[codec].delimiter  # has to be the first of all
    first = [unit for unit in head if nal_type(codec, unit) == delimiter]
    others = [unit for unit in head if nal_type(codec, unit) not in (*_TYPES[codec].sets, delimiter)]
    return joined([*first, *sets.units, *others]) + keyframe[_picture_at(codec, keyframe) :]


def picture_bytes(codec: str, data: bytes) -> int:
    """How many bytes of an access unit are picture: no padding, no parameter sets, no messages.

    Padding is what fills a constant bit rate: NAL units of its own, zeros, or words of zeros behind a
    picture (H.264 7.3.2.7, 7.4.2.10 and B.1). All of the data where the codec is not known.
    """
    pictures = _TYPES.get(codec, _UNKNOWN).pictures
    if not pictures:
        return len(data)
    h264 = codec == "h264"
    total = 0
    begin = data.find(_MARK) + 3
    while 3 <= begin < len(data):
        following = data.find(_MARK, begin)
        if (data[begin] & 0x1F if h264 else data[begin] >> 1 & 0x3F) in pictures:
            end = following if following >= 0 else len(data)
            if data[end - 1] in _FILLING:
                while data.endswith((b"\0", b"\0\0\3"), begin, end):
                    end -= 1
            total += end - begin
        begin = following + 3
    return total


def can_begin(codec: str, keyframe: bytes) -> bool:
    """Whether a decoder that begins here has a whole picture at once, as it has not where keyframes are
    those places from which on the picture is refreshed bit by bit. Of an unknown codec it is believed."""
    types = _TYPES.get(codec, _UNKNOWN)
    if not types.pictures:
        return True
    at = _picture_at(codec, keyframe)
    at = keyframe.find(_MARK, at) + 3
    return 3 <= at < len(keyframe) and nal_type(codec, keyframe[at : at + 1]) in types.fresh


def picture_head(codec: str, data: bytes, size: int) -> bytes:
    """The first bytes, `size` at most, of the first NAL unit that holds a picture; empty if there is none."""
    at = data.find(_MARK, _picture_at(codec, data)) + len(_MARK)
    return data[at : at + size] if at >= len(_MARK) else b""


def _picture_at(codec: str, data: bytes) -> int:
    """Where the first NAL unit that holds a picture begins, with its start code; the end if there is none."""
    pictures = _TYPES.get(codec, _UNKNOWN).pictures
    at = data.find(_MARK)
    while 0 <= at < len(data) - len(_MARK):
        if nal_type(codec, data[at + 3 : at + 4]) in pictures:
            return at - 1 if at and data[at - 1] == 0 else at
        at = data.find(_MARK, at + 3)
    return len(data)
