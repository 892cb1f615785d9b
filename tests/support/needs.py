"""What some tests need from the machine: there, or a loud skip; on CI (`CI=true`), a failure.

A test calls `needs.chromium()` and the like first, and gets the path of what it asked for.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def _missing(what: str, remedy: str) -> None:
    message = f"{what} is missing; {remedy}"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def clips() -> Path:
    """The folder of labelled clips beside the project."""
    folder = SHARED / "clips"
    if not folder.is_dir():
        _missing("the folder of labelled clips", f"lay it at {folder.name}/ in shared/ beside the project")
    return folder


def gstreamer() -> Path:
    """The script that serves clips by GStreamer's RTSP server; run it with /usr/bin/python3."""
    script = SHARED / "tools" / "rtsp_cameras.py"
    probe = "import gi; gi.require_version('GstRtspServer', '1.0')"
    found = subprocess.run(["/usr/bin/python3", "-c", probe], capture_output=True, check=False)
    if not script.is_file() or found.returncode or not shutil.which("ffmpeg"):
        _missing("GStreamer's RTSP server", "install gir1.2-gst-rtsp-server-1.0, python3-gi and ffmpeg")
    return script


def coturn() -> str:
    """The path of coturn's server."""
    path = shutil.which("turnserver")
    if path is None:
        _missing("coturn", "install the package coturn")
    return path or ""


def mosquitto() -> str:
    """The path of the MQTT broker."""
    path = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin")
    if path is None:
        _missing("Mosquitto", "install the package mosquitto")
    return path or ""


def postgresql() -> Path:
    """The folder of PostgreSQL's programs, the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        _missing("PostgreSQL", "install the package postgresql")
    return found[-1].parent


def namespaces() -> None:
    """Networks of our own, with loss, rates and NAT.

    Where the kernel or the container forbids them, no package helps: the test is skipped on CI too, and
    those with `bad_network`, which needs no rights, show what can be shown without.
    """
    missing = [tool for tool in ("ip", "tc", "iptables", "ip6tables") if not shutil.which(tool)]
    if missing:
        _missing(", ".join(missing), "install the packages iproute2 and iptables")
    refusal = _namespaces_refused()
    if refusal:
        pytest.skip(f"this machine allows no networks of our own: {refusal}")


@cache
def _namespaces_refused() -> str:
    """What the kernel says against them; empty when all that tests use is there."""
    name = f"probe-{os.getpid()}"
    tries = (
        f"ip netns add {name}",
        f"ip -n {name} link add cable0 type veth peer name cable1",
        f"ip netns exec {name} tc qdisc add dev cable0 root tbf rate 1mbit burst 4kb latency 50ms",
        f"ip netns exec {name} iptables -A INPUT -m statistic --mode random --probability 0.1 -j DROP",
        f"ip netns exec {name} ip6tables -A INPUT -m statistic --mode random --probability 0.1 -j DROP",
        f"ip netns exec {name} iptables -t nat -A POSTROUTING -j MASQUERADE",
    )
    try:
        for command in tries:
            tried = subprocess.run(command.split(), capture_output=True, text=True, check=False)
            if tried.returncode:
                return f"`{command}`: {tried.stderr.strip()}"
    finally:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return ""


def gstreamer_webrtc() -> Path:
    """The Python that has GStreamer with WebRTC."""
    python = Path("/usr/bin/python3")
    probe = (
        "import gi; gi.require_version('GstWebRTC', '1.0'); gi.require_version('GstSdp', '1.0'); "
        "from gi.repository import Gst; Gst.init(None); "
        "assert all(map(Gst.ElementFactory.find, ('webrtcbin', 'nicesrc', 'dtlsdec', 'srtpdec')))"
    )
    if subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode:
        _missing("GStreamer's WebRTC", "install gir1.2-gst-plugins-bad-1.0 and gstreamer1.0-nice")
    return python


def chromium() -> str:
    """The path of the system's Chromium."""
    path = shutil.which("chromium")
    if path is None:
        _missing("Chromium", "install the package chromium")
    return path or ""


def session_bus() -> Path:
    """The Python that speaks D-Bus (by GLib), where there is a bus to be started for it."""
    python = Path("/usr/bin/python3")
    found = subprocess.run([python, "-c", "from gi.repository import Gio"], capture_output=True, check=False)
    if found.returncode or not shutil.which("dbus-daemon"):
        _missing("a session bus", "install the packages dbus and python3-gi")
    return python


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of its own with room for `size` bytes, mounted at `folder`, which is made."""
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    mounted = shutil.which("mount") and subprocess.run(["mount", *options], capture_output=True, check=False)
    if not mounted or mounted.returncode:
        _missing("the right to mount a small disk", "run the tests as root, where mounting is allowed")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def dashboard() -> Path:
    """The folder of the built dashboard."""
    folder = ROOT / "camera_hub" / "server" / "dashboard"
    if not (folder / "index.html").is_file():
        _missing("the built dashboard", "run `make dashboard`")
    return folder
