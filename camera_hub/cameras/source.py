"""What every kind of camera offers, and everything that can be wrong with one, as types.

A source is one connection to one stream. It promises packets that are complete access units in
Annex B, whose first is a keyframe, whose keyframes each carry their parameter sets, and whose
decoding times only grow. It makes no second attempt: that is the reader's work.
"""

from collections.abc import Iterator
from typing import ClassVar, Protocol

from camera_hub.model import CameraState, Cause, HubError, Packet, StreamInfo


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
    """Why a stream cannot be had, in words that say what to do; `state` is what people see.

    `cause` says the same to programs, and `detail` has what a sentence made of it has to name.
    """

    state: ClassVar[CameraState] = CameraState.CONNECTING
    cause: ClassVar[Cause] = Cause.UNEXPECTED
    final = False  # whether trying again could not change anything

    def __init__(self, words: str, detail: str = "") -> None:
        super().__init__(words)
        self.detail = detail


class RefusedError(CameraError):
    """Nobody listens at the address."""

    cause = Cause.REFUSED


class UnreachableError(CameraError):
    """There is no way to the address, or its name is unknown."""

    cause = Cause.UNREACHABLE


class TimedOutError(CameraError):
    """No answer came in time."""

    cause = Cause.TIMED_OUT


class BusyError(CameraError):
    """The camera answers, but cannot serve the stream now."""

    cause = Cause.BUSY


class NotFoundError(CameraError):
    """The camera answers, but has no such stream."""

    cause = Cause.NOT_FOUND


class WrongTransportError(CameraError):
    """The camera answers, but does not send this stream in this way."""

    cause = Cause.WRONG_TRANSPORT


class NonsenseError(CameraError):
    """What came is not what the protocol or the format allows."""

    cause = Cause.NONSENSE


class NoOnvifError(CameraError):
    """The camera does not say by ONVIF what its streams are."""

    cause = Cause.NO_ONVIF


class EndedError(CameraError):
    """The stream ended, though streams of cameras have no end."""

    cause = Cause.ENDED


class GivenUpError(CameraError):
    """`interrupt` was called before the stream was open."""


class StalledError(CameraError):
    """The connection stands, but nothing new comes."""

    state = CameraState.STALLED
    cause = Cause.STALLED


class NoKeyframeError(StalledError):
    """Pictures come, but none that one could start with."""

    cause = Cause.NO_KEYFRAME


class UnauthorisedError(CameraError):
    """The camera refuses our user name or password."""

    state = CameraState.UNAUTHORISED
    cause = Cause.WRONG_PASSWORD


class NoPasswordError(UnauthorisedError):
    """The camera wants a user name and password, and we have none."""

    cause = Cause.NO_PASSWORD


class LongPasswordError(UnauthorisedError):
    """User name and password are longer than can be sent."""

    cause = Cause.LONG_PASSWORD


class NoVideoError(CameraError):
    """The stream has no video in it."""

    state = CameraState.UNSUPPORTED
    cause = Cause.NO_VIDEO


class NoSecondStreamError(NoVideoError):
    """The camera has but one stream that we can use."""

    cause = Cause.NO_SECOND_STREAM


class UnsupportedError(CameraError):
    """The video is in a codec that we cannot use."""

    state = CameraState.UNSUPPORTED
    cause = Cause.UNSUPPORTED_CODEC

    @classmethod
    def of(cls, codec: str, where: str) -> "UnsupportedError":
        """The error that names the codec; `where` it comes from begins the sentence."""
        return cls(
            f"{where} sends video as {codec.upper() or 'an unknown codec'}, which cannot be used here; "
            "set it to H.264 where it is made, for a camera in its own settings",
            codec.upper(),
        )


class ClipMissingError(CameraError):
    """There is no such clip, or we may not read it."""

    cause = Cause.CLIP_MISSING


class BadClipError(CameraError):
    """The file is no video that can be played."""

    state = CameraState.UNSUPPORTED
    cause = Cause.CLIP_BAD


class TruncatedError(CameraError):
    """A clip ended before its time: the file is damaged. What was there has been played."""

    state = CameraState.UNSUPPORTED
    cause = Cause.CLIP_TRUNCATED


class ClipOverError(CameraError):
    """A clip that is not to be played again has ended."""

    state = CameraState.STALLED
    cause = Cause.CLIP_OVER
    final = True
