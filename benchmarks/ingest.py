"""What seven cameras cost, recorded and watched: ours beside bare decoding and Debian's `motion`.

    python -m benchmarks.ingest [--seconds 60] [--warm-up 20]

Seven cameras of the practice hamlet (main 1280x720@15, sub 640x360@10, H.264) are served over
RTSP by a process that is not counted. One after the other, each reads them for as long:
- the hub: `camera-hub serve` and `camera-hub ingest`, recording main and sub, motion on;
- bare PyAV: a process a camera that decodes every frame of the sub stream and does nothing else;
- motion: Debian's package, motion on the sub stream, the main stream recorded by pass-through.
Prints tables in Markdown.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import av

from benchmarks.measuring import Cost, kind_of, measure
from benchmarks.processes import camera_hub, process
from camera_hub.config import load_config

DEMO = Path(__file__).resolve().parent.parent / "config" / "demo.yaml"
READY_S = 400  # rendering the hamlet for the first time included

DECODE = """
import sys, av
with av.open(sys.argv[1], options={"rtsp_transport": "tcp"}) as container:
    container.streams.video[0].thread_count = 1
    for frame in container.decode(video=0):
        pass
"""

MOTION = """
daemon off
log_level 4
webcontrol_port 0
target_dir {folder}
"""
MOTION_CAMERA = """
camera_id {number}
camera_name {name}
netcam_url {sub}
netcam_high_url {main}
netcam_params rtsp_transport=tcp
netcam_high_params rtsp_transport=tcp
width 640
height 360
framerate 10
movie_output on
movie_passthrough on
emulate_motion on
movie_filename {name}-%s
picture_output off
stream_port 0
"""

Running = Callable[[], AbstractContextManager[Sequence[int]]]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=60, help="how long each is measured")
    arguments.add_argument("--warm-up", type=float, default=20, help="how long each runs before")
    asked = arguments.parse_args()
    if not shutil.which("motion"):
        sys.exit("Debian's motion is missing; install it: sudo apt-get install motion")
    cameras = _addresses()
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name, _practice(cameras):
        folder = Path(name)
        ways: list[tuple[str, Running]] = [
            ("Camera Hub, worker and server", lambda: _hub(folder)),
            ("bare PyAV decoding of sub", lambda: _decoding(cameras)),
            ("motion", lambda: _motion(folder, cameras)),
        ]
        costs = []
        for way, running in ways:
            with running() as pids:
                time.sleep(asked.warm_up)
                costs.append(measure(way, lambda pids=pids: pids, asked.seconds, kind_of))  # type: ignore[misc]
    _print(costs, len(cameras))


def _addresses() -> dict[str, tuple[str, str]]:
    """Camera → its main and sub address."""
    found = {}
    for camera in load_config(DEMO).cameras:
        assert camera.streams is not None
        assert camera.streams.sub is not None
        found[camera.id] = (camera.streams.main, camera.streams.sub)
    return found


@contextmanager
def _practice(cameras: dict[str, tuple[str, str]]) -> Iterator[None]:
    with camera_hub("practice", str(DEMO)):
        deadline = time.monotonic() + READY_S
        for main_url, sub_url in cameras.values():
            for url in (main_url, sub_url):
                while not _answers(url):
                    if time.monotonic() > deadline:
                        sys.exit(f"{url} does not answer")
                    time.sleep(1)
        yield


def _answers(url: str) -> bool:
    try:
        with av.open(url, options={"rtsp_transport": "tcp"}, timeout=5):
            return True
    except (av.error.FFmpegError, OSError):
        return False


@contextmanager
def _hub(folder: Path) -> Iterator[Sequence[int]]:
    text = DEMO.read_text().replace("../data/demo", str(folder / "hub"))
    config = folder / "hub.yaml"
    config.write_text(text)
    with (
        camera_hub("serve", str(config), "--own-worker") as server,
        camera_hub("ingest", str(config), "--own-server") as worker,
    ):
        yield (server, worker)


@contextmanager
def _decoding(cameras: dict[str, tuple[str, str]]) -> Iterator[Sequence[int]]:
    started = [process(sys.executable, "-c", DECODE, sub) for _, sub in cameras.values()]
    pids = [one.__enter__() for one in started]
    try:
        yield pids
    finally:
        for one in started:
            one.__exit__(None, None, None)


@contextmanager
def _motion(folder: Path, cameras: dict[str, tuple[str, str]]) -> Iterator[Sequence[int]]:
    target = folder / "motion"
    target.mkdir()
    text = MOTION.format(folder=target)
    for number, (name, (main_url, sub_url)) in enumerate(cameras.items(), 1):
        camera = target / f"{name}.conf"
        camera.write_text(MOTION_CAMERA.format(number=number, name=name, main=main_url, sub=sub_url))
        text += f"camera {camera}\n"
    config = target / "motion.conf"
    config.write_text(text)
    with process("motion", "-n", "-c", str(config)) as pid:
        yield (pid,)
        recorded = sum(f.stat().st_size for f in target.glob("*.m*"))
    if not recorded:
        sys.exit("motion recorded nothing: the comparison would be unfair")


def _print(costs: Sequence[Cost], cameras: int) -> None:
    ours = costs[0]
    print("| | CPU s per camera and minute | of ours | CPU, all (% of a core) | PSS, all (MB) | processes |")
    print("|---|---:|---:|---:|---:|---:|")
    for cost in costs:
        per_camera = cost.cpu_s / cost.wall_s * 60 / cameras
        share = 100 * cost.cpu_s / cost.wall_s
        print(
            f"| {cost.name} | {per_camera:.2f} | {cost.cpu_s / ours.cpu_s:.2f} | {share:.1f} "
            f"| {cost.pss_mb:.0f} | {cost.processes} |"
        )
    print("\n| the hub's processes | number | CPU, each (% of a core) | PSS, each (MB) |")
    print("|---|---:|---:|---:|")
    for label, (count, cpu_s, pss_mb) in sorted(ours.by_command.items()):
        print(f"| {label} | {count} | {100 * cpu_s / ours.wall_s / count:.1f} | {pss_mb / count:.1f} |")
    print(f"\n{os.cpu_count()} cores; each measured for {ours.wall_s:.0f} s.")


if __name__ == "__main__":
    main()
