"""Sound beside the pictures has no hole, whatever the camera sends; a picture is never held up by it."""

import io
import itertools
from collections.abc import Iterable

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from camera_hub.live.fragments import LiveMuxer
from camera_hub.live.sound import LEAST_WAIT_US, MOST_WAIT_US, LiveSound
from camera_hub.live.voice import Encoder, Frame, Passed, voice
from camera_hub.model import Packet, SoundInfo, SoundPacket, StreamInfo
from camera_hub.mp4.aac import LowComplexity, low_complexity
from tests.support import sound

PICTURES = sound.pictures(seconds=4)
FRAME_US = 64_000  # 1024 samples at 16 kHz


def at(packet: Packet, time_us: int) -> Packet:
    return Packet(packet.data, time_us, time_us, packet.wall_us, packet.keyframe)


def muxed(
    pictures: tuple[StreamInfo, list[Packet]], about: SoundInfo, packets: Iterable[SoundPacket]
) -> tuple[str, bytes]:
    """The codec's name and the whole stream; each packet of sound comes before the first later picture."""
    made = voice(about)
    beside = LiveSound(made.made)
    info, shown = pictures
    muxer, data, name, waiting = LiveMuxer(info, beside), b"", "", list(packets)
    for picture in shown:
        while waiting and waiting[0].pts_us <= picture.pts_us:
            beside.hear(made.take([waiting.pop(0)]))
        fragment = muxer.fragment(picture)
        assert fragment is not None
        if fragment.head is not None:
            name, data = fragment.head.codec, data + fragment.head.data
        data += fragment.data
    return name, data


def heard(data: bytes) -> tuple[int, NDArray[np.float32]]:
    """The rate and all samples, as FFmpeg decodes them; the times must follow each other exactly."""
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        times = [
            (packet.dts, packet.duration) for packet in container.demux(audio=0) if packet.dts is not None
        ]
    assert times[0][0] == 0
    assert all(one + (length or 0) == after for (one, length), (after, _) in itertools.pairwise(times))
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        frames = list(container.decode(audio=0))
        rate = frames[0].sample_rate
        return rate, np.concatenate([frame.to_ndarray()[0] for frame in frames])


def beeps(rate: int, samples: NDArray[np.float32]) -> list[float]:
    """When each tone begins, in s."""
    step = rate // 100
    loud = np.array([np.abs(samples[i : i + step]).max() for i in range(0, len(samples) - step, step)]) > 0.05
    return [round(float(i) / 100, 2) for i in np.flatnonzero(loud[1:] & ~loud[:-1]) + 1]


@pytest.mark.parametrize(("codec", "rate"), [("pcm_alaw", 8000), ("pcm_mulaw", 8000), ("aac", 16000)])
def test_what_the_camera_says_is_heard_in_its_time(codec: str, rate: int) -> None:
    name, data = muxed(PICTURES, *sound.sound(codec, rate))
    assert name.startswith("avc1.")
    assert name.endswith(",mp4a.40.2")
    made_rate, samples = heard(data)
    assert made_rate == (16000 if codec == "aac" else 48000)
    # The first beep begins with the stream; AAC's first frame fades in.
    assert beeps(made_rate, samples)[-3:] == pytest.approx([1, 2, 3], abs=0.07)
    with av.open(io.BytesIO(data), "r", format="mp4") as container:
        assert sum(1 for _ in container.decode(video=0)) == 40


def test_aac_is_passed_through_bit_for_bit() -> None:
    about, packets = sound.sound("aac", 16000)
    _, data = muxed(PICTURES, about, packets)
    assert all(packet.data in data for packet in packets[:50])


def test_other_aac_is_encoded_anew() -> None:
    about, _ = sound.sound("aac", 16000)
    assert isinstance(voice(about), Passed)
    six_channels = bytes((0x14, 0x08 | 6 << 3 & 0x7F))
    assert isinstance(voice(SoundInfo("aac", 16000, 6, six_channels)), Encoder)
    with pytest.raises(ValueError, match="no-such-codec"):
        voice(SoundInfo("no-such-codec", 8000, 1))


def placed(beside: LiveSound, frames: list[Frame], time_us: int) -> int:
    """How many frames go with the picture of a time."""
    beside.hear(frames)
    data = beside.fragment(time_us, 0)
    return int.from_bytes(data[data.index(b"trun") + 8 :][:4]) if data else 0


