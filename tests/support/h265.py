"""The pictures of `tests.support.live.encode` as a camera sends them that has H.265."""

from fractions import Fraction
from typing import NamedTuple

import av
import msgspec

from camera_hub.model import Packet
from tests.support.live import Encoded, brightness, encode
from tests.support.recorded import bare, sets_of


class Film(NamedTuple):
    """A stream, and the fingerprints of its pictures in the order in which they are shown."""

    encoded: Encoded
    pictures: list[list[int]]

    def shows(self, packet: Packet) -> list[int]:
        """The picture of that time; the stream repeats for ever."""
        first_us = min(one.pts_us for one in self.encoded.packets)
        number = round((packet.pts_us - first_us) * self.encoded.fps / 1e6)
        return self.pictures[number % len(self.pictures)]


def film(*, h265: bool = True, frames: int = 100, gop: int = 20, b_frames: int = 0) -> Film:
    """At 10 pictures a second, the parameter sets in the extradata alone."""
    encoded = encode(frames=frames, gop=gop, b_frames=b_frames, profile="main")
    player = av.CodecContext.create("h264", "r")
    assert isinstance(player, av.VideoCodecContext)
    player.extradata = encoded.info.extradata
    shown = [frame for packet in encoded.packets for frame in player.decode(av.Packet(packet.data))]
    shown += player.decode(None)
    if h265:
        encoded = _h265(encoded, shown, gop, b_frames)
    return Film(encoded, [brightness(frame) for frame in shown])


def _h265(encoded: Encoded, frames: list[av.VideoFrame], gop: int, b_frames: int) -> Encoded:
    codec = av.CodecContext.create("libx265", "w")
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frames[0].width, frames[0].height, "yuv420p"
    codec.time_base, codec.framerate = Fraction(1, encoded.fps), Fraction(encoded.fps)
    group = f"keyint={gop}:min-keyint={gop}:bframes={b_frames}:scenecut=0:open-gop=0"
    settings = f"{group}:repeat-headers=1:log-level=none:frame-threads=1"
    codec.options = {"preset": "ultrafast", "crf": "24", "x265-params": settings}
    packets: list[Packet] = []
    sets = b""
    for number in range(len(frames) + 1):
        if number < len(frames):
            frames[number].pts, frames[number].time_base = number, codec.time_base
        for made in codec.encode(frames[number] if number < len(frames) else None):
            data = bytes(made)
            if made.is_keyframe:
                sets = sets or sets_of("hevc", data)
                data = bare("hevc", data)
            assert made.pts is not None
            assert made.dts is not None
            pts_us, dts_us = made.pts * 1_000_000 // encoded.fps, made.dts * 1_000_000 // encoded.fps
            packets.append(Packet(data, pts_us, dts_us, pts_us, made.is_keyframe))
    stream = Encoded(sets, packets, encoded.fps)
    stream.info = msgspec.structs.replace(encoded.info, codec="hevc", extradata=sets)
    return stream
