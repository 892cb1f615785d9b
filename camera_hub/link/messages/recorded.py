"""What was recorded, for somebody who looks back: which times there are, and a range of one stream.

A range comes as the bytes of an MP4 in pieces of any size, and never more of them than the server has asked
for: `window` bytes to begin with, then up to each `RangeMore`.
"""

from camera_hub.link.messages.base import Message
from camera_hub.model import HubError, NotRecorded, StreamName

WINDOW_BYTES = 256 * 1024  # of a range that may be on their way, or wait at the server
MAX_SPANS = 4000  # of a stream in one answer


class NotRecordedError(HubError):
    """Recordings cannot be looked at; `code` says why, for programs."""

    def __init__(self, words: str, code: NotRecorded) -> None:
        super().__init__(words)
        self.code = code


class SpansWanted(Message, frozen=True):
    """Server: which times of a camera are recorded?"""

    request: int
    camera: str
    from_us: int
    to_us: int


class RecordedSpan(Message, frozen=True, tag=False, array_like=True):
    """A time without a gap, of one shape of picture."""

    start_us: int  # wall
    end_us: int
    codec: str  # FFmpeg's name
    width: int  # px
    height: int  # px


class StreamSpans(Message, frozen=True, tag=False):
    """What is recorded of one stream, in order."""

    stream: StreamName
    kbit_s: float  # on the average
    spans: tuple[RecordedSpan, ...]


class Spans(Message, frozen=True):
    """Worker: these, out of [from_us, to_us); `to_us` is sooner than asked where there are too many.

    Or in words why nobody knows.
    """

    request: int
    to_us: int
    streams: tuple[StreamSpans, ...] = ()
    oldest_us: int | None = None  # since when there are recordings of the camera at all
    error: str = ""
    code: NotRecorded | None = None


class RangeWanted(Message, frozen=True):
    """Server: send what is recorded of a stream in [from_us, to_us).

    To be played, as fragmented MP4 whose time runs as the wall clock did; or, as `file`, as a plain MP4 that
    somebody keeps, in the lane of long video.
    """

    request: int
    camera: str
    stream: StreamName
    from_us: int
    to_us: int
    window: int
    file: bool = False


class RangeMore(Message, frozen=True):
    """Server: of a range, so many bytes from its beginning may be sent."""

    request: int
    up_to: int


class RangeStop(Message, frozen=True):
    """Server: nobody looks any more."""

    request: int


class RangeBegins(Message, frozen=True):
    """Worker: what comes now."""

    request: int
    start_us: int  # wall; of the first picture, which may be before what was asked for, or after it
    codec: str  # for browsers: "avc1.64001f"
    width: int  # px
    height: int  # px
    size: int | None = None  # bytes in all, where that is known


class RangePiece(Message, frozen=True):
    """Worker: the next bytes."""

    request: int
    data: bytes


class RangeEnded(Message, frozen=True):
    """Worker: that was all; or in words why there is no more."""

    request: int
    error: str = ""
    code: NotRecorded | None = None
