"""The sound that a camera sends beside its pictures: which can be used, and its packets in their time.

Nothing is decoded here. Relies on the stream's own time axis (`UnitMaker.beside`), so that sound and
pictures stay together whatever the camera's clock does.
"""

from collections.abc import Callable

import av
from av.audio.stream import AudioStream

from camera_hub.cameras.units import UnitMaker
from camera_hub.model import SoundInfo, SoundPacket

OnSound = Callable[[SoundPacket], object]
"""Called in the thread that reads the stream, for each packet as it comes."""


def sound_info(stream: AudioStream) -> SoundInfo:
    """What the sound is; its codec is empty where FFmpeg knows none, and then there is no codec context."""
    context, codec = stream.codec_context, getattr(stream.codec_context, "name", "")
    if not codec:
        return SoundInfo("", 0, 0)
    return SoundInfo(codec, context.sample_rate, context.layout.nb_channels, context.extradata or b"")


class SoundMaker:
    """Makes the packets of one stream's sound."""

    def __init__(self, stream: AudioStream, units: UnitMaker, on_sound: OnSound) -> None:
        base = stream.time_base
        assert base is not None
        self.index = stream.index
        self._ticks, self._second = base.numerator * 1_000_000, base.denominator
        self._units = units
        self._on_sound = on_sound
        self._next_ticks: int | None = None

    def take(self, piece: "av.Packet[AudioStream]", arrival_us: int) -> None:
        """Hand the packet on. What comes before the first picture is nobody's.

        Of several that came in one RTP packet, FFmpeg tells the time of the first alone.
        """
        ticks = self._next_ticks if piece.pts is None else piece.pts
        self._next_ticks = None if ticks is None or not piece.duration else ticks + piece.duration
        given_us = None if ticks is None else ticks * self._ticks // self._second
        pts_us = self._units.beside(given_us, arrival_us)
        if pts_us is not None:
            self._on_sound(SoundPacket(bytes(piece), pts_us))
