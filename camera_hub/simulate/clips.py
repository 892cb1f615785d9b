"""A scenario to files: main and sub stream and the labels, written once and kept.

Promises: a clip's files appear whole or not at all, its labels last; what was made by the same
drawing code for the same scenario is not made again.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from camera_hub.simulate.encode import MAIN, SUB, Encoder
from camera_hub.simulate.film import Film
from camera_hub.simulate.labels import Labels
from camera_hub.simulate.optics import HEIGHT, WIDTH, Array
from camera_hub.simulate.scenario import Scenario

OnProgress = Callable[[float], None]
"""Called with the share of the work that is done, 0..1."""

TICKS = 30  # a second; both streams' frames fall on them
DRAWS_NOTHING = {"__init__.py", "clips.py", "hamlet.py", "practice.py", "rtsp.py", "timeline.py"}


@dataclass(frozen=True)
class ClipFiles:
    """A rendered clip: its two streams, and the labels of the main one."""

    main: Path
    sub: Path
    labels: Path

    def are_there(self) -> bool:
        return self.labels.is_file() and self.main.is_file() and self.sub.is_file()


@lru_cache(maxsize=1)
def renderer_version() -> str:
    """Names the drawing code: another code makes other pictures, so they have another place."""
    digest = hashlib.blake2b(digest_size=5)
    for path in sorted(Path(__file__).parent.glob("*.py")):
        if path.name not in DRAWS_NOTHING:
            digest.update(path.read_bytes())
    digest.update(cv2.__version__.encode())
    return digest.hexdigest()


def _story_name(story: Scenario) -> str:
    conditions = "-".join(sorted(story.conditions))
    return f"{story.scene.id}-{conditions}-seed{story.seed}-{story.duration_s:g}s-"


def _forget_older(folder: Path, story: Scenario) -> None:
    """Delete what older drawing code made of the same scenario, and its unfinished files."""
    current = f"{_story_name(story)}{renderer_version()}."
    for path in folder.glob(f"{_story_name(story)}*"):
        if not path.name.startswith(current) or path.suffix == ".part":
            path.unlink(missing_ok=True)


def files_of(folder: Path, story: Scenario) -> ClipFiles:
    """Where a scenario's clip lies, made or not."""
    name = f"{_story_name(story)}{renderer_version()}"
    return ClipFiles(folder / f"{name}.mp4", folder / f"{name}.sub.mp4", folder / f"{name}.events.json")


def render(story: Scenario, folder: Path, on_progress: OnProgress = lambda share: None) -> ClipFiles:
    """The scenario's clip, rendered if it is not there yet.

    `on_progress` may raise to give up; then nothing is left behind. Raises OSError where the
    folder cannot be written.
    """
    files = files_of(folder, story)
    if files.are_there():
        on_progress(1.0)
        return files
    folder.mkdir(parents=True, exist_ok=True)
    _forget_older(folder, story)
    film = Film(story)
    labels = Labels(story, [mover.what for mover in film.movers], 1 / MAIN.fps)
    every_main, every_sub = TICKS // MAIN.fps, TICKS // SUB.fps
    ticks = round(story.duration_s * TICKS)
    with ExitStack() as stack:
        main = stack.enter_context(Encoder(files.main, MAIN))
        sub = stack.enter_context(Encoder(files.sub, SUB))
        for tick in range(ticks):
            for_main, for_sub = tick % every_main == 0, tick % every_sub == 0
            if not for_main and not for_sub:
                continue
            planes, seen = film.frame(tick / TICKS)
            if for_main:
                labels.add(tick / TICKS, seen)
                main.write(planes)
            if for_sub:
                sub.write(half(planes))
            if tick % TICKS == 0:
                on_progress(tick / ticks)
    _write(files.labels.with_name(files.sub.stem + ".events.json"), labels.document(files.sub.name, SUB.fps))
    _write(files.labels, labels.document(files.main.name, MAIN.fps))
    on_progress(1.0)
    return files


def half(planes: Array) -> Array:
    """I420 planes at half the width and height."""
    small = np.empty((HEIGHT * 3 // 4, WIDTH // 2), np.uint8)
    w, h = WIDTH // 2, HEIGHT // 2
    small[:h] = cv2.resize(planes[:HEIGHT], (w, h), interpolation=cv2.INTER_AREA)
    colour = planes[HEIGHT:].reshape(2, h, w)
    out = small[h:].reshape(2, h // 2, w // 2)
    for plane in range(2):
        out[plane] = cv2.resize(colour[plane], (w // 2, h // 2), interpolation=cv2.INTER_AREA)
    return small


def _write(path: Path, document: object) -> None:
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    part.replace(path)
