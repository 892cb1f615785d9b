"""What a transcode leaves out when it is late, what it makes of a picture, and what it says of itself."""

import io
from fractions import Fraction

import av
import pytest

from camera_hub.config import Config
from camera_hub.live import gop
from camera_hub.live.transcode_backlog import Backlog, Taken
from camera_hub.live.transcode_codec import Decoder, Encoder
from camera_hub.live.transcode_wire import Begin, Coded, Figures, Message, Shape, framed, read
from camera_hub.model import Packet
from camera_hub.sps import parse_sps
from tests.support import recorded
from tests.support.clocks import HandClock
from tests.support.live import fake_packet, info

BEGIN = Begin(1, info("hevc"))


class Slow:
    """A backlog that is taken from by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.backlog = Backlog(self.clock)
        self.backlog.put(BEGIN)
        assert self.take() == Taken(BEGIN, 0, False)

    def put(self, *numbers: int, group: int = 20, size: int = 100) -> None:
        """Packets of 100 ms each, with a keyframe every `group`."""
        for number in numbers:
            self.backlog.put(fake_packet(number, keyframe=number % group == 0, size=size))

    def take(self) -> Taken | None:
        return self.backlog.take(0)

    def numbers(self) -> list[int]:
        """What waits, all of it taken."""
        taken = []
        while (one := self.take()) is not None:
            assert isinstance(one.item, Packet)
            taken.append(one.item.pts_us // 100_000)
        return taken


def test_one_who_keeps_up_gets_all_and_begins_at_a_keyframe() -> None:
    slow = Slow()
    slow.put(*range(18, 45))
    assert slow.numbers() == list(range(40, 45)), "it jumps to the newest keyframe of a burst"
    slow = Slow()
    for number in range(15, 60):
        slow.put(number)
        assert slow.numbers() == ([number] if number >= 20 else [])
    assert slow.backlog.dropped == 5
    assert slow.take() is None


def test_the_cached_group_is_worked_off_however_long_that_takes() -> None:
    slow = Slow()
    slow.put(*range(100), group=100)
    for number in range(100):
        taken = slow.take()
        assert taken is not None
        assert taken.item == fake_packet(number, keyframe=number == 0)
        assert taken.late_us == (99 - number) * 100_000
        slow.clock.go(0.1)
    assert slow.backlog.dropped == 0


def test_what_waits_too_long_is_dropped_up_to_a_keyframe() -> None:
    slow = Slow()
    slow.put(0, group=100)
    assert slow.numbers() == [0]
    for number in range(1, 50):
        slow.put(number, group=100)
        slow.clock.go(0.1)
    assert slow.numbers() == [], "the last one would not be of use without those before"
    slow.put(*range(50, 102), group=100)
    taken = slow.take()
    assert taken is not None
    assert taken.gap
    assert taken.item == fake_packet(100, keyframe=True)
    assert slow.numbers() == [101]


def test_a_burst_after_a_bad_line_is_worked_off() -> None:
    slow = Slow()
    slow.put(0, group=100)
    assert slow.numbers() == [0]
    slow.clock.go(5)
    slow.put(*range(1, 50), group=100)
    assert slow.numbers() == list(range(1, 50))


def test_a_new_stream_lets_the_old_one_go() -> None:
    slow = Slow()
    slow.put(*range(5))
    slow.backlog.put(BEGIN)
    slow.put(*range(5))
    assert slow.take() == Taken(BEGIN, 0, False)
    taken = slow.take()
    assert taken is not None
    assert not taken.gap
    assert slow.numbers() == [1, 2, 3, 4]


def test_what_waits_is_bounded_in_bytes() -> None:
    slow = Slow()
    slow.put(*range(50), group=100, size=gop.MAX_BYTES // 10)
    assert len(slow.numbers()) <= 20


def made(shape: Shape, fps: int = 25, **how: int) -> tuple[Encoder, list[Packet]]:
    told, packets = recorded.stream("hevc", seconds=2, fps=fps, size=(320, 240), **how)
    decoder, encoder = Decoder(told), Encoder(shape, told.fps)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    return encoder, [encoder.encode(one) for one in pictures if encoder.due(one.pts_us)]


@pytest.mark.parametrize(("height", "size"), [(120, (160, 120)), (720, (320, 240)), (145, (192, 144))])
def test_a_picture_is_made_smaller_and_never_larger(height: int, size: tuple[int, int]) -> None:
    encoder, packets = made(Shape(height=height))
    assert encoder.info is not None
    assert (encoder.info.width, encoder.info.height) == size
    assert recorded.decoded_size("h264", packets[0].data) == size


def test_every_keyframe_has_its_parameter_sets_of_a_profile_that_all_browsers_play() -> None:
    _, packets = made(Shape())
    keyframes = [packet for packet in packets if packet.keyframe]
    assert [packet.pts_us - packets[0].pts_us for packet in keyframes] == [0]
    for packet in keyframes:
        sets = recorded.sets_of("h264", packet.data)
        sps = parse_sps("h264", sets.split(b"\x00\x00\x00\x01")[1])
        assert (sps.profile, sps.chroma, sps.luma_bits) == ("Constrained Baseline", 1, 8)


@pytest.mark.parametrize(
    ("camera", "wanted", "least", "most"), [(25, 10, 18, 21), (20, 15, 28, 31), (10, 25, 20, 20)]
)
def test_there_are_at_most_so_many_pictures_a_second(camera: int, wanted: int, least: int, most: int) -> None:
    _, packets = made(Shape(fps=wanted), fps=camera)
    assert least <= len(packets) <= most


def test_what_the_pixels_are_like_is_told_on() -> None:
    told, packets = recorded.stream("hevc", seconds=2, size=(320, 240))
    decoder, encoder = Decoder(told), Encoder(Shape())
    (picture,) = decoder.decode(packets[0])
    made = [encoder.encode(picture._replace(aspect=Fraction(16, 11)))]
    made.append(encoder.encode(decoder.decode(packets[1])[0]))
    assert [one.keyframe for one in made] == [True, True], "another kind of picture begins anew"
    player = av.CodecContext.create("h264", "r")
    assert isinstance(player, av.VideoCodecContext)
    assert [*player.decode(av.Packet(made[0].data)), *player.decode(None)]
    assert player.sample_aspect_ratio == Fraction(16, 11)


def test_a_bit_rate_is_kept() -> None:
    _, packets = made(Shape(kbit=200), kbit_s=4000)
    assert sum(len(packet.data) for packet in packets) * 8 < 1.5 * 2 * 200_000


def test_a_clock_that_jumps_back_begins_anew() -> None:
    told, packets = recorded.stream("hevc", seconds=2, size=(320, 240))
    decoder, encoder = Decoder(told), Encoder(Shape(), told.fps)
    pictures = [picture for packet in packets for picture in decoder.decode(packet)]
    later = [encoder.encode(one._replace(pts_us=one.pts_us + 50_000_000)) for one in pictures[:5]]
    assert [one.keyframe for one in later] == [True, False, False, False, False]
    assert encoder.due(pictures[5].pts_us)
    assert encoder.encode(pictures[5]).keyframe
    assert not encoder.due(pictures[4].pts_us), "an older picture after a newer one"


def test_messages_come_back_as_they_were() -> None:
    sent: list[Message] = [BEGIN, Coded(fake_packet(1, keyframe=True)), Figures(1, 2, 3, 4, 5)]
    pipe = io.BytesIO(b"".join(framed(one) for one in sent))
    assert [read(pipe) for _ in range(4)] == [*sent, None]
    with pytest.raises(ValueError, match="message of"):
        read(io.BytesIO(b"\xff" * 8))


def test_it_is_off_unless_somebody_wants_it() -> None:
    site = {"id": "a", "name": "a"}
    assert Config.model_validate({"site": site}).live.transcode.max == 0
    for wrong in ({"max": -1}, {"max": 33}, {"height": 10}, {"fps": 0}, {"kbit": 1}, {"most": 1}):
        with pytest.raises(ValueError, match="transcode"):
            Config.model_validate({"site": site, "live": {"transcode": wrong}})
