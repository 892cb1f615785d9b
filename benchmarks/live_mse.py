"""What a live view by MSE costs the server, for ever more viewers.

    python -m benchmarks.live_mse [--seconds 20] [--settle 5] [--sub 1,10,50,150,500] [--main 1,10,40]

A camera is served over RTSP (sub 640x360@10 at 500 kbit/s, main 1920x1080@25 at 4 Mbit/s, H.264) by a
process that is not counted; nor is the hub's worker, which runs elsewhere. Viewers are a process of their
own: they read their WebSockets, count bytes and pictures, and decode nothing. Counted is the CPU time of
`camera-hub serve`. The delay is from the packet's arrival at the worker to its arrival at the viewer, by
the time that each fragment carries.
Prints a table in Markdown. `python -m benchmarks.live_mse watch PORT COOKIE STREAM COUNT` are the viewers.
"""

import argparse
import asyncio
import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import psutil
import uvloop

from benchmarks.measuring import MB
from camera_hub.mp4.boxes import NTP_EPOCH_S
from camera_hub.server.rights import COOKIE
from tests.support.rtsp_servers import gstreamer

STREAMS = {"sub": ("640x360", 10, 500), "main": ("1920x1080", 25, 4000)}
"""Stream → size, pictures a second, kbit/s."""
USER, PASSWORD = "benchmark", "benchmark-of-live"
READY_S = 60.0
AT_ONCE = 25  # viewers that connect at the same time

HUB = """
site: {{id: bench, name: Bench}}
storage: {{path: {folder}/data, keep_free_gb: 0}}
server: {{host: 127.0.0.1, port: {port}}}
live: {{max_viewers: 1000, max_viewers_per_camera: 1000, max_viewers_per_user: 1000}}
users: [{{name: {user}, password: {password}}}]
cameras:
  - id: lane
    name: Lane
    streams: {{main: "{main}", sub: "{sub}"}}
"""


class LightViewer(asyncio.Protocol):
    """A WebSocket client that counts what comes."""

    def __init__(self, counts: "Counts", ask: bytes) -> None:
        self._counts = counts
        self._ask = ask
        self._left = 0  # of the frame that is being read
        self._rest = b""  # the beginning of a frame's header
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast(asyncio.Transport, transport).write(self._ask)

    def data_received(self, data: bytes) -> None:
        self._counts.bytes += len(data)
        if not self._open:
            head, found, data = (self._rest + data).partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            if not head.startswith(b"HTTP/1.1 101"):
                sys.exit(f"refused: {head[:200]!r}")
            self._open, self._rest = True, b""
        self._rest, data = b"", self._rest + data
        if self._left >= len(data):
            self._left -= len(data)
            return
        data, self._left = data[self._left :], 0
        while len(data) >= 40:  # a frame's header and its `prft`; each of ours is longer
            size = int.from_bytes(data[2:4]) if data[1] == 126 else data[1]
            start = 2 if data[1] < 126 else 4
            if data[1] == 127:
                size, start = int.from_bytes(data[2:10]), 10
            if data[start + 4 : start + 8] == b"prft":
                self._counts.picture(data[start : start + 32])
            end = start + size
            if end > len(data):
                self._left, self._rest = end - len(data), b""
                return
            data = data[end:]
        self._rest = data

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.lost += 1


class Counts:
    """What all viewers got."""

    def __init__(self) -> None:
        self.bytes = 0
        self.pictures = 0
        self.lost = 0  # connections
        self.delays: list[float] = []

    def picture(self, prft: bytes) -> None:
        self.pictures += 1
        taken = int.from_bytes(prft[16:24]) / 2**32 - NTP_EPOCH_S
        self.delays.append(time.time() - taken)


