"""What happens at the camera itself: insects and threads at the lens, sensor noise, the written clock."""

from dataclasses import dataclass

import cv2
import numpy as np

from benchmarks.compose.footage import Array


@dataclass
class Insect:
    """A blurred blob close to the lens that darts, hovers or walks; bright in infrared, dark by day."""

    times: tuple[float, float]
    kind: str  # dart, hover, walk
    radius: float  # px
    tone: float  # tones, less than 0 is dark
    size: tuple[int, int]
    chance: np.random.Generator

    def __post_init__(self) -> None:
        w, h = self.size
        start, end = self.times
        steps = max(int((end - start) * 30), 2)
        if self.kind == "dart":
            angle, speed = self.chance.uniform(0, 6.28), w * self.chance.uniform(0.5, 2.2)
            bend = np.cumsum(self.chance.normal(0, 0.12, steps))
            way = np.stack([np.cos(angle + bend), np.sin(angle + bend)], 1) * speed / 30
            self._path = np.cumsum(way, 0)
            self._path += np.array([w, h]) * self.chance.uniform(0.2, 0.8, 2) - self._path[steps // 2]
        elif self.kind == "hover":
            place = np.array([w, h]) * self.chance.uniform(0.15, 0.85, 2)
            time = np.arange(steps) / 30
            rates, phases = self.chance.uniform(0.4, 2.4, (3, 2)), self.chance.uniform(0, 6.28, (3, 2))
            loops = sum(np.sin(6.28 * time[:, None] * rates[k] + phases[k]) / (k + 1) for k in range(3))
            drift = np.cumsum(self.chance.normal(0, 0.006 * w, (steps, 2)), 0) * 0.5
            self._path = place + loops * w * self.chance.uniform(0.02, 0.12) + drift
        else:
            goes = (
                np.sin(np.arange(steps) / 30 * self.chance.uniform(0.6, 2) + self.chance.uniform(0, 6)) > -0.3
            ) * 1.0
            turn = self.chance.uniform(0, 6.28) + np.cumsum(self.chance.normal(0, 0.05, steps))
            speed = w * self.chance.uniform(0.02, 0.12) / 30
            self._path = np.cumsum(np.stack([np.cos(turn), np.sin(turn)], 1) * (goes * speed)[:, None], 0)
            self._path += np.array([w, h]) * self.chance.uniform(0.15, 0.85, 2)
        self._edge = float(self.chance.choice([1.0, 1.5, 1.5, 4.0]))  # in focus or not
        self._flap = float(self.chance.uniform(5, 14))

    def fly(self, picture: Array, t: float) -> None:
        """Draws it into the picture (uint8 BGR)."""
        start, end = self.times
        if not start <= t < end:
            return
        number = min(int((t - start) * 30), len(self._path) - 1)
        here, there = self._path[max(number - 1, 0)], self._path[number]
        fade = 1.0 if self.kind == "dart" else min((t - start) / 0.3, (end - t) / 0.3, 1.0)
        dx, dy = there - here
        streak = float(np.hypot(dx, dy)) * 0.8
        beat = 0.8 + 0.2 * np.sin(self._flap * 6.28 * t) if self.kind != "walk" else 1.0
        reach = int(2.6 * self.radius + streak) + 2
        x0, y0 = int(there[0]) - reach, int(there[1]) - reach
        left, top, right, low = (
            max(x0, 0),
            max(y0, 0),
            min(x0 + 2 * reach, self.size[0]),
            min(y0 + 2 * reach, self.size[1]),
        )
        if left >= right or top >= low:
            return
        x, y = np.meshgrid(np.arange(left, right) - there[0], np.arange(top, low) - there[1])
        c, s = (dx / (streak + 1e-6), dy / (streak + 1e-6)) if streak > 0.5 else (1.0, 0.0)
        along, across = x * c + y * s, y * c - x * s
        away = (along / (self.radius + 0.5 * streak)) ** 2 + (across / self.radius) ** 2
        blob = self.tone * fade * beat * np.exp(-0.5 * away**self._edge) / (1 + 0.25 * streak / self.radius)
        part = picture[top:low, left:right].astype(np.float32) + blob[:, :, None]
        picture[top:low, left:right] = np.clip(part, 0, 255).astype(np.uint8)


@dataclass
class Thread:
    """A spider's thread across the lens, that sways and catches the light."""

    size: tuple[int, int]
    chance: np.random.Generator
    bright: float

    def __post_init__(self) -> None:
        w, h = self.size
        self._a = self.chance.uniform(0, w), 0.0
        self._b = (
            (self.chance.uniform(0, w), float(h))
            if self.chance.random() < 0.6
            else (float(w), self.chance.uniform(0, h))
        )
        self._swing = w * self.chance.uniform(0.01, 0.07)
        self._rates, self._phases = self.chance.uniform(0.15, 0.9, 2), self.chance.uniform(0, 6.28, 2)
        self._thick = max(1, round(w / 640 * self.chance.uniform(1, 4)))

    def hang(self, picture: Array, t: float) -> None:
        w, h = self.size
        k = np.linspace(0, 1, 24)
        swing = self._swing * float(np.sum(np.sin(6.28 * self._rates * t + self._phases)))
        x = self._a[0] + (self._b[0] - self._a[0]) * k + swing * np.sin(np.pi * k)
        y = self._a[1] + (self._b[1] - self._a[1]) * k + 0.5 * abs(self._swing) * np.sin(np.pi * k)
        glow = 0.65 + 0.35 * np.sin(1.1 * t + self._phases[0])
        layer = np.zeros((h, w), np.uint8)
        points = (np.stack([x, y], 1) * 8).astype(np.int32)
        cv2.polylines(layer, [points], False, float(self.bright * glow), self._thick, cv2.LINE_AA, 3)
        soft = cv2.blur(layer, (2 * self._thick + 1, 2 * self._thick + 1))
        cv2.add(picture, cv2.merge([soft, soft, soft]), picture)


@dataclass
class Noise:
    """Sensor noise on the luma plane: stronger where it is brighter, a little coarse."""

    size: tuple[int, int]
    much: float  # tones at mid grey
    floor: float  # tones in the dark
    coarse: float
    chance: np.random.Generator

    def __post_init__(self) -> None:
        w, h = self.size
        tile = self.chance.standard_normal((h + 96, w + 96)).astype(np.float32)
        if self.coarse:
            tile = np.asarray(cv2.GaussianBlur(tile, (0, 0), self.coarse), np.float32)
        self._tile = (tile / tile.std() * 24).clip(-127, 127).astype(np.int8)
        grey = np.arange(256) / 128
        self._amp = (np.hypot(self.floor, self.much * np.sqrt(grey)) / 24).astype(np.float32)

    def add(self, luma: Array, chance: np.random.Generator) -> None:
        """Onto the plane (uint8), in place."""
        x, y = int(chance.integers(96)), int(chance.integers(96))
        part = self._tile[y : y + self.size[1], x : x + self.size[0]]
        if chance.random() < 0.5:
            part = part[::-1]
        amp = cv2.LUT(luma, self._amp)
        noisy = cv2.multiply(part, amp, dtype=cv2.CV_16S)
        cv2.add(luma, noisy, luma, dtype=cv2.CV_8U)


@dataclass(frozen=True)
class Overlay:
    """The clock and the name that a camera writes into its picture."""

    second: int  # of the day, at the clip's start
    name: str
    corner: int  # 0..3
    scale: float
    logo: bool

    def write(self, luma: Array, t: float) -> None:
        """Onto the luma plane, in place."""
        h, w = luma.shape
        now = self.second + int(t)
        text = f"2026-03-1{now // 86400 + 1} {now // 3600 % 24:02d}:{now // 60 % 60:02d}:{now % 60:02d}"
        self._put(luma, text, self.corner)
        if self.name:
            self._put(luma, self.name, 3 - self.corner)
        if self.logo:
            size = h // 12
            cv2.circle(luma, (w - size, size), size // 2, 235, 2, cv2.LINE_AA)
            cv2.line(luma, (w - size, size), (w - size // 2, size), 235, 2, cv2.LINE_AA)

    def _put(self, luma: Array, text: str, corner: int) -> None:
        h, w = luma.shape
        scale = self.scale * w / 640
        (long, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
        x = 6 if corner % 2 == 0 else w - long - 6
        y = high + 6 if corner < 2 else h - 8
        thick = 1 if scale < 0.9 else 2
        cv2.putText(luma, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, 10, thick + 2, cv2.LINE_AA)
        cv2.putText(luma, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, 245, thick, cv2.LINE_AA)
