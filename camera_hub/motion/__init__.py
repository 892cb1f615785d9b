"""Motion: frames of one camera in, events out. Arrays and numbers only; no I/O, no clock, no threads."""

from camera_hub.motion.detector import MotionDetector
from camera_hub.motion.gate import Gate
from camera_hub.motion.reports import Changed, Closed, MotionSettings, Opened, PathPoint, Report, Sensitivity

__all__ = [
    "Changed",
    "Closed",
    "Gate",
    "MotionDetector",
    "MotionSettings",
    "Opened",
    "PathPoint",
    "Report",
    "Sensitivity",
]
