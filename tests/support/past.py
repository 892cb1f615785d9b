"""A worker's folder with a past: what a camera recorded before the test began, made in a moment."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av

from camera_hub.model import Packet, StreamInfo, StreamName
from camera_hub.recording import Catalogue, Recorder
from tests.support.clocks import HandClock
from tests.support.recorded import later


def packets_of(clip: Path) -> tuple[StreamInfo, tuple[Packet, ...]]:
    """An H.264 clip's packets as a camera would have sent them, from wall time 0 on."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        codec = stream.codec_context
        info = StreamInfo("h264", codec.width, codec.height, float(stream.average_rate or 10), b"")
        to_annexb = av.BitStreamFilterContext("h264_mp4toannexb", stream)
        packets = []
        for packet in container.demux(stream):
            for one in to_annexb.filter(packet) if packet.size else ():
                at_us = round(Fraction(one.dts or 0) * (stream.time_base or 0) * 1_000_000)
                packets.append(Packet(bytes(one), at_us, at_us, at_us, one.is_keyframe))
    return info, tuple(packets)


def record_past(
    storage: Path,
    camera: str,
    clips: dict[StreamName, Path],
    times_us: Sequence[tuple[int, int]],
    segment_s: int = 60,
) -> None:
    """Record the clips over and over in each [from, to) of wall time, as the worker would have."""
    folder = storage / "recordings"
    catalogue = Catalogue(folder / "catalogue.db")
    for stream, clip in clips.items():
        info, packets = packets_of(clip)
        step_us = packets[-1].dts_us + packets[1].dts_us - packets[0].dts_us
        for from_us, to_us in times_us:
            recorder = Recorder(
                folder, catalogue, camera, stream, segment_s, HandClock(from_us), lambda _: None
            )
            recorder.start(info)
            for round_ in range((to_us - from_us) // step_us + 1):
                for packet in later(packets, from_us + round_ * step_us):
                    if packet.wall_us < to_us:
                        recorder.write(packet)
            recorder.close()
    catalogue.close()
