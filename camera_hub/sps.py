"""What a sequence parameter set says of a stream: size, profile, rate, samples. Pure parsing.

ITU-T H.264 7.3.2.1.1 and annex E; ITU-T H.265 7.3.2.2.1 and 7.3.3.
"""

from typing import NamedTuple

H264_WITH_CHROMA = frozenset({44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244})
"""The values of profile_idc whose SPS tells the chroma format and bit depths (H.264 7.3.2.1.1)."""

_H264_PROFILES = {
    66: "Baseline",
    77: "Main",
    88: "Extended",
    100: "High",
    110: "High 10",
    122: "High 4:2:2",
    244: "High 4:4:4 Predictive",
}
_HEVC_PROFILES = {1: "Main", 2: "Main 10", 3: "Main Still Picture", 4: "Rext"}
_SUBSAMPLING = {0: (1, 1), 1: (2, 2), 2: (2, 1), 3: (1, 1)}  # chroma_format_idc: (across, down)
_MAX_SIDE = 16384  # px; more is nonsense, not a camera


class Sps(NamedTuple):
    """What we want to know of a sequence parameter set."""

    width: int  # px, after cropping
    height: int  # px, after cropping
    profile: str  # as FFmpeg names it; empty where unknown
    fps: float | None  # as declared; None where it does not say
    chroma: int  # chroma_format_idc; 1: 4:2:0
    luma_bits: int  # of a sample
    chroma_bits: int


def rbsp(nal: bytes) -> bytes:
    """A NAL unit's payload without the emulation prevention bytes that keep start codes out of it (7.3.1)."""
    return nal.replace(b"\x00\x00\x03", b"\x00\x00")


def parse_sps(codec: str, nal: bytes) -> Sps:
    """Parse an SPS NAL unit (with its header, without start code). Raises ValueError on nonsense."""
    header = 1 if codec == "h264" else 2
    bits = Bits(rbsp(nal[header:]))
    try:
        sps = _h264(bits) if codec == "h264" else _hevc(bits)
    except ValueError as exc:
        raise ValueError(f"a sequence parameter set is damaged: {exc}") from None
    if not (0 < sps.width <= _MAX_SIDE and 0 < sps.height <= _MAX_SIDE):
        raise ValueError(f"a sequence parameter set declares a picture of {sps.width}x{sps.height}")
    return sps


class SliceLayout(NamedTuple):
    """How many bits of an H.264 slice's header tell which picture it is of (7.3.3)."""

    frame_num: int
    order: int  # pic_order_cnt_lsb
    frames_only: bool


def slice_layout(nal: bytes) -> SliceLayout | None:
    """From an H.264 SPS; None where pictures are shown in the order in which they are decoded, or their
    order is told in a way that cameras do not use (7.4.2.1.1: pic_order_cnt_type 1 and 2; 4:4:4 planes).

    Raises ValueError on nonsense.
    """
    bits = Bits(rbsp(nal[1:]))
    profile_idc = bits.u(8)
    bits.u(16)  # constraints, level_idc
    bits.ue()  # seq_parameter_set_id
    chroma = _h264_samples(bits)[0] if profile_idc in H264_WITH_CHROMA else 1
    frame_num = bits.ue() + 4
    if bits.ue() or chroma == 3:
        return None
    order = bits.ue() + 4
    bits.ue()  # max_num_ref_frames
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    bits.ue()
    bits.ue()  # macroblocks, map units
    return SliceLayout(frame_num, order, bool(bits.u(1)))


