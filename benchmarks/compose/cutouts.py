"""Cut-outs: real movers as sequences of pictures with an alpha, taken from the labelled events.

A mover's pixels are those that differ from the empty scene; its matte is the largest piece,
closed, filled, cut back by a pixel and feathered. Relies on footage. Promises: premultiplied
float32 BGRA, feet at the bottom row, all pictures of a sequence at one scale.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.compose.footage import Array, Footage, Span


@dataclass(frozen=True)
class CutSpec:
    """Where a mover is, and how it is told from its scene."""

    name: str
    clip: str
    span: Span
    empty: tuple[Span, ...]
    kind: str  # walk, stand, bike, car, bust, night
    what: str
    heads: str  # left, right, or none: where it is going
    least: float = 28.0  # tones of difference
    dark: bool = False  # it is black, its shadow only grey
    within: tuple[float, float, float, float] = (0.02, 0.0, 0.98, 1.0)  # its box must lie inside
    size: Span = (0.004, 0.6)  # shares of the picture that its piece may have
    many: bool = False  # several movers at once: each piece is a cut-out of one picture


LANE = ((5, 8), (15, 17.6), (20.7, 23))
ROOM = ((0, 5.5), (46, 50), (71, 74))
CUTS = (
    CutSpec(
        "dusk-walker", "dusk-car-park", (1.6, 5.9), ((0, 1.0),), "walk", "person", "right", 48, dark=True
    ),
    CutSpec("winter-walker", "winter-garden", (1.1, 2.6), ((0, 0.9),), "walk", "person", "right", 30),
    CutSpec("lane-walker", "lane-motorbikes", (9.4, 12.6), LANE, "walk", "person", "left", 24),
    CutSpec("lane-walker-2", "lane-motorbikes", (30.4, 33.6), LANE, "walk", "person", "left", 24),
    CutSpec("night-walker", "night-yard", (0.0, 2.4), ((8.6, 11.8),), "night", "person", "none", 22),
    CutSpec(
        "motorbike", "lane-motorbikes", (2.7, 3.9), LANE, "bike", "motorbike", "right", 24, size=(0.02, 0.5)
    ),
    CutSpec(
        "motorbike-2",
        "lane-motorbikes",
        (18.5, 19.7),
        LANE,
        "bike",
        "motorbike",
        "right",
        24,
        size=(0.02, 0.5),
    ),
    CutSpec(
        "motorbike-3",
        "lane-motorbikes",
        (23.9, 25.1),
        LANE,
        "bike",
        "motorbike",
        "right",
        24,
        size=(0.02, 0.5),
    ),
    CutSpec(
        "visitor-1",
        "visitors-one-by-one",
        (10.0, 16.0),
        ROOM,
        "stand",
        "person",
        "none",
        30,
        size=(0.03, 0.4),
    ),
    CutSpec(
        "visitor-2",
        "visitors-one-by-one",
        (27.0, 38.0),
        ROOM,
        "stand",
        "person",
        "none",
        30,
        size=(0.03, 0.4),
    ),
    CutSpec(
        "visitor-3",
        "visitors-one-by-one",
        (55.0, 66.0),
        ROOM,
        "stand",
        "person",
        "none",
        30,
        size=(0.03, 0.4),
    ),
    CutSpec(
        "visitor-5",
        "visitors-one-by-one",
        (97.0, 114.0),
        ROOM,
        "stand",
        "person",
        "none",
        30,
        size=(0.03, 0.4),
    ),
    CutSpec(
        "tree-man",
        "waving-tree",
        (48.8, 51.4),
        ((30, 47.5),),
        "bust",
        "person",
        "right",
        44,
        size=(0.05, 0.6),
    ),
    CutSpec(
        "cars",
        "road-from-above",
        (0, 20),
        ((0, 20),),
        "car",
        "car",
        "none",
        24,
        size=(0.012, 0.08),
        many=True,
    ),
)


@dataclass(frozen=True)
class CutOut:
    """A mover's pictures in their order."""

    name: str
    kind: str
    what: str
    heads: str
    fps: float
    pictures: tuple[Array, ...]  # premultiplied float32 BGRA, 0..255 and 0..1; feet at the bottom
    feet: tuple[float, ...]  # the column of the foot, px
    tall: float  # px, the usual height
    tone: float  # its mean brightness


