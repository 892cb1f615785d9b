"""The seven views of the practice hamlet: where each camera stands and what stands before it."""

from camera_hub.simulate.optics import Optics
from camera_hub.simulate.scene import Band, Hill, Patch, Route, Scene

WALK = ("person", "bicycle", "motorbike")

_ALL = (
    Scene(
        "cong-lang", "Cổng làng", Optics(4.6, 13, 72), ("day",),
        (Band(((-1, -2), (0, 10), (1, 25), (3, 45), (14, 80)), 3.2),),
        (Route(((-13, 13), (13, 14)), WALK),),
        (Patch("tea", 4, 16, 22, 34, 12),),
        (Hill(-34, 50, 22, 20, 8), Hill(30, 75, 30, 22, 13), Hill(-5, 110, 40, 25, 10, False)),
    ),
)  # fmt: skip
SCENES: dict[str, Scene] = {scene.id: scene for scene in _ALL}
