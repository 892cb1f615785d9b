"""Packets to files and back: segments, catalogue, retention, clips.

In the order in which a packet travels: `recorder` (one stream's thread) → `segment` (one file; `timeline`,
`annexb` and `fmp4` are its pure parts) → `files` (the layout on disk) → `catalogue` (which segments there
are) → `clip` (a range of time as one MP4 file) → `retention` (what is oldest goes).
"""

from camera_hub.recording.catalogue import Catalogue, Segment
from camera_hub.recording.clip import Clip, cut_clip
from camera_hub.recording.recorder import Recorder
from camera_hub.recording.retention import Freed, Retention
from camera_hub.recording.schema import CatalogueError

__all__ = ["Catalogue", "CatalogueError", "Clip", "Freed", "Recorder", "Retention", "Segment", "cut_clip"]
