"""A scenario's frames, one by one, and what of each mover shows in them.

Relies on: plate for what is still, movers for what passes, weather for the rest.
Promises: a frame depends on its time alone, whatever was drawn before.
"""

import cv2
import numpy as np

from camera_hub.simulate import lamps, plate, solids, sway
from camera_hub.simulate.labels import Seen
from camera_hub.simulate.light import body_gain
from camera_hub.simulate.movers import Mover
from camera_hub.simulate.optics import HEIGHT, WIDTH, Array
from camera_hub.simulate.overlay import Overlay
from camera_hub.simulate.scenario import Scenario
from camera_hub.simulate.solids import Picture
from camera_hub.simulate.sway import Swaying
from camera_hub.simulate.weather import Weather

MARGIN_M = 0.35  # a mover is this much nearer than what hides it
GREY = np.array([0.114, 0.587, 0.299], np.float32)


class Film:
    """Draws a scenario."""

    def __init__(self, story: Scenario) -> None:
        cv2.setNumThreads(1)
        self.story = story
        self.plate = plate.draw(story)
        self.movers = [Mover(passage, story.conditions) for passage in story.passages]
        wind = sway.strength(story.conditions)
        self._swaying = [
            sway.Swaying(layer, number, story.seed, story.duration_s, wind)
            for number, layer in enumerate(self.plate.layers)
        ]
        self._lamp_strength = 1.0 if "night" in story.conditions else 0.45
        self._weather = Weather(story)
        self._overlay = Overlay(story.scene.name, story.conditions, story.seed)

    def frame(self, t: float, with_movers: bool = True) -> tuple[Array, list[Seen]]:
        """The frame at `t` seconds as I420 planes (HEIGHT * 3 / 2, WIDTH), and the movers that show."""
        canvas = self.plate.picture.copy()
        seen: list[Seen] = []
        acts: list[tuple[float, int, Swaying | None]] = [
            (self._depth(mover, t), number, None)
            for number, mover in enumerate(self.movers)
            if with_movers and mover.on_way(t)
        ]
        acts += [(swaying.layer.depth, number, swaying) for number, swaying in enumerate(self._swaying)]
        for _, number, swaying in sorted(acts, key=lambda act: (-act[0], act[1])):
            if swaying is not None:
                _over(canvas, swaying.at(t))
                continue
            one = self._mover(canvas, number, t)
            if one is not None:
                seen.append(one)
        if self._weather.lamp_is_off(t):
            cv2.multiply(canvas, self.plate.unlit, dst=canvas, scale=1 / 255)
        planes: Array = cv2.cvtColor(canvas, cv2.COLOR_BGR2YUV_I420)
        if self.plate.light.infrared:
            planes[HEIGHT:] = 128
        luma = planes[:HEIGHT]
        self.plate.water.lay(luma, t)
        for mover in self.movers:
            if with_movers and mover.lamp and mover.on_way(t):
                lamps.headlamp(
                    luma, self.plate.hides, self.story.scene.optics, mover.place(t), self._lamp_strength
                )
        self._weather.lay(luma, t)
        self._overlay.write(luma, t)
        return planes, seen

    def _depth(self, mover: Mover, t: float) -> float:
        x, z, _ = mover.place(t)
        return float(self.story.scene.optics.project(np.array([[x, 0.7, z]]))[0, 2])

    def _mover(self, canvas: Array, number: int, t: float) -> Seen | None:
        light, optics = self.plate.light, self.story.scene.optics
        mover = self.movers[number]
        x, z, heading = mover.place(t)
        at = (x, 0.0, z)
        parts = mover.parts(t)
        if light.shadow > 0:
            cast = solids.shadow(parts, at, heading, optics, light.fall)
            if cast is not None:
                self._darken(canvas, *cast, light.shadow)
        picture = solids.draw(parts, at, heading, optics)
        if picture is None:
            return None
        return self._lay(canvas, number, picture, body_gain(light, at[0], at[2], picture.depth, optics))

    def _darken(self, canvas: Array, mask: Array, left: int, top: int, strength: float) -> None:
        window = _window(mask.shape, left, top)
        if window is None:
            return
        (rows, columns), inner = window
        roi = canvas[rows, columns]
        keep = 255 - cv2.convertScaleAbs(mask[inner], alpha=strength)
        roi[:] = cv2.multiply(roi, cv2.cvtColor(keep, cv2.COLOR_GRAY2BGR), scale=1 / 255)

    def _lay(
        self, canvas: Array, number: int, picture: Picture, gain: tuple[float, float, float]
    ) -> Seen | None:
        total = float(picture.pixels[..., 3].sum())
        window = _window(picture.pixels.shape[:2], picture.left, picture.top)
        if window is None or total == 0:
            return None
        (rows, columns), inner = window
        pixels = picture.pixels[inner].astype(np.float32)
        pixels *= (self.plate.hides[rows, columns] > picture.depth - MARGIN_M)[..., None]
        colour = pixels[..., :3]
        if self.plate.light.infrared:
            colour = np.repeat((colour @ GREY)[..., None], 3, axis=2)
        cover = pixels[..., 3:] * np.float32(1 / 255)
        roi = canvas[rows, columns]
        roi[:] = np.clip(roi * (1 - cover) + colour * np.array(gain, np.float32), 0, 255).astype(np.uint8)
        left = pixels[..., 3].copy()
        self._behind_leaves(left, rows, columns, picture.depth)
        shown = left > 96
        if not shown.any():
            return None
        ys, xs = np.flatnonzero(shown.any(axis=1)), np.flatnonzero(shown.any(axis=0))
        return Seen(
            number,
            columns.start + int(xs[0]),
            rows.start + int(ys[0]),
            columns.start + int(xs[-1]) + 1,
            rows.start + int(ys[-1]) + 1,
            float(left.sum()) / total,
        )

    def _behind_leaves(self, cover: Array, rows: slice, columns: slice, depth: float) -> None:
        """Take away from a mover's cover what nearer leaves hide, in place."""
        for layer in self.plate.layers:
            if layer.depth >= depth:
                continue
            h, w = layer.pixels.shape[:2]
            y0, y1 = max(rows.start, layer.top), min(rows.stop, layer.top + h)
            x0, x1 = max(columns.start, layer.left), min(columns.stop, layer.left + w)
            if y1 > y0 and x1 > x0:
                leaves = layer.pixels[y0 - layer.top : y1 - layer.top, x0 - layer.left : x1 - layer.left, 3]
                cover[y0 - rows.start : y1 - rows.start, x0 - columns.start : x1 - columns.start] *= (
                    1 - leaves.astype(np.float32) / 255
                )


def _over(canvas: Array, picture: Picture) -> None:
    """A premultiplied picture laid over the canvas, in place."""
    window = _window(picture.pixels.shape, picture.left, picture.top)
    if window is None:
        return
    (rows, columns), inner = window
    pixels = picture.pixels[inner]
    keep = cv2.cvtColor(255 - pixels[..., 3], cv2.COLOR_GRAY2BGR)
    roi = canvas[rows, columns]
    roi[:] = cv2.add(cv2.multiply(roi, keep, scale=1 / 255), cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR))


def _window(
    shape: tuple[int, ...], left: int, top: int
) -> tuple[tuple[slice, slice], tuple[slice, slice]] | None:
    """Where a picture lies in the frame, and which part of it does; None where none does."""
    height, width = shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + width, WIDTH), min(top + height, HEIGHT)
    if x1 <= x0 or y1 <= y0:
        return None
    return (slice(y0, y1), slice(x0, x1)), (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
