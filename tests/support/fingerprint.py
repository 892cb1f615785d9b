"""What the detector tells of a made scene, and a checksum of every array that it knows then, as JSON.

    python -m tests.support.fingerprint THREADS

A process of its own, since OpenCV and numpy choose their code for the processor once, at their start.
"""

import json
import sys
import zlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray

from camera_hub.model import Line, Zone
from camera_hub.motion import MotionDetector, MotionSettings
from camera_hub.motion.regions import Region
from tests.unit.motion_scenes import film, square

SIZE = (640, 360)
SETTINGS = MotionSettings(
    zones=(Zone("half", ((0, 0), (0.5, 0), (0.5, 1), (0, 1))),),
    masks=(Zone("corner", ((0.8, 0), (1, 0), (1, 0.2))),),
    lines=(Line("middle", ((0.5, 0.95), (0.5, 0.1))),),
)


def scene(picture: NDArray[np.float64], t_s: float) -> None:
    """A walker, a rider, one who stops and waits; a cloud, a lamp, and leaves."""
    if 3 <= t_s < 11:
        square(picture, (t_s - 3) * 90, 300, width=30, height=70)
    if 5 <= t_s < 7:
        square(picture, 640 - (t_s - 5) * 330, 180, width=60, height=40)
    if t_s >= 15:
        square(picture, min(50 + (t_s - 15) * 80, 260), 250, width=24, height=60)
    for n in range(6):
        picture[20 + 8 * n : 26 + 8 * n, 30 + round(5 * np.sin(t_s * (2 + n))) : 60] += 40
    picture *= 1 + 0.1 * np.sin(t_s / 3)
    if 9 <= t_s < 9.7:
        picture[100:330, 330:620] += 45


def arrays(thing: Any, name: str, seen: set[int]) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every array that `thing` is made of, and where."""
    if id(thing) in seen or isinstance(thing, Region):
        return
    seen.add(id(thing))
    if isinstance(thing, np.ndarray):
        yield name, thing
    elif isinstance(thing, dict):
        for key, value in thing.items():
            yield from arrays(value, f"{name}[{key}]", seen)
    elif isinstance(thing, list | tuple):
        for n, value in enumerate(thing):
            yield from arrays(value, f"{name}[{n}]", seen)
    elif is_dataclass(thing) and not isinstance(thing, type):
        for field in fields(thing):
            yield from arrays(getattr(thing, field.name), f"{name}.{field.name}", seen)
    elif type(thing).__module__.startswith("camera_hub.") and hasattr(thing, "__dict__"):
        for key, value in vars(thing).items():
            yield from arrays(value, f"{name}.{key}", seen)


def fingerprint() -> dict[str, Any]:
    detector = MotionDetector(SETTINGS)
    reports, sights = [], []
    for luma, t_us in film(25, scene, size=SIZE, noise=3):
        reports += detector.process(luma, t_us)
        sights.append(msgspec.to_builtins(detector.sight))
    sums = {
        name: zlib.crc32(np.ascontiguousarray(array).tobytes())
        for name, array in arrays(detector, "detector", set())
    }
    reports += detector.flush(25_000_000)
    return {"reports": msgspec.to_builtins(reports), "sights": sights, "arrays": sums}


if __name__ == "__main__":
    cv2.setNumThreads(int(sys.argv[1]))
    print(json.dumps(fingerprint(), sort_keys=True))
