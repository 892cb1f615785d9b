"""The decoder's configuration record of an MP4 file, from a stream's parameter sets. No I/O.

Relies on ISO/IEC 14496-15 (`avcC`, `hvcC`).
"""

from camera_hub.annexb import ParameterSets, nal_type
from camera_hub.model import HubError
from camera_hub.sps import H264_WITH_CHROMA, Sps, parse_sps, rbsp


class ParameterSetsError(HubError):
    """The camera's SPS cannot be read."""


def configuration_record(codec: str, sets: ParameterSets) -> bytes:
    """The payload of `avcC` or `hvcC` (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1), 4-byte NAL unit lengths.

    Raises ParameterSetsError.
    """
    try:
        return _avcc(sets) if codec == "h264" else _hvcc(sets)
    except (ValueError, OverflowError) as exc:
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
    if sps[1] in H264_WITH_CHROMA:
        record += _samples(parse_sps("h264", sps)) + b"\x00"
    return record


def _hvcc(sets: ParameterSets) -> bytes:
    payload = rbsp(sets.sps[0][2:])
    samples = _samples(parse_sps("hevc", sets.sps[0]))
    sub_layers = payload[0] >> 1 & 7  # sps_max_sub_layers_minus1
    nested = payload[0] & 1
    general = payload[1:13]  # profile space, tier, profile, compatibility, constraints, level
    record = b"\x01" + general + b"\xf0\x00\xfc" + samples + b"\x00\x00"
    record += bytes(((sub_layers + 1) << 3 | nested << 2 | 3,))
    arrays = [units for units in (sets.vps, sets.sps, sets.pps) if units]
    record += bytes((len(arrays),))
    for units in arrays:
        record += bytes((0x80 | nal_type("hevc", units[0]),)) + len(units).to_bytes(2)
        record += b"".join(len(unit).to_bytes(2) + unit for unit in units)
    return record


def _samples(sps: Sps) -> bytes:
    """Both records tell it alike: chroma format and bit depths, the bits that are left over set."""
    return bytes((0xFC | sps.chroma, 0xF8 | sps.luma_bits - 8, 0xF8 | sps.chroma_bits - 8))
