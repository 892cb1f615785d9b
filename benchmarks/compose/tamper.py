"""A camera that somebody covers, blinds, defocuses, turns away or freezes.

Each kind takes the finished picture (uint8 BGR, before noise) and gives what the camera then shows.
`label` is when it is tampered with: from when most of the view is lost to when it is back.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.compose.footage import Array, Span
from benchmarks.compose.light import smooth_noise

KINDS = ("hand", "cloth", "paint", "lamp", "defocus-slow", "defocus", "turned", "frozen", "dark")
HALF = {
    "hand": 0.6,
    "cloth": 0.6,
    "paint": 0.6,
    "lamp": 0.6,
    "defocus-slow": 0.5,
    "defocus": 0.5,
    "turned": 0.5,
}


@dataclass
class Tamper:
    """One act of it."""

    kind: str
    times: Span  # when it begins, and when it is over (may be after the clip's end)
    ramp_s: float
    size: tuple[int, int]
    chance: np.random.Generator
    other: Array | None = None  # where a turned camera looks

    def __post_init__(self) -> None:
        w, h = self.size
        self._side = int(self.chance.integers(4))
        texture = np.asarray(
            cv2.resize(smooth_noise(self.chance, (40, 64), 3.0), (w, h), interpolation=cv2.INTER_CUBIC)
        )
        fine = np.asarray(cv2.resize(smooth_noise(self.chance, (h // 2, w // 2), 0.8), (w, h)))
        if self.kind == "hand":
            base = np.array([60, 75, 120]) * self.chance.uniform(0.2, 0.9)
            look = base + 9 * texture[:, :, None]
        elif self.kind == "cloth":
            weave = 6 * np.sin(np.arange(w) * 1.1)[None, :, None] + 5 * fine[:, :, None]
            look = self.chance.uniform(25, 170, 3) + 16 * texture[:, :, None] + weave
        elif self.kind == "paint":
            look = self.chance.uniform(10, 220, 3) + 5 * texture[:, :, None] + 2 * fine[:, :, None]
        else:
            look = np.zeros((h, w, 3)) + self.chance.uniform(4, 14)
        self._look = np.clip(look, 2, 250).astype(np.uint8)
        self._blobs = [
            (self.chance.uniform(0, w), self.chance.uniform(0, h), self.chance.uniform(0.3, 0.9))
            for _ in range(14)
        ]
        self._lost = self._lost_map()
        self._frozen: Array | None = None
        self._blur = w * self.chance.uniform(0.012, 0.035)

    @property
    def label(self) -> Span:
        """Start and end of the labelled tamper, s."""
        start = self.times[0] + self.ramp_s * HALF.get(self.kind, 0.0)
        return start, self.times[1] + (0.5 * self.ramp_s if self.kind != "frozen" else 0.0)

    @property
    def doubtful(self) -> Span:
        """When motion counts neither way: from just before to just after."""
        return self.times[0] - 0.3, self.times[1] + self.ramp_s + 3.0

    def _lost_map(self) -> Array:
        """When (0..1 of the ramp) each pixel is covered."""
        w, h = self.size
        x, y = np.meshgrid(np.linspace(0, 1, w), np.linspace(0, 1, h))
        if self.kind == "paint":
            first = np.full((h, w), 9.0)
            for number, (bx, by, radius) in enumerate(self._blobs):
                away = np.hypot(x - bx / w, (y - by / h) * h / w) / (0.45 * radius)
                first = np.minimum(first, number / 18 + 0.3 * away)
            return np.asarray(first / max(float(first.max()), 1e-6) * 0.95, np.float32)
        edge = (x, 1 - x, y, 1 - y)[self._side]
        wavy = 0.07 * np.sin(9 * (y if self._side < 2 else x) + 2)
        return np.asarray(np.clip(0.9 * edge + wavy, 0, 1), np.float32)

    def spoil(self, picture: Array, t: float) -> Array:
        """What the camera shows instead at `t`."""
        start, end = self.times
        if t < start or t > end + self.ramp_s:
            self._frozen = None
            return picture
        share = (
            min((t - start) / max(self.ramp_s, 1e-3), 1.0)
            if t < end
            else max(1 - (t - end) / max(self.ramp_s, 1e-3), 0.0)
        )
        if self.kind in ("hand", "cloth", "paint"):
            soft = 0.2 if self.kind != "cloth" else 0.06
            alpha = np.clip((share * (1 + soft) - self._lost) / soft, 0, 1).astype(np.float32)
            shaken = self._look
            if self.kind == "hand":
                shaken = np.roll(self._look, (int(2 * np.sin(3 * t)), int(3 * np.sin(2.2 * t))), (0, 1))
            return np.asarray(cv2.blendLinear(shaken, picture, alpha, 1 - alpha))
        if self.kind == "lamp":
            return self._blinded(picture, share, t)
        if self.kind in ("defocus", "defocus-slow"):
            blur = self._blur * share
            return picture if blur < 0.3 else np.asarray(cv2.GaussianBlur(picture, (0, 0), blur))
        if self.kind == "turned" and self.other is not None:
            return self._turned(picture, share)
        if self.kind == "dark":
            return np.asarray(cv2.addWeighted(picture, 1 - 0.97 * share, self._look, share, 0))
        return picture  # frozen: the film holds the last encoded picture

    @property
    def freezes(self) -> bool:
        return self.kind == "frozen"

    def _blinded(self, picture: Array, share: float, t: float) -> Array:
        w, h = self.size
        x, y = np.meshgrid(np.arange(0, w, 8), np.arange(0, h, 8))
        px, py = self._blobs[0][0] * 0.4 + 0.3 * w + 3 * np.sin(2 * t), self._blobs[0][1] * 0.4 + 0.3 * h
        away = np.hypot(x - px, y - py) / w
        glare = share * (60 + 330 * np.exp(-((away / 0.34) ** 2)) + 240 * np.exp(-((away / 0.75) ** 2)))
        full = cv2.resize(np.clip(glare, 0, 255).astype(np.uint8), (w, h), interpolation=cv2.INTER_LINEAR)
        dim = cv2.convertScaleAbs(picture, alpha=1 - 0.75 * share)
        return np.asarray(cv2.add(dim, cv2.merge([full, full, full])))

    def _turned(self, picture: Array, share: float) -> Array:
        if share >= 1:
            return np.asarray(self.other).copy()
        ease = share * share * (3 - 2 * share)
        speed = 6 * share * (1 - share) / max(self.ramp_s, 0.1)
        other = np.asarray(self.other)
        upright = self._side >= 2
        ahead = self._side % 2 == 0
        both = np.concatenate([picture, other] if ahead else [other, picture], axis=0 if upright else 1)
        long = picture.shape[0 if upright else 1]
        at = int(long * (ease if ahead else 1 - ease))
        view = both[at : at + long] if upright else both[:, at : at + long]
        smear = max(1, int(min(speed * long * 0.02, long / 6)))
        return np.asarray(cv2.blur(view, (1, smear) if upright else (smear, 1)))
