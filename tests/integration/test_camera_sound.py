"""Sound is taken from cameras that have it, over TCP and UDP, where it is wanted; none is worse for it."""

import threading
from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from camera_hub.cameras.rtsp import RtspSource, Transport
from camera_hub.cameras.source import StalledError
from camera_hub.model import SoundPacket
from tests.support import sound
from tests.support.cameras import assert_sound, read

SOUNDS = {"alaw": "pcm_alaw", "mulaw": "pcm_mulaw", "aac": "aac", "other": "g726", "none": None}


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with sound.cameras(tmp_path_factory.mktemp("cameras"), SOUNDS) as urls:
        yield urls


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("name", ["alaw", "mulaw", "aac"])
def test_pictures_and_sound_come_together(urls: dict[str, str], name: str, transport: Transport) -> None:
    heard: list[SoundPacket] = []
    info, packets = read(RtspSource(urls[name], transport=transport, on_sound=heard.append), 30)
    assert_sound(info, packets, "h264", (320, 240))
    assert info.sound is not None
    assert info.sound.usable
    assert (info.sound.codec, info.sound.channels) == (SOUNDS[name], 1)
    assert info.sound.rate == (16000 if name == "aac" else 8000)
    length_us = 64_000 if name == "aac" else 40_000
    assert len(heard) * length_us > 2_300_000
    # Once the camera has told how the two belong together.
    for before, after in pairwise(heard[10:]):
        assert after.pts_us - before.pts_us == pytest.approx(length_us, abs=40_000)
    assert abs(heard[-1].pts_us - packets[-1].pts_us) < 500_000


@pytest.mark.parametrize("name", ["other", "none"])
def test_sound_that_cannot_be_used_changes_nothing(urls: dict[str, str], name: str) -> None:
    heard: list[SoundPacket] = []
    info, packets = read(RtspSource(urls[name], on_sound=heard.append), 25)
    assert_sound(info, packets, "h264", (320, 240))
    assert heard == []
    assert (info.sound is None) == (name == "none")
    assert info.sound is None or not info.sound.usable


def test_what_nobody_wants_is_not_fetched(urls: dict[str, str]) -> None:
    info, packets = read(RtspSource(urls["alaw"]), 15)
    assert_sound(info, packets, "h264", (320, 240))
    assert info.sound is None


@pytest.mark.timeout(60)
def test_sound_alone_is_no_living_stream(tmp_path: Path) -> None:
    with sound.cameras(tmp_path, {"gate": "pcm_alaw"}) as urls:
        source = RtspSource(urls["gate"], on_sound=lambda packet: None, read_timeout_s=1)
        source.open()
        threading.Timer(1, (tmp_path / "gate.blind").touch).start()
        with pytest.raises(StalledError, match="only sound"):
            deque(source.packets(), maxlen=0)
        source.close()
