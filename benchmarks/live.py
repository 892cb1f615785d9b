"""What a live view by WebRTC costs the server: ours beside Debian's `janus`, which relays the same streams.

    python -m benchmarks.live [--seconds 20] [--settle 5] [--sub 1,10,50,150] [--main 1,10,40]
                              [--only hub|janus]

A camera is served over RTSP (sub 640x360@10 at 500 kbit/s, main 1920x1080@25 at 4 Mbit/s, H.264) by a
process that is not counted. One after the other, `camera-hub serve` (its worker is not counted: it runs
elsewhere) and janus' streaming plugin show a stream to as many viewers, who are a process of their own and
decode nothing (`benchmarks.live_viewers`). Counted is the CPU time of the server's process, and the packets
that arrived.
Prints a table in Markdown.
"""

import argparse
import json
import os
import shutil
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

import psutil

from benchmarks.live_viewers import PASSWORD, USER
from benchmarks.measuring import MB
from tests.support.rtsp_servers import gstreamer

STREAMS = {"sub": ("640x360", 10, 500), "main": ("1920x1080", 25, 4000)}
"""Stream → size, pictures a second, kbit/s."""
READY_S = 60.0

HUB = """
site: {{id: bench, name: Bench}}
storage: {{path: {folder}/data, keep_free_gb: 0}}
server: {{host: 127.0.0.1, port: {port}}}
users: [{{name: {user}, password: {password}}}]
live: {{max_viewers: 500, max_viewers_per_camera: 500, max_viewers_per_user: 500}}
cameras:
  - id: lane
    name: Lane
    streams: {{main: "{main}", sub: "{sub}"}}
"""

JANUS = """
general: {{ debug_level = 4, session_timeout = 0 }}
nat: {{ ice_lite = false }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
JANUS_HTTP = 'general: {{ json = "compact", http = true, port = {port}, interface = "lo" }}\n'
JANUS_STREAM = """{name}: {{
  type = "rtsp"
  id = {number}
  audio = false
  video = true
  url = "{url}"
  rtsp_failcheck = false
}}
"""


@dataclass
class Row:
    """One server with so many viewers of one stream, over `wall_s` seconds."""

    server: str
    stream: str
    viewers: int
    wall_s: float
    cpu_s: float
    pss_mb: float
    packets: int
    lost: int

    @property
    def us_a_packet(self) -> float:
        return self.cpu_s / max(1, self.packets) * 1e6


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    arguments.add_argument("--settle", type=float, default=5, help="how long all watch before")
    arguments.add_argument("--sub", default="1,10,50,150", help="viewers of the sub stream")
    arguments.add_argument("--main", default="1,10,40", help="viewers of the main stream")
    arguments.add_argument("--only", choices=("hub", "janus"), help="one of the two alone")
    asked = arguments.parse_args()
    if asked.only != "hub" and not shutil.which("janus"):
        sys.exit("Debian's janus is missing; install it: sudo apt-get install janus (or use --only hub)")
    counts = {"sub": _numbers(asked.sub), "main": _numbers(asked.main)}
    rows = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        urls = stack.enter_context(_cameras(folder))
        for stream in STREAMS:
            for viewers in counts[stream]:
                for server in ("hub", "janus") if asked.only is None else (asked.only,):
                    running = _hub if server == "hub" else _janus
                    with running(folder, urls) as (pid, port):
                        rows.append(_measure(server, stream, viewers, pid, port, asked))
                        print(rows[-1], file=sys.stderr, flush=True)
    _print(rows)


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


@contextmanager
def _process(*command: str, log: Path = Path(os.devnull)) -> Iterator[int]:
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def _encode(folder: Path, name: str) -> Path:
    """Moving noise at the stream's rate, made as a camera would: no B-frames, a keyframe every 2 s."""
    size, fps, kbit_s = STREAMS[name]
    clip = folder / f"{name}.mp4"
    source = f"testsrc2=size={size}:rate={fps},noise=alls=12:allf=t"
    rate = f"{kbit_s}k"
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", "20", "-pix_fmt", "yuv420p"]
    command += ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-profile:v", "baseline"]
    command += ["-b:v", rate, "-maxrate", rate, "-bufsize", rate, "-g", str(2 * fps), str(clip)]
    subprocess.run(command, check=True)
    return clip


@contextmanager
def _cameras(folder: Path) -> Iterator[dict[str, str]]:
    """Stream → its RTSP address."""
    clips = {name: _encode(folder, name) for name in STREAMS}
    with gstreamer(clips) as urls:
        yield urls


