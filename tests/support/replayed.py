"""A replay's results made up: every kind of clip that a report has to show."""

from datetime import UTC, datetime

import cv2
import numpy as np

from camera_hub.model import EventKind
from camera_hub.motion import Followed
from camera_hub.replay import score
from camera_hub.replay.labels import Labels, LabelSpan
from camera_hub.replay.result import ClipResult, EventResult, Results
from camera_hub.replay.runner import results_of
from camera_hub.replay.trace import ClipTrace, EventPicture, LabelPicture, Picture

MADE = datetime(2026, 11, 25, 6, 30, tzinfo=UTC)
NASTY = '<script>alert("1")<img onerror=x>&amp;.mp4'


def event(start_s: float, end_s: float, kind: EventKind = EventKind.MOTION) -> EventResult:
    return EventResult(
        start_s=start_s,
        end_s=end_s,
        kind=kind,
        score=0.71,
        zones=("<Ngõ>",),
        track=((start_s, 0.2, 0.6), (end_s, 0.7, 0.65)),
        told_s=start_s + 0.5,
        best_s=start_s + 1,
        box=(0.4, 0.3, 0.1, 0.3),
    )


def clip(
    name: str, events: tuple[EventResult, ...], labels: Labels | None, duration_s: float = 60.0
) -> ClipResult:
    """A clip, scored by the lab's own score."""
    bare = ClipResult(
        clip=name,
        duration_s=duration_s,
        fps=12.0,
        frames=round(12 * duration_s),
        frames_decoded=round(8 * duration_s),
        wall_s=2.0,
        cpu_s=1.9,
        events=events,
        score=None,
        codec="h264",
        width=640,
        height=360,
    )
    return bare if labels is None else score.scored(bare, labels)


def labelled(*spans: tuple[float, float], what: str = "person", conditions: tuple[str, ...] = ()) -> Labels:
    events = tuple(LabelSpan(start_s=start, end_s=end, what=what) for start, end in spans)
    return Labels(events=events, conditions=conditions)


def trace(result: ClipResult) -> ClipTrace:
    """Signals, and a picture of all that is wrong."""
    times = np.arange(0.0, result.duration_s, 0.05)
    curve = np.abs(np.sin(times)) ** 8
    series = tuple(zip(times.tolist(), curve.tolist(), strict=True))
    return ClipTrace(
        {
            "differs": series,
            "light": series,
            "followed": tuple((t, float(round(3 * v))) for t, v in series),
            "believed": tuple((t, float(round(v))) for t, v in series),
            "asleep": ((0.0, 0.0), (20.0, 1.0), (40.0, 0.0)),
        },
        tuple(
            EventPicture(event.kind, event.start_s, picture(event.best_s))
            for event in result.events
            if event.outcome in (None, "false")
        ),
        tuple(
            LabelPicture((label.start_s, label.end_s), picture(label.start_s))
            for label in result.labels
            if label.outcome == "missed"
        ),
    )


def picture(t_s: float) -> Picture:
    rows, columns = np.mgrid[0:360, 0:640]
    pixels = np.stack([rows // 3, columns // 4, 180 - rows // 4], axis=2).astype(np.uint8)
    _, jpeg = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, 60])
    tracks = (Followed(1, (0.4, 0.3, 0.1, 0.3), True), Followed(2, (0.7, 0.5, 0.05, 0.1), False))
    return Picture(t_s, bytes(jpeg), 640, 360, tracks, (0.4, 0.3, 0.1, 0.3))


def results(extra: int = 0) -> tuple[Results, list[ClipTrace | None]]:
    """Clips that are right, wrong, nasty, unlabelled and broken, and `extra` that are right."""
    clips = [
        clip("clips/right.mp4", (event(10, 20),), labelled((10.2, 19.5), conditions=("day",))),
        clip("clips/silent.mp4", (), labelled(conditions=("rain", "night"))),
        clip(
            f"clips/{NASTY}",
            (event(30, 33), event(50, 51, EventKind.TAMPER)),
            labelled((10, 14), what="<b>người</b>", conditions=('"wind"',)),
        ),
        clip("clips/two-missed.mp4", (event(11, 12),), labelled((10, 14), (30, 34), (45, 50))),
        clip("clips/không nhãn.mp4", (event(5, 9),), None),
        ClipResult(
            clip="clips/broken.mp4",
            duration_s=0.0,
            fps=0.0,
            frames=0,
            frames_decoded=0,
            wall_s=0.0,
            cpu_s=0.0,
            events=(),
            score=None,
            error="the clip broken.mp4 is empty; copy it again",
        ),
    ]
    clips += [
        clip(f"clips/more-{n}.mp4", (event(10, 20),), labelled((10.2, 19.5), conditions=("day",)))
        for n in range(extra)
    ]
    return results_of(clips), [trace(result) if result.frames else None for result in clips]
