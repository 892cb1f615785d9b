"""How large a message may be, and what it may hold: one table for both ends.

The size is looked at before anything is unpacked. What a message tells of a site (the cameras, how they do,
who is there) is looked at as a whole, since it stays in memory and goes to every page; what is kept in the
database is examined there.
"""

import math
from typing import Any

import msgspec

from camera_hub.link.messages.base import MAX_MESSAGE_BYTES, LinkError, Message

KB, MB = 1024, 1024 * 1024

MAX_BYTES: dict[str, int] = {
    # who is there
    "Challenge": 64 * KB,
    "Hello": MB,  # with some 150 cameras, their zones and lines
    "Enrol": 64 * KB,
    "Enrolled": 64 * KB,
    "Welcome": 64 * KB,
    "Refused": 64 * KB,
    "NotTaken": 64 * KB,
    "NewKeyWanted": 64 * KB,
    "NewKey": 64 * KB,
    "KeyTaken": 64 * KB,
    "TimeAsked": 64 * KB,
    "TimeTold": 64 * KB,
    # how it does
    "Health": MB,
    # what is wanted of its cameras
    "Configure": MB,
    "Configured": MB,
    "CamerasChanged": MB,
    # what was recorded
    "SpansWanted": 64 * KB,
    "Spans": MB,
    "RangeWanted": 64 * KB,
    "RangeMore": 64 * KB,
    "RangeStop": 64 * KB,
    "RangeBegins": 64 * KB,
    "RangePiece": MB,
    "RangeEnded": 64 * KB,
    # what was found
    "EventNews": 2 * MB,  # a path of 20,000 points, which is the longest that is kept
    "EventPicture": 8 * MB,
    "EventClip": MAX_MESSAGE_BYTES,  # whole only to a server that takes no pieces
    "Part": MB,
    "ClipOffer": 64 * KB,
    "ClipPiece": MB,
    "ClipWanted": 64 * KB,
    "Ack": 64 * KB,
    # what is watched
    "Watch": 64 * KB,
    "Listen": 64 * KB,
    "LiveOpened": 64 * KB,
    "LivePackets": 9 * MB,  # what waits of one stream, see `outgoing.MAX_LIVE_BYTES`
    "LiveSound": MB,
    "StillRequest": 64 * KB,
    "Still": 8 * MB,
}
LEAST_BYTES = 64 * KB  # every message may have so many

MAX_TEXT = 2000  # signs
MAX_DATA = 64 * KB
MAX_ENTRIES = {
    "cameras": 500,
    "streams": 8,
    "zones": 100,
    "lines": 100,
    "polygon": 1000,
    "points": 1000,
    "answers": 5000,
    "spans": 4000,
}
MAX_OTHER_ENTRIES = 64
MAX_NUMBER = 2**53
MAX_INSTANT_US = 253_402_300_799_999_999  # the end of the year 9999


def max_bytes(name: str) -> int:
    """Of a message of that name."""
    return MAX_BYTES.get(name, MAX_MESSAGE_BYTES)


def examine(message: Message) -> None:
    """Raises LinkError naming what is too long, too many, or no number that can be used."""
    _examine(message, type(message).__name__, "")


def _examine(value: Any, where: str, key: str) -> None:
    match value:
        case str() if len(value) > MAX_TEXT:
            raise _refused(where, f"has {len(value)} signs, and may have {MAX_TEXT}")
        case bytes() if len(value) > MAX_DATA:
            raise _refused(where, f"has {len(value)} bytes, and may have {MAX_DATA}")
        case bool():
            return
        case float() if not math.isfinite(value):
            raise _refused(where, "is no finite number")
        case int() if key.endswith("_us") and not -MAX_INSTANT_US <= value <= MAX_INSTANT_US:
            raise _refused(where, "is an instant out of all time")
        case int() | float() if not key.endswith("_us") and abs(value) > MAX_NUMBER:
            raise _refused(where, "is too large a number")
        case tuple():
            most = MAX_ENTRIES.get(key, MAX_OTHER_ENTRIES)
            if len(value) > most:
                raise _refused(where, f"has {len(value)} entries, and may have {most}")
            for number, one in enumerate(value):
                _examine(one, f"{where}[{number}]", "")
        case msgspec.Struct():
            for name in value.__struct_fields__:
                _examine(getattr(value, name), f"{where}.{name}", name)


def _refused(where: str, what: str) -> LinkError:
    return LinkError(f"a message was not taken: {where} {what}")
