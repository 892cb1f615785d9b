"""Movers on their way: where each is at a time, how large, and how it is painted into the picture.

Relies on geometry and cutouts. Promises: `paint` says what share of the mover shows, so that the
labels are exact.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.compose.cutouts import CutOut
from benchmarks.compose.footage import Array, Box
from benchmarks.compose.geometry import View


@dataclass(frozen=True)
class Stop:
    """A place of the way: a column (px), a depth (0 far, 1 near), and how long it is stood at."""

    x: float
    depth: float
    wait_s: float = 0.0


@dataclass(frozen=True)
class Front:
    """Something that stands before the movers behind it."""

    box: Box
    foot: float  # movers whose feet are above this row go behind it
    picture: Array  # uint8 BGR in the box
    alpha: Array  # float32 0..1 in the box


@dataclass(frozen=True)
class Pose:
    """Where a mover is."""

    x: float
    foot: float
    tall: float
    speed: float  # px a second along x
    left: bool
    gone: float  # px walked, in units of its own height
    stands: bool


@dataclass
class Mover:
    """One mover; its times are seconds of the clip."""

    cut: CutOut
    stops: tuple[Stop, ...]
    start_s: float
    pace: float  # its own heights a second
    size: float  # beside a usual person's height there
    gain: tuple[float, float] = (1.0, 0.0)  # brightness: times, plus
    grey: bool = False
    blur_s: float = 0.02  # exposure
    shadow: float = 0.0
    lamp: float = 0.0  # a headlamp's strength
    _times: list[float] = field(default_factory=list)

    def plan(self, view: View) -> float:
        """Works its times out; returns when it is done."""
        now = self.start_s
        self._times = [now]
        for here, there in zip(self.stops, self.stops[1:], strict=False):
            now += here.wait_s
            self._times.append(now)
            tall = 0.5 * (view.tall(here.depth) + view.tall(there.depth)) * self.size
            way = np.hypot(there.x - here.x, 3.0 * (view.foot(there.depth) - view.foot(here.depth)))
            now += float(way / max(tall * self.pace, 1e-3))
            self._times.append(now)
        now += min(self.stops[-1].wait_s, 600.0)
        self._times.append(now)
        return now

    @property
    def parks_s(self) -> float | None:
        """When it has come to stand for good, if it does."""
        return self._times[-2] if self.stops[-1].wait_s > 60 else None

    @property
    def stood_s(self) -> float:
        """Until when it has stood there since the clip's start; 0 where it has not."""
        return self._times[1] if self.start_s == 0 and self.stops[0].wait_s > 0 else 0.0

    @property
    def end_s(self) -> float:
        return self._times[-1]

    def at(self, t: float, view: View) -> Pose | None:
        """Where it is at `t`, or None."""
        times = self._times
        if not times[0] <= t < times[-1]:
            return None
        leg = int(np.searchsorted(times, t, side="right")) - 1
        number, stands = leg // 2, leg % 2 == 0
        here = self.stops[min(number, len(self.stops) - 1)]
        there = here if stands else self.stops[number + 1]
        share = 0.0 if stands else (t - times[leg]) / max(times[leg + 1] - times[leg], 1e-6)
        # the depth of someone who comes nearer grows faster the nearer he is
        ease = (
            share
            if abs(there.depth - here.depth) < 0.15
            else share**1.4
            if there.depth > here.depth
            else 1 - (1 - share) ** 1.4
        )
        x, depth = here.x + (there.x - here.x) * share, here.depth + (there.depth - here.depth) * ease
        speed = 0.0 if stands else (there.x - here.x) / max(times[leg + 1] - times[leg], 1e-6)
        towards = self.stops[min(number + 1, len(self.stops) - 1)].x - here.x
        if not towards and number:
            towards = here.x - self.stops[number - 1].x
        walked = sum(times[k + 1] - times[k] for k in range(1, leg, 2)) + (0 if stands else t - times[leg])
        tall = view.tall(depth) * self.size
        return Pose(x, view.foot(depth), tall, speed, towards < 0, walked * self.pace, stands)

    def picture(self, pose: Pose) -> tuple[Array, float]:
        """Its picture now, and the column of its foot."""
        cut, pictures = self.cut, self.cut.pictures
        if cut.kind in ("walk", "night"):
            phase = pose.gone * 1.0  # heights walked: a step of two is about 0.85 of a height
            frames_per_height = 14.0 * cut.fps / 15.0
            number = int(phase * frames_per_height)
        elif cut.kind == "stand":
            number = int(pose.gone * 6 + (0 if pose.stands else 1))
        else:
            number = int(pose.gone * 0.6 * cut.fps / 15.0)
        turn = number % max(2 * len(pictures) - 2, 1)
        index = turn if turn < len(pictures) else 2 * len(pictures) - 2 - turn
        if pose.stands and cut.kind == "walk":
            index = int(np.argmin([p.shape[1] for p in pictures]))
        return pictures[index], cut.feet[index]


