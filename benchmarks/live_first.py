"""How soon a viewer sees the first picture: from the click, at any time within a group of pictures of 10 s.

    python -m benchmarks.live_first [--starts 50] [--clicks 15]

Light viewers ask for a stream that nobody watches (the site has to be asked for it, which is the slowest
start), by WebRTC (from the POST) and by MSE (from the connecting): until the first picture is there, whole.
It is a keyframe, so that it can be decoded. Then real clicks in the dashboard in Chromium: on a tile of the
wall, for one camera by WebRTC, and back, for the wall by MSE: until a picture is shown, and until one is
shown that is less than a second old, as the cached group runs by first. Prints a table in Markdown.
"""

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from aiortc import RTCCertificate

from benchmarks import light_mse
from benchmarks.clock_camera import clock_cameras
from benchmarks.light_webrtc import LightViewer, Whep
from benchmarks.live_browser import chromium, dashboard, playing
from benchmarks.live_delay import views
from benchmarks.live_servers import SITE, STREAMS, Running, hub, sign_in
from camera_hub.live.hub import LINGER_S

GOP_S = 10.0
SHARERS = 4  # cameras of the hub that show the same stream: one is asked for while the others are let go
STAYS_S = 0.5
FIRST_S = 20.0


@dataclass
class Row:
    """What it took, in ms."""

    way: str
    stream: str
    took: list[float]

    def at(self, percent: int) -> float:
        took = sorted(self.took) or [0.0]
        return took[min(len(took) - 1, len(took) * percent // 100)]


async def _light(ours: Running, token: str, starts: int) -> list[Row]:
    whep, certificate = Whep(ours.url, token), RTCCertificate.generateCertificate()

    async def by_webrtc(camera: str, stream: str) -> float:
        viewer = LightViewer(certificate)
        began = time.monotonic()
        await whep.watch(viewer, camera, stream)
        await asyncio.wait_for(viewer.pictured.wait(), FIRST_S)
        await asyncio.sleep(STAYS_S)
        await whep.leave(viewer)
        await viewer.close()
        return viewer.pictured_at - began

    async def by_mse(camera: str, stream: str) -> float:
        began = time.monotonic()
        viewer = await light_mse.watch(light_mse.Counts(), ours.port, token, camera, stream)
        await asyncio.wait_for(viewer.pictured.wait(), FIRST_S)
        await asyncio.sleep(STAYS_S)
        viewer.leave()
        return viewer.pictured_at - began

    rows = []
    for stream in STREAMS:
        for way, start in (("light, webrtc", by_webrtc), ("light, mse", by_mse)):
            row = Row(way, stream, [])
            for number in range(starts):
                # Each camera comes again when its stream has been let go, and at any time within its group.
                await asyncio.sleep(random.uniform(1, 3) * (LINGER_S + 1) / (SHARERS - 1) / 2)
                camera = f"{SITE}.lane{number % SHARERS}"
                row.took.append(1000 * await start(camera, stream))
            print(row.way, stream, f"p50 {row.at(50):.0f}, p95 {row.at(95):.0f}", file=sys.stderr)
            rows.append(row)
    await whep.close()
    return rows


async def _clicks(ours: Running, token: str, clicks: int) -> list[Row]:
    """From the wall to a camera and back, as often as that."""
    rows = {
        (way, what): Row(f"{way}: {what}", stream, [])
        for way, stream in (("click on a tile, webrtc", "main"), ("back to the wall, mse", "sub"))
        for what in ("first picture", "less than 1 s old")
    }
    async with chromium(ours, token) as context:
        page = await dashboard(context, ours, "/")
        for _ in range(clicks):
            for way, click in (
                ("click on a tile, webrtc", "document.querySelector('a[href*=\"/cameras/\"]').click()"),
                ("back to the wall, mse", "history.back()"),
            ):
                await playing(page)
                await asyncio.sleep(LINGER_S + random.uniform(2, 12))
                found = await page.evaluate(f"firstPicture(() => {click})")
                rows[way, "first picture"].took.append(found["first"])
                rows[way, "less than 1 s old"].took.append(found["current"])
    return list(rows.values())


async def _all(ours: Running, asked: argparse.Namespace) -> list[Row]:
    token = sign_in(ours)
    return [*await _light(ours, token, asked.starts), *await _clicks(ours, token, asked.clicks)]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--starts", type=int, default=50, help="of light viewers, each way and stream")
    arguments.add_argument("--clicks", type=int, default=15, help="in Chromium")
    asked = arguments.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as name,
        clock_cameras(views(GOP_S)) as urls,
        hub(Path(name), {f"lane{number}": urls for number in range(SHARERS)}) as ours,
    ):
        time.sleep(GOP_S)  # until each camera has its first long group
        rows = asyncio.run(_all(ours, asked))
    print("| what | stream | starts | p50, ms | p95, ms | most, ms |\n|---|---|---:|---:|---:|---:|")
    for row in rows:
        print(
            f"| {row.way} | {row.stream} | {len(row.took)} | {row.at(50):.0f} | {row.at(95):.0f} "
            f"| {row.at(100):.0f} |"
        )
    print(f"\n{os.cpu_count()} cores, shared by the cameras' encoders, the servers and Chromium.")


if __name__ == "__main__":
    main()
