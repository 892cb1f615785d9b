"""AAC as far as MP4 and browsers need it: what its configuration says, and frames of silence. Pure.

Relies on ISO/IEC 14496-3 (1.6.2.1 AudioSpecificConfig, 4.4.2 syntax of a raw data block).
"""

from typing import NamedTuple

FRAME = 1024  # samples that a frame of AAC-LC holds
LOW_COMPLEXITY = 2
CODEC = f"mp4a.40.{LOW_COMPLEXITY}"  # what browsers call it (RFC 6381)

_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_SILENCE = {
    # A single channel, or a pair, of which no band is coded: the same at every rate.
    1: bytes.fromhex("00000007"),
    2: bytes.fromhex("21000000001c"),
}


class LowComplexity(NamedTuple):
    """AAC-LC with frames of 1024 samples in one channel or two, which every browser with AAC plays."""

    rate: int  # samples per second
    channels: int

    @property
    def config(self) -> bytes:
        """Its AudioSpecificConfig."""
        return (LOW_COMPLEXITY << 11 | _RATES.index(self.rate) << 7 | self.channels << 3).to_bytes(2)

    @property
    def silence(self) -> bytes:
        """A frame in which nothing is heard."""
        return _SILENCE[self.channels]


def low_complexity(config: bytes) -> LowComplexity | None:
    """What an AudioSpecificConfig says; None where it is not of this kind, or damaged."""
    if len(config) < 2:
        return None
    bits = int.from_bytes(config[:2])
    kind, rate, channels, short_frames = bits >> 11, bits >> 7 & 15, bits >> 3 & 15, bits >> 2 & 1
    if kind != LOW_COMPLEXITY or rate >= len(_RATES) or channels not in _SILENCE or short_frames:
        return None
    return LowComplexity(_RATES[rate], channels)
