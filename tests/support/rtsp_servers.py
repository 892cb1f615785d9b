"""RTSP servers that we did not write, started for a test and stopped after it; all on 127.0.0.1.

Each is a context manager that yields addresses only once the server answers.
"""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from camera_hub.annexb import nal_units, parameter_sets
from camera_hub.mp4.configuration import configuration_record
from tests.support import needs
from tests.support.live import Encoded
from tests.support.waiting import free_port, until_blocking

START_S = 60.0

_AIO_RTSP = """
import asyncio, sys
from aio_rtsp_toolkit import server
asyncio.run(server.serve(sys.argv[1], "127.0.0.1", int(sys.argv[2])))
"""


@contextmanager
def gstreamer(
    clips: Mapping[str, Path], user: str = "", password: str = "", port: int = 0
) -> Iterator[dict[str, str]]:
    """GStreamer's RTSP server with a looping camera for each clip (H.264 or HEVC), over TCP and UDP;
    with `user`, behind digest authentication. Yields {name: address without credentials}."""
    script = needs.gstreamer()
    port = port or free_port()
    command = ["/usr/bin/python3", str(script), "--port", str(port)]
    if user:
        command += ["--user", user, "--password", password]
    command += [f"{name}={clip}" for name, clip in clips.items()]
    with _process(command, ready="ready"):
        yield {name: f"rtsp://127.0.0.1:{port}/{name}" for name in clips}


class Served(NamedTuple):
    """An encoded stream as an RTSP camera sends it."""

    stream: Encoded
    sets_in_stream: bool = True  # False: parameter sets are in the SDP alone
    stamped: Literal["as shown", "as decoded"] = "as shown"  # what RTP times tell of pictures with B-frames


class RtspCamera(NamedTuple):
    """Where a served stream is found."""

    url: str
    sent: Callable[[], int]  # packets so far


@contextmanager
def streams(folder: Path, cameras: Mapping[str, Served], port: int = 0) -> Iterator[dict[str, RtspCamera]]:
    """GStreamer's RTSP server with these streams over and over, from the first who asks on, over TCP and UDP.

    `folder` is for its files.
    """
    needs.gstreamer()
    port = port or free_port()
    for name, camera in cameras.items():
        _lay_out(folder / name, camera)
    with serving("rtsp_streams", port, folder):
        yield {
            name: RtspCamera(f"rtsp://127.0.0.1:{port}/{name}", _counter(folder / f"{name}.sent"))
            for name in cameras
        }


def _lay_out(file: Path, camera: Served) -> None:
    """What `rtsp_streams.py` reads of a stream."""
    stream = camera.stream
    sets = parameter_sets("h264", nal_units(stream.info.extradata))
    packets, data = [], b""
    for packet in stream.packets:
        # Not by the payloader, which would put them before each slice of a keyframe.
        added = sets.units if packet.keyframe and camera.sets_in_stream else ()
        units = [*added, *map(bytes, nal_units(packet.data))]
        one = b"".join(len(unit).to_bytes(4) + unit for unit in units)
        first_us = stream.packets[0].dts_us
        pts_us = packet.pts_us if camera.stamped == "as shown" else packet.dts_us
        packets.append((len(one), pts_us - first_us, packet.dts_us - first_us))
        data += one
    told = {
        "caps": "video/x-h264,stream-format=avc,alignment=au,"
        f"codec_data=(buffer){configuration_record('h264', sets).hex()}",
        "payloader": "rtph264pay config-interval=0",
        "packets": packets,
        "duration_us": stream.duration_us,
    }
    file.with_suffix(".data").write_bytes(data)
    file.with_suffix(".json").write_text(json.dumps(told))


def _counter(file: Path) -> Callable[[], int]:
    return lambda: int.from_bytes(file.read_bytes()[:8], "little")


@contextmanager
def aio_rtsp(folder: Path) -> Iterator[str]:
    """aio-rtsp-toolkit's server over the clips of a folder, TCP only. Yields the address that a clip's
    name is put behind; `/play_count_0` behind the name lets it loop for ever."""
    port = free_port()
    with _process([sys.executable, "-c", _AIO_RTSP, str(folder), str(port)]):
        until_blocking(lambda: _listens(port), START_S)
        yield f"rtsp://127.0.0.1:{port}/"


class VirtualCamera(NamedTuple):
    """Where ipycam's virtual camera is found."""

    host: str
    onvif_port: int
    main: str  # the address of its stream
    sub: str


@contextmanager
def ipycam(
    user: str = "",
    password: str = "",
    main: tuple[int, int] = (640, 360),
    sub: tuple[int, int] = (320, 180),
    told_host: str = "127.0.0.1",
) -> Iterator[VirtualCamera]:
    """ipycam's virtual ONVIF camera with two RTSP streams that it encodes itself (10 fps). With `user`, ONVIF
    asks for WS-Security digest; its RTSP is open to all. `told_host` is what it says that its address is."""
    onvif_port, rtsp_port = free_port(), free_port()
    settings = {
        "name": "Practice camera",
        "local_ip": told_host,
        "onvif_port": onvif_port,
        "rtsp_port": rtsp_port,
        "go2rtc_api_port": free_port(),
        "username": user,
        "password": password,
        "main_width": main[0],
        "main_height": main[1],
        "main_fps": 10,
        "main_bitrate": "1M",
        "sub_width": sub[0],
        "sub_height": sub[1],
        "sub_fps": 10,
        "sub_bitrate": "300K",
    }
    runner = Path(__file__).with_name("virtual_camera.py")
    with _process([sys.executable, str(runner), json.dumps(settings)], ready="ready"):
        until_blocking(lambda: _listens(rtsp_port), START_S)
        base = f"rtsp://127.0.0.1:{rtsp_port}/"
        yield VirtualCamera("127.0.0.1", onvif_port, base + "video_main", base + "video_sub")


@contextmanager
def serving(script: str, port: int, folder: Path) -> Iterator[None]:
    """A script of ours for the system's Python, which serves what the folder's files say."""
    command = ["/usr/bin/python3", "-m", f"tests.support.{script}", str(port), str(folder)]
    with _process(command, ready="ready"):
        yield


@contextmanager
def _process(command: list[str], ready: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a process group of its own; what it said is shown when it fails to start."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=said,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            cwd=needs.ROOT,
        )
        try:
            if ready and not _says(process, ready):
                said.seek(0)
                raise AssertionError(
                    f"{command} did not start: {said.read().decode(errors='replace')[-2000:]}"
                )
            yield process
        finally:
            _stop(process)


def _says(process: subprocess.Popen[bytes], word: str) -> bool:
    """Whether the process prints the word in time. Leaves its further output to a pipe that nobody reads."""
    assert process.stdout is not None
    deadline, heard = time.monotonic() + START_S, b""
    while time.monotonic() < deadline and word.encode() not in heard:
        if select.select([process.stdout], [], [], 0.2)[0]:
            chunk = os.read(process.stdout.fileno(), 65536)
            if not chunk:
                break
            heard += chunk
    return word.encode() in heard


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)  # its ffmpeg children too
            process.wait(5)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(5)
    if process.stdout is not None:
        process.stdout.close()


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0
