"""How a camera does, from how its streams do: the worst stream speaks for the camera."""

from collections.abc import Sequence
from typing import Protocol

from camera_hub.model import CameraHealth, CameraState, StreamHealth, StreamName

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
    error: str
    since_us: int

    @property
    def recording_problem(self) -> str: ...

    def health(self) -> StreamHealth | None: ...


def camera_health(camera: str, streams: Sequence[HasHealth]) -> CameraHealth:
    """One camera's health from its streams'."""
    worst = min(streams, key=lambda s: _WORST_FIRST.index(s.state))
    error = worst.error
    if error and any(s.state is not worst.state for s in streams):
        error = f"{worst.stream}: {error}"  # the other stream is better, so say which one is meant
    problems = [s.recording_problem for s in streams if s.recording_problem]
    return CameraHealth(
        camera=camera,
        state=worst.state,
        since_us=worst.since_us,
        error=error,
        streams=tuple(h for s in streams if (h := s.health()) is not None),
        recording=problems[0] if problems else "",
    )
