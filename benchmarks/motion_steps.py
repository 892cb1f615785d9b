"""Which step of motion takes how long, in µs a frame of a clip.

    python -m benchmarks.motion_steps CLIP...

Runs each clip through the worker's pipeline with every step wrapped from outside (`motion/` itself knows
no clock), five times, and takes each step's best. A step's time is its own: what it calls of another step
counts there. Prints a table in Markdown; `other` is what the pipeline does besides, the wrapping included.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import cv2

from camera_hub import watch
from camera_hub.cameras.decoding import LumaDecoder
from camera_hub.motion import MotionDetector, MotionSettings, detector
from camera_hub.motion.background import Background
from camera_hub.motion.events import Events
from camera_hub.motion.gate import Gate
from camera_hub.motion.journeys import Journeys
from camera_hub.motion.regions import Habits
from camera_hub.motion.tracks import Tracks
from camera_hub.motion.zones import Zones
from camera_hub.replay.play import Played

ROUNDS = 5
STEPS: dict[str, list[tuple[Any, str]]] = {
    "decoding": [(LumaDecoder, "decode"), (LumaDecoder, "flush")],
    "gate": [(Gate, "let"), (Gate, "worth_a_look"), (Gate, "learn")],
    "frame": [(detector, "to_tone")],
    "background: compare": [(Background, "compare")],
    "background: learn": [(Background, name) for name in ("learn", "absorb", "restart", "edge_gain")],
    "regions": [(detector, "find_regions"), (Habits, "learn")],
    "tracks": [(Tracks, "update")],
    "zones": [(Zones, "touched")],
    "journeys": [(Journeys, "update")],
    "events": [(Events, "update"), (Events, "flush")],
    "the rest of the detector": [(MotionDetector, "process")],
}
"""What is a step of its own: the functions and methods, each with its module or class."""

BESIDE = ("decoding", "gate", "other")  # what is not the detector


class Stopwatch:
    """Seconds by step, each without the steps that it calls."""

    def __init__(self) -> None:
        self.spent_s = dict.fromkeys(STEPS, 0.0)
        self.calls = dict.fromkeys(STEPS, 0)
        self._within: list[float] = []  # what inner steps took, by depth

    @contextmanager
    def running(self) -> Iterator[None]:
        """Meanwhile, every step is timed."""
        with ExitStack() as stack:
            for step, places in STEPS.items():
                for owner, name in places:
                    stack.enter_context(patch.object(owner, name, self._timed(step, getattr(owner, name))))
            yield

    def _timed(self, step: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._within.append(0.0)
            began = time.perf_counter()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - began
                self.calls[step] += 1
                self.spent_s[step] += took - self._within.pop()
                if self._within:
                    self._within[-1] += took

        return timed


def steps_of(clip: Path, rounds: int = ROUNDS) -> tuple[int, dict[str, float], dict[str, int]]:
    """(frames that the detector saw, best µs a frame by step, calls by step)."""
    best: dict[str, float] = {}
    looks, calls = 0, dict[str, int]()
    for _ in range(rounds):
        looks = 0

        def look(seen: watch.Look, _: watch.Watch) -> None:
            nonlocal looks
            looks += seen.looked

        stopwatch = Stopwatch()
        began = time.perf_counter()
        with stopwatch.running():
            Played(clip, MotionSettings(), look, lambda share: None).run()
        spent_s = stopwatch.spent_s
        spent_s["other"] = time.perf_counter() - began - sum(spent_s.values())
        calls = stopwatch.calls
        for step, seconds in spent_s.items():
            best[step] = min(seconds * 1e6 / max(looks, 1), best.get(step, 1e9))
    return looks, best, calls


def main(clips: list[Path]) -> None:
    cv2.setNumThreads(1)
    found = [steps_of(clip) for clip in clips]
    print("| µs a frame | " + " | ".join(clip.stem for clip in clips) + " |")
    print("|---|" + "---:|" * len(clips))
    for step in (*STEPS, "other"):
        print(f"| {step} | " + " | ".join(f"{best[step]:.1f}" for _, best, _ in found) + " |")
    totals = [sum(us for step, us in best.items() if step not in BESIDE) for _, best, _ in found]
    print("| **the detector, all** | " + " | ".join(f"**{us:.0f}**" for us in totals) + " |")
    print("| frames that it saw | " + " | ".join(str(looks) for looks, _, _ in found) + " |")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main([Path(argument) for argument in sys.argv[1:]])
