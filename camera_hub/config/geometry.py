"""Parts of the picture that have a name: zones, masks and lines."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator

from camera_hub.config.section import Fraction, Section, ShortText, wrong
from camera_hub.model import Line, Point, Zone

_SMALLEST_AREA = 1e-6  # of the picture; less than a pixel of a 1280x720 picture
_SHORTEST = 1e-3  # of the picture; points that are nearer are the same to every mover


class ZoneConfig(Section):
    """A named part of the picture."""

    name: ShortText = Field(description="What people call it, once per camera. Example: Lòng đường")
    polygon: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=3, max_length=100)] = Field(
        description="Its corners, at least three, each as [x, y] in fractions of the picture: x from 0 "
        "(left) to 1 (right), y from 0 (top) to 1 (bottom). It closes by itself."
    )

    @field_validator("polygon")
    @classmethod
    def _has_an_area(cls, polygon: tuple[Point, ...]) -> tuple[Point, ...]:
        following = polygon[1:] + polygon[:1]
        twice_area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(polygon, following, strict=True))
        if abs(twice_area) / 2 < _SMALLEST_AREA:
            raise wrong("has no area: its points lie on one line or cross over; give its corners in order")
        return polygon

    def zone(self) -> Zone:
        """The same as the model's type."""
        return Zone(name=self.name, polygon=self.polygon)


class LineConfig(Section):
    """A named line that movers cross."""

    name: ShortText = Field(description="What people call it, once per camera. Example: Cổng xóm")
    points: Annotated[tuple[tuple[Fraction, Fraction], ...], Field(min_length=2, max_length=20)] = Field(
        description="Its points in order, at least two, each as [x, y] in fractions of the picture, where "
        "the feet of movers pass. Its sides are those of one who walks in the picture from the first "
        "point to the last: of a line drawn from the left to the right, right is below."
    )
    left_is: str = Field(
        default="",
        max_length=200,
        description="What crossing to its left means. Example: ra khỏi xóm (out of the hamlet)",
    )
    right_is: str = Field(
        default="",
        max_length=200,
        description="What crossing to its right means. Example: vào xóm (into the hamlet)",
    )

    @field_validator("points")
    @classmethod
    def _leads_somewhere(cls, points: tuple[Point, ...]) -> tuple[Point, ...]:
        for a, b in pairwise(points):
            if abs(a[0] - b[0]) < _SHORTEST and abs(a[1] - b[1]) < _SHORTEST:
                raise wrong("has the same point twice in a row; draw it across the way, from side to side")
        return points

    def line(self) -> Line:
        """The same as the model's type."""
        return Line(name=self.name, points=self.points, left_is=self.left_is, right_is=self.right_is)
