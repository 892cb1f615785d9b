"""Packets to files and back: segments, catalogue, retention, clips.

In the order in which a packet travels: `recorder` (one stream's thread) → `segment` (one file; `timeline`,
`annexb` and `fmp4` are its pure parts) → `files` (the layout on disk) → `catalogue` (which segments there
are) → `clip` (a range of time as one MP4 file) → `spans` and `playback` (what there is, for somebody who
looks back) → `retention` (what is oldest goes).
"""

from camera_hub.recording.catalogue import Catalogue, Segment
from camera_hub.recording.clip import Clip, cut_clip
from camera_hub.recording.playback import Range, open_file, open_range
from camera_hub.recording.recorder import Recorder
from camera_hub.recording.retention import Freed, Retention
from camera_hub.recording.schema import CatalogueError
from camera_hub.recording.spans import Recorded, Span, recorded

__all__ = [
    "Catalogue",
    "CatalogueError",
    "Clip",
    "Freed",
    "Range",
    "Recorded",
    "Recorder",
    "Retention",
    "Segment",
    "Span",
    "cut_clip",
    "open_file",
    "open_range",
    "recorded",
]
