"""How a camera does, from how its streams do: the worst stream speaks for the camera."""

from collections.abc import Sequence
from typing import Protocol

from camera_hub.cameras import CameraError
from camera_hub.model import CameraHealth, CameraState, GateReason, RecordingCause, StreamHealth, StreamName

# From bad to good; `away` is what a server says of a site, never a worker of a camera.
_WORST_FIRST = (
    CameraState.UNSUPPORTED,
    CameraState.UNAUTHORISED,
    CameraState.STALLED,
    CameraState.CONNECTING,
    CameraState.ONLINE,
)


class HasHealth(Protocol):
    """A stream that can say how it does."""

    stream: StreamName
    state: CameraState
    error: CameraError | None
    since_us: int

    @property
    def recording_problem(self) -> str: ...

    @property
    def recording_cause(self) -> RecordingCause | None: ...

    def health(self) -> StreamHealth | None: ...


class Watches(Protocol):
    """Who looks for what moves, and can say what that costs."""

    gate_reason: GateReason | None
    decoded_share: float | None


def camera_health(camera: str, streams: Sequence[HasHealth], watcher: Watches | None = None) -> CameraHealth:
    """One camera's health from its streams', and from who watches it."""
    worst = min(streams, key=lambda s: _WORST_FIRST.index(s.state))
    error = worst.error
    # Where the other stream is better, say which one is meant.
    named = worst.stream if error and any(s.state is not worst.state for s in streams) else None
    words = str(error or "")
    unrecorded = next((s for s in streams if s.recording_problem), None)
    return CameraHealth(
        camera=camera,
        state=worst.state,
        since_us=worst.since_us,
        error=f"{named}: {words}" if named else words,
        streams=tuple(h for s in streams if (h := s.health()) is not None),
        recording=unrecorded.recording_problem if unrecorded else "",
        cause=error.cause if error else None,
        cause_detail=error.detail if error else "",
        cause_stream=named,
        recording_cause=unrecorded.recording_cause if unrecorded else None,
        gate_reason=watcher.gate_reason if watcher else None,
        decoded_share=watcher.decoded_share if watcher else None,
    )
