"""Frames to H.264 in MP4 as a camera encodes them: fixed GOP of 2 s, no B-frames, capped bit rate.

Relies on: PyAV with libx264. Promises: the same frames give the same bytes; a file appears under
its name only when it is whole.
"""

import fractions
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import av

from camera_hub.simulate.optics import Array

GOP_S = 2


@dataclass(frozen=True)
class Format:
    """A stream's picture size (px), rate (frames a second) and bit rates (kbit/s)."""

    width: int
    height: int
    fps: int
    crf: int
    most_kbit_s: int


MAIN = Format(1280, 720, 15, 25, 2200)
SUB = Format(640, 360, 10, 26, 450)


class Encoder:
    """Writes one stream; used as a context. Left by an error, it leaves nothing behind."""

    def __init__(self, path: Path, form: Format) -> None:
        self._path, self._form = path, form
        self._part = path.with_name(path.name + ".part")
        self._frames = 0

    def __enter__(self) -> "Encoder":
        form = self._form
        self._container: Any = av.open(str(self._part), "w", format="mp4", options={"movflags": "faststart"})
        stream: Any = self._container.add_stream("libx264", rate=form.fps)
        stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
        stream.codec_context.time_base = fractions.Fraction(1, form.fps)
        gop = GOP_S * form.fps
        stream.options = {
            "preset": "superfast",
            "profile": "main",
            "crf": str(form.crf),
            "maxrate": f"{form.most_kbit_s}k",
            "bufsize": f"{form.most_kbit_s}k",
            "x264-params": f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes=0:open-gop=0:threads=1:"
            "rc-lookahead=0:sync-lookahead=0:mbtree=0:force-cfr=1",
        }
        self._stream = stream
        return self

    def write(self, planes: Array) -> None:
        """One frame, as (height * 3 / 2, width) uint8 in I420."""
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = self._frames
        frame.time_base = fractions.Fraction(1, self._form.fps)
        self._frames += 1
        self._container.mux(self._stream.encode(frame))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._container.mux(self._stream.encode(None))
            self._container.close()
            if kind is None:
                self._part.replace(self._path)
        finally:
            self._part.unlink(missing_ok=True)
