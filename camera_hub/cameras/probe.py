"""Tries a camera out: does each stream answer, and what does it send? For `camera-hub check`."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import structlog

from camera_hub.cameras import open_source
from camera_hub.cameras.source import CameraError, Source
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.config import CameraConfig
from camera_hub.model import CameraState, SoundInfo, StreamName

log = structlog.get_logger(__name__)

ENOUGH_KEYFRAMES = 3  # two whole groups of pictures: the first may be told in a burst
TIMEOUT_S = 15.0


class StreamProbe(NamedTuple):
    """What was found out about one stream."""

    stream: StreamName
    ok: bool
    codec: str = ""
    width: int = 0  # px
    height: int = 0  # px
    fps: float | None = None  # measured over the stream's own timestamps
    keyframe_interval_s: float | None = None  # None: fewer than two keyframes came in time
    kbit_s: float | None = None  # measured likewise
    sound: SoundInfo | None = None  # None: there is none, or the configuration does not want it
    error: str = ""
    state: CameraState = CameraState.ONLINE


def probe_camera(
    camera: CameraConfig, timeout_s: float = TIMEOUT_S, clock: Clock = SYSTEM_CLOCK
) -> list[StreamProbe]:
    """Open each of the camera's streams, at once, and read it for a while; `timeout_s` bounds the
    reading of a stream that is open. Blocks. Never raises: what is wrong stands in the answer."""
    names = camera.stream_names
    with ThreadPoolExecutor(len(names), "probe") as pool:
        return list(pool.map(lambda name: _probe(camera, name, timeout_s, clock), names))


def _probe(camera: CameraConfig, stream: StreamName, timeout_s: float, clock: Clock) -> StreamProbe:
    try:
        source = open_source(camera, stream, clock)
        try:
            return _look(source, stream, timeout_s, clock)
        finally:
            source.close()
    except CameraError as exc:
        return StreamProbe(stream, ok=False, error=str(exc), state=exc.state)
    except Exception:
        log.exception("trying a stream out failed unexpectedly", camera=camera.id, stream=stream)
        words = "trying it out failed in an unexpected way; the log has the details"
        return StreamProbe(stream, ok=False, error=words, state=CameraState.CONNECTING)


def _look(source: Source, stream: StreamName, timeout_s: float, clock: Clock) -> StreamProbe:
    info = source.open()
    until_us = clock.monotonic_us() + timeout_s * 1e6
    packets: list[tuple[int, int, bool]] = []  # dts_us, bytes, keyframe
    keyframes = 0
    try:
        for packet in source.packets():
            packets.append((packet.dts_us, len(packet.data), packet.keyframe))
            keyframes += packet.keyframe
            if keyframes >= ENOUGH_KEYFRAMES or clock.monotonic_us() > until_us:
                break
    except CameraError:
        if len(packets) < 2:
            raise
    info = source.info
    length_s = (packets[-1][0] - packets[0][0]) / 1e6 if packets else 0.0
    intervals = [b - a for a, b in pairwise(dts for dts, _, keyframe in packets if keyframe)]
    return StreamProbe(
        stream,
        ok=True,
        codec=info.codec,
        width=info.width,
        height=info.height,
        fps=_rate([b - a for (a, *_), (b, *_) in pairwise(packets)]) or info.fps,
        keyframe_interval_s=round(max(intervals) / 1e6, 2) if intervals else None,
        kbit_s=round(sum(size for _, size, _ in packets[:-1]) * 8 / 1000 / length_s, 1) if length_s else None,
        sound=info.sound,
    )


def _rate(intervals_us: list[int]) -> float | None:
    """Frames a second by the middle four fifths of the intervals between them: a camera's clock is
    set right now and then (by an RTCP sender report), which makes one interval too long or too short."""
    cut = len(intervals_us) // 10
    middle = sorted(intervals_us)[cut : len(intervals_us) - cut]
    return round(len(middle) * 1e6 / sum(middle), 1) if sum(middle) > 0 else None
