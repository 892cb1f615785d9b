"""What a live view costs the server: ours by WebRTC and by MSE, beside Debian's `janus`, in one run.

    python -m benchmarks.live [--seconds 20] [--settle 5] [--sub 1,10,50,150] [--sub-mse 500] [--main 1,10,40]
                              [--only webrtc,mse,janus]

A camera is served over RTSP (sub 640x360@10 at 500 kbit/s, main 1920x1080@25 at 4 Mbit/s, H.264) by a
process that is not counted. One after the other, `camera-hub serve` (its worker is not counted: it runs
elsewhere) and janus' streaming plugin show a stream to as many viewers, who are a process of their own and
decode nothing (`benchmarks.live_viewers`). Counted is the CPU time of the server's process, and what
arrived. Prints a table in Markdown.

The other promises of live views: `benchmarks.live_first` (the first picture), `benchmarks.live_delay` (from
the camera to the browser), `benchmarks.live_soak` (that nothing is left over).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.live_servers import SITE, STREAMS, Running, cameras, hub, janus, sign_in
from benchmarks.measuring import MB, cpu_s

WAYS = ("webrtc", "mse", "janus")


@dataclass
class Row:
    """One way of showing a stream to so many, over `wall_s` seconds."""

    way: str
    stream: str
    viewers: int
    wall_s: float
    cpu_s: float
    pss_mb: float
    sent: int  # packets; by MSE pictures
    kbit_s: float  # of one viewer
    lost: int  # packets; by MSE connections
    p95_ms: float | None  # from the worker to the viewer

    @property
    def share(self) -> float:
        """% of a core, for each viewer."""
        return 100 * self.cpu_s / self.wall_s / self.viewers


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20, help="how long each is measured")
    arguments.add_argument("--settle", type=float, default=5, help="how long all watch before")
    arguments.add_argument("--sub", default="1,10,50,150", help="viewers of the sub stream")
    arguments.add_argument("--sub-mse", default="500", help="viewers of the sub stream by MSE alone")
    arguments.add_argument("--main", default="1,10,40", help="viewers of the main stream")
    arguments.add_argument("--only", default=",".join(WAYS), help="some of the ways")
    asked = arguments.parse_args()
    ways = [way for way in WAYS if way in asked.only.split(",")]
    counts = [("sub", count, ways) for count in _numbers(asked.sub)]
    counts += [("sub", count, ["mse"]) for count in _numbers(asked.sub_mse) if "mse" in ways]
    counts += [("main", count, ways) for count in _numbers(asked.main)]
    rows = []
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        with cameras(folder) as urls:
            for stream, viewers, taken in counts:
                for way, running in _servers(folder, urls, taken):
                    rows.append(_measure(way, running, stream, viewers, asked))
                    print(rows[-1], file=sys.stderr, flush=True)
    _print(rows)


def _servers(folder: Path, urls: dict[str, str], ways: list[str]) -> Iterator[tuple[str, Running]]:
    """Each way with a server that has not shown that many yet; ours shows the cheaper first."""
    ours = [way for way in ("mse", "webrtc") if way in ways]
    if ours:
        with hub(folder, {"lane": urls}) as running:
            for way in ours:
                yield way, running
    if "janus" in ways:
        with janus(folder, urls) as running:
            yield "janus", running


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",") if number]


class Watching:
    """Viewers in a process of their own."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()

    def wait(self) -> None:
        if self._line().strip() != "ready":
            sys.exit("the viewers did not get their stream")

    def counted(self) -> dict[str, float]:
        assert self._process.stdin is not None
        print(file=self._process.stdin, flush=True)
        sums: dict[str, float] = json.loads(self._line())
        return sums


@contextmanager
def watching(way: str, running: Running, stream: str, viewers: int) -> Iterator[Watching]:
    """Viewers who all see something."""
    where = [str(list(STREAMS).index(stream) + 1)] if way == "janus" else [sign_in(running)]
    where += [] if way == "janus" else [f"{SITE}.lane", stream]
    command = [sys.executable, "-m", "benchmarks.live_viewers", way, str(running.port), *where, str(viewers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        started = Watching(process)
        started.wait()
        yield started
        assert process.stdin is not None
        process.stdin.close()


def _measure(way: str, running: Running, stream: str, viewers: int, asked: argparse.Namespace) -> Row:
    with watching(way, running, stream, viewers) as crowd:
        time.sleep(asked.settle)
        before, cpu_before_s, began = crowd.counted(), cpu_s(running.server), time.monotonic()
        time.sleep(asked.seconds)
        after, cpu_after_s, wall_s = crowd.counted(), cpu_s(running.server), time.monotonic() - began
        sent = "pictures" if way == "mse" else "packets"
        return Row(
            way,
            stream,
            viewers,
            wall_s,
            cpu_after_s - cpu_before_s,
            psutil.Process(running.server).memory_full_info().pss / MB,
            round(after[sent] - before[sent]),
            (after["bytes"] - before["bytes"]) * 8 / 1000 / wall_s / viewers,
            round(after["lost"] - before["lost"]),
            after["p95"] * 1000 if way == "mse" else None,
        )


def _print(rows: list[Row]) -> None:
    found = {(row.way, row.stream, row.viewers): row for row in rows}
    print(
        "| stream | viewers | way | kbit/s each | sent/s | lost | CPU, µs a packet or picture "
        "| CPU, % of a core | CPU a viewer | MSE ÷ WebRTC | ours ÷ janus | delay p95, ms | PSS, MB |"
    )
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for row in rows:
        beside = found.get(("webrtc", row.stream, row.viewers)) if row.way == "mse" else None
        rival = found.get(("janus", row.stream, row.viewers)) if row.way != "janus" else None
        late = "" if row.p95_ms is None else f"{row.p95_ms:.0f}"
        us = row.cpu_s / max(1, row.sent) * 1e6
        print(
            f"| {row.stream} | {row.viewers} | {row.way} | {row.kbit_s:.0f} | {row.sent / row.wall_s:.0f} "
            f"| {row.lost} | {us:.1f} | {row.share * row.viewers:.1f} "
            f"| {row.share:.3f} % | {_ratio(row, beside)} | {_ratio(row, rival)} | {late} "
            f"| {row.pss_mb:.0f} |"
        )
    print(f"\n{os.cpu_count()} cores; each measured for {rows[0].wall_s:.0f} s.")


def _ratio(row: Row, beside: Row | None) -> str:
    return f"{row.share / beside.share:.2f}" if beside is not None and beside.share else ""


if __name__ == "__main__":
    main()
