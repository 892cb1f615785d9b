"""What a picture has in common with the scene that the camera is meant to show.

The scene is known by its structure: where its edges are and which way they run, block by block.
Light changes how strong edges are and seldom where they run, so that they still match by day, by
lamp and by infrared, while they do not behind a cloth or in another direction. What is left of
the structure when noise is averaged away tells a dark yard or fog from a cover; how fine it is
against how coarse tells a lens out of focus from thin air.

Promises numbers from tones (see frame.py) alone; nothing is decided here. What is summed are whole
numbers that the type holds exactly, so that sums are the same on any processor and any number of
threads. Most of it is done at half the size of the small picture.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

HALF_BLOCK = 8  # px of the half picture; a block's side
BLOCK = 2 * HALF_BLOCK  # ... of the small one
PLAIN = 4.0  # mean squared slope (tones over 2 px) of a block below which it has no structure
USUAL_LEAST = 0.4  # a block that matches itself less than this, because it waves, says nothing
MATCH = 0.5  # of its usual match is still a match
WAYS_MATCH = 0.5  # ... and so much where only the ways that edges run are compared
FLAT = 0.3  # of its usual structure (squared) or less: flat
BRIGHT = 243  # tones; what a lamp blinds
DIMMER = 12  # tones below that it was before
DROWNED = 213  # tones; brighter, and light may have taken from the structure
DOUBT = 0.3  # share of lost blocks from which on it is looked at more closely
MEAN_S = 60.0  # time constant of the scene
USUAL_S = 20.0  # ... of how it varies
AS_LOST = 0.9  # share of what is lost now that had been lost before
RECENT = 8  # looks over which noise is averaged away
KNOCK = (3, 2)  # px of a quarter of the picture, across and down; moved by less, it is a knock or the wind
KNOCKED = 0.45  # likeness then

Picture = NDArray[np.uint8]
Blocks = NDArray[np.float64]
Pixels = NDArray[np.float32]
Slopes = tuple[Pixels, Pixels]


@dataclass(frozen=True)
class Signs:
    """One look against the scene. Shares are of the blocks that have a structure to lose."""

    known: int  # blocks that have a structure to lose
    kept: float  # share that still shows it
    flat: float  # share that lost it and shows nothing instead
    bright: float  # share of all blocks that have drowned in light
    residue: float  # -1..1: likeness of what is left where it was lost, noise averaged away
    steady: float  # -1..1: likeness of the lost part to what it was in the last looks
    veil: float  # usual 1: strength (squared) of the structure where it was kept
    beside: float  # ... and of all that has not drowned in light
    detail: float  # usual 1: as much of the scene's own edges as is left, at a scale of some px ...
    outline: float  # ... and at one of a block; noise is in neither
    sharp: float  # usual 1: fine structure against coarse, squared
    coarse: float  # usual 1: coarse structure, squared
    was: float  # tones: the usual brightness of a typical block ...
    level: float  # ... and now
    light: float  # tones by which the brightness of a typical block has changed
    lost: NDArray[np.bool_]  # the blocks that lost their structure


class Structure:
    """The structure of a scene, learned, and how well it usually matches itself."""

    def __init__(self, tone: Picture, visible: NDArray[np.bool_]) -> None:
        """Starts with `tone` as all that is known; `visible` says by blocks what no mask hides."""
        rows, columns = visible.shape
        self._half_size = (columns * HALF_BLOCK, rows * HALF_BLOCK)
        self._visible = visible
        self._tone = tone
        self.half = self._halved(tone)
        self._mean = self.half.astype(np.float64)
        self._recent: list[tuple[int, Picture]] = []  # (blocks lost, look) since much was lost
        zero = np.zeros(visible.shape)
        self._usual, self._fine, self._coarse, self._level = (zero.copy() for _ in range(4))
        self._now: tuple[Blocks, ...] = (zero, zero, zero, zero)
        self._learned_s = 0.0
        self._take_mean()

    def _halved(self, tone: Picture) -> Picture:
        """Cut to whole blocks."""
        width, height = self._half_size
        whole = tone[: 2 * height, : 2 * width]
        return np.asarray(cv2.resize(whole, self._half_size, interpolation=cv2.INTER_AREA), np.uint8)

    def _take_mean(self) -> None:
        mean = np.rint(self._mean).astype(np.uint8)
        self._slopes = _slopes(mean)
        self._strength = _blocks(_product(self._slopes, self._slopes))
        self._outlines = _outlines(mean)

    def look(self, tone: Picture) -> Signs:
        """`tone` against the scene; teaches nothing."""
        half = self.half = self._halved(tone)
        slopes = _slopes(half)
        strength = _blocks(_product(slopes, slopes))
        common = _blocks(_product(self._slopes, slopes))
        match = _likeness(common, self._strength, strength)
        known = self._visible & (self._strength > PLAIN) & (self._usual > USUAL_LEAST)
        count = int(np.count_nonzero(known))
        lost = known & (match < MATCH * self._usual)
        residue = steady = 1.0
        if np.count_nonzero(lost) > DOUBT * count:
            lost &= self._ways(slopes) < WAYS_MATCH
        if np.count_nonzero(lost) > DOUBT * count:
            residue, steady = self._left(lost, slopes)
        else:
            self._recent.clear()
        level, coarse = _levels(half)
        fine = _fineness(tone, self._half_size)
        self._now = match, fine, coarse, level
        kept = known & ~lost
        strong = known & (self._strength >= _median(self._strength[known], 0.0))
        sharp, rough = self._sharpness(strong)
        clear = known & (level < DROWNED)
        flat = lost & (strength < np.maximum(FLAT * self._strength, PLAIN))
        bright = self._visible & (level >= BRIGHT) & (self._level < BRIGHT - DIMMER)
        return Signs(
            known=count,
            kept=_share_of(kept, count),
            flat=_share_of(flat, count),
            bright=_share_of(bright, int(np.count_nonzero(self._visible))),
            residue=residue,
            steady=steady,
            veil=_median(strength[kept] / self._strength[kept], 0.0),
            beside=_median(strength[clear] / self._strength[clear], 0.0),
            detail=_median(common[strong] / self._strength[strong], 1.0),
            outline=_left(self._outlines, _outlines(half)),
            sharp=sharp,
            coarse=rough,
            was=_median(self._level[self._visible], 0.0),
            level=_median(level[self._visible], 0.0),
            light=_median(np.abs(level - self._level)[self._visible], 0.0),
            lost=lost,
        )

    def _ways(self, slopes: Slopes) -> Blocks:
        """Likeness by blocks of the ways that edges run; bright on dark and dark on bright are alike."""
        one, two = _doubled(slopes), _doubled(self._slopes)
        return _likeness(_exact(one, two), _exact(one, one), _exact(two, two))

    def _left(self, lost: NDArray[np.bool_], slopes: Slopes) -> tuple[float, float]:
        """(residue, steady) of the lost blocks."""
        count = int(np.count_nonzero(lost))
        # What was still there while it was being lost is not what is left.
        pictures = [picture for was, picture in self._recent[1 - RECENT :] if was > AS_LOST * count]
        self._recent = [*self._recent[1 - RECENT :], (count, self.half)]
        before = pictures[-3:] or [self.half]
        residue = _typical(self._slopes, _slopes(_total([*pictures, self.half])), lost)
        return residue, _typical(slopes, _slopes(_total(before)), lost)

    def _sharpness(self, strong: NDArray[np.bool_]) -> tuple[float, float]:
        """(fine against coarse, coarse) in `strong` blocks, each against the usual."""
        _, fine, coarse, _ = self._now
        rough = coarse[strong] / np.maximum(self._coarse[strong], 1)
        ratio = fine[strong] / np.maximum(self._fine[strong], 0.1) / np.maximum(rough, 0.01)
        return _median(ratio, 1.0), _median(rough, 1.0)

    def learn(self, since_s: float) -> None:
        """The last look was the scene: take it in, by `since_s` seconds' worth."""
        self._learned_s += since_s
        start = since_s / self._learned_s if since_s else 0.0
        self._mean += max(since_s / (MEAN_S + since_s), start) * (self.half - self._mean)
        self._take_mean()
        rate = max(since_s / (USUAL_S + since_s), start)
        for usual, now in zip((self._usual, self._fine, self._coarse, self._level), self._now, strict=True):
            np.add(usual, rate * (now - usual), out=usual)

    def knocked(self) -> bool:
        """Whether the last look is the scene moved by a little."""
        across, down = KNOCK
        size = (self._half_size[0] // 2, self._half_size[1] // 2)
        mean = np.rint(self._mean).astype(np.uint8)
        small = [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in (mean, self.half)]
        usual, now = ([slope.astype(np.float64) for slope in _slopes(picture)] for picture in small)
        height, width = usual[0].shape
        if height <= 4 * down or width <= 4 * across:
            return False
        inner = [slope[down : height - down, across : width - across].copy() for slope in usual]
        return any(
            _alike(inner, [slope[y : height - 2 * down + y, x : width - 2 * across + x] for slope in now])
            > KNOCKED
            for y in range(2 * down + 1)
            for x in range(2 * across + 1)
        )


def _slopes(picture: MatLike) -> Slopes:
    """Differences over 2 px, across and down; 0 at the rim."""
    pixels: Pixels = picture.astype(np.float32)
    across, down = np.zeros_like(pixels), np.zeros_like(pixels)
    np.subtract(pixels[:, 2:], pixels[:, :-2], out=across[:, 1:-1])
    np.subtract(pixels[2:], pixels[:-2], out=down[1:-1])
    return across, down


def _outlines(half: Picture) -> Slopes:
    """Slopes over the length of a block."""
    size = (half.shape[1] // 4, half.shape[0] // 4)
    return _slopes(cv2.resize(half, size, interpolation=cv2.INTER_AREA))


def _left(usual: Slopes, now: Slopes) -> float:
    """How much of the `usual` slopes is in those of `now`."""
    return float(
        _product(usual, now).sum(dtype=np.float64) / max(1.0, _product(usual, usual).sum(dtype=np.float64))
    )


def _total(pictures: list[Picture]) -> MatLike:
    """A sum and not a mean: what lies below one tone is what a dark yard has left."""
    return np.asarray(np.sum(pictures, axis=0, dtype=np.int16))


def _doubled(slopes: Slopes) -> Slopes:
    """The slopes at twice their angle, so that opposite ones are the same."""
    across, down = slopes
    return across * across - down * down, 2 * across * down


def _product(one: Slopes, two: Slopes) -> Pixels:
    product = one[0] * two[0]
    product += one[1] * two[1]
    return product


def _blocks(pixels: Pixels) -> Blocks:
    """Means by blocks, of whole numbers up to 2**18 (so that 64 of them are below 2**24)."""
    size = (pixels.shape[1] // HALF_BLOCK, pixels.shape[0] // HALF_BLOCK)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.float64)


def _exact(one: Slopes, two: Slopes) -> Blocks:
    """Sums of products by blocks, of whole numbers up to 2**23; slower."""
    product = np.multiply(one[0], two[0], dtype=np.float64) + np.multiply(one[1], two[1], dtype=np.float64)
    rows = np.add.reduceat(product, np.arange(0, product.shape[0], HALF_BLOCK), axis=0)
    return np.asarray(np.add.reduceat(rows, np.arange(0, rows.shape[1], HALF_BLOCK), axis=1), np.float64)


def _typical(one: Slopes, two: Slopes, where: NDArray[np.bool_]) -> float:
    """Likeness of a typical one of the blocks `where`."""
    return _median(_likeness(_exact(one, two), _exact(one, one), _exact(two, two))[where], 1.0)


def _alike(one: list[Blocks], two: list[Blocks]) -> float:
    common, first, second = (
        sum(float((a * b).sum()) for a, b in zip(*pair, strict=True))
        for pair in ((one, two), (one, one), (two, two))
    )
    return common / float(np.sqrt(first * second + 1))


def _levels(half: Picture) -> tuple[Blocks, Blocks]:
    """(mean, variance) by blocks."""
    pixels = half.astype(np.float32)
    level = _blocks(pixels)
    return level, _blocks(pixels * pixels) - level * level


def _fineness(tone: Picture, half_size: tuple[int, int]) -> Blocks:
    """Mean squared step from pixel to pixel in every second row, by blocks."""
    width, height = half_size
    rows = tone[: 2 * height : 2, : 2 * width]
    below = tone[1 : 2 * height : 2, : 2 * width]
    steps = np.zeros((height, 2 * width), np.float32)
    cv2.accumulateSquare(cv2.absdiff(rows, below), steps)
    across = cv2.absdiff(rows[:, 1:], rows[:, :-1])
    cv2.accumulateSquare(across, steps[:, 1:])
    size = (width // HALF_BLOCK, height // HALF_BLOCK)
    return np.asarray(cv2.resize(steps, size, interpolation=cv2.INTER_AREA), np.float64)


def _likeness(common: Blocks, one: Blocks, two: Blocks) -> Blocks:
    return np.asarray(common / np.sqrt(one * two + 0.1))


def _share_of(blocks: NDArray[np.bool_], count: int) -> float:
    return int(np.count_nonzero(blocks)) / max(1, count)


def _median(numbers: NDArray[np.float64], otherwise: float) -> float:
    return float(np.sort(numbers)[numbers.size // 2]) if numbers.size else otherwise