class Bits:
    """Reads an RBSP bit by bit (H.264 7.2). Raises ValueError where it ends too early."""

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload)
        self._left = len(payload) * 8

    def u(self, count: int) -> int:
        """The next `count` bits as a number."""
        self._left -= count
        if self._left < 0:
            raise ValueError("it ends too early")
        return (self._value >> self._left) & ((1 << count) - 1)

    def ue(self) -> int:
        """Exp-Golomb code, unsigned (9.1)."""
        zeros = 0
        while not self.u(1):
            zeros += 1
            if zeros > 32:
                raise ValueError("it holds a number that is too long")
        return (1 << zeros) - 1 + self.u(zeros)

    def se(self) -> int:
        """Exp-Golomb code, signed (9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def _h264(bits: Bits) -> Sps:
    profile_idc, constraints = bits.u(8), bits.u(8)
    bits.u(8)  # level_idc
    bits.ue()  # seq_parameter_set_id
    chroma, luma_bits, chroma_bits = _h264_samples(bits) if profile_idc in H264_WITH_CHROMA else (1, 8, 8)
    bits.ue()  # log2_max_frame_num_minus4
    _h264_skip_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.u(1)  # gaps_in_frame_num_value_allowed_flag
    across, down = bits.ue() + 1, bits.ue() + 1  # macroblocks, map units
    frames_only = bits.u(1)
    if not frames_only:
        bits.u(1)  # mb_adaptive_frame_field_flag
    bits.u(1)  # direct_8x8_inference_flag
    left, right, top, bottom = (bits.ue(), bits.ue(), bits.ue(), bits.ue()) if bits.u(1) else (0, 0, 0, 0)
    step_x, step_y = _SUBSAMPLING.get(chroma, (1, 1))
    fields = 2 - frames_only
    constrained = profile_idc == 66 and constraints & 0x40
    return Sps(
        width=across * 16 - (left + right) * step_x,
        height=down * 16 * fields - (top + bottom) * step_y * fields,
        profile="Constrained Baseline" if constrained else _H264_PROFILES.get(profile_idc, ""),
        fps=_h264_fps(bits),
        chroma=chroma,
        luma_bits=luma_bits,
        chroma_bits=chroma_bits,
    )


def _h264_samples(bits: Bits) -> tuple[int, int, int]:
    """(chroma_format_idc, bits of a luma sample, bits of a chroma sample)"""
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)  # separate_colour_plane_flag
    luma_bits, chroma_bits = 8 + bits.ue(), 8 + bits.ue()
    bits.u(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.u(1):
        for index in range(12 if chroma == 3 else 8):
            if bits.u(1):
                _h264_skip_scaling_list(bits, 16 if index < 6 else 64)
    return chroma, luma_bits, chroma_bits


def _h264_skip_scaling_list(bits: Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last


def _h264_skip_picture_order(bits: Bits) -> None:
    kind = bits.ue()
    if kind == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.u(1)
        bits.se()
        bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()


def _h264_fps(bits: Bits) -> float | None:
    """The frame rate of the VUI parameters, which many cameras leave out or cut short."""
    try:
        if not bits.u(1):
            return None
        if bits.u(1) and bits.u(8) == 255:  # aspect ratio; 255: given in full
            bits.u(32)
        if bits.u(1):
            bits.u(1)  # overscan_appropriate_flag
        if bits.u(1):
            bits.u(4)  # video_format, video_full_range_flag
            if bits.u(1):
                bits.u(24)  # colour description
        if bits.u(1):
            bits.ue()
            bits.ue()  # chroma sample location
        if not bits.u(1):
            return None
        units, scale = bits.u(32), bits.u(32)
    except ValueError:
        return None
    fps = scale / (2 * units) if units else 0.0
    return fps if 0.1 <= fps <= 240 else None


def _hevc(bits: Bits) -> Sps:
    bits.u(4)  # sps_video_parameter_set_id
    more_layers = bits.u(3)  # sps_max_sub_layers_minus1
    bits.u(1)  # sps_temporal_id_nesting_flag
    bits.u(3)  # general_profile_space, general_tier_flag
    profile_idc = bits.u(5)
    bits.u(88)  # compatibility and constraint flags, general_level_idc
    _hevc_skip_layers(bits, more_layers)
    bits.ue()  # sps_seq_parameter_set_id
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)  # separate_colour_plane_flag
    width, height = bits.ue(), bits.ue()
    left, right, top, bottom = (bits.ue(), bits.ue(), bits.ue(), bits.ue()) if bits.u(1) else (0, 0, 0, 0)
    step_x, step_y = _SUBSAMPLING.get(chroma, (1, 1))
    return Sps(
        width=width - (left + right) * step_x,
        height=height - (top + bottom) * step_y,
        profile=_HEVC_PROFILES.get(profile_idc, ""),
        fps=None,  # stands far behind, and what the container says serves
        chroma=chroma,
        luma_bits=8 + bits.ue(),
        chroma_bits=8 + bits.ue(),
    )


def _hevc_skip_layers(bits: Bits, more_layers: int) -> None:
    present = [(bits.u(1), bits.u(1)) for _ in range(more_layers)]  # profile, level
    if more_layers:
        bits.u(2 * (8 - more_layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
