"""What a scene of the practice hamlet is made of, as plain values; drawing it is others' work.

Coordinates are optics' world metres. Promises: everything is frozen, so that a scene can be a key.
"""

from dataclasses import dataclass

from camera_hub.simulate.optics import Optics

Point = tuple[float, float]
"""(x, z) on the ground."""


@dataclass(frozen=True)
class Band:
    """A strip along a line: a lane (`concrete`, `dirt`) or a `stream`."""

    points: tuple[Point, ...]
    width_m: float
    kind: str = "concrete"


@dataclass(frozen=True)
class Patch:
    """An upright rectangle of ground: `yard`, `dirt`, `pitch`, `paddy` or `tea`."""

    kind: str
    x0: float
    z0: float
    x1: float
    z1: float
    rows_deg: float = 0.0


@dataclass(frozen=True)
class Hill:
    """A round hill; with `tea`, in rows around it."""

    x: float
    z: float
    rx: float
    rz: float
    height_m: float
    tea: bool = True


@dataclass(frozen=True)
class Thing:
    """Something that stands there: what it is, where, its sizes (metres) and its turn (degrees)."""

    kind: str
    x: float
    z: float
    size: tuple[float, ...] = ()
    turn_deg: float = 0.0
    look: int = 0
    text: str = ""


@dataclass(frozen=True)
class Route:
    """A way that movers take: it begins and ends where nobody sees them."""

    points: tuple[Point, ...]
    kinds: tuple[str, ...]
    stops: tuple[float, ...] = ()  # fractions of the way where somebody may stand a while


@dataclass(frozen=True)
class Scene:
    """A camera's view of the hamlet."""

    id: str
    name: str
    optics: Optics
    conditions: tuple[str, ...]
    bands: tuple[Band, ...]
    routes: tuple[Route, ...]
    patches: tuple[Patch, ...] = ()
    hills: tuple[Hill, ...] = ()
    things: tuple[Thing, ...] = ()
    ground: str = "grass"
    sun_deg: float = 60.0  # where the sun stands, from z towards x
    lamp: tuple[float, float, float] | None = None  # a lamp on a pole: x, up, z
    clip_s: float = 60.0  # whole GOPs; cameras differ, so that they do not all loop at once
