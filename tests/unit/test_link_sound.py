"""Sound over the link: to a server that asks, from a worker that has it; older ones go on as before."""

import msgspec
import pytest

from camera_hub.link.messages import (
    Health,
    LinkError,
    Listen,
    LiveOpened,
    LiveSound,
    Watch,
    decode_from_server,
    decode_from_worker,
    encode,
)
from camera_hub.link.outgoing import MAX_SOUND_PACKETS, LiveBuffer
from camera_hub.model import (
    CameraHealth,
    CameraState,
    Packet,
    SoundInfo,
    SoundPacket,
    StreamHealth,
    StreamInfo,
)

INFO = StreamInfo("h264", 640, 360, 10.0, b"", sound=SoundInfo("aac", 16000, 1, b"\x14\x08"))
SOUND = tuple(SoundPacket(b"la", number) for number in range(3))


class OldStreamInfo(msgspec.Struct, frozen=True):
    """As it was before there was sound."""

    codec: str
    width: int
    height: int
    fps: float | None
    extradata: bytes
    profile: str = ""


class OldLiveOpened(msgspec.Struct, frozen=True, tag="LiveOpened", tag_field="type"):
    camera: str
    stream: str
    info: OldStreamInfo


def test_what_is_sent_arrives() -> None:
    for message in (LiveOpened("a", "sub", INFO), LiveSound("a", "sub", SOUND)):
        assert decode_from_worker(encode(message)) == message
    listen = Listen("a", "sub", on=True)
    assert decode_from_server(encode(listen)) == listen


def test_an_older_server_reads_a_stream_that_has_sound() -> None:
    read = msgspec.msgpack.decode(encode(LiveOpened("a", "sub", INFO)), type=OldLiveOpened)
    assert (read.info.codec, read.info.width) == ("h264", 640)


def test_an_older_worker_tells_of_no_sound_so_that_none_is_asked_for() -> None:
    old = OldLiveOpened("a", "sub", OldStreamInfo("h264", 640, 360, 10.0, b""))
    read = decode_from_worker(msgspec.msgpack.encode(old))
    assert isinstance(read, LiveOpened)
    assert read.info.sound is None
    health = StreamHealth("main", "h264", 1, 1, 1.0, 1.0, None, 0, 0)
    told = Health(1, (CameraHealth("a", CameraState.ONLINE, 0, streams=(health,)),), 0, 1, 1, 1)
    without = msgspec.msgpack.decode(encode(told))
    del without["cameras"][0]["streams"][0]["sound"]
    assert decode_from_worker(msgspec.msgpack.encode(without)) == told


def test_listening_is_no_word_of_a_worker_and_sound_none_of_a_server() -> None:
    with pytest.raises(LinkError, match="Listen"):
        decode_from_worker(encode(Listen("a", "sub", on=True)))
    with pytest.raises(LinkError, match="LiveSound"):
        decode_from_server(encode(LiveSound("a", "sub", SOUND)))
    assert decode_from_server(encode(Watch("a", "sub", on=True))) == Watch("a", "sub", on=True)


def test_sound_waits_for_the_wire_within_a_bound_and_goes_when_the_stream_begins_anew() -> None:
    buffer = LiveBuffer("a", "sub")
    for number in range(3 * MAX_SOUND_PACKETS):
        buffer.add_sound((SoundPacket(b"la", number),))
    message = buffer.take()
    assert isinstance(message, LiveSound)
    assert [one.pts_us for one in message.packets] == list(
        range(2 * MAX_SOUND_PACKETS, 3 * MAX_SOUND_PACKETS)
    )
    assert buffer.take() is None
    buffer.add_sound(SOUND)
    buffer.open(INFO)
    assert isinstance(buffer.take(), LiveOpened)
    assert buffer.take() is None
    buffer.add((Packet(b"x", 0, 0, 0, keyframe=True),), now_us=0)
    buffer.add_sound(SOUND)
    assert isinstance(buffer.take(), LiveSound)
    assert buffer.take() is not None
