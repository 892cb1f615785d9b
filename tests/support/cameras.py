"""Reading a source for a while, and what every source promises of what it yields."""

from itertools import pairwise

import pytest

from camera_hub.annexb import nal_type, nal_units
from camera_hub.cameras import Source
from camera_hub.cameras.decoding import LumaDecoder
from camera_hub.model import Packet, StreamInfo
from tests.support.recorded import SETS


def read(source: Source, count: int) -> tuple[StreamInfo, list[Packet]]:
    info = source.open()
    packets = []
    for packet in source.packets():
        packets.append(packet)
        if len(packets) == count:
            break
    source.close()
    return info, packets


def assert_sound(info: StreamInfo, packets: list[Packet], codec: str, size: tuple[int, int]) -> None:
    """What every source promises, and that the pictures are there."""
    assert (info.codec, info.width, info.height) == (codec, *size)
    assert packets[0].keyframe
    assert all(a.dts_us < b.dts_us <= b.pts_us for a, b in pairwise(packets))
    assert all(a.wall_us <= b.wall_us for a, b in pairwise(packets))
    for packet in packets:
        kinds = {nal_type(codec, nal) for nal in nal_units(packet.data)}
        assert not packet.keyframe or kinds >= set(SETS[codec])
    decoder = LumaDecoder(info)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + decoder.flush()
    assert len(frames) == len(packets)
    assert decoder.errors == 0
    # Ten pictures a second, on the stream's own clock.
    length_s = (packets[-1].dts_us - packets[0].dts_us) / 1e6
    assert (len(packets) - 1) / length_s == pytest.approx(10, rel=0.2)
