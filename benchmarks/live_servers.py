"""What the benchmarks of live views stand on: made cameras over RTSP, the hub before them, and janus.

The cameras (GStreamer's RTSP server) and the hub's worker are processes of their own and counted by nobody;
the worker neither records nor looks for motion, so that the server does nothing but what is measured.
"""

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.processes import READY_S, await_answer, camera_hub, process
from camera_hub.server.rights import COOKIE
from tests.support.rtsp_servers import gstreamer
from tests.support.waiting import free_port

STREAMS = {"sub": ("640x360", 10, 500), "main": ("1920x1080", 25, 4000)}
"""Stream → size, pictures a second, kbit/s."""
USER, PASSWORD = "benchmark", "benchmark-of-live"
SITE = "bench"
CLIP_S = 20

_HUB = """
site: {{id: bench, name: Bench}}
storage: {{path: {folder}/data, keep_free_gb: 0}}
server: {{host: 127.0.0.1, port: {port}}}
users: [{{name: {user}, password: {password}, role: admin}}]
live: {{max_viewers: 1000, max_viewers_per_camera: 1000, max_viewers_per_user: 1000}}
cameras:
"""
_CAMERA = """
  - id: {name}
    name: {name}
    streams: {{main: "{main}", sub: "{sub}"}}
    record: []
    motion: {{enabled: false}}
"""

_JANUS = """
general: {{ debug_level = 4, session_timeout = 0 }}
nat: {{ ice_lite = false }}
plugins: {{ disable = "{plugins}" }}
transports: {{ disable = "{transports}" }}
"""
_JANUS_HTTP = 'general: {{ json = "compact", http = true, port = {port}, interface = "lo" }}\n'
_JANUS_STREAM = """{name}: {{
  type = "rtsp"
  id = {number}
  audio = false
  video = true
  url = "{url}"
  rtsp_failcheck = false
}}
"""


class Running(NamedTuple):
    """A server that answers. `worker` is 0 where there is none."""

    server: int
    worker: int
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def encode(folder: Path, name: str, gop_s: float = 2) -> Path:
    """Moving noise at the stream's rate, made as a camera would: no B-frames, a picture in one slice."""
    size, fps, kbit_s = STREAMS[name]
    clip = folder / f"{name}-{gop_s:g}.mp4"
    source = f"testsrc2=size={size}:rate={fps},noise=alls=12:allf=t"
    rate, gop = f"{kbit_s}k", str(round(gop_s * fps))
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-t", str(CLIP_S)]
    command += ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency"]
    command += ["-profile:v", "baseline", "-b:v", rate, "-maxrate", rate, "-bufsize", rate]
    command += ["-g", gop, "-keyint_min", gop, "-sc_threshold", "0"]
    command += ["-x264-params", "sliced-threads=0", str(clip)]
    subprocess.run(command, check=True)
    return clip


@contextmanager
def cameras(folder: Path, gop_s: float = 2) -> Iterator[dict[str, str]]:
    """A camera with both streams: stream → its RTSP address."""
    with gstreamer({name: encode(folder, name, gop_s) for name in STREAMS}) as urls:
        yield urls


@contextmanager
def hub(
    folder: Path, named: Mapping[str, Mapping[str, str]], server: tuple[str, ...] = ("-m", "camera_hub")
) -> Iterator[Running]:
    """A server and its worker with cameras (name → stream → address), all of them online.

    `server`: how Python is to run the server's command.
    """
    port = free_port()
    config = folder / "hub.yaml"
    text = _HUB.format(folder=folder, port=port, user=USER, password=PASSWORD)
    config.write_text(text + "".join(_CAMERA.format(name=name, **urls) for name, urls in named.items()))
    config.chmod(0o600)
    with (
        process(
            sys.executable, *server, "serve", str(config), "--own-worker", log=folder / "server.log"
        ) as serving,
        camera_hub("ingest", str(config), "--own-server", log=folder / "worker.log") as worker,
    ):
        running = Running(serving, worker, port)
        await_answer(f"{running.url}/readyz")
        _await_cameras(running)
        yield running


def sign_in(running: Running) -> str:
    """A session's token, which is its cookie too."""
    body = json.dumps({"username": USER, "password": PASSWORD}).encode()
    asked = urllib.request.Request(f"{running.url}/api/login", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return str(answer.headers["Set-Cookie"]).partition(";")[0].partition("=")[2]


def get(running: Running, path: str, token: str) -> bytes:
    asked = urllib.request.Request(running.url + path, headers={"Cookie": f"{COOKIE}={token}"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        return bytes(answer.read())


def _await_cameras(running: Running) -> None:
    token, deadline = sign_in(running), time.monotonic() + READY_S
    while True:
        found = json.loads(get(running, "/api/cameras", token))["cameras"]
        if found and all(camera["state"] == "online" for camera in found):
            time.sleep(2)  # for the first groups of pictures
            return
        if time.monotonic() > deadline:
            sys.exit(f"the cameras do not come online: {found}")
        time.sleep(0.3)


@contextmanager
def janus(folder: Path, urls: Mapping[str, str]) -> Iterator[Running]:
    """Debian's janus, which relays the streams; each is a mountpoint, counted from 1."""
    if not shutil.which("janus"):
        sys.exit("Debian's janus is missing; install it: sudo apt-get install janus")
    port, configs = free_port(), folder / "janus"
    configs.mkdir(exist_ok=True)
    library = next(Path("/usr/lib").glob("*/janus"))
    plugins = [one.name for one in (library / "plugins").glob("*.so") if "streaming" not in one.name]
    transports = [one.name for one in (library / "transports").glob("*.so") if "http" not in one.name]
    text = _JANUS.format(plugins=",".join(plugins), transports=",".join(transports))
    (configs / "janus.jcfg").write_text(text)
    (configs / "janus.transport.http.jcfg").write_text(_JANUS_HTTP.format(port=port))
    streams = (
        _JANUS_STREAM.format(name=name, number=number, url=url)
        for number, (name, url) in enumerate(urls.items(), 1)
    )
    (configs / "janus.plugin.streaming.jcfg").write_text("".join(streams))
    log = folder / "janus.log"
    with process("janus", "--configs-folder", str(configs), log=log) as pid:
        deadline = time.monotonic() + READY_S
        while log.read_text(errors="replace").count("New video stream") < len(urls):
            if time.monotonic() > deadline:
                sys.exit("janus does not get the cameras' streams")
            time.sleep(0.5)
        yield Running(pid, 0, port)
