"""How a region looks from near, and whether that is a mover: the last and dearest of the tests. Pure.

Light leaves the ground's texture where it is and has soft edges; an insect or a thread at the lens is lit
by the camera's own lamp, so it is brighter than what it hides, and out of focus or thin. So what is
nothing but brighter has to show more than what is darker.
"""

from collections.abc import Sequence
from typing import NamedTuple

SURE_LOOKS = 3  # looks that it takes ...
SURE_SHARP = 0.8  # ... unless it is so sharp that one is enough
THROUGH = 0.7  # of the ground's texture still there: it is lit, not hidden
SHARP = 0.5  # of its contrast goes at its edges over 3 px, at least
INSECT_SHARP, INSECT_SIZE = 0.6, (12.0, 48.0)  # ... at the sizes in px that an insect at the lens has
SURELY_SHARP = 0.7  # ... what is fast for its size, and what is nothing but brighter
DARK = 0.5  # share brighter, below which it is rather darker than the scene
BRIGHT = 0.85  # ... from which on it is nothing but brighter
LONG_LOOKED_AT = 8  # looks after which what is bright must be surely sharp: chance has had its turns
LIT, LIT_THROUGH, LIT_SIZE = 0.7, 0.4, 64.0  # share brighter, texture still there, px: as lit ground looks
DOT_SIZE, DOT_BRIGHT, ROUND = 24.0, 0.9, 1.4  # px, share brighter, times as long as wide
THREAD, THREAD_SIZE = 4.0, 12.0  # times as long as wide, px


class Looks(NamedTuple):
    """What one look tells."""

    sharp: float  # of its contrast goes at its edges, about 1 in focus
    brighter: float  # share of it that is brighter than what it hides
    slender: float  # times as long as wide
    through: float  # how much of the background's texture is still there, -1..1


def like_a_mover(looks: Sequence[Looks], size: float, *, fast: bool, faint: bool) -> bool:
    """Whether what looked like `looks`, the newest last, and is now `size` px large may be a mover.

    `fast` is for its size; `faint` is what has few edges.
    """
    seen = Looks(*(sum(values) / len(looks) for values in zip(*looks, strict=True)))
    if len(looks) < SURE_LOOKS and seen.sharp < SURE_SHARP:
        return False
    if seen.through > THROUGH or _is_thread(looks[-1], size) or _is_dot(seen, size):
        return False
    return seen.sharp >= _least_sharp(seen, len(looks), size, fast=fast, faint=faint)


def _least_sharp(seen: Looks, looks: int, size: float, *, fast: bool, faint: bool) -> float:
    if seen.brighter >= LIT and (
        looks > LONG_LOOKED_AT or (seen.through >= LIT_THROUGH and size >= LIT_SIZE)
    ):
        return SURE_SHARP
    if seen.brighter >= BRIGHT:
        return SURELY_SHARP
    if faint:
        return SURE_SHARP
    if seen.brighter < DARK:
        return SHARP
    if fast:
        return SURELY_SHARP
    return INSECT_SHARP if INSECT_SIZE[0] <= size <= INSECT_SIZE[1] else SHARP


def _is_thread(seen: Looks, size: float) -> bool:
    """Whether it is a spider's thread in the lamp's light."""
    return seen.slender >= THREAD and seen.brighter >= BRIGHT and size >= THREAD_SIZE


def _is_dot(seen: Looks, size: float) -> bool:
    """Whether it is a small round light, as an insect that walks on the lens in the lamp's light."""
    return size <= DOT_SIZE and seen.brighter >= DOT_BRIGHT and seen.slender < ROUND
