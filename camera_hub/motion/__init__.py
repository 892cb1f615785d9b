"""Motion: frames of one camera in, events out. Arrays and numbers only; no I/O, no clock, no threads."""

from camera_hub.motion.detector import MotionDetector
from camera_hub.motion.gate import Gate
from camera_hub.motion.reports import (
    Changed,
    Closed,
    Followed,
    MotionSettings,
    Numbers,
    Opened,
    PathPoint,
    PersonHeight,
    Report,
    Sensitivity,
    Sight,
)

__all__ = [
    "Changed",
    "Closed",
    "Followed",
    "Gate",
    "MotionDetector",
    "MotionSettings",
    "Numbers",
    "Opened",
    "PathPoint",
    "PersonHeight",
    "Report",
    "Sensitivity",
    "Sight",
]
