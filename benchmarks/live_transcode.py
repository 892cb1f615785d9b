"""What one transcode of H.265 costs: ours beside `ffmpeg` with the same decoder, size and encoder.

    python -m benchmarks.live_transcode [--seconds 20] [--settle 4]

A camera's H.265 (1920x1080 at 25 pictures a second and 4 Mbit/s; 640x360 at 10 and 500 kbit/s) comes in real
time, moving noise with a keyframe every 2 s. Ours is a viewer's `LiveHub.transcoded`, as the server has it,
with `live.transcode`'s own settings; counted is the CPU time of its process, and what moving packets to it
and back costs the server's. ffmpeg reads the clip by itself (`-re`). The delay is from a packet to the one
that is made of it. Prints a table in Markdown.
"""

import argparse
import asyncio
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import av
import msgspec
import psutil
import structlog

from benchmarks.measuring import MB
from camera_hub.live.hub import LiveHub
from camera_hub.live.transcode import Transcodes
from camera_hub.live.transcode_wire import Shape
from camera_hub.model import Packet, StreamInfo, StreamName
from tests.support.transcodes import transcoding

STREAMS = {"1920x1080": (25, 4000), "640x360": (10, 500)}
"""Size → pictures a second, kbit/s."""
SECONDS = 10  # of the clip
SHAPE = Shape()


@dataclass
class Row:
    """One way of doing it, over `wall_s` seconds."""

    way: str
    size: str
    wall_s: float
    cpu_s: float
    pictures: int
    pss_mb: float
    extra: str = ""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    arguments.add_argument("--settle", type=float, default=4, help="how long each runs before")
    asked = arguments.parse_args()
    if not shutil.which("ffmpeg"):
        sys.exit("ffmpeg is missing; install it: sudo apt-get install ffmpeg")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        for size in STREAMS:
            clip = _encode(Path(name), size)
            rows.append(asyncio.run(_ours(clip, size, asked.settle, asked.seconds)))
            rows.append(_ffmpeg("ffmpeg", clip, size, asked.settle, asked.seconds, _transcoded(size)))
            rows.append(
                _ffmpeg(
                    "ffmpeg, decoding alone", clip, size, asked.settle, asked.seconds, ["-f", "null", "-"]
                )
            )
    print("| camera | by | CPU, % of a core | ms a picture | pictures/s | PSS, MB | |")
    print("|---|---|---:|---:|---:|---:|---|")
    for row in rows:
        share, each = row.cpu_s / row.wall_s * 100, row.cpu_s / max(row.pictures, 1) * 1000
        print(
            f"| {row.size}@{STREAMS[row.size][0]} | {row.way} | {share:.1f} | {each:.2f} "
            f"| {row.pictures / row.wall_s:.1f} | {row.pss_mb:.0f} | {row.extra} |"
        )


def _encode(folder: Path, size: str) -> Path:
    fps, kbit = STREAMS[size]
    clip = folder / f"{size}.mp4"
    source = f"testsrc2=size={size}:rate={fps},noise=alls=12:allf=t"
    settings = f"bframes=0:keyint={2 * fps}:min-keyint={2 * fps}:scenecut=0:open-gop=0:log-level=none"
    settings += f":vbv-maxrate={kbit}:vbv-bufsize={kbit}"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", str(SECONDS)]
    command += ["-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast", "-b:v", f"{kbit}k"]
    subprocess.run([*command, "-x265-params", settings, "-tag:v", "hvc1", str(clip)], check=True)
    return clip


def _transcoded(size: str) -> list[str]:
    """What has ffmpeg make the same as we do."""
    fps, _ = STREAMS[size]
    height = min(int(size.partition("x")[2]), SHAPE.height)
    encoder = "-c:v libx264 -preset superfast -tune zerolatency -profile:v baseline -crf 26 -threads 1"
    rate = [
        "-maxrate",
        f"{SHAPE.kbit}k",
        "-bufsize",
        f"{SHAPE.kbit}k",
        "-g",
        str(2 * fps),
        "-sc_threshold",
        "0",
    ]
    return ["-vf", f"scale=-2:{height}:flags=bilinear", *encoder.split(), *rate, "-f", "h264", "/dev/null"]