async def _watch(port: int, cookie: str, stream: str, count: int) -> None:
    counts = Counts()
    loop = asyncio.get_running_loop()

    async def connect() -> None:
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        ask = (
            f"GET /api/cameras/bench.lane/live.ws?stream={stream} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
            f"Sec-WebSocket-Version: 13\r\nCookie: {COOKIE}={cookie}\r\n\r\n"
        )
        await loop.create_connection(lambda: LightViewer(counts, ask.encode()), "127.0.0.1", port)

    for _ in range(0, count, AT_ONCE):
        await asyncio.gather(*(connect() for _ in range(min(AT_ONCE, count))))
        await asyncio.sleep(0.2)
    while counts.pictures < count * 5:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    print("ready", flush=True)
    while await asyncio.to_thread(sys.stdin.readline):
        delays, counts.delays = sorted(counts.delays) or [0.0], []
        told: dict[str, float] = {"bytes": counts.bytes, "pictures": counts.pictures, "lost": counts.lost}
        told |= {f"p{p}": delays[min(len(delays) - 1, len(delays) * p // 100)] for p in (50, 95, 99)}
        print(json.dumps(told), flush=True)


@dataclass
class Row:
    """So many viewers of one stream, over `wall_s` seconds."""

    stream: str
    viewers: int
    wall_s: float
    cpu_s: float
    pss_mb: float
    kbit_s: float  # of one viewer
    pictures: int
    lost: int
    p50_ms: float
    p95_ms: float


def main() -> None:
    if sys.argv[1:2] == ["watch"]:
        server, cookie, shown, count = sys.argv[2:]
        uvloop.run(_watch(int(server), cookie, shown, int(count)))
        return
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    arguments.add_argument("--settle", type=float, default=5, help="how long all watch before")
    arguments.add_argument("--sub", default="1,10,50,150,500", help="viewers of the sub stream")
    arguments.add_argument("--main", default="1,10,40", help="viewers of the main stream")
    asked = arguments.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        urls = stack.enter_context(gstreamer({one: _encode(folder, one) for one in STREAMS}))
        pid, port = stack.enter_context(_hub(folder, urls))
        cookie = _sign_in(port)
        for stream, counts in (("sub", asked.sub), ("main", asked.main)):
            for viewers in (int(number) for number in counts.split(",") if number):
                rows.append(_measure(stream, viewers, pid, port, cookie, asked))
                print(rows[-1], file=sys.stderr, flush=True)
    print(
        "| stream | viewers | kbit/s each | CPU, % of a core | CPU a viewer | µs a picture "
        "| delay p50 / p95, ms | cut off | PSS, MB |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        share = 100 * row.cpu_s / row.wall_s
        print(
            f"| {row.stream} | {row.viewers} | {row.kbit_s:.0f} | {share:.1f} | {share / row.viewers:.3f} % "
            f"| {row.cpu_s / row.pictures * 1e6:.1f} | {row.p50_ms:.0f} / {row.p95_ms:.0f} | {row.lost} "
            f"| {row.pss_mb:.0f} |"
        )
    print(f"\n{os.cpu_count()} cores; each measured for {rows[0].wall_s:.0f} s.")


def _encode(folder: Path, name: str) -> Path:
    """Moving noise at the stream's rate, as a camera would send it: no B-frames, a keyframe every 2 s."""
    size, fps, kbit_s = STREAMS[name]
    clip, rate = folder / f"{name}.mp4", f"{kbit_s}k"
    source = f"testsrc2=size={size}:rate={fps},noise=alls=12:allf=t"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", "20", "-pix_fmt", "yuv420p"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline"]
    command += ["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", str(2 * fps), str(clip)]
    subprocess.run(command, check=True)
    return clip


@contextmanager
def _hub(folder: Path, urls: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The server's process and port."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    config = folder / "hub.yaml"
    config.write_text(HUB.format(folder=folder, port=port, user=USER, password=PASSWORD, **urls))
    command = (sys.executable, "-m", "camera_hub")
    with (
        _process(*command, "serve", str(config), "--own-worker") as server,
        _process(*command, "ingest", str(config), "--own-server"),
    ):
        deadline = time.monotonic() + READY_S
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
                    answer.read()
                    break
            except OSError:
                if time.monotonic() > deadline:
                    sys.exit("the server does not answer")
                time.sleep(0.3)
        time.sleep(5)  # for the worker to link and the camera to be there
        yield server, port


@contextmanager
def _process(*command: str) -> Iterator[int]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _sign_in(port: int) -> str:
    body = json.dumps({"username": USER, "password": PASSWORD}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/login", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return str(answer.headers["Set-Cookie"]).partition(";")[0].partition("=")[2]


def _measure(stream: str, viewers: int, pid: int, port: int, cookie: str, asked: argparse.Namespace) -> Row:
    command = [sys.executable, "-m", "benchmarks.live_mse", "watch", str(port), cookie, stream, str(viewers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watching:
        stdin, stdout = watching.stdin, watching.stdout
        assert stdin is not None
        assert stdout is not None

        def counted() -> dict[str, float]:
            print(file=stdin, flush=True)
            sums: dict[str, float] = json.loads(stdout.readline())
            return sums

        if stdout.readline().strip() != "ready":
            sys.exit("the viewers did not get their stream")
        time.sleep(asked.settle)
        process = psutil.Process(pid)
        before, cpu, began = counted(), process.cpu_times(), time.monotonic()
        time.sleep(asked.seconds)
        after, spent, wall_s = counted(), process.cpu_times(), time.monotonic() - began
        row = Row(
            stream,
            viewers,
            wall_s,
            spent.user + spent.system - cpu.user - cpu.system,
            process.memory_full_info().pss / MB,
            (after["bytes"] - before["bytes"]) * 8 / 1000 / wall_s / viewers,
            int(after["pictures"] - before["pictures"]),
            int(after["lost"]),
            after["p50"] * 1000,
            after["p95"] * 1000,
        )
        stdin.close()
        return row


if __name__ == "__main__":
    main()
