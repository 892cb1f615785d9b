"""A camera's sound as frames of AAC, each with its time: passed through where it is AAC that browsers play,
else encoded anew (G.711 from most cameras, rarer kinds of AAC).

Promises: frames that follow each other by their own length for as long as the camera's times are no further
from that than `APART_US`, so that their jitter is not heard; what cannot be decoded is left out. Encoding
takes 42 ms. Not for the event loop where `encodes`. Relies on FFmpeg through PyAV.
"""

from collections import deque
from collections.abc import Iterable
from fractions import Fraction
from typing import NamedTuple, Protocol

import av
import numpy as np
import structlog
from numpy.typing import NDArray

from camera_hub.model import SoundInfo, SoundPacket
from camera_hub.mp4.aac import FRAME, LowComplexity, low_complexity

log = structlog.get_logger(__name__)

APART_US = 80_000
RATE = 48_000  # what we encode to: short frames, and every device plays it
BIT_RATE = 48_000


class Frame(NamedTuple):
    """A frame of AAC."""

    time_us: int  # on the clock of the stream's pictures
    data: bytes


class Voice(Protocol):
    """The sound of one stream from one opening to the next."""

    made: LowComplexity
    encodes: bool

    def take(self, packets: Iterable[SoundPacket]) -> list[Frame]:
        """The next packets' frames, as far as they are whole."""


def voice(info: SoundInfo) -> Voice:
    """Raises ValueError for sound of which nothing is known here."""
    known = low_complexity(info.config) if info.codec == "aac" else None
    return Passed(known) if known is not None else Encoder(info)


class _Pace:
    """Times that step evenly, near those that a camera gives."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._from_us = 0
        self._samples: int | None = None

    def at(self, time_us: int) -> bool:
        """What comes next is said to be of this time; whether it is not what followed the last."""
        if self._samples is not None and abs(time_us - self.time_us) <= APART_US:
            return False
        self._from_us, self._samples = time_us, 0
        return True

    @property
    def time_us(self) -> int:
        return self._from_us + (self._samples or 0) * 1_000_000 // self._rate

    def advance(self, samples: int) -> None:
        self._samples = (self._samples or 0) + samples


class Passed:
    """The camera's own AAC."""

    encodes = False

    def __init__(self, made: LowComplexity) -> None:
        self.made = made
        self._pace = _Pace(made.rate)

    def take(self, packets: Iterable[SoundPacket]) -> list[Frame]:
        frames = []
        for packet in packets:
            self._pace.at(packet.pts_us)
            frames.append(Frame(self._pace.time_us, packet.data))
            self._pace.advance(FRAME)
        return frames


class Encoder:
    """Sound of another kind, as AAC in one channel."""

    encodes = True
    made = LowComplexity(RATE, 1)

    def __init__(self, info: SoundInfo) -> None:
        self._decoder = _codec(info.codec, "r")
        self._decoder.sample_rate = info.rate
        self._decoder.layout = "stereo" if info.channels == 2 else "mono"
        if info.config:
            self._decoder.extradata = info.config
        self._resampler = av.AudioResampler("fltp", "mono", RATE)
        self._encoder = _codec("aac", "w")
        self._encoder.sample_rate, self._encoder.layout, self._encoder.format = RATE, "mono", "fltp"
        self._encoder.bit_rate = BIT_RATE
        self._pace = _Pace(RATE)
        self._waiting: NDArray[np.float32] = np.empty(0, np.float32)
        # The encoder's first frame holds nothing of ours, and each comes out after the next has gone in.
        self._times: deque[int | None] = deque((None,))
        self._decoded = 0  # samples
        self._failed = False

    def take(self, packets: Iterable[SoundPacket]) -> list[Frame]:
        frames: list[Frame] = []
        for packet in packets:
            try:
                frames += self._encode(packet.pts_us, self._samples(packet.data))
            except (av.error.FFmpegError, ValueError) as exc:
                if not self._failed:
                    log.warning("a camera's sound cannot be decoded; that of it is left out", error=str(exc))
                self._failed = True
        return frames

    def _samples(self, data: bytes) -> NDArray[np.float32]:
        pieces = []
        for frame in self._decoder.decode(av.Packet(data)):
            frame.pts, frame.time_base = self._decoded, Fraction(1, frame.sample_rate)
            self._decoded += frame.samples
            pieces += [piece.to_ndarray()[0] for piece in self._resampler.resample(frame)]
        return np.concatenate(pieces) if pieces else np.empty(0, np.float32)

    def _encode(self, pts_us: int, samples: NDArray[np.float32]) -> list[Frame]:
        # The pace stands at the first sample that waits.
        if self._pace.at(pts_us - len(self._waiting) * 1_000_000 // RATE):
            self._waiting = np.empty(0, np.float32)
            self._pace.at(pts_us)
        self._waiting = np.concatenate((self._waiting, samples))
        frames = []
        while len(self._waiting) >= FRAME:
            sound = av.AudioFrame.from_ndarray(self._waiting[None, :FRAME], "fltp", "mono")
            sound.sample_rate = RATE
            self._waiting = self._waiting[FRAME:]
            self._times.append(self._pace.time_us)
            self._pace.advance(FRAME)
            for packet in self._encoder.encode(sound):
                time_us = self._times.popleft()
                if time_us is not None:
                    frames.append(Frame(time_us, bytes(packet)))
        return frames


def _codec(name: str, mode: str) -> av.AudioCodecContext:
    codec = av.CodecContext.create(name, mode)  # type: ignore[call-overload]
    assert isinstance(codec, av.AudioCodecContext)
    return codec