def _ffmpeg(way: str, clip: Path, size: str, settle_s: float, seconds: float, makes: list[str]) -> Row:
    command = ["ffmpeg", "-v", "error", "-y", "-re", "-stream_loop", "-1", "-threads", "1", "-i", str(clip)]
    progress = clip.with_suffix(".progress")
    command += ["-filter_threads", "1", "-an", "-progress", str(progress), "-stats_period", "0.2", *makes]
    running = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        process = psutil.Process(running.pid)
        time.sleep(settle_s)
        cpu_s, done, began = _cpu(process), _done(progress), time.monotonic()
        time.sleep(seconds)
        wall_s = time.monotonic() - began
        pictures = _done(progress) - done
        pss = process.memory_full_info().pss / MB
        return Row(way, size, wall_s, _cpu(process) - cpu_s, pictures, pss)
    finally:
        running.kill()
        running.wait()


def _done(progress: Path) -> int:
    """How many pictures ffmpeg has made."""
    return int(re.findall(r"^frame=(\d+)", progress.read_text(), re.M)[-1])


async def _ours(clip: Path, size: str, settle_s: float, seconds: float) -> Row:
    info, packets = _read(clip)
    delays: list[float] = []
    fed: dict[int, float] = {}
    sending: list[asyncio.Task[None]] = []

    async def start(camera: str, stream: StreamName) -> None:
        hub.opened(camera, stream, info)
        sending.append(asyncio.create_task(send(camera, stream)))

    async def stop(camera: str, stream: StreamName) -> None:
        sending.pop().cancel()

    async def send(camera: str, stream: StreamName) -> None:
        began, step_us = time.monotonic(), 1_000_000 // STREAMS[size][0]
        for number in count():
            await asyncio.sleep(max(0.0, began + number * step_us / 1e6 - time.monotonic()))
            packet = packets[number % len(packets)]
            at_us = number * step_us
            fed[at_us] = time.monotonic()
            hub.feed(camera, stream, [msgspec.structs.replace(packet, pts_us=at_us, dts_us=at_us)])

    hub = LiveHub(start, stop, transcodes=Transcodes(1, SHAPE))
    began = time.monotonic()
    first_s = 0.0

    async def watch() -> None:
        nonlocal first_s
        async with hub.transcoded("bench.lane", "main").subscribe() as viewer:
            async for item in viewer:
                if isinstance(item, Packet):
                    first_s = first_s or time.monotonic() - began
                    delays.append(time.monotonic() - fed.pop(item.pts_us))

    watching = asyncio.create_task(watch())
    await asyncio.sleep(settle_s)
    (process,) = transcoding()
    delays.clear()
    cpu_s, ours_s, at = _cpu(process), time.process_time(), time.monotonic()
    await asyncio.sleep(seconds)
    wall_s = time.monotonic() - at
    cpu_s, ours_s = _cpu(process) - cpu_s, time.process_time() - ours_s
    pss, late = process.memory_full_info().pss / MB, sorted(delays)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await hub.close()
    p50, p95 = (late[int(len(late) * share)] * 1000 for share in (0.5, 0.95))
    extra = f"first picture after {first_s:.2f} s; delay p50 / p95 {p50:.0f} / {p95:.0f} ms"
    extra += f"; and {ours_s / wall_s * 100:.1f} % for the packets' way there and back"
    for task in sending:
        task.cancel()
    return Row("Camera Hub", size, wall_s, cpu_s, len(late), pss, extra)


def _read(clip: Path) -> tuple[StreamInfo, list[Packet]]:
    """The clip's packets in Annex B, as the worker has them."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        to_annexb = av.BitStreamFilterContext("hevc_mp4toannexb", stream)
        packets = [
            Packet(bytes(one), 0, 0, 0, one.is_keyframe)
            for packet in container.demux(stream)
            for one in to_annexb.filter(packet if packet.size else None)
        ]
        context = stream.codec_context
        fps = float(stream.average_rate or 0) or None
        return StreamInfo("hevc", context.width, context.height, fps, b""), packets


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