@dataclass
class CutOuts:
    """All cut-outs of the clips, made when first asked for."""

    footage: Footage
    _kept: dict[str, CutOut] = field(default_factory=dict)
    _empty: dict[tuple[str, tuple[Span, ...]], tuple[Array, Array]] = field(default_factory=dict)

    def of(self, kind: str) -> list[CutOut]:
        """The cut-outs of a kind, in a fixed order."""
        for spec in CUTS:
            if spec.kind == kind and not any(key.split("#")[0] == spec.name for key in self._kept):
                for cut in _cut(self.footage, spec, *self._scene(spec)):
                    self._kept[cut.name] = cut
        return [cut for _, cut in sorted(self._kept.items()) if cut.kind == kind]

    def _scene(self, spec: CutSpec) -> tuple[Array, Array]:
        """The empty scene, and some frames of it as they sway."""
        key = (spec.clip, spec.empty)
        if key not in self._empty:
            empties = np.concatenate([self.footage.stretch(spec.clip, *span, 4)[0] for span in spec.empty])
            plate = np.median(empties[:: max(1, len(empties) // 20)], axis=0).astype(np.float32)
            self._empty[key] = plate, empties[:: max(1, len(empties) // 8)].astype(np.float32)
        return self._empty[key]


def _cut(footage: Footage, spec: CutSpec, plate: Array, swaying: Array) -> list[CutOut]:
    frames, fps = footage.stretch(spec.clip, *spec.span, 8 if spec.many else 1)
    sways = swaying if spec.kind == "bust" else None
    pieces = []
    for frame in frames:
        pieces += _pieces(frame, plate, sways, spec)
    if spec.many:
        chosen = [p for p in pieces if _is_whole(p)]
        chosen = chosen[:: max(1, len(chosen) // 12)]
        return [_made(spec, f"{spec.name}#{i}", fps, [piece]) for i, piece in enumerate(chosen)]
    heights = [piece.shape[0] for piece in pieces]
    usual = float(np.median(heights))
    kept = [p for p in pieces if 0.86 * usual <= p.shape[0] <= 1.16 * usual]
    return [_made(spec, spec.name, fps, kept)]


def _made(spec: CutSpec, name: str, fps: float, pieces: list[Array]) -> CutOut:
    feet, tone = [], []
    for piece in pieces:
        low = piece[-max(2, piece.shape[0] // 3) :, :, 3]
        whole = piece[:, :, 3].sum(axis=0)
        columns = whole if spec.kind in ("bike", "car") else 0.5 * whole + low.sum(axis=0)
        feet.append(float((columns * np.arange(len(columns))).sum() / max(columns.sum(), 1e-3)))
        tone.append(float(piece[:, :, :3].sum() / 3 / max(piece[:, :, 3].sum(), 1e-3)))
    tall = float(np.median([piece.shape[0] for piece in pieces]))
    return CutOut(
        name, spec.kind, spec.what, spec.heads, fps, tuple(pieces), tuple(feet), tall, float(np.mean(tone))
    )


def _is_whole(piece: Array) -> bool:
    """Whether it looks like one car: long, full, and not as dark as its shadow."""
    height, width = piece.shape[:2]
    alpha = piece[:, :, 3].sum()
    return bool(
        1.7 < width / height < 3.2
        and alpha > 0.66 * width * height
        and piece[:, :, :3].sum() / 3 > 52 * alpha
    )


def _pieces(frame: Array, plate: Array, sways: Array | None, spec: CutSpec) -> list[Array]:
    """The movers of one frame, cut out."""
    mask = _mask(frame, plate, sways, spec)
    height, width = mask.shape
    count, parts, stats, _ = cv2.connectedComponentsWithStats(mask)
    found = []
    for part in sorted(range(1, count), key=lambda k: -stats[k][4]):
        x, y, w, h, area = (int(v) for v in stats[part])
        left, _, right, low = spec.within
        inside = (
            x >= left * width and x + w <= right * width and (y + h <= low * height or spec.kind == "bust")
        )
        if not spec.size[0] <= area / (width * height) <= spec.size[1] or not inside:
            continue
        whole = np.asarray(parts == part, np.uint8)
        outline, _ = cv2.findContours(whole, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if spec.kind not in ("walk", "stand") or spec.dark:
            cv2.drawContours(whole, outline, -1, 1, -1)
        found.append(_feathered(frame, whole, (x, y, w, h), bust=spec.kind == "bust"))
        if not spec.many:
            break
    return found


def _mask(frame: Array, plate: Array, sways: Array | None, spec: CutSpec) -> Array:
    picture = frame.astype(np.float32)
    differs = _apart(picture, plate)
    if sways is not None:  # leaves that sway look like one of the empty frames
        for empty in sways:
            differs = np.minimum(differs, _apart(picture, empty))
    if spec.dark:  # a shadow keeps its ground's texture at about half the light; black cloth does not
        differs[(picture.mean(axis=2) > 0.52 * plate.mean(axis=2))] = 0
    differs = cv2.GaussianBlur(differs, (0, 0), 1.0)
    mask = np.asarray(differs > spec.least, np.uint8)
    small = 5 if spec.kind in ("bust", "night") else 3
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _round(small)), np.uint8)
    mask = np.asarray(
        cv2.morphologyEx(
            mask, cv2.MORPH_CLOSE, _round(17 if spec.dark or spec.clip == "winter-garden" else 9)
        ),
        np.uint8,
    )
    if spec.kind == "bust":
        mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _round(21)), np.uint8)
    return mask


def _apart(one: Array, other: Array) -> Array:
    """The greatest difference of a pixel's colours; numpy's `max` over so short an axis takes far longer."""
    blue, green, red = cv2.split(cv2.absdiff(one, other))
    return np.asarray(np.maximum(np.maximum(blue, green), red))


def _round(size: int) -> Array:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))


def _feathered(frame: Array, mask: Array, box: tuple[int, int, int, int], bust: bool) -> Array:
    x, y, w, h = box
    pad = 3
    padded = cv2.copyMakeBorder(mask, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=0)
    if bust:  # it goes on below the picture
        padded[-pad:] = padded[-pad - 1]
    alpha = cv2.GaussianBlur(np.asarray(cv2.erode(padded, _round(3)), np.float32), (0, 0), 1.1)
    inside = cv2.copyMakeBorder(frame, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
    alpha = alpha[y + pad : y + h + pad, x + 1 : x + w + 2 * pad - 1]
    colour = inside[y + pad : y + h + pad, x + 1 : x + w + 2 * pad - 1].astype(np.float32)
    return np.dstack([colour * alpha[:, :, None], alpha]).astype(np.float32)
