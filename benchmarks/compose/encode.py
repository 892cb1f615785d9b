"""Frames to H.264 as cameras encode them: variable or constant bit rate, any GOP, mostly no B-frames.

Relies on PyAV with libx264. Promises: the same frames give the same bytes; a file appears whole or
not at all.
"""

import fractions
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av

from benchmarks.compose.footage import Array


@dataclass(frozen=True)
class Format:
    """A clip's picture and how it is encoded."""

    width: int
    height: int
    fps: int
    gop_s: float
    crf: int | None  # None: constant bit rate
    kbit_s: int
    filler: bool = False
    b_frames: int = 0


class Encoder:
    """`write` frames, then `close`; `drop` leaves nothing behind."""

    def __init__(self, path: Path, form: Format) -> None:
        self._path, self._part, self._frames, self._form = path, path.with_name(path.name + ".part"), 0, form
        self._container: Any = av.open(str(self._part), "w", format="mp4", options={"movflags": "faststart"})
        stream: Any = self._container.add_stream("libx264", rate=form.fps)
        stream.width, stream.height, stream.pix_fmt = form.width, form.height, "yuv420p"
        stream.codec_context.time_base = fractions.Fraction(1, form.fps)
        gop = max(round(form.gop_s * form.fps), 1)
        params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={form.b_frames}:open-gop=0:threads=1"
        params += ":force-cfr=1"
        options = {"preset": "superfast", "profile": "main"}
        if form.crf is None:
            params += (
                f":bitrate={form.kbit_s}:vbv-maxrate={form.kbit_s}:vbv-bufsize={max(form.kbit_s // 2, 32)}"
            )
            params += ":nal-hrd=cbr:filler=1" if form.filler else ""
            stream.codec_context.bit_rate = form.kbit_s * 1000
        else:
            options["crf"] = str(form.crf)
            params += f":vbv-maxrate={form.kbit_s}:vbv-bufsize={form.kbit_s}"
        stream.options = {
            **options,
            "x264-params": params + ":rc-lookahead=0:sync-lookahead=0:mbtree=0",
        }
        self._stream = stream

    def write(self, planes: Array) -> None:
        """One frame as (height * 3 / 2, width) uint8 in I420."""
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = self._frames, fractions.Fraction(1, self._form.fps)
        self._frames += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self._part.replace(self._path)

    def drop(self) -> None:
        self._container.close()
        self._part.unlink(missing_ok=True)
