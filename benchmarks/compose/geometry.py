"""How a plate lies in the working picture: cropped, mirrored, scaled; and how tall a person is where.

Relies on footage. Everything is in px of the working picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.compose.footage import Array, Box, PlateSpec, Span


@dataclass(frozen=True)
class View:
    """A window of a plate's picture as the camera's picture."""

    spec: PlateSpec
    source: tuple[int, int]  # width, height px of the plate
    window: Box  # left, top, right, bottom px of the plate
    size: tuple[int, int]  # width, height px of the working picture
    mirrored: bool

    def picture(self, frame: Array) -> Array:
        """A plate's frame as the camera sees it, uint8 BGR."""
        left, top, right, bottom = (round(v) for v in self.window)
        part = frame[top:bottom, left:right]
        shrinks = self.size[0] < part.shape[1]
        out = cv2.resize(part, self.size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC)
        return np.asarray(cv2.flip(out, 1) if self.mirrored else out, np.uint8)

    def y(self, fraction: float) -> float:
        """The row of a height given as a fraction of the source."""
        _, top, _, bottom = self.window
        return (fraction * self.source[1] - top) * self.size[1] / (bottom - top)

    def x(self, fraction: float) -> float:
        """The column of a place given as a fraction of the source."""
        left, _, right, _ = self.window
        column = (fraction * self.source[0] - left) * self.size[0] / (right - left)
        return self.size[0] - column if self.mirrored else column

    def box(self, box: Box) -> Box:
        """A box in fractions, in px."""
        xs = sorted((self.x(box[0]), self.x(box[2])))
        return xs[0], self.y(box[1]), xs[1], self.y(box[3])

    def foot(self, depth: float) -> float:
        """The row of the feet at a depth: 0 is far, 1 is near."""
        far, near = self.spec.far[0], self.spec.near[0]
        return self.y(far + (near - far) * depth)

    def tall(self, depth: float) -> float:
        """How many px a person is tall there."""
        far, near = self.spec.far[1], self.spec.near[1]
        return (
            (far + (near - far) * depth) * self.source[1] * self.size[1] / (self.window[3] - self.window[1])
        )

    @property
    def lane(self) -> Span:
        """The columns between which people stand."""
        left, right = sorted(min(max(self.x(v), 0.0), float(self.size[0])) for v in self.spec.lane)
        return (left, right) if right - left > 0.25 * self.size[0] else (0.0, float(self.size[0]))


def choose_view(
    spec: PlateSpec, frame: Array, size: tuple[int, int], chance: np.random.Generator, zoom: float = 1.35
) -> View:
    """A window of the picture's shape within the plate's crop, that keeps its near feet."""
    height, width = frame.shape[:2]
    left, top, right, bottom = (
        spec.crop[0] * width,
        spec.crop[1] * height,
        spec.crop[2] * width,
        spec.crop[3] * height,
    )
    shape = size[0] / size[1]
    most_w = min(right - left, (bottom - top) * shape)
    w = most_w / chance.uniform(1.0, zoom)
    h = w / shape
    x0 = chance.uniform(left, right - w)
    lowest = min(max(spec.near[0] * height * 1.01, top + h), bottom)
    y1 = (
        chance.uniform(max(lowest - 0.15 * h, top + h), max(lowest, top + h)) if lowest > top + h else top + h
    )
    return View(spec, (width, height), (x0, y1 - h, x0 + w, y1), size, bool(chance.random() < 0.5))
