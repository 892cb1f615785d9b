"""Annex B byte streams to what an MP4 file holds: NAL units, and the decoder's configuration record.

Promises: pure functions; a NAL unit's bytes are never changed, so what a camera encoded is what is stored.
Relies on ITU-T H.264 (7.3, annex B), ITU-T H.265 (7.3, annex B) and ISO/IEC 14496-15 (`avcC`, `hvcC`).
"""

from collections.abc import Sequence
from typing import NamedTuple

from camera_hub.model import HubError

CODECS = ("h264", "hevc")
"""The codecs that can be recorded, by FFmpeg's names."""

_START_CODE = b"\x00\x00\x01"
_H264_SPS, _H264_PPS = 7, 8
_HEVC_VPS, _HEVC_SPS, _HEVC_PPS = 32, 33, 34
_H264_HIGH_PROFILES = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}  # H.264, 7.3.2.1.1


class ParameterSets(NamedTuple):
    """What a decoder must know before the first picture, each a NAL unit without its start code."""

    vps: tuple[bytes, ...]  # hevc alone
    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def complete(self) -> bool:
        """Whether a decoder can begin with them (an hevc stream without a VPS decodes as well)."""
        return bool(self.sps and self.pps)


class ParameterSetsError(HubError):
    """The camera's SPS or VPS cannot be read."""


def nal_units(data: bytes) -> list[memoryview]:
    """The NAL units of an access unit, without start codes; none where `data` is not Annex B.

    They are views of `data`: a packet's bytes are not copied on their way to the disk. A NAL unit never ends
    in a zero byte: zeros before a start code belong to the start code.
    """
    view = memoryview(data)
    units = []
    begin = data.find(_START_CODE)
    while begin >= 0:
        begin += 3
        following = data.find(_START_CODE, begin)
        end = following if following >= 0 else len(data)
        while end > begin and data[end - 1] == 0:
            end -= 1
        if end > begin:
            units.append(view[begin:end])
        begin = following
    return units


def parameter_sets(codec: str, units: Sequence[memoryview]) -> ParameterSets:
    """The parameter sets among `units`, each once and in their order."""
    wanted = (-1, _H264_SPS, _H264_PPS) if codec == "h264" else (_HEVC_VPS, _HEVC_SPS, _HEVC_PPS)
    found: dict[int, dict[bytes, None]] = {kind: {} for kind in wanted}
    for unit in units:
        kind = unit[0] & 0x1F if codec == "h264" else (unit[0] >> 1) & 0x3F
        if kind in found:
            found[kind][bytes(unit)] = None
    return ParameterSets(*(tuple(found[kind]) for kind in wanted))


def configuration_record(codec: str, sets: ParameterSets) -> bytes:
    """The payload of `avcC` or `hvcC` (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1), 4-byte NAL unit lengths.

    Raises ParameterSetsError.
    """
    try:
        return _avcc(sets) if codec == "h264" else _hvcc(sets)
    except (IndexError, ValueError) as exc:
        raise ParameterSetsError(
            "The camera sends a damaged description of its picture (SPS); restart the camera, "
            "or set its video encoder anew."
        ) from exc


def _avcc(sets: ParameterSets) -> bytes:
    sps = sets.sps[0]
    if len(sps) < 4:
        raise ValueError("short SPS")
    record = bytes((1, sps[1], sps[2], sps[3], 0xFF, 0xE0 | len(sets.sps)))
    record += b"".join(len(unit).to_bytes(2) + unit for unit in sets.sps)
    record += bytes((len(sets.pps),)) + b"".join(len(unit).to_bytes(2) + unit for unit in sets.pps)
    if sps[1] in _H264_HIGH_PROFILES:
        bits = _Bits(_without_emulation(sps[4:]))
        bits.unsigned()  # seq_parameter_set_id
        chroma = bits.unsigned()
        if chroma == 3:
            bits.take(1)
        luma_depth, chroma_depth = bits.unsigned(), bits.unsigned()
        record += bytes((0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth, 0))
    return record


def _hvcc(sets: ParameterSets) -> bytes:
    payload = _without_emulation(sets.sps[0][2:])
    sub_layers = (payload[0] >> 1) & 7  # sps_max_sub_layers_minus1
    nested = payload[0] & 1
    general = payload[1:13]  # profile space, tier, profile, compatibility, constraints, level
    if len(general) < 12:
        raise ValueError("short SPS")
    chroma, luma_depth, chroma_depth = _hevc_format(_Bits(payload[13:]), sub_layers)
    record = b"\x01" + general + b"\xf0\x00\xfc"
    record += bytes((0xFC | chroma, 0xF8 | luma_depth, 0xF8 | chroma_depth, 0, 0))
    record += bytes(((sub_layers + 1) << 3 | nested << 2 | 3,))
    kinds = ((_HEVC_VPS, sets.vps), (_HEVC_SPS, sets.sps), (_HEVC_PPS, sets.pps))
    arrays = [(kind, units) for kind, units in kinds if units]
    record += bytes((len(arrays),))
    for kind, units in arrays:
        record += bytes((0x80 | kind,)) + len(units).to_bytes(2)
        record += b"".join(len(unit).to_bytes(2) + unit for unit in units)
    return record


def _hevc_format(bits: "_Bits", sub_layers: int) -> tuple[int, int, int]:
    """(chroma_format_idc, bit_depth_luma_minus8, bit_depth_chroma_minus8); H.265, 7.3.2.2.1 and 7.3.3."""
    present = [(bits.take(1), bits.take(1)) for _ in range(sub_layers)]
    if sub_layers:
        bits.take(2 * (8 - sub_layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.unsigned()  # sps_seq_parameter_set_id
    chroma = bits.unsigned()
    if chroma == 3:
        bits.take(1)
    bits.unsigned()  # width
    bits.unsigned()  # height
    if bits.take(1):  # conformance window
        for _ in range(4):
            bits.unsigned()
    return chroma, bits.unsigned(), bits.unsigned()


def _without_emulation(unit: bytes) -> bytes:
    """The RBSP of a NAL unit: without the bytes that keep start codes out of it."""
    return unit.replace(b"\x00\x00\x03", b"\x00\x00")


class _Bits:
    """Reads bits from the left. Raises IndexError at the end."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data)
        self._left = len(data) * 8

    def take(self, count: int) -> int:
        """`u(n)`."""
        if count > self._left:
            raise IndexError("out of bits")
        self._left -= count
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """`ue(v)`: Exp-Golomb."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)
