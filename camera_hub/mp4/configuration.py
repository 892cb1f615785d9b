"""What MP4 says of a decoder, from a stream's parameter sets: the record in the file, the name for browsers.

No I/O. Relies on ISO/IEC 14496-15 (`avcC`, `hvcC`, codec names).
"""

from camera_hub.annexb import ParameterSets, nal_type
from camera_hub.model import HubError
from camera_hub.sps import H264_WITH_CHROMA, Sps, parse_sps, rbsp

_RECORD = (
    8 + 78 + 8
)  # where it lies in a sample entry: behind two boxes' heads and what they say of the picture
_DAMAGED = (
    "The camera sends a damaged description of its picture (SPS); restart the camera, "
    "or set its video encoder anew."
)


class ParameterSetsError(HubError):
    """The camera's SPS cannot be read."""


def configuration_record(codec: str, sets: ParameterSets) -> bytes:
    """The payload of `avcC` or `hvcC` (ISO/IEC 14496-15, 5.3.3.1 and 8.3.3.1), 4-byte NAL unit lengths.

    Raises ParameterSetsError.
    """
    try:
        return _avcc(sets) if codec == "h264" else _hvcc(sets)
    except (ValueError, OverflowError) as exc:
        raise ParameterSetsError(_DAMAGED) from exc


def codec_string(codec: str, sets: ParameterSets) -> str:
    """What browsers call the stream: `avc1.64001f`, `hvc1.1.6.L93.B0` (RFC 6381; ISO/IEC 14496-15, annex E).

    Raises ParameterSetsError.
    """
    sps = sets.sps[0]
    if codec == "h264":
        if len(sps) < 4:
            raise ParameterSetsError(_DAMAGED)
        return f"avc1.{sps[1:4].hex()}"
    general = rbsp(sps[2:])[1:13]  # profile space, tier, profile; compatibility; constraints; level
    if len(general) < 12:
        raise ParameterSetsError(_DAMAGED)
    return _hevc_string(general)


def entry_codec_string(entry: bytes) -> str:
    """The same from a sample entry box (`avc1`, `hvc1`) that `boxes.sample_entry` made."""
    record = entry[_RECORD:]
    return f"avc1.{record[1:4].hex()}" if entry[4:8] == b"avc1" else _hevc_string(record[1:13])


def _hevc_string(general: bytes) -> str:
    space = ("", "A", "B", "C")[general[0] >> 6]
    tier = "H" if general[0] & 0x20 else "L"
    compatible = int(f"{int.from_bytes(general[1:5]):032b}"[::-1], 2)
    constraints = [f"{byte:X}" for byte in general[5:11].rstrip(b"\0")]
    return ".".join(
        ("hvc1", f"{space}{general[0] & 0x1F}", f"{compatible:X}", f"{tier}{general[11]}", *constraints)
    )


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
