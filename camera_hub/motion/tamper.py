"""Tampering: the camera is covered, blinded, out of focus, turned away, or its picture stands still.

Promises an event of kind `tamper` some four to five seconds after it began, closed when the scene
is back, or when what is shown instead has lasted so long that it is the scene. All rates are per
second of stream time; the same tones and times tell the same. Relies on a scene that was there,
untouched, for the first seconds: what was wrong before them is the scene to it. What lasts less
(a lorry, headlights, lightning, the wind in the pole) and what light and weather do to a picture is
no tampering; in doubt, nothing is told.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from camera_hub.model import Box, EventKind, TamperCause
from camera_hub.motion.frame import CELL
from camera_hub.motion.reports import Closed, Opened, Report
from camera_hub.motion.tamper_signs import BLOCK, Signs, Structure
from camera_hub.motion.tamper_still import Stillness

LOOK_US = 320_000  # between looks
LEARN_S = 0.8  # between the looks that teach
LEARN_MOST_S = 1.0  # a single look teaches no more than so many seconds' worth
READY_US = 4_000_000  # of a scene that stays make it known
READY_LOOKS = 4
LEAST_BLOCKS = 12  # with structure; with fewer, nothing can be lost
BACK_US = 1_200_000  # the scene must have been back for so long
LAPSE_US = 700_000  # without a sign of it: what began has ended
RENEW_US = 300_000_000  # what has lasted so long is the scene

LASTS_US = {
    TamperCause.COVERED: 3_500_000,
    TamperCause.BLINDED: 4_500_000,
    TamperCause.DEFOCUSED: 3_500_000,
    TamperCause.TURNED: 3_500_000,
    TamperCause.FROZEN: 1_000_000,  # its own looks back have lasted before
}
UNSTEADY_US = 6_000_000  # ... of what keeps changing, such as a crowd

WHOLE = 0.6  # share of the structure that shows the scene
HIDDEN_US = 30_000_000  # what hides more of it for longer, such as a parked lorry, is learned after all
LOST = 0.25  # share of the structure that is left when the view is lost
WHOLLY_FLAT = 0.6  # share of it that shows nothing instead, behind a cover ...
BARE = 0.05  # ... or of the usual coarse structure that is left
PART = 0.45  # ... when it is covered in part
PART_FLAT = 0.55  # share of it that must be flat then
ROUGH = 0.15  # of the usual coarse structure, where the cover is not flat but cloth ...
PLAIN_SHARP = 0.6  # ... which is too near to be sharp
RESIDUE = 0.3  # more likeness than this in what is left is no cover, but darkness or fog
CLEAR = 0.5  # strength (squared) that structure beside a cover keeps
DAY, DARK = 125.0, 80.0  # tones of a typical block: from broad daylight to darkness is no dusk, ...
SHADE = 0.02  # ... nor does dusk take the structure that a thick cover leaves no more of (squared)
GLARE = 0.15  # share of the picture that a lamp drowns
VEILED = 0.6  # strength that is left beside it
BLURRED = ((0.5, 0.5), (0.62, 0.25))  # out of focus: fine structure against coarse (squared), with noise,
# ... and of the scene's own edges without it; a shaken camera has one of both, and so has rain that ends
OUTLINE = 0.3  # that stays at least then
SAME_LIGHT = 14  # tones
SHARP = 0.75
STEADY = 0.5

Tone = NDArray[np.uint8]


class Tamper:
    """Watches one scene."""

    def __init__(
        self, tone: Tone, t_us: int, visible: NDArray[np.bool_], next_number: Callable[[], int]
    ) -> None:
        """`visible` says by cells what no mask hides; `next_number` gives the next event's."""
        rows, columns = tone.shape[0] // BLOCK, tone.shape[1] // BLOCK
        side = BLOCK // CELL
        # A mask's rim is an edge that nothing could hide.
        clear = cv2.erode(visible.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
        cells = clear[: rows * side, : columns * side].reshape(rows, side, columns, side)
        self._visible: NDArray[np.bool_] = (
            np.asarray(cells.all(axis=(1, 3))) if rows and columns else np.zeros((0, 0), bool)
        )
        self._next_number = next_number
        self._open: Opened | None = None
        self._begin(tone, t_us)

    def _begin(self, tone: Tone, t_us: int) -> None:
        """What is shown from now on is the scene."""
        self._usable = int(np.count_nonzero(self._visible)) >= LEAST_BLOCKS
        if self._usable:
            self._structure = Structure(tone, self._visible)
        self._still = Stillness()
        self._begun_us = self._looked_us = t_us
        self._looks = 0
        self._unlearned_s = 0.0
        self._since_us: int | None = None  # when what may be tampering began ...
        self._first: Signs  # ... and what it looked like then
        self._sign_us = t_us  # when it was seen last
        self._whole_us = t_us  # when most of the scene was seen last
        self._back_us: int | None = None  # since when the scene is back

    @property
    def open(self) -> bool:
        """Whether the camera is tampered with."""
        return self._open is not None

    @property
    def suspected(self) -> bool:
        """Whether it is, or may be: then every look counts."""
        return self._open is not None or self._since_us is not None

    def update(self, tone: Tone, t_us: int) -> list[Report]:
        """Reports for one frame."""
        if not self._usable or t_us - self._looked_us < LOOK_US:
            return []
        since_s = min((t_us - self._looked_us) / 1e6, LEARN_MOST_S)
        self._looked_us = t_us
        signs = self._structure.look(tone)
        still = self._still.look(self._structure.half, t_us)
        self._looks += 1
        if t_us - self._begun_us < READY_US or self._looks < READY_LOOKS:
            self._structure.learn(since_s)
            return []
        cause = self._cause(signs)
        if still and cause is None and signs.kept >= WHOLE and signs.veil > VEILED:
            cause = TamperCause.FROZEN
        if self._open is not None:
            return self._go_on(self._open, tone, signs, cause, t_us)
        if cause is None:
            self._learn(signs, since_s, t_us)
            return []
        if self._since_us is None:
            self._since_us, self._first = t_us, signs
        self._sign_us = t_us
        lasts_us = LASTS_US[cause]
        if cause is TamperCause.TURNED and signs.steady < STEADY:
            lasts_us = UNSTEADY_US
        if t_us - self._since_us < lasts_us:
            return []
        start_us = self._since_us
        if cause is TamperCause.DEFOCUSED and _detail(signs) < _detail(self._first) / 2:
            start_us = (start_us + t_us) // 2  # a lens that is turned slowly: the view is lost on the way
        return [self._opened(cause, signs, start_us, t_us)]

    def _learn(self, signs: Signs, since_s: float, t_us: int) -> None:
        """Nothing is wrong; but while much is hidden, what hides it is not taken for the scene so soon."""
        if self._since_us is not None and t_us - self._sign_us <= LAPSE_US:
            return
        self._since_us = None
        if (signs.kept >= WHOLE and signs.sharp >= SHARP) or signs.known < LEAST_BLOCKS:
            self._whole_us = t_us
        self._unlearned_s = min(self._unlearned_s + since_s, LEARN_MOST_S)
        shown = t_us == self._whole_us or t_us - self._whole_us > HIDDEN_US
        if shown and self._unlearned_s > LEARN_S:
            self._structure.learn(self._unlearned_s)
            self._unlearned_s = 0.0

    def flush(self, t_us: int) -> list[Report]:
        """Close what is open."""
        return [self._closed(self._open, t_us, t_us)] if self._open else []

    def _cause(self, signs: Signs) -> TamperCause | None:
        """What the picture looks like, if not like the scene."""
        if signs.known < LEAST_BLOCKS:
            return None
        if signs.bright >= GLARE and signs.beside < VEILED and signs.kept < 0.9:
            return TamperCause.BLINDED
        if _covered(signs):
            return TamperCause.COVERED
        if signs.kept <= LOST and abs(signs.residue) < RESIDUE:
            return None if self._structure.knocked() else TamperCause.TURNED
        return TamperCause.DEFOCUSED if _blurred(signs) else None

    def _go_on(
        self, told: Opened, tone: Tone, signs: Signs, cause: TamperCause | None, t_us: int
    ) -> list[Report]:
        if t_us - told.start_us > RENEW_US:
            report = self._closed(told, t_us, t_us)
            self._begin(tone, t_us)
            return [report]
        if cause is not None or not (
            signs.kept >= WHOLE and signs.sharp >= SHARP and (signs.bright < GLARE / 2 or signs.veil > VEILED)
        ):
            self._back_us = None
            return []
        if self._back_us is None:
            self._back_us = t_us
        if t_us - self._back_us < BACK_US:
            return []
        return [self._closed(told, self._back_us, t_us)]

    def _opened(self, cause: TamperCause, signs: Signs, start_us: int, t_us: int) -> Report:
        self._back_us = None
        self._open = Opened(
            number=self._next_number(),
            kind=EventKind.TAMPER,
            cause=cause,
            t_us=t_us,
            start_us=start_us,
            zones=(),
            score=_score(cause, signs),
            box=_box(cause, signs),
            path=(),
            best=True,
        )
        return self._open

    def _closed(self, told: Opened, end_us: int, t_us: int) -> Report:
        self._open = self._since_us = self._back_us = None
        return Closed(
            number=told.number,
            kind=told.kind,
            cause=told.cause,
            t_us=t_us,
            start_us=told.start_us,
            end_us=end_us,
            zones=(),
            score=told.score,
            box=told.box,
            path=(),
            best=False,
        )


def _covered(signs: Signs) -> bool:
    """Whether most of the scene has gone, and what is there instead shows nothing."""
    if signs.was >= DAY and signs.level <= DARK and signs.veil <= SHADE:
        return True
    if abs(signs.residue) >= RESIDUE:
        return False
    if signs.kept <= LOST:
        return signs.flat >= WHOLLY_FLAT or signs.coarse < BARE
    plain = signs.flat >= PART_FLAT or (signs.coarse < ROUGH and signs.sharp < PLAIN_SHARP)
    return signs.kept <= PART and plain and signs.veil >= CLEAR


def _blurred(signs: Signs) -> bool:
    """Whether fine edges have gone and coarse ones have stayed, under the same light."""
    same = signs.outline > OUTLINE and signs.light < SAME_LIGHT
    return same and any(signs.sharp < sharp and _detail(signs) < detail for sharp, detail in BLURRED)


def _detail(signs: Signs) -> float:
    """Usual 1: the scene's own fine structure against its coarse one, squared."""
    return float((max(signs.detail, 0.0) / max(signs.outline, 0.01)) ** 2)


def _score(cause: TamperCause, signs: Signs) -> float:
    """How much of the scene is lost, 0..1."""
    if cause is TamperCause.FROZEN:
        return 1.0
    lost = 1 - (signs.sharp if cause is TamperCause.DEFOCUSED else signs.kept)
    return round(float(min(max(lost, 0.0), 1.0)), 3)  # what NumPy counts is no float that can be sent


def _box(cause: TamperCause, signs: Signs) -> Box:
    """What is covered or drowned; else the whole picture."""
    if cause not in (TamperCause.COVERED, TamperCause.BLINDED) or not signs.lost.any():
        return (0.0, 0.0, 1.0, 1.0)
    rows, columns = signs.lost.shape
    down, across = (np.flatnonzero(signs.lost.any(axis=axis)) for axis in (1, 0))
    top, left = int(down[0]) / rows, int(across[0]) / columns
    height, width = (int(down[-1]) + 1) / rows - top, (int(across[-1]) + 1) / columns - left
    return (round(left, 4), round(top, 4), round(width, 4), round(height, 4))
