"""Cameras that show a clock which programs can read: when a picture is encoded is in the picture.

    python -m benchmarks.clock_camera NAME=WIDTHxHEIGHT@FPS,KBIT_S,GOP_S …

Serves each as rtsp://127.0.0.1:PORT/NAME by GStreamer's RTSP server and prints the port. The clock is a row
of 32 blocks along the top of the picture, an eighteenth of its height, white for 1 and black for 0, the most
significant first: 24 bits are the milliseconds of the wall clock, modulo 2^24, 8 bits their sum, byte for
byte, modulo 2^8. Below it is noise that fills the bit rate.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from typing import Any, NamedTuple

import av
import numpy as np
from numpy.typing import NDArray

from tests.support.waiting import free_port

Luma = NDArray[np.uint8]

BLOCKS = 32
PART = 18  # of the picture's height
WRAPS_MS = 1 << 24

READ_CLOCK = """
window.readClock = video => {
  // How old the picture is that a video element shows, in ms; null where there is no clock to be read.
  const canvas = window.clockCanvas ??= new OffscreenCanvas(128, 4);
  const context = canvas.getContext('2d', {willReadFrequently: true});
  context.drawImage(video, 0, 0, video.videoWidth, video.videoHeight / 18, 0, 0, 128, 4);
  const row = context.getImageData(0, 2, 128, 1).data;
  const bytes = [0, 0, 0, 0];
  for (let block = 0; block < 32; block++) {
    if (row[4 * (4 * block + 2)] > 127) bytes[block >> 3] |= 128 >> (block & 7);
  }
  if (((bytes[0] + bytes[1] + bytes[2]) & 255) !== bytes[3]) return null;
  const shown = bytes[0] * 65536 + bytes[1] * 256 + bytes[2];
  return (Date.now() % 16777216 - shown + 16777216 + 8388608) % 16777216 - 8388608;
};
"""
"""The clock read from a `<video>`: for pages."""

_SERVE = """
import sys, gi
gi.require_version("Gst", "1.0"); gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(sys.argv[1])
for one in sys.argv[2:]:
    name, port = one.split("=")
    factory = GstRtspServer.RTSPMediaFactory()
    caps = "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96"
    factory.set_launch(
        f'( udpsrc address=127.0.0.1 port={port} buffer-size=4194304 caps="{caps}" ! rtph264depay '
        "! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )")
    factory.set_shared(True)
    server.get_mount_points().add_factory("/" + name, factory)
server.attach(None)
print("ready", flush=True)
GLib.MainLoop().run()
"""


class View(NamedTuple):
    """What a camera sends."""

    width: int
    height: int
    fps: int
    kbit_s: int
    gop_s: float


def draw(luma: Luma, ms: int) -> None:
    """Put the time into a picture."""
    data = (ms % WRAPS_MS).to_bytes(3, "big")
    word = int.from_bytes(data + bytes([sum(data) & 255]), "big")
    height, width = luma.shape
    for block in range(BLOCKS):
        bright = word >> (BLOCKS - 1 - block) & 1
        luma[: height // PART, width * block // BLOCKS : width * (block + 1) // BLOCKS] = (
            235 if bright else 16
        )


def age_ms(luma: Luma) -> int | None:
    """How old a picture is, by the wall clock; None where there is no clock to be read."""
    now_ms = time.time_ns() // 1_000_000
    height, width = luma.shape
    row = luma[height // PART // 2]
    bits = [int(row[width * (2 * block + 1) // (2 * BLOCKS)] > 127) for block in range(BLOCKS)]
    data = int("".join(map(str, bits)), 2).to_bytes(4, "big")
    if sum(data[:3]) & 255 != data[3]:
        return None
    half = WRAPS_MS // 2
    return (now_ms - int.from_bytes(data[:3], "big") + half) % WRAPS_MS - half


def film(view: View, port: int) -> None:
    """Encode for ever, in real time, and send RTP to a UDP port of this machine."""
    chance = np.random.default_rng(1)
    noise = [
        chance.integers(100, 112, (view.height, view.width), dtype=np.uint8) for _ in range(min(view.fps, 8))
    ]
    grey = np.full((view.height // 2, view.width), 128, np.uint8)
    # The whole-picture noise is there for its bytes, and the encoder's rate control for their number.
    with av.open(f"rtp://127.0.0.1:{port}?pkt_size=1200", "w", format="rtp") as container:
        stream: Any = container.add_stream("libx264", rate=view.fps)
        stream.width, stream.height, stream.pix_fmt = view.width, view.height, "yuv420p"
        stream.bit_rate = view.kbit_s * 1000
        stream.codec_context.time_base = Fraction(1, 90_000)
        gop = round(view.gop_s * view.fps)
        stream.codec_context.gop_size = gop
        rate = f"vbv-maxrate={view.kbit_s}:vbv-bufsize={view.kbit_s}"
        stream.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:repeat-headers=1:"
            f"sliced-threads=0:threads=1:{rate}",
        }
        began = time.monotonic()
        for number in range(10**9):
            time.sleep(max(0.0, began + number / view.fps - time.monotonic()))
            luma = noise[number % len(noise)].copy()
            draw(luma, time.time_ns() // 1_000_000)
            frame = av.VideoFrame.from_ndarray(np.concatenate([luma, grey]), format="yuv420p")
            frame.pts, frame.time_base = round((time.monotonic() - began) * 90_000), Fraction(1, 90_000)
            container.mux(stream.encode(frame))


@contextmanager
def rtsp_server(ports: Mapping[str, int]) -> Iterator[int]:
    """GStreamer's, with a camera for each name, fed with RTP at its UDP port; gives the server's port."""
    port = free_port()
    command = ["/usr/bin/python3", "-c", _SERVE, str(port), *(f"{name}={at}" for name, at in ports.items())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as serving:
        try:
            assert serving.stdout is not None
            if serving.stdout.readline().strip() != "ready":
                sys.exit("GStreamer's RTSP server did not start")
            yield port
        finally:
            serving.terminate()


def main(views: dict[str, View]) -> None:
    """Serve until ended."""
    ports = {name: free_port() for name in views}
    with rtsp_server(ports) as port:
        for name, view in views.items():
            threading.Thread(target=film, args=(view, ports[name]), daemon=True).start()
        print(port, flush=True)
        sys.stdin.read()  # until whoever started us has gone


@contextmanager
def clock_cameras(views: dict[str, View]) -> Iterator[dict[str, str]]:
    """Name → RTSP address."""
    told = [f"{name}={v.width}x{v.height}@{v.fps},{v.kbit_s},{v.gop_s}" for name, v in views.items()]
    command = [sys.executable, "-m", "benchmarks.clock_camera", *told]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        port = process.stdout.readline().strip()
        if not port:
            sys.exit("the made cameras did not start")
        yield {name: f"rtsp://127.0.0.1:{port}/{name}" for name in views}
        assert process.stdin is not None
        process.stdin.close()


def _view(text: str) -> tuple[str, View]:
    name, _, rest = text.partition("=")
    size, kbit_s, gop_s = rest.split(",")
    pixels, _, fps = size.partition("@")
    width, _, height = pixels.partition("x")
    return name, View(int(width), int(height), int(fps), int(kbit_s), float(gop_s))


if __name__ == "__main__":
    main(dict(map(_view, sys.argv[1:])))