def test_silence_takes_the_place_of_sound_that_never_comes() -> None:
    beside = LiveSound(LowComplexity(16000, 1))
    count = sum(placed(beside, [], time_us) for time_us in range(0, 10_000_001, 100_000))
    assert 0 <= 10_000_000 - LEAST_WAIT_US - count * FRAME_US < 2 * FRAME_US


def test_sound_that_is_always_late_is_waited_for_and_heard() -> None:
    beside, late_us = LiveSound(LowComplexity(16000, 1)), 600_000
    real, count, time_us = 0, 0, 0
    for number in range(200):
        time_us = number * FRAME_US + late_us
        before = count
        count += placed(beside, [Frame(number * FRAME_US, b"real")], time_us)
        if number > 20:
            real += count - before == 1
    assert real == 179


def test_a_gap_is_filled_and_what_is_too_late_is_left_out() -> None:
    beside = LiveSound(LowComplexity(16000, 1))
    assert placed(beside, [Frame(0, b"a"), Frame(FRAME_US, b"b")], 100_000) == 2
    assert placed(beside, [Frame(10 * FRAME_US, b"c")], 11 * FRAME_US) == 9
    assert placed(beside, [Frame(3 * FRAME_US, b"d")], 11 * FRAME_US) == 0
    assert placed(beside, [Frame(10**12, b"e")], 11 * FRAME_US) == 0


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(-3_000_000, 3_000_000), st.integers(0, 3)), max_size=60))
def test_sound_is_never_far_behind_the_picture_nor_far_ahead(told: list[tuple[int, int]]) -> None:
    beside, count = LiveSound(LowComplexity(16000, 1)), 0
    for number, (apart_us, frames) in enumerate(told):
        time_us = number * 100_000
        count += placed(
            beside, [Frame(time_us + apart_us + n * FRAME_US, b"x") for n in range(frames)], time_us
        )
        assert time_us - count * FRAME_US <= MOST_WAIT_US + 2 * FRAME_US
        assert count * FRAME_US - time_us <= 2_000_000 + 4 * FRAME_US


def test_a_drifting_clock_does_not_add_up() -> None:
    about, packets = sound.sound("pcm_alaw", 8000, seconds=4)
    made, beside, count, fast = voice(about), LiveSound(LowComplexity(48000, 1)), 0, 1.02
    for number in range(1500):  # a minute, by a clock that runs 2 % fast
        time_us = number * 40_000
        told = SoundPacket(packets[number % 100].data, round(time_us * fast))
        beside.hear(made.take([told]))
        data = beside.fragment(round(time_us * fast), 0)
        count += int.from_bytes(data[data.index(b"trun") + 8 :][:4]) if data else 0
        assert abs(time_us * fast - count * 1024 / 48000 * 1e6) < 400_000


def test_what_cannot_be_decoded_is_left_out() -> None:
    about, packets = sound.sound("aac", 16000)
    made = Encoder(about)
    damaged = [SoundPacket(b"\xff\xff\xff", one.pts_us) for one in packets[:5]]
    assert len(made.take([*damaged, *packets[5:20]])) > 20


def test_a_stream_that_begins_anew_begins_with_its_sound() -> None:
    info, shown = PICTURES
    beside = LiveSound(LowComplexity(16000, 1))
    muxer = LiveMuxer(info, beside)
    for packet in shown[:10]:
        muxer.fragment(packet)
    larger = sound.pictures(seconds=1, size=(480, 320))[1]
    first = muxer.fragment(at(larger[0], 5_000_000))
    assert first is not None
    assert first.head is not None
    later = [muxer.fragment(at(packet, 5_000_000 + n * 100_000)) for n, packet in enumerate(larger[1:], 1)]
    data = first.head.data + first.data + b"".join(one.data for one in later if one is not None)
    _, samples = heard(data)
    assert not np.any(samples)


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_silence_is_silent(rate: int, channels: int) -> None:
    made = LowComplexity(rate, channels)
    decoder = av.CodecContext.create("aac", "r")
    assert isinstance(decoder, av.AudioCodecContext)
    decoder.extradata = made.config
    frames = [frame for _ in range(5) for frame in decoder.decode(av.Packet(made.silence))]
    assert len(frames) == 5
    assert (frames[-1].sample_rate, frames[-1].layout.nb_channels) == (rate, channels)
    assert frames[-1].samples == 1024
    assert not np.any(frames[-1].to_ndarray())


@given(st.binary(max_size=8))
def test_any_configuration_is_read_or_refused(config: bytes) -> None:
    made = low_complexity(config)
    if made is not None:
        assert low_complexity(made.config) == made
