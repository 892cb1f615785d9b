"""How large a mover may look where it stands.

Promises: a person's height grows evenly with the row of the feet, as a level camera's picture of
level ground has it; what is far smaller or larger than a person at its place is not believed.
Without two measured places everything is possible. Relies on boxes in px of the small picture.
"""

from camera_hub.motion.frame import CELL
from camera_hub.motion.regions import Region
from camera_hub.motion.reports import PersonHeight

LEAST = 0.3  # of a person's height; the longer side of what walks: a dog has 0.45, a hen 0.2
TALLEST = 2.5  # ... a laden lorry
LONGEST = 6.0  # ... the same, from the side
FARTHEST = 0.01  # of the picture; nobody looks smaller, also beyond the horizon


class Perspective:
    """The sizes of one camera's movers at one picture size."""

    def __init__(self, heights: tuple[PersonHeight, ...], size: tuple[int, int]) -> None:
        """`size` is (width, height) px of the small picture."""
        self._rows = size[1]
        self._growth = self._offset = 0.0
        self._known = len(heights) == 2
        if self._known:
            far, near = sorted(heights, key=lambda height: height.at[1])
            self._growth = (near.height - far.height) / (near.at[1] - far.at[1])
            self._offset = far.height - self._growth * far.at[1]

    def person(self, foot: float) -> float:
        """How tall in px a person is whose feet are in row `foot` (px)."""
        return self._rows * max(FARTHEST, self._offset + self._growth * foot / self._rows)

    def possible(self, region: Region) -> bool:
        """Whether `region` may be a mover where it is. Its box is known to a cell each way."""
        if not self._known:
            return True
        person = self.person(region.bottom)
        wide, tall = region.right - region.left, region.bottom - region.top
        if max(wide, tall) + CELL < LEAST * person:
            return False
        if region.bottom >= self._rows:
            return True  # its feet are below the picture, nobody knows how far
        return tall - CELL <= TALLEST * person and wide - CELL <= LONGEST * person
