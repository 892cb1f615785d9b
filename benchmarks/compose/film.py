"""A composition's frames in their order: plate, sway, movers, light, weather, lens, tampering, noise, clock.

Relies on all the parts. Promises I420 planes of the clip's size, and labels that are exact; the
same composition gives the same frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from benchmarks.compose.air import Displacement, Flag, Fog, Rain, Snow
from benchmarks.compose.encode import Format
from benchmarks.compose.footage import Array, Box
from benchmarks.compose.geometry import View
from benchmarks.compose.labels import Labels
from benchmarks.compose.lens import Insect, Noise, Overlay, Thread
from benchmarks.compose.light import Lighting
from benchmarks.compose.movers import Front, Mover, paint
from benchmarks.compose.tamper import Tamper


@dataclass
class Mode:
    """How the camera sees from a time on: colours or infrared."""

    from_s: float
    table: Array  # 256 x 3, BGR
    grey: bool
    lighting: Lighting
    noise: Noise


@dataclass
class Composition:
    """Everything that a clip is made of."""

    form: Format
    duration_s: float
    view: View
    frames: Array  # of the plate, (n, h, w, 3): one, or some that move
    frames_fps: float
    loop: bool
    bend: Displacement
    movers: list[Mover]
    fronts: list[Front]
    modes: list[Mode]
    flags: list[Flag] = field(default_factory=list)
    weather: list[Rain | Snow | Fog] = field(default_factory=list)
    insects: list[Insect] = field(default_factory=list)
    threads: list[Thread] = field(default_factory=list)
    tampers: list[Tamper] = field(default_factory=list)
    overlay: Overlay | None = None
    conditions: list[str] = field(default_factory=list)
    scene: str = ""
    nuisances: list[dict[str, Any]] = field(default_factory=list)
    seed: int = 0


class Film:
    """Plays a composition once."""

    def __init__(self, composition: Composition) -> None:
        self._c = composition
        self._chance = np.random.default_rng(composition.seed)
        self._labels = Labels(composition.view.size[0], 1 / composition.form.fps)
        self._held: Array | None = None

    def planes(self) -> Iterator[Array]:
        """Each frame as I420 planes (uint8)."""
        form = self._c.form
        for number in range(round(self._c.duration_s * form.fps)):
            yield self._frame(number / form.fps)

    def labels(self) -> dict[str, Any]:
        """`events`, `maybe`, `tamper`; after the last frame."""
        movers = self._c.movers
        return self._labels.document(
            [mover.cut.what for mover in movers],
            [mover.parks_s for mover in movers],
            [(act.label, act.doubtful) for act in self._c.tampers],
            self._c.duration_s,
        )

    def _plate(self, t: float) -> Array:
        frames, count = self._c.frames, len(self._c.frames)
        if count == 1:
            return np.array(frames[0])
        at = t * self._c.frames_fps
        if self._c.loop:  # the last frames fade into the first
            first, rest = int(at) % count, at - int(at)
            after = (first + 1) % count
        else:  # forth and back
            turn = int(at) % (2 * count - 2)
            first, rest = (turn if turn < count else 2 * count - 2 - turn), at - int(at)
            turn = (turn + 1) % (2 * count - 2)
            after = turn if turn < count else 2 * count - 2 - turn
        if self._c.frames_fps >= 0.8 * self._c.form.fps or rest < 0.08:
            return np.array(frames[first])
        return np.asarray(cv2.addWeighted(frames[first], 1 - rest, frames[after], rest, 0))

    def _mode(self, t: float) -> Mode:
        return [mode for mode in self._c.modes if mode.from_s <= t or mode is self._c.modes[0]][-1]

    def _frame(self, t: float) -> Array:
        c, mode = self._c, self._mode(t)
        frozen = any(act.freezes and act.times[0] <= t < act.times[1] for act in c.tampers)
        if frozen and self._held is not None:
            return self._held
        picture = c.bend.bend(self._plate(t), t)
        for front in c.fronts:
            _stand(picture, front)
        for flag in c.flags:
            flag.wave(picture, t, 1.0)
        self._draw_movers(picture, t)
        if mode.grey:
            picture = np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))
        picture = np.asarray(cv2.LUT(picture, mode.table[None]))
        picture = mode.lighting.shine(picture, t)
        for weather in c.weather:
            picture = weather.fall(picture, t, self._chance)
        for thread in c.threads:
            thread.hang(picture, t)
        for insect in c.insects:
            insect.fly(picture, t)
        for act in c.tampers:
            picture = act.spoil(picture, t)
        planes = self._finish(picture, mode, t)
        self._held = planes if any(act.freezes for act in c.tampers) else None
        return planes

    def _draw_movers(self, picture: Array, t: float) -> None:
        c = self._c
        posed = [(mover.at(t, c.view), number) for number, mover in enumerate(c.movers)]
        for pose, number in sorted(((p, n) for p, n in posed if p is not None), key=lambda one: one[0].foot):
            before = picture.copy()
            share, box = paint(picture, c.movers[number], pose, c.fronts)
            if t >= c.movers[number].stood_s:
                self._labels.add(number, t, share, box, self._tones(before, picture, box, t))

    def _tones(self, before: Array, after: Array, box: Box, t: float) -> float:
        """By how many tones the clearest fifth of what changed in the box differs, in the light of `t`."""
        h, w = after.shape[:2]
        columns = slice(max(int(box[0]), 0), min(int(box[2]) + 1, w))
        rows = slice(max(int(box[1]), 0), min(int(box[3]) + 1, h))
        old, new = before[rows, columns, 1], after[rows, columns, 1]
        changed = old != new
        if not changed.any():
            return 0.0
        mode = self._mode(t)
        curve = mode.table[:, 1].astype(np.float32)
        place = (columns.start + columns.stop) / 2, (rows.start + rows.stop) / 2
        gain = mode.lighting.gain(t, *place) * float(np.prod([one.lets for one in self._c.weather]))
        return gain * float(np.percentile(np.abs(curve[old[changed]] - curve[new[changed]]), 80))

    def _finish(self, picture: Array, mode: Mode, t: float) -> Array:
        form, h = self._c.form, self._c.form.height
        size = (form.width, form.height)
        if (picture.shape[1], picture.shape[0]) != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC))
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420))
        mode.noise.add(planes[:h], self._chance)
        if self._c.overlay is not None:
            self._c.overlay.write(planes[:h], t)
        return planes


def _stand(picture: Array, front: Front) -> None:
    if front.picture.size == 0:  # it is in the plate already
        return
    x0, y0 = int(front.box[0]), int(front.box[1])
    h, w = front.alpha.shape
    left, top = max(x0, 0), max(y0, 0)
    right, low = min(x0 + w, picture.shape[1]), min(y0 + h, picture.shape[0])
    if left < right and top < low:
        part = slice(top - y0, low - y0), slice(left - x0, right - x0)
        under = picture[top:low, left:right]
        alpha = front.alpha[part][:, :, None]
        picture[top:low, left:right] = (
            under + (front.picture[part] - under.astype(np.float32)) * alpha
        ).astype(np.uint8)
