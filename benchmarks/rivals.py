"""What a user would pick instead: motion events by common means, in the form of our own results.

MOG2 and KNN of OpenCV with the usual post-processing, a running average with contours as most NVRs
do it, all with the hysteresis that our events have; and DVR-Scan by its command, in a virtual
environment of its own. Pictures are scaled to at most 640 px width. Times are seconds from the
first frame; where nothing else is said, settings are the defaults.
"""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from camera_hub.model import EventKind
from camera_hub.replay.result import ClipResult, EventResult, Span

Array = npt.NDArray[Any]
Look = Callable[[Array], Array]
"""A picture (uint8 BGR) to the mask of what moves (uint8, 0 or 255)."""

WIDEST = 640  # px
LEAST_SHARE = 0.0005  # of the picture that a contour must have, for MOG2 and KNN: 115 px at 640x360
LEAST_PX = 100.0  # the running average's contours
FRAMES = 3  # an event opens after so many with motion
QUIET_S = 2.5  # and closes after so long without
SETTLES_S = 1.0  # from the clip's start nothing counts: the models begin empty
DVR_SCAN = "dvr-scan-headless"
OURS = "Camera Hub"
NAMES = ("MOG2", "KNN", "running average")


def _usual(subtractor: Any) -> Look:
    """Shadows away, specks away, pieces joined."""
    small = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    large = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))

    def look(picture: Array) -> Array:
        solid = cv2.threshold(subtractor.apply(picture), 200, 255, cv2.THRESH_BINARY)[1]
        opened = cv2.morphologyEx(solid, cv2.MORPH_OPEN, small)
        return np.asarray(cv2.dilate(opened, large, iterations=2))

    return look


def _running_average() -> Look:
    mean: list[Array] = []
    large = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (5, 5))

    def look(picture: Array) -> Array:
        grey = np.asarray(cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), (7, 7), 0), np.float32)
        if not mean:
            mean.append(grey.copy())
        differs = cv2.absdiff(grey, mean[0])
        cv2.accumulateWeighted(grey, mean[0], 0.05)
        solid = cv2.threshold(differs, 25, 255, cv2.THRESH_BINARY)[1].astype(np.uint8)
        return np.asarray(cv2.dilate(solid, large, iterations=2))

    return look


@dataclass
class _Events:
    """Frames with motion to events."""

    spans: list[list[float]] = field(default_factory=list)
    _row: list[float] = field(default_factory=list)
    _open: bool = False
    _last: float = 0.0

    def tell(self, t: float, moves: bool) -> None:
        self._row = [*self._row[-FRAMES + 1 :], t] if moves else []
        if self._open and t - self._last > QUIET_S:
            self._open = False
        if not self._open and len(self._row) == FRAMES:
            self._open = True
            self.spans.append([self._row[0], t])
        if self._open and moves:
            self._last = t
            self.spans[-1][1] = t


def _pictures(clip: Path) -> Iterator[tuple[float, Array]]:
    """(seconds from the first, uint8 BGR)."""
    with av.open(str(clip)) as container:
        stream = container.streams.video[0]
        stream.thread_type = "SLICE"
        first: float | None = None
        for frame in container.decode(stream):
            first = frame.time if first is None else first
            scale = min(1.0, WIDEST / frame.width)
            size = (round(frame.width * scale), round(frame.height * scale))
            picture: Array = frame.to_ndarray(format="bgr24")
            if scale < 1:
                picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
            yield frame.time - first, picture


def by_pictures(clip: Path) -> dict[str, list[Span]]:
    """What MOG2, KNN and a running average report, by name."""
    looks = {
        "MOG2": _usual(cv2.createBackgroundSubtractorMOG2()),
        "KNN": _usual(cv2.createBackgroundSubtractorKNN()),
        "running average": _running_average(),
    }
    events = {name: _Events() for name in looks}
    for t, picture in _pictures(clip):
        for name, look in looks.items():
            least = LEAST_PX
            if name != "running average":
                least = LEAST_SHARE * picture.shape[0] * picture.shape[1]
            outlines = cv2.findContours(look(picture), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
            moves = any(cv2.contourArea(outline) >= least for outline in outlines)
            events[name].tell(t, moves and t >= SETTLES_S)
    return {name: [(span[0], span[1]) for span in one.spans] for name, one in events.items()}


def dvr_scan(work: Path) -> Path | None:
    """DVR-Scan's command in its own environment under `work`, made if need be; or None."""
    command = work / "dvr-scan" / "bin" / "dvr-scan"
    if not command.is_file():
        made = subprocess.run([sys.executable, "-m", "venv", work / "dvr-scan"], check=False)
        pip = [str(command.with_name("pip")), "install", "--quiet", DVR_SCAN]
        if made.returncode or subprocess.run(pip, check=False).returncode:
            return None
    return command


def by_dvr_scan(command: Path, clip: Path) -> list[Span]:
    """Its events; told from their motion on, not from the 1.5 s that it would film before."""
    call = [str(command), "-i", str(clip), "-so", "-q", "-tb", "0s", "--ignore-user-config"]
    told = subprocess.run(call, capture_output=True, text=True, check=True).stdout
    times = [
        int(h) * 3600 + int(m) * 60 + float(s) for h, m, s in re.findall(r"(\d+):(\d\d):(\d\d\.\d+)", told)
    ]
    return list(zip(times[::2], times[1::2], strict=True))


def result(clip: ClipResult, spans: list[Span], cpu_s: float = 0.0) -> ClipResult:
    """A rival's spans in the form of our result for the same clip, not yet scored."""
    events = tuple(
        EventResult(
            start_s=start,
            end_s=end,
            kind=EventKind.MOTION,
            score=1.0,
            zones=(),
            track=(),
            told_s=start,
            best_s=start,
            box=(0.0, 0.0, 1.0, 1.0),
        )
        for start, end in spans
    )
    return ClipResult(
        clip=clip.clip, duration_s=clip.duration_s, fps=clip.fps, frames=clip.frames,
        frames_decoded=clip.frames, wall_s=0.0, cpu_s=cpu_s, events=events, score=None,
    )  # fmt: skip


def timed(clip: Path) -> tuple[dict[str, list[Span]], float]:
    """`by_pictures`, and the CPU seconds that it took."""
    cv2.setNumThreads(1)
    began = time.process_time()
    return by_pictures(clip), time.process_time() - began
