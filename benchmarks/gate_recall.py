"""The gate's recall: of the labelled events that are found without it, how many are found with it in time.

Runs each labelled clip twice through the worker's own path, without the gate and with it. In time
is what starts no later than 0.3 s after it does without. Clips in which the gate never slept say nothing
about it, and are counted apart. A module for `benchmarks.motion_speed --clips`, and for tests.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2

from camera_hub.cameras.clip import ClipSource
from camera_hub.model import EventKind, Packet
from camera_hub.motion import Gate, MotionSettings, Opened
from camera_hub.replay.labels import labels_path, read_labels
from camera_hub.replay.runner import processors
from camera_hub.replay.score import EARLY_S, joined
from camera_hub.watch import Watch

LATE_S = 0.3  # later than without the gate by no more
GOAL = 0.99


class OpenGate(Gate):
    """Lets everything through, and has everything looked at."""

    def let(self, packet: Packet) -> Sequence[Packet]:
        return (packet,)

    def worth_a_look(self, t_us: int) -> bool:
        return True


class Watched(NamedTuple):
    """One clip's way through the worker's path."""

    starts: list[float]  # of events, s
    decoded: float  # share of the packets; what was decoded twice counts twice
    slept: float  # share of the packets


class Recall(NamedTuple):
    """One clip, without and with the gate."""

    clip: str
    whole: Watched
    gated: Watched
    found: int  # labels that are found without the gate
    in_time: int  # ... and with it


def watched(clip: Path, gate: Gate | None = None, seconds: float | None = None) -> Watched:
    """`gate`: instead of the usual one; `seconds`: again and again, until so much has been seen."""
    source = ClipSource(clip, loop=seconds is not None, pace="full-speed", start_wall_us=0)
    watch = Watch(MotionSettings())
    watch.open(source.open())
    if gate is not None:
        watch.gate = gate
    starts, packets, slept = list[float](), 0, 0
    for packet in source.packets():
        if seconds is not None and packet.pts_us >= seconds * 1e6:
            break
        packets += 1
        starts += [
            report.start_us / 1e6
            for look in watch.packet(packet)
            for report in look.reports
            if isinstance(report, Opened) and report.kind is EventKind.MOTION
        ]
        slept += watch.gate.asleep
    source.close()
    return Watched(starts, watch.decoded / packets, slept / packets)


def missed(whole: Sequence[float], gated: Sequence[float]) -> list[float]:
    """The starts without the gate for which there is none with it in time; earlier is no harm."""
    return [
        start for start in whole if not any(start - EARLY_S <= other <= start + LATE_S for other in gated)
    ]


def recall(clip: Path) -> Recall:
    """Of one labelled clip."""
    cv2.setNumThreads(1)
    whole, gated = watched(clip, OpenGate()), watched(clip)
    found = in_time = 0
    for label in joined(read_labels(labels_path(clip)).events):
        begin_s = label.start - EARLY_S
        first_s = next((start for start in whole.starts if begin_s <= start <= label.end), None)
        if first_s is not None:
            found += 1
            in_time += any(begin_s <= start <= first_s + LATE_S for start in gated.starts)
    return Recall(clip.name, whole, gated, found, in_time)


def table(folders: Iterable[Path]) -> str:
    """In Markdown, over all labelled clips of the folders."""
    rows = [
        "| clips | number | in which it slept | labelled events found | ... with the gate in time "
        "| recall | decoded | goal |",
        "|---|" + "---:|" * 7,
    ]
    with ProcessPoolExecutor(processors()) as pool:
        for folder in folders:
            clips = [clip for clip in sorted(folder.glob("*.mp4")) if labels_path(clip).is_file()]
            all_ = list(pool.map(recall, clips))
            slept = [one for one in all_ if one.gated.slept]
            for name, some in ((folder.name, all_), (f"{folder.name}, slept", slept)):
                found, in_time = sum(one.found for one in some), sum(one.in_time for one in some)
                share = sum(one.gated.decoded for one in some) / max(len(some), 1)
                rows.append(
                    f"| {name} | {len(some)} | {len(slept)} | {found} | {in_time} "
                    f"| {in_time / found if found else 1:.3f} | {100 * share:.0f} % | {GOAL} |"
                )
                rows += [
                    f"| {one.clip} | | | {one.found} | {one.in_time} | | | |"
                    for one in some
                    if some is not slept and one.in_time < one.found
                ]
    return "\n".join(rows)