def paint(picture: Array, mover: Mover, pose: Pose, fronts: list[Front]) -> tuple[float, Box]:
    """Draws the mover into `picture` (uint8 BGR). Returns the share of it that shows, and its box."""
    sprite, foot_x = mover.picture(pose)
    scale = pose.tall / mover.cut.tall
    while scale < 0.55 and min(sprite.shape[:2]) > 6:
        w, h = sprite.shape[1] // 2, sprite.shape[0] // 2
        foot_x *= w / sprite.shape[1]
        scale *= sprite.shape[0] / h
        sprite = np.asarray(cv2.resize(sprite, (w, h), interpolation=cv2.INTER_AREA), np.float32)
    flip = mover.cut.heads == ("right" if pose.left else "left")
    if flip:
        sprite, foot_x = np.asarray(cv2.flip(sprite, 1)), sprite.shape[1] - foot_x
    w, h = sprite.shape[1] * scale, sprite.shape[0] * scale
    left, top = pose.x - foot_x * scale, pose.foot - h
    smear = min(int(abs(pose.speed) * mover.blur_s), 40)
    x0, y0 = int(np.floor(left)) - smear // 2 - 2, int(np.floor(top)) - 2
    size = (int(np.ceil(w)) + smear + 5, int(np.ceil(h)) + 5)
    matrix = np.array([[scale, 0, left - x0], [0, scale, top - y0]])
    body = np.asarray(cv2.warpAffine(sprite, matrix, size, flags=cv2.INTER_LINEAR), np.float32)
    if smear > 1:
        body = np.asarray(cv2.blur(body, (smear, 1)), np.float32)
    box = (left, top, left + w, top + h)
    if mover.shadow:
        _shade(picture, body[:, :, 3], (x0, y0), mover.shadow)
    return _blend(picture, body, (x0, y0), mover, pose, fronts), box


def _cut_to(picture: Array, x0: int, y0: int, w: int, h: int) -> tuple[slice, slice, slice, slice] | None:
    """Where a patch lies in the picture: rows and columns of the picture, then of the patch."""
    height, width = picture.shape[:2]
    left, right, top, low = max(x0, 0), min(x0 + w, width), max(y0, 0), min(y0 + h, height)
    if left >= right or top >= low:
        return None
    return slice(top, low), slice(left, right), slice(top - y0, low - y0), slice(left - x0, right - x0)


def _blend(
    picture: Array, body: Array, at: tuple[int, int], mover: Mover, pose: Pose, fronts: list[Front]
) -> float:
    whole = float(body[:, :, 3].sum())
    where = _cut_to(picture, *at, body.shape[1], body.shape[0])
    if where is None or whole <= 0:
        return 0.0
    rows, columns, own_rows, own_columns = where
    part = body[own_rows, own_columns]
    alpha = part[:, :, 3:]
    for front in fronts:
        if pose.foot < front.foot:
            alpha = alpha * (1 - _front_alpha(front, rows, columns)[:, :, None])
    colour = part[:, :, :3]
    if mover.grey:
        colour = np.asarray(cv2.cvtColor(colour, cv2.COLOR_BGR2GRAY))[:, :, None]
    opaque = np.maximum(part[:, :, 3:], 1e-3)
    colour = np.clip(colour / opaque * mover.gain[0] + mover.gain[1], 3, 250)
    under = picture[rows, columns]
    picture[rows, columns] = (under + (colour - under) * alpha).astype(np.uint8)
    return float(alpha.sum()) / whole


def _front_alpha(front: Front, rows: slice, columns: slice) -> Array:
    out = np.zeros((rows.stop - rows.start, columns.stop - columns.start), np.float32)
    x0, y0 = int(front.box[0]), int(front.box[1])
    h, w = front.alpha.shape
    top, low = max(rows.start, y0), min(rows.stop, y0 + h)
    left, right = max(columns.start, x0), min(columns.stop, x0 + w)
    if top < low and left < right:
        out[top - rows.start : low - rows.start, left - columns.start : right - columns.start] = front.alpha[
            top - y0 : low - y0, left - x0 : right - x0
        ]
    return out


def _shade(picture: Array, alpha: Array, at: tuple[int, int], strength: float) -> None:
    """A soft shadow at the foot, lying to the side."""
    h, w = alpha.shape
    long, flat = int(w * 1.15) + 4, max(int(h * 0.14), 3)
    lying = cv2.resize(alpha, (long, flat), interpolation=cv2.INTER_AREA)
    pad = max(flat // 2, 2)  # so that its edge is soft all around
    lying = cv2.copyMakeBorder(lying, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    lying = cv2.GaussianBlur(lying, (0, 0), max(flat * 0.22, 0.9))
    long, flat = long + 2 * pad, flat + 2 * pad
    x0, y0 = at[0] - w // 12 - pad, at[1] + h - int(flat * 0.62)
    where = _cut_to(picture, x0, y0, long, flat)
    if where is not None:
        rows, columns, own_rows, own_columns = where
        dark = 1 - strength * np.asarray(lying)[own_rows, own_columns, None]
        picture[rows, columns] = (picture[rows, columns] * dark).astype(np.uint8)
