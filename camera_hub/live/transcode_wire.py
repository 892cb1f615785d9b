"""What the server and a transcoding process say to each other, over the process' pipes.

The process is told by its command what to make (`Shape`). Each message is MessagePack behind its length in
four bytes. To the process: `Begin`, then packets; from it the same, of the stream that it makes, and
`Figures` at least every other second, which also say that it lives.
"""

import asyncio
from typing import BinaryIO

import msgspec

from camera_hub.model import Packet, StreamInfo

MAX_BYTES = 32 * 1024 * 1024


class Shape(msgspec.Struct, frozen=True):
    """What comes out, at most."""

    height: int = 720  # px; a smaller picture keeps its size
    fps: float | None = None  # None: all pictures
    kbit: int = 1500  # a second


class Begin(msgspec.Struct, frozen=True, array_like=True, tag="begin"):
    """The stream begins, or begins anew. What is made of it has the same `chapter`."""

    chapter: int
    info: StreamInfo


class Coded(msgspec.Struct, frozen=True, array_like=True, tag="packet"):
    """The stream's next packet."""

    packet: Packet


class Figures(msgspec.Struct, frozen=True, array_like=True, tag="figures"):
    """How the process does, since it began."""

    cpu_us: int = 0
    encoded: int = 0  # pictures
    left_out: int = 0  # pictures that were decoded and not encoded, to keep up or for `fps`
    dropped: int = 0  # packets that there was no time for
    damaged: int = 0  # packets that the decoder refused


Message = Begin | Coded | Figures

_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def framed(message: Message) -> bytes:
    data = msgspec.msgpack.encode(message)
    return len(data).to_bytes(4) + data


def read(pipe: BinaryIO) -> Message | None:
    """The next message, in a thread that may wait; None at the end. Raises ValueError on nonsense."""
    head = pipe.read(4)
    data = pipe.read(_size(head)) if len(head) == 4 else b""
    return _decoder.decode(data) if data else None


async def read_async(pipe: asyncio.StreamReader) -> Message:
    """The next message. Raises IncompleteReadError at the end, ValueError on nonsense."""
    return _decoder.decode(await pipe.readexactly(_size(await pipe.readexactly(4))))


def _size(head: bytes) -> int:
    size = int.from_bytes(head)
    if not 0 < size <= MAX_BYTES:
        raise ValueError(f"a message of {size} bytes")
    return size
