"""Which settings of a camera's motion are worth a try, and how the best of them is written down.

A fixed list around what is set now: nothing of it depends on the clips, so that clips which are
held back stay strangers. Nearer to what is set now comes first.
"""

from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from typing import get_args

import msgspec

from camera_hub.config.motion import ExactConfig
from camera_hub.motion import MotionSettings, Numbers, Sensitivity
from camera_hub.motion.exact import EXACT, Exact, exact

STEPS = (0.8, 1.25, 0.625, 1.6)  # factors; the nearer ones first
SEES = ("least_tones", "spreads")  # what differs
PROOF = ("least_travel", "patience")  # what it must show to be a mover
KEYS = ("least_tones", "spreads", "least_area", "least_travel", "patience")
DIGITS = 2  # of a number, that count


def candidates(now: MotionSettings) -> list[MotionSettings]:
    """The settings to try; the first is `now` itself."""
    numbers = exact(now)
    found = [now, *(_preset(now, name) for name in get_args(Sensitivity))]
    found += [_changed(now, numbers, {key: step}) for step in STEPS for key in KEYS]
    for keys in (SEES, PROOF, KEYS):
        found += [_changed(now, numbers, dict.fromkeys(keys, step)) for step in STEPS]
    for step in STEPS:  # sharper eyes and a stricter mind, and the reverse
        found.append(_changed(now, numbers, dict.fromkeys(SEES, step) | dict.fromkeys(PROOF, 1 / step)))
    return list(dict.fromkeys(found))


def _preset(now: MotionSettings, sensitivity: Sensitivity) -> MotionSettings:
    return msgspec.structs.replace(now, sensitivity=sensitivity, numbers=Numbers())


def _changed(now: MotionSettings, numbers: Exact, factors: dict[str, float]) -> MotionSettings:
    """`now` with the numbers named multiplied, within what a configuration may say."""
    values = asdict(numbers)
    given = {name: value for name, value in msgspec.structs.asdict(now.numbers).items() if value is not None}
    for key, factor in factors.items():
        least, most = _limits(key)
        given[key] = min(max(float(f"{values[key] * factor:.{DIGITS}g}"), least), most)
    usual = asdict(EXACT[now.sensitivity])
    kept = {key: value for key, value in given.items() if value != usual[key]}
    return msgspec.structs.replace(now, numbers=Numbers(**kept))


@cache
def _limits(key: str) -> tuple[float, float]:
    """The least and the most that a configuration may say."""
    schema = ExactConfig.model_json_schema()["properties"][key]
    number = next(kind for kind in schema["anyOf"] if kind["type"] == "number")
    return float(number["minimum"]), float(number["maximum"])


def words(settings: MotionSettings) -> str:
    """The settings on one line."""
    numbers = _given(settings)
    exactly = ", ".join(f"{key} {value:g}" for key, value in numbers)
    return f"{settings.sensitivity}, {exactly}" if numbers else settings.sensitivity


def as_yaml(settings: MotionSettings) -> str:
    """What is to stand in the configuration, under the camera."""
    lines = ["motion:", f"  sensitivity: {settings.sensitivity}"]
    numbers = _given(settings)
    if numbers:
        lines += ["  exact:", *(f"    {key}: {value:g}" for key, value in numbers)]
    return "\n".join(lines) + "\n"


def as_data(settings: MotionSettings) -> dict[str, object]:
    """The same for programs."""
    return {"sensitivity": settings.sensitivity, "exact": dict(_given(settings))}


def _given(settings: MotionSettings) -> Sequence[tuple[str, float]]:
    values = msgspec.structs.asdict(settings.numbers)
    return [(key, values[key]) for key in KEYS if values[key] is not None]
