"""What every kind of camera offers, and everything that can be wrong with one, as types.

A source is one connection to one stream. It promises packets that are complete access units in
Annex B, whose first is a keyframe, whose keyframes each carry their parameter sets, and whose
decoding times only grow. It makes no second attempt: that is the reader's work.
"""

from collections.abc import Iterator
from typing import ClassVar, Protocol

from camera_hub.model import CameraState, HubError, Packet, StreamInfo


class Source(Protocol):
    """One connection to one stream: `open` once, then `packets` once, then `close`."""

    @property
    def info(self) -> StreamInfo:
        """What the stream is; another object as soon as it has changed (a new size, say)."""

    def open(self) -> StreamInfo:
        """Connect, and wait for the first keyframe. Raises CameraError."""

    def packets(self) -> Iterator[Packet]:
        """The stream's packets, each as soon as it is there; ends after `interrupt`.

        Raises CameraError when the stream stalls, breaks or ends; a clip that is meant to end
        just ends.
        """

    def close(self) -> None:
        """Let go of the connection. Always safe; not from another thread than `packets`."""

    def interrupt(self) -> None:
        """Ask for an end, from any thread. Takes effect at the next packet or timeout."""


class CameraError(HubError):
    """Why a stream cannot be had, in words that say what to do; `state` is what people see."""

    state: ClassVar[CameraState] = CameraState.CONNECTING
    final = False  # whether trying again could not change anything


class RefusedError(CameraError):
    """Nobody listens at the address."""


class UnreachableError(CameraError):
    """There is no way to the address, or its name is unknown."""


class TimedOutError(CameraError):
    """No answer came in time."""


class NotFoundError(CameraError):
    """The camera answers, but has no such stream; or there is no such clip."""


class NonsenseError(CameraError):
    """What came is not what the protocol or the format allows."""


class EndedError(CameraError):
    """The stream ended, though streams of cameras have no end."""


class GivenUpError(CameraError):
    """`interrupt` was called before the stream was open."""


class StalledError(CameraError):
    """The connection stands, but nothing new comes."""

    state = CameraState.STALLED


class UnauthorisedError(CameraError):
    """The camera refuses our user name or password."""

    state = CameraState.UNAUTHORISED


class NoVideoError(CameraError):
    """The stream has no video in it."""

    state = CameraState.UNSUPPORTED


class UnsupportedError(CameraError):
    """The video is in a codec that we cannot use."""

    state = CameraState.UNSUPPORTED

    @classmethod
    def of(cls, codec: str, where: str) -> "UnsupportedError":
        """The error that names the codec; `where` it comes from begins the sentence."""
        return cls(
            f"{where} sends video as {codec.upper() or 'an unknown codec'}, which cannot be used here; "
            "set it to H.264 where it is made, for a camera in its own settings"
        )


class BadClipError(CameraError):
    """The file is no video that can be played."""

    state = CameraState.UNSUPPORTED


class TruncatedError(CameraError):
    """A clip ended before its time: the file is damaged. What was there has been played."""

    state = CameraState.UNSUPPORTED
