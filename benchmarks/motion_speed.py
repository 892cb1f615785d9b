"""What finding motion costs: ours beside bare decoding, OpenCV's MOG2, and DVR-Scan over files.

    python -m benchmarks.motion_speed [--work FOLDER] [--only frames|files] [--clips FOLDER…]

Makes clips of a yard at 640x360 (kept in the folder and used again): quiet, busy (three movers all the
time), and quiet with noise that the encoder has to encode. CPU time is that of this process, OpenCV and
FFmpeg with one thread each, from 2 min into a quiet clip on, as a camera runs for days, and from 30 s into
the others; what comes before is in "with the start". Files are scanned by the commands as a user would
call them, start-up included. DVR-Scan gets a virtual environment of its own in the folder. With folders of
labelled clips, only the gate's recall over these is told. Prints tables in Markdown.
"""

import argparse
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from benchmarks import gate_recall
from benchmarks.rivals import dvr_scan
from benchmarks.yard import Encoding, Visit, Yard, film
from camera_hub.cameras.clip import ClipSource
from camera_hub.motion import MotionDetector, MotionSettings
from camera_hub.watch import Watch

QUIET_S, QUIET_FROM_S = 300, 120  # how long the clips are, and from when on they count
OTHER_S, OTHER_FROM_S = 100, 30
ROUNDS = 3  # of which the best counts: others use the machine too
QUIET_GOAL, BUSY_GOAL, DETECTOR_GOAL_MS, FILES_GOAL = 0.15, 1.3, 0.4, 10.0


Way = Callable[[Path, int], tuple[float, float]]
"""A clip, and from when on it counts (s) → CPU seconds from then on, and for all."""


@dataclass(frozen=True)
class Scene:
    name: str
    fps: int
    gop_s: float
    busy: bool = False
    noisy: bool = False

    @property
    def seconds(self) -> int:
        return QUIET_S if self.name == "quiet" else OTHER_S

    @property
    def from_s(self) -> int:
        return QUIET_FROM_S if self.name == "quiet" else OTHER_FROM_S


SCENES = (
    *(Scene("quiet", fps, gop_s) for fps in (10, 25) for gop_s in (1, 2, 4)),
    *(Scene("busy", fps, 2, busy=True) for fps in (10, 25)),
    *(Scene("quiet, noisy", fps, 2, noisy=True) for fps in (10, 25)),
)
FILES = [scene for scene in SCENES if scene.gop_s == 2]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument(
        "--work", type=Path, default=Path("/tmp/motion-speed"), help="for clips and DVR-Scan"
    )
    arguments.add_argument("--only", choices=("frames", "files"), help="one of the two tables")
    arguments.add_argument(
        "--clips", type=Path, nargs="+", help="folders of labelled clips: the gate's recall"
    )
    asked = arguments.parse_args()
    if asked.clips:
        print(gate_recall.table(asked.clips))
        return
    asked.work.mkdir(parents=True, exist_ok=True)
    cv2.setNumThreads(1)
    clips = {scene: _clip(scene, asked.work) for scene in SCENES}
    if asked.only != "files":
        _print_frames(clips)
    if asked.only != "frames":
        command = dvr_scan(asked.work)
        if command is None:
            sys.exit("DVR-Scan could not be installed; see pip's words above")
        _print_files({scene: clips[scene] for scene in FILES}, command)
    print(f"\n{os.cpu_count()} cores.")


def _clip(scene: Scene, folder: Path) -> Path:
    seconds = scene.seconds
    name = f"{scene.name.replace(', ', '-')}-{scene.fps}fps-gop{scene.gop_s:g}-{seconds}s.mp4"
    path = folder / name
    if not path.exists():
        visits = [
            Visit(start, 8, tall, foot)
            for lane, (tall, foot) in enumerate(((0.06, 0.6), (0.1, 0.75), (0.2, 0.95)))
            for start in range(-8 + 2 * lane, seconds, 8)
        ]
        yard = Yard(
            seconds,
            fps=scene.fps,
            visits=visits if scene.busy else (),
            noise=4 if scene.noisy else 2,
            kept=0.5 if scene.noisy else 0.85,
        )
        part = path.with_suffix(".part.mp4")
        film(part, yard, Encoding(scene.gop_s)).rename(path)
    return path


# -- CPU a frame ---------------------------------------------------------------------------


def _bare(clip: Path, from_s: int) -> tuple[float, float]:
    """CPU seconds for the frames from `from_s` on, and for all."""
    began = at = time.process_time()
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_count = 1
        for frame in container.decode(video=0):
            if (frame.time or 0) < from_s:
                at = time.process_time()
    now = time.process_time()
    return now - at, now - began


