"""What recording a packet costs: ours beside PyAV's own MP4 muxer, both by stream copy.

    python -m benchmarks.recording

Writes four minutes each of the practice cameras' usual streams (H.264, 2 s GOP, no B-frames) to the same
disk, five times, and takes the best. `hub` is the whole recorder with segments of a minute, its catalogue,
and fdatasync for each fragment; `hub, no sync` leaves that out, as FFmpeg does. Prints a table in Markdown.
"""

import itertools
import os
import tempfile
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from unittest.mock import patch

import av
import numpy as np

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.model import Packet, StreamInfo
from camera_hub.recording import Catalogue, Recorder

STREAMS = {"main 1280x720@15": (1280, 720, 15, 1500), "sub 640x360@10": (640, 360, 10, 400)}
SECONDS = 30  # encoded, and written over and over:
REPEATED = 8
ROUNDS = 5
TIME_BASE = Fraction(1, 90_000)


def packets(width: int, height: int, fps: int, kbit_s: int) -> list[Packet]:
    """A lightly moving picture, as a camera would encode it."""
    encoder = av.VideoCodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate, encoder.bit_rate = TIME_BASE, Fraction(fps), kbit_s * 1000
    options = f"keyint={2 * fps}:scenecut=0:repeat-headers=1:sliced-threads=0"
    encoder.options = {"preset": "ultrafast", "tune": "zerolatency", "x264-params": options}
    chance = np.random.default_rng(1)
    scene = np.repeat(np.repeat(chance.integers(0, 255, (height // 6, width // 4)), 4, 0), 4, 1)
    encoded = []
    for number in range(SECONDS * fps):
        noise = chance.integers(0, 6, (height * 3 // 2, width), dtype=np.uint8)
        noise[: scene.shape[0], : scene.shape[1]] += np.roll(scene, number, 1).astype(np.uint8) // 2
        picture = av.VideoFrame.from_ndarray(noise, format="yuv420p")
        picture.pts, picture.time_base = number * 90_000 // fps, TIME_BASE
        encoded += encoder.encode(picture)
    encoded += encoder.encode(None)
    times_us = itertools.count(0, 1_000_000 // fps)
    units = [(bytes(one), one.is_keyframe) for one in encoded] * REPEATED
    return [Packet(data, us, us, us, key) for us, (data, key) in zip(times_us, units, strict=False)]


def by_hub(folder: Path, info: StreamInfo, stream: list[Packet]) -> None:
    catalogue = Catalogue(folder / "catalogue.db")
    recorder = Recorder(folder, catalogue, "camera", "main", 60, SYSTEM_CLOCK, lambda _: None)
    recorder.start(info)
    for packet in stream:
        recorder.write(packet)
    recorder.close()
    catalogue.close()


def by_hub_without_sync(folder: Path, info: StreamInfo, stream: list[Packet]) -> None:
    with patch.object(os, "fdatasync", lambda _: None), patch.object(os, "fsync", lambda _: None):
        by_hub(folder, info, stream)


def by_pyav(folder: Path, info: StreamInfo, stream: list[Packet]) -> None:
    options = {
        "movflags": "empty_moov+default_base_moof+frag_keyframe",
        "frag_duration": "2000000",
        "flush_packets": "1",
    }
    with av.open(str(folder / "out.mp4"), "w", format="mp4", options=options) as container:
        track = container.add_mux_stream(info.codec, width=info.width, height=info.height)
        track.time_base = TIME_BASE
        for packet in stream:
            one = av.Packet(packet.data)
            one.stream, one.time_base = track, Fraction(1, 1_000_000)
            one.pts, one.dts = packet.pts_us, packet.dts_us
            one.is_keyframe = packet.keyframe
            container.mux_one(one)


def cost_us(
    write: Callable[[Path, StreamInfo, list[Packet]], None], info: StreamInfo, stream: list[Packet]
) -> float:
    """CPU microseconds a packet, user and system."""
    best = float("inf")
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            began = time.process_time()
            write(Path(folder), info, stream)
            best = min(best, time.process_time() - began)
    return best / len(stream) * 1e6


def main() -> None:
    print("| stream | bytes a packet | hub | hub, no sync | PyAV's muxer |\n|---|---|---|---|---|")
    for name, (width, height, fps, kbit_s) in STREAMS.items():
        stream = packets(width, height, fps, kbit_s)
        info = StreamInfo("h264", width, height, float(fps), b"")
        mean = sum(len(one.data) for one in stream) // len(stream)
        costs = [cost_us(write, info, stream) for write in (by_hub, by_hub_without_sync, by_pyav)]
        print(f"| {name} | {mean} | " + " | ".join(f"{cost:.0f} µs" for cost in costs) + " |")


if __name__ == "__main__":
    main()