@contextmanager
def _hub(folder: Path, urls: dict[str, str]) -> Iterator[tuple[int, int]]:
    port = _free_port()
    config = folder / "hub.yaml"
    config.write_text(HUB.format(folder=folder, port=port, user=USER, password=PASSWORD, **urls))
    command = (sys.executable, "-m", "camera_hub")
    with (
        _process(*command, "serve", str(config), "--own-worker") as server,
        _process(*command, "ingest", str(config), "--own-server"),
    ):
        _await(f"http://127.0.0.1:{port}/readyz")
        time.sleep(5)  # for the worker to link and the camera to be there
        yield server, port


@contextmanager
def _janus(folder: Path, urls: dict[str, str]) -> Iterator[tuple[int, int]]:
    port = _free_port()
    configs = folder / "janus"
    configs.mkdir(exist_ok=True)
    library = next(Path("/usr/lib").glob("*/janus"))
    plugins = [one.name for one in (library / "plugins").glob("*.so") if "streaming" not in one.name]
    transports = [one.name for one in (library / "transports").glob("*.so") if "http" not in one.name]
    text = JANUS.format(plugins=",".join(plugins), transports=",".join(transports))
    (configs / "janus.jcfg").write_text(text)
    (configs / "janus.transport.http.jcfg").write_text(JANUS_HTTP.format(port=port))
    streams = (
        JANUS_STREAM.format(name=name, number=number, url=urls[name])
        for number, name in enumerate(STREAMS, 1)
    )
    (configs / "janus.plugin.streaming.jcfg").write_text("".join(streams))
    log = folder / "janus.log"
    with _process("janus", "--configs-folder", str(configs), log=log) as pid:
        deadline = time.monotonic() + READY_S
        while log.read_text(errors="replace").count("New video stream") < len(STREAMS):
            if time.monotonic() > deadline:
                sys.exit("janus does not get the cameras' streams")
            time.sleep(0.5)
        yield pid, port


def _await(url: str) -> None:
    deadline = time.monotonic() + READY_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                answer.read()
                return
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(f"{url} does not answer")
            time.sleep(0.3)


def _measure(server: str, stream: str, viewers: int, pid: int, port: int, asked: argparse.Namespace) -> Row:
    if server == "hub":
        where = ["hub", f"http://127.0.0.1:{port}", "bench.lane", stream]
    else:
        where = ["janus", f"http://127.0.0.1:{port}/janus", str(list(STREAMS).index(stream) + 1)]
    command = [sys.executable, "-m", "benchmarks.live_viewers", *where, str(viewers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdin is not None
        assert watching.stdout is not None

        def counted() -> dict[str, int]:
            assert watching.stdin is not None
            assert watching.stdout is not None
            print(file=watching.stdin, flush=True)
            sums: dict[str, int] = json.loads(watching.stdout.readline())
            return sums

        if watching.stdout.readline().strip() != "ready":
            sys.exit(f"the viewers of {server} did not get their stream")
        time.sleep(asked.settle)
        process = psutil.Process(pid)
        before, cpu, began = counted(), process.cpu_times(), time.monotonic()
        time.sleep(asked.seconds)
        after, spent, wall_s = counted(), process.cpu_times(), time.monotonic() - began
        pss_mb = process.memory_full_info().pss / MB
        watching.stdin.close()
        return Row(
            server,
            stream,
            viewers,
            wall_s,
            spent.user + spent.system - cpu.user - cpu.system,
            pss_mb,
            after["packets"] - before["packets"],
            after["lost"] - before["lost"],
        )


def _print(rows: list[Row]) -> None:
    janus = {(row.stream, row.viewers): row for row in rows if row.server == "janus"}
    print(
        "| stream | viewers | server | packets/s | lost | CPU, µs a packet | of janus' | CPU, % of a core "
        "| CPU a viewer | PSS, MB |"
    )
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        beside = janus.get((row.stream, row.viewers))
        ratio = f"{row.us_a_packet / beside.us_a_packet:.2f}" if beside and beside.cpu_s else "-"
        share = 100 * row.cpu_s / row.wall_s
        print(
            f"| {row.stream} | {row.viewers} | {row.server} | {row.packets / row.wall_s:.0f} | {row.lost} "
            f"| {row.us_a_packet:.1f} | {ratio} | {share:.1f} "
            f"| {share / row.viewers:.2f} % | {row.pss_mb:.0f} |"
        )
    print(f"\n{os.cpu_count()} cores; each measured for {rows[0].wall_s:.0f} s.")


if __name__ == "__main__":
    main()
