"""Does each camera answer, and does it send what the hub can use well?

Relies on `cameras.probe`, which opens a camera's streams for a moment and never raises. All
cameras are asked at once, each in a thread, since most of the time is spent waiting.
"""

import dataclasses
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from rich.markup import escape
from rich.table import Table

from camera_hub.cameras.probe import StreamProbe, probe_camera
from camera_hub.config import CameraConfig
from camera_hub.model import CameraState

_MOST_AT_ONCE = 16
_LONG_KEYFRAME_INTERVAL_S = 4.5
_MOST_SUB_PIXELS = 1024 * 576
_PLAYS_EVERYWHERE = "h264"
_SOUNDS = {"aac": "AAC", "pcm_alaw": "G.711 A-law", "pcm_mulaw": "G.711 µ-law"}
_VERDICTS = {
    CameraState.UNAUTHORISED: "refuses the password",
    CameraState.UNSUPPORTED: "cannot be used",
    CameraState.STALLED: "sends nothing",
}


@dataclasses.dataclass(frozen=True)
class CameraReport:
    """What a camera's streams answered."""

    camera: CameraConfig
    streams: tuple[StreamProbe, ...]

    @property
    def ok(self) -> bool:
        """Whether it answered, with all its streams."""
        return bool(self.streams) and all(stream.ok for stream in self.streams)


def check_cameras(
    cameras: Sequence[CameraConfig], timeout_s: float, answered: Callable[[], object] = lambda: None
) -> list[CameraReport]:
    """Ask all cameras, in the order given. `answered` is called as each is done."""
    if not cameras:
        return []
    with ThreadPoolExecutor(max_workers=min(len(cameras), _MOST_AT_ONCE)) as pool:
        asked = [pool.submit(probe_camera, camera, timeout_s) for camera in cameras]
        for _ in as_completed(asked):
            answered()
        pairs = zip(cameras, asked, strict=True)
        return [CameraReport(camera, tuple(answer.result())) for camera, answer in pairs]


def verdict(probe: StreamProbe) -> str:
    """Whether a stream can be used, in a word or two."""
    if probe.ok:
        return "answers, with advice" if advice(probe) else "answers"
    return _VERDICTS.get(probe.state, "does not answer")


def advice(probe: StreamProbe) -> str:
    """What an operator should do about a stream, in words; empty when all is well."""
    if not probe.ok:
        return probe.error
    found = []
    if probe.codec != _PLAYS_EVERYWHERE:
        found.append(f"{probe.codec} does not play live in every browser; set the camera to H.264")
    if probe.keyframe_interval_s is not None and probe.keyframe_interval_s > _LONG_KEYFRAME_INTERVAL_S:
        found.append("live starts late with so few keyframes; set one every 2 s in the camera")
    if probe.stream == "sub" and probe.width * probe.height > _MOST_SUB_PIXELS:
        found.append("it is large for a sub stream; about 640x360 saves work")
    if probe.sound is not None and not probe.sound.usable:
        found.append(f"its sound ({sound(probe)}) cannot be used; set it to AAC or G.711 in the camera")
    return "; ".join(found)


def sound(probe: StreamProbe) -> str:
    """The stream's sound in a word or two; empty where there is none, or it is not wanted."""
    told = probe.sound
    if told is None:
        return ""
    name = _SOUNDS.get(told.codec, told.codec.upper() or "an unknown codec")
    return f"{name} {told.rate / 1000:g} kHz" if told.rate else name


def notes(reports: Sequence[CameraReport]) -> list[str]:
    """All advice, a line each; what holds for several streams of a camera is said once."""
    lines = []
    for report in reports:
        said: dict[str, list[str]] = {}
        for probe in report.streams:
            if words := advice(probe):
                said.setdefault(words, []).append(probe.stream)
        lines += [f"{report.camera.id} {' and '.join(streams)}: {words}" for words, streams in said.items()]
    return lines


def table(reports: Sequence[CameraReport]) -> Table:
    """The reports for a terminal."""
    made = Table(box=None, pad_edge=False)
    for heading in ("camera", "stream", "codec", "size"):
        made.add_column(heading)
    for heading in ("fps", "keyframe"):
        made.add_column(heading, justify="right")
    heard = any(report.camera.audio for report in reports)  # a narrow terminal has little room
    if heard:
        made.add_column("sound")
    made.add_column("verdict")
    for report in reports:
        for probe in report.streams:
            colour = "green" if probe.ok else "red"
            size = f"{probe.width}x{probe.height}" if probe.width else "-"
            made.add_row(
                escape(report.camera.id),
                probe.stream,
                escape(probe.codec or "-"),
                size,
                _number(probe.fps, ".1f"),
                _number(probe.keyframe_interval_s, ".1f", " s"),
                *([escape(sound(probe) or ("-" if report.camera.audio else "off"))] if heard else []),
                f"[{colour}]{escape(verdict(probe))}[/]",
            )
    return made


def as_json(reports: Sequence[CameraReport]) -> list[dict[str, Any]]:
    """The reports for a machine."""
    return [
        {
            "id": report.camera.id,
            "name": report.camera.name,
            "ok": report.ok,
            "streams": [
                _fields(probe) | {"sound": sound(probe), "verdict": verdict(probe), "advice": advice(probe)}
                for probe in report.streams
            ],
        }
        for report in reports
    ]


def _fields(probe: StreamProbe) -> dict[str, Any]:
    names = (
        "stream",
        "ok",
        "state",
        "codec",
        "width",
        "height",
        "fps",
        "keyframe_interval_s",
        "kbit_s",
        "error",
    )
    return {name: getattr(probe, name) for name in names}


def _number(value: float | None, form: str, unit: str = "") -> str:
    return f"{value:{form}}{unit}" if value else "-"