def _mog2(clip: Path, from_s: int) -> tuple[float, float]:
    """The same, with OpenCV's MOG2 over the luma, and its mask counted; as plain as can be."""
    subtractor = cv2.createBackgroundSubtractorMOG2()
    began = at = time.process_time()
    with av.open(str(clip)) as container:
        container.streams.video[0].thread_count = 1
        for frame in container.decode(video=0):
            cv2.countNonZero(subtractor.apply(frame.to_ndarray(format="gray")))
            if (frame.time or 0) < from_s:
                at = time.process_time()
    now = time.process_time()
    return now - at, now - began


def _packets(clip: Path) -> tuple[ClipSource, Any]:
    source = ClipSource(clip, pace="full-speed", start_wall_us=0)
    return source, source.open()


class Ours:
    """The worker's whole path, from the file on."""

    def __init__(self) -> None:
        self.decoded = 0.0

    def __call__(self, clip: Path, from_s: int) -> tuple[float, float]:
        began = at = time.process_time()
        watch = Watch(MotionSettings())
        source, info = _packets(clip)
        watch.open(info)
        packets = decoded = 0
        for packet in source.packets():
            for _ in watch.packet(packet):
                pass
            packets += 1
            if packet.pts_us < from_s * 1e6:
                at, packets, decoded = time.process_time(), 0, watch.decoded
        now = time.process_time()
        self.decoded = (watch.decoded - decoded) / packets
        return now - at, now - began


def _detector_ms(clip: Path) -> float:
    """Of the detector alone, a frame, if it saw every one."""
    detector, spent, frames = MotionDetector(MotionSettings()), 0.0, 0
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            luma = np.asarray(frame.to_ndarray(format="gray"), np.uint8)
            began = time.process_time()
            detector.process(luma, round((frame.time or 0) * 1e6))
            spent, frames = spent + time.process_time() - began, frames + 1
    return spent / frames * 1e3


def _best(way: Way, clip: Path, from_s: int, rounds: int = ROUNDS) -> tuple[float, float]:
    tried = [way(clip, from_s) for _ in range(rounds)]
    return min(steady for steady, _ in tried), min(whole for _, whole in tried)


def _print_frames(clips: dict[Scene, Path]) -> None:
    print(
        "| scene | fps | GOP | bare, ms a frame | ours, ms a frame | of bare | with the start | goal "
        "| ours, CPU s per camera and minute | decoded | MOG2, of bare | detector alone, ms |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for scene, clip in clips.items():
        with av.open(str(clip)) as container:
            all_frames = container.streams.video[0].frames
        frames = all_frames - scene.from_s * scene.fps
        ours = Ours()
        (bare, bare_all), (own, own_all) = (_best(way, clip, scene.from_s) for way in (_bare, ours))
        mog2, _ = _best(_mog2, clip, scene.from_s, rounds=1)
        goal = "" if scene.noisy else f"{BUSY_GOAL if scene.busy else QUIET_GOAL}"
        print(
            f"| {scene.name} | {scene.fps} | {scene.gop_s:g} s | {bare / frames * 1e3:.3f} "
            f"| {own / frames * 1e3:.3f} | {own / bare:.2f} | {own_all / bare_all:.2f} | {goal} "
            f"| {own / frames * scene.fps * 60:.2f} | {100 * ours.decoded:.1f} % "
            f"| {mog2 / bare:.2f} | {_detector_ms(clip):.2f} |",
            flush=True,
        )
    print(f"\nThe detector's goal is {DETECTOR_GOAL_MS} ms.\n")


# -- files -----------------------------------------------------------------------------------


def _command(*command: str) -> tuple[float, float]:
    """Wall and CPU seconds of a command, its children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
    wall_s = time.monotonic() - began
    if done.returncode:
        sys.exit(f"{command[0]} failed: {done.stderr[-2000:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _scans(clip: Path, command: Path) -> Iterator[tuple[float, float]]:
    ours = (sys.executable, "-m", "camera_hub", "replay", str(clip), "--json", os.devnull)
    theirs = (str(command), "-i", str(clip), "-so", "-q", "--ignore-user-config")
    for call, rounds in ((ours, ROUNDS), (theirs, 1)):
        tried = [_command(*call) for _ in range(rounds)]
        yield min(wall_s for wall_s, _ in tried), min(cpu_s for _, cpu_s in tried)


def _print_files(clips: dict[Scene, Path], command: Path) -> None:
    print(
        "| file | fps | ours, wall s | DVR-Scan, wall s | times faster | goal | ours, CPU s "
        "| DVR-Scan, CPU s | times less | ours, times real time |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    for scene, clip in clips.items():
        (wall, cpu), (their_wall, their_cpu) = _scans(clip, command)
        print(
            f"| {scene.name}, {scene.seconds} s | {scene.fps} | {wall:.2f} | {their_wall:.2f} "
            f"| {their_wall / wall:.1f} | {FILES_GOAL:g} | {cpu:.2f} | {their_cpu:.2f} "
            f"| {their_cpu / cpu:.1f} | {scene.seconds / wall:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
