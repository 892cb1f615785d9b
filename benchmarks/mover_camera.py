"""Cameras past which somebody walks now and then, and which say when: the instant of the first frame.

    python -m benchmarks.mover_camera COUNT EVERY_S

Serves COUNT cameras as rtsp://127.0.0.1:PORT/0-sub and so on, by GStreamer's RTSP server, encoded while
they are shown: `sub` (640x360@10, 400 kbit/s) is a lane, `main` (1280x720@15, 1.5 Mbit/s) noise that fills
its rate, for whoever watches. Each EVERY_S seconds somebody crosses the lane in four; the cameras take turns.
Prints the port, and then for each crossing the camera's number and the wall clock in µs, when the first frame
on which something of the walker is to be seen goes to the encoder.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import IO, Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.clock_camera import View, film, rtsp_server
from tests.support.lane import ground, walker
from tests.support.waiting import free_port

WIDTH, HEIGHT, FPS, KBIT = 640, 360, 10, 400
MAIN = View(1280, 720, 15, 1500, 2.0)
CROSSING_S = 4.0
FIRST_S = 20.0  # for the worker to come, and to know the empty lane


def _film_lane(number: int, port: int, every_s: float, first_s: float) -> None:
    """Encode for ever, in real time, and say when somebody comes."""
    chance = np.random.default_rng(number)
    empty = ground(chance, WIDTH, HEIGHT)
    noise = [chance.integers(-2, 3, empty.shape, dtype=np.int16) for _ in range(8)]
    with av.open(f"rtp://127.0.0.1:{port}?pkt_size=1200", "w", format="rtp") as container:
        stream: Any = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = KBIT * 1000
        stream.codec_context.time_base = Fraction(1, 90_000)
        stream.codec_context.gop_size = 2 * FPS
        stream.options = {
            "preset": "veryfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": f"keyint={2 * FPS}:scenecut=0:repeat-headers=1:sliced-threads=0:threads=1:"
            f"vbv-maxrate={KBIT}:vbv-bufsize={KBIT}",
        }
        began, walks = time.monotonic(), False
        for frame_number in range(10**9):
            time.sleep(max(0.0, began + frame_number / FPS - time.monotonic()))
            picture = empty.copy()
            into_s = (frame_number / FPS - first_s) % every_s
            if frame_number / FPS >= first_s and into_s < CROSSING_S:
                walker(picture, into_s / CROSSING_S, frame_number)
            walked, walks = walks, _differs(picture, empty)
            noisy = np.clip(picture + noise[frame_number % len(noise)], 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noisy, format="bgr24")
            frame.pts, frame.time_base = round((time.monotonic() - began) * 90_000), Fraction(1, 90_000)
            if walks and not walked:
                print(number, time.time_ns() // 1000, flush=True)
            container.mux(stream.encode(frame))


def _differs(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> bool:
    return not np.array_equal(one, other)


def main(count: int, every_s: float) -> None:
    """Serve until ended."""
    ports = {f"{number}-{stream}": free_port() for number in range(count) for stream in ("sub", "main")}
    with rtsp_server(ports) as port:
        print(port, flush=True)
        for number in range(count):
            first_s = FIRST_S + number * every_s / count
            lane = (number, ports[f"{number}-sub"], every_s, first_s)
            threading.Thread(target=_film_lane, args=lane, daemon=True).start()
            threading.Thread(target=film, args=(MAIN, ports[f"{number}-main"]), daemon=True).start()
        sys.stdin.read()  # until whoever started us has gone


@contextmanager
def mover_cameras(count: int, every_s: float) -> Iterator[tuple[list[dict[str, str]], IO[str]]]:
    """The cameras' streams, name → RTSP address; and where the crossings are told."""
    command = [sys.executable, "-m", "benchmarks.mover_camera", str(count), str(every_s)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            sys.exit("the made cameras did not start")
        url = f"rtsp://127.0.0.1:{port}"
        yield (
            [{name: f"{url}/{number}-{name}" for name in ("main", "sub")} for number in range(count)],
            process.stdout,
        )
        process.stdin.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
