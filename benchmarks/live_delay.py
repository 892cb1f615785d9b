"""How old a picture is when it is seen: from the camera's encoder to Chromium, read from the picture.

    python -m benchmarks.live_delay [--seconds 20] [--settle 8]

Made cameras show a clock that programs can read (`benchmarks.clock_camera`). Chromium, on the same machine,
shows them by the dashboard and by a bare page, ours and janus' alike; each picture's age is read when it is
shown (requestVideoFrameCallback), beside the delay that the dashboard tells. FFmpeg, which reads the camera
with no server between, says how much of it is not ours. Prints a table in Markdown.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import av
import numpy as np
from playwright.async_api import Page

from benchmarks.clock_camera import View, age_ms, clock_cameras
from benchmarks.live_browser import NO_UDP, bare, chromium, dashboard, playing
from benchmarks.live_servers import SITE, STREAMS, Running, hub, janus, sign_in

GOP_S = 2.0
CAMERA = f"{SITE}.lane"


@dataclass
class Row:
    """How old pictures were when they were seen that way."""

    way: str
    stream: str
    ages: list[int]  # ms
    told: list[float]  # s, by the page

    def at(self, percent: int) -> int:
        ages = sorted(self.ages) or [0]
        return ages[min(len(ages) - 1, len(ages) * percent // 100)]


def views(gop_s: float = GOP_S) -> dict[str, View]:
    """The streams of `benchmarks.live`, as cameras with a clock."""
    made = {}
    for name, (size, fps, kbit_s) in STREAMS.items():
        width, _, height = size.partition("x")
        made[name] = View(int(width), int(height), fps, kbit_s, gop_s)
    return made


def directly(url: str, seconds: float, settle: float) -> list[int]:
    """Ages of the pictures that FFmpeg has decoded, with nothing between it and the camera."""
    ages = []
    options = {"rtsp_transport": "tcp", "fflags": "nobuffer", "flags": "low_delay"}
    with av.open(url, options=options, timeout=10) as container:
        container.streams.video[0].thread_count = 1
        began = time.monotonic()
        for frame in container.decode(video=0):
            age = age_ms(np.asarray(frame.to_ndarray(format="gray"), np.uint8))
            now_s = time.monotonic() - began
            if age is not None and now_s > settle:
                ages.append(age)
            if now_s > settle + seconds:
                break
    return ages


async def _sampled(page: Page, way: str, stream: str, asked: argparse.Namespace) -> Row:
    await playing(page)
    await asyncio.sleep(asked.settle)
    found: dict[str, Any] = await page.evaluate(f"sampleClock({asked.seconds})")
    await page.close()
    if found["way"]:
        way = f"{way}, {found['way']}"
    row = Row(way, stream, found["ages"], found["told"])
    print(f"{way} {stream}: p50 {row.at(50)}, p95 {row.at(95)}, unread {found['unread']}", file=sys.stderr)
    return row


async def _all(urls: dict[str, str], ours: Running, relay: Running, asked: argparse.Namespace) -> list[Row]:
    token, rows = sign_in(ours), []

    async def on_bare(way: str, server: Running, stream: str, play: str) -> None:
        page = await bare(context, server)
        await page.evaluate(play)
        rows.append(await _sampled(page, way, stream, asked))

    async def on_dashboard(way: str, stream: str, path: str) -> None:
        rows.append(await _sampled(await dashboard(context, ours, path), way, stream, asked))

    for stream, url in urls.items():
        ages = await asyncio.to_thread(directly, url, asked.seconds, asked.settle)
        rows.append(Row("FFmpeg, decoded and not shown", stream, ages, []))
    async with chromium(ours, token) as context:
        for number, stream in enumerate(STREAMS, 1):
            await on_bare("bare page, webrtc", ours, stream, f"whep('{CAMERA}', '{stream}')")
            await on_bare("janus, bare page, webrtc", relay, stream, f"janus({number})")
        await on_dashboard("dashboard, one camera", "main", f"/cameras/{CAMERA}")
        await on_dashboard("dashboard, wall", "sub", "/")
    async with chromium(ours, token, NO_UDP) as context:
        await on_dashboard("dashboard, one camera, UDP blocked", "main", f"/cameras/{CAMERA}")
    return rows


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20, help="how long each is watched")
    arguments.add_argument("--settle", type=float, default=8, help="how long it plays before")
    asked = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as name,
        clock_cameras(views()) as urls,
        hub(Path(name), {"lane": urls}) as ours,
        janus(Path(name), urls) as relay,
    ):
        rows = asyncio.run(_all(urls, ours, relay, asked))
    print("| way | stream | pictures | p50, ms | p95, ms | most, ms | the page says, ms (median) |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for row in rows:
        told = f"{median(row.told) * 1000:.0f}" if row.told else ""
        print(
            f"| {row.way} | {row.stream} | {len(row.ages)} | {row.at(50)} | {row.at(95)} | {row.at(100)} "
            f"| {told} |"
        )
    print(f"\n{os.cpu_count()} cores, shared by the cameras' encoders, the servers and Chromium.")


if __name__ == "__main__":
    main()
