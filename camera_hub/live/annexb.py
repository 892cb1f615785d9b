"""H.264 and H.265 byte streams (annex B of both standards), as far as live looks into them. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass

_START = b"\x00\x00\x00\x01"


@dataclass(frozen=True)
class _Codec:
    """The unit types (nal_unit_type) that matter."""

    parameter_sets: frozenset[int]
    delimiter: int

    def unit_type(self, first_byte: int) -> int:
        return first_byte & 0x1F if self.delimiter == 9 else (first_byte >> 1) & 0x3F

    def is_slice(self, unit_type: int) -> bool:
        return 1 <= unit_type <= 5 if self.delimiter == 9 else unit_type < 32


_H264 = _Codec(parameter_sets=frozenset({7, 8}), delimiter=9)
_H265 = _Codec(parameter_sets=frozenset({32, 33, 34}), delimiter=35)
_CODECS = {"h264": _H264, "hevc": _H265}


def units(data: bytes) -> Iterator[tuple[int, int]]:
    """(begin, end) of each NAL unit in `data`, without its start code."""
    begin = data.find(b"\x00\x00\x01")
    while begin != -1:
        begin += 3
        following = data.find(b"\x00\x00\x01", begin)
        end = len(data) if following == -1 else following
        while end > begin and data[end - 1] == 0:  # of a four-byte start code, or trailing zeros
            end -= 1
        if end > begin:
            yield begin, end
        begin = following


def with_parameter_sets(data: bytes, extradata: bytes, codec: str) -> bytes:
    """A keyframe's data with the stream's parameter sets in it, so that a decoder can begin there.

    They come first, but for an access unit delimiter, which has to be the first of all. The data comes back
    as it is where it has all kinds of parameter sets already, or where nothing is known of them.
    """
    kind = _CODECS.get(codec)
    if kind is None or not extradata:
        return data
    seen: set[int] = set()
    at = 0
    for begin, end in units(data):
        unit_type = kind.unit_type(data[begin])
        if unit_type == kind.delimiter:
            at = end
        elif kind.is_slice(unit_type):
            break
        seen.add(unit_type)
    if seen >= kind.parameter_sets:
        return data
    sets = b"".join(_START + extradata[begin:end] for begin, end in units(extradata))
    return data[:at] + sets + data[at:]


def h264_profile(data: bytes) -> bytes | None:
    """The three bytes of `profile-level-id` (RFC 6184, 8.1) from the first SPS; None without one."""
    for begin, end in units(data):
        if data[begin] & 0x1F == 7 and end - begin >= 4:
            return data[begin + 1 : begin + 4]
    return None
