"""A camera's sound leaves its process only while a stream is watched and somebody listens."""

import socket
from collections.abc import Iterator

import pytest

from camera_hub.ingest.channel import CameraEnd
from camera_hub.ingest.messages import FromCamera, TapOpened, TapPackets, TapSound
from camera_hub.ingest.pipeline import _Tap
from camera_hub.model import SoundInfo, SoundPacket, StreamInfo
from tests.support.live import fake_packet

INFO = StreamInfo("h264", 320, 240, 10.0, b"", sound=SoundInfo("pcm_alaw", 8000, 1))
SOUND = SoundPacket(b"la", 1)


class Remembered(CameraEnd):
    """Keeps what is sent."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(sock)
        self.sent: list[FromCamera] = []

    def send(self, message: FromCamera) -> bool:
        self.sent.append(message)
        return True

    def take(self) -> list[type]:
        kinds, self.sent = [type(message) for message in self.sent], []
        return kinds


@pytest.fixture
def channel() -> Iterator[Remembered]:
    ours, theirs = socket.socketpair()
    with theirs:
        made = Remembered(ours)
        yield made
        made.close()


def test_sound_is_sent_while_the_stream_is_tapped_and_heard(channel: Remembered) -> None:
    tap = _Tap("main", channel)
    tap.listen(on=True)  # of a stream that nobody watches
    tap.opened(INFO)
    tap.sound(SOUND)
    tap.packet(fake_packet(0, keyframe=True))
    assert channel.take() == []
    tap.switch(on=True)
    tap.sound(SOUND)
    assert channel.take() == [TapOpened, TapPackets]
    tap.listen(on=True)
    tap.sound(SOUND)
    tap.packet(fake_packet(1))
    assert channel.take() == [TapSound, TapPackets]
    tap.listen(on=False)
    tap.sound(SOUND)
    tap.listen(on=True)
    tap.switch(on=False)
    tap.switch(on=True)
    tap.sound(SOUND)
    assert TapSound not in channel.take()
