"""Sound over the link: to a server that asks, from a worker that has it; older ones go on as before."""

import msgspec
import pytest

from camera_hub.link.messages import (
    Health,
    LinkError,
    Listen,
    LiveOpened,
    LivePackets,
    LiveSound,
    Watch,
    decode_from_server,
    decode_from_worker,
    encode,
)
from camera_hub.link.worker.outgoing import MAX_SOUND_PACKETS, LiveBuffer
from camera_hub.link.worker.watched import Watched
from camera_hub.model import (
    CameraHealth,
    CameraInfo,
    CameraState,
    Packet,
    SoundInfo,
    SoundPacket,
    StreamHealth,
    StreamInfo,
    StreamName,
)
from tests.support.clocks import HandClock

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


def test_on_a_line_that_takes_one_message_at_a_time_sound_and_pictures_take_turns() -> None:
    buffer = LiveBuffer("a", "sub")
    went = []
    for number in range(6):
        buffer.add((Packet(b"x", number, number, 0, keyframe=True),), now_us=0)
        buffer.add_sound(SOUND)
        went.append(type(buffer.take(1)).__name__)
    assert went == ["LiveSound", "LivePackets"] * 3


class Hamlet:
    """A worker's inside that says what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def cameras(self) -> tuple[CameraInfo, ...]:
        return (CameraInfo("gate", "Cổng", streams=("main", "sub")),)

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        self.asked.append(f"{'watch' if on else 'leave'} {stream}")

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        self.asked.append(f"{'listen to' if on else 'do not hear'} {stream}")


def sent(watched: Watched) -> list[tuple[str, str]]:
    """What waits for the wire: kinds, and the names of the streams."""
    found: list[tuple[str, str]] = []
    for buffer in watched.buffers:
        while (message := buffer.take()) is not None:
            found.append((type(message).__name__, message.stream))
    return found


def narrow(watched: Watched, clock: HandClock) -> None:
    """What is watched does not get through, until less of it is sent."""
    watched.packets(LivePackets("gate", "main", (Packet(b"x", 0, 0, 0, keyframe=True),)))
    for _ in range(100):
        clock.go(0.5)
        if watched.judge():
            return
    raise AssertionError("nothing became smaller")


def test_sound_comes_with_the_stream_that_has_room_for_it_and_is_asked_for_again() -> None:
    clock, hamlet = HandClock(), Hamlet()
    watched = Watched("commune", hamlet, clock)  # type: ignore[arg-type]
    watched.listen("gate", "main", on=True)  # of a stream that nobody watches
    assert hamlet.asked == []
    watched.watch("gate", "main", on=True)
    watched.opened(LiveOpened("gate", "main", INFO))
    watched.sound(LiveSound("gate", "main", SOUND))
    assert sent(watched) == [("LiveOpened", "main")]
    watched.listen("gate", "main", on=True)
    watched.sound(LiveSound("gate", "main", SOUND))
    watched.sound(LiveSound("gate", "sub", SOUND))
    assert sent(watched) == [("LiveSound", "main")]

    narrow(watched, clock)
    assert hamlet.asked == ["watch main", "listen to main", "watch sub", "leave main"]
    watched.opened(LiveOpened("gate", "sub", INFO))
    watched.sound(LiveSound("gate", "sub", SOUND))
    assert sent(watched) == [("LiveOpened", "main")]
    watched.listen("gate", "main", on=True)
    watched.sound(LiveSound("gate", "sub", SOUND))
    assert sent(watched) == [("LiveSound", "main")]
    assert hamlet.asked[-1] == "listen to sub"


def test_who_stops_listening_does_not_silence_the_other_view_of_the_same_stream() -> None:
    clock, hamlet = HandClock(), Hamlet()
    watched = Watched("commune", hamlet, clock)  # type: ignore[arg-type]
    for stream in ("main", "sub"):
        watched.watch("gate", stream, on=True)
        watched.opened(LiveOpened("gate", stream, INFO))
    narrow(watched, clock)
    watched.listen("gate", "main", on=True)
    watched.listen("gate", "sub", on=True)
    watched.listen("gate", "main", on=False)
    assert hamlet.asked[-1] == "listen to sub"
    watched.watch("gate", "sub", on=False)
    assert hamlet.asked[-1] == "do not hear sub"
