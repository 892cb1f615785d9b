"""Promise: packets become pictures in the right order and the right colours, and damage costs the pictures up
to the next keyframe, no more."""

from fractions import Fraction

import av
import cv2
import msgspec
import numpy as np
import pytest
from av.video.codeccontext import VideoCodecContext
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from numpy.typing import NDArray

from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.model import Packet, StreamInfo
from tests.support.recorded import stream

COLOURS = {
    "red": (40, 30, 200),
    "green": (60, 170, 50),
    "blue": (190, 80, 30),
    "white": (250, 250, 250),
}  # BGR


def decoded(info: StreamInfo, packets: tuple[Packet, ...] | list[Packet]) -> list[DecodedFrame]:
    decoder = LumaDecoder(info)
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    return frames + decoder.flush()


@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_every_packet_becomes_a_picture_with_its_times(codec: str) -> None:
    info, packets = stream(codec, seconds=2)
    frames = decoded(info, packets)
    assert [(frame.pts_us, frame.wall_us, frame.keyframe) for frame in frames] == [
        (packet.pts_us, packet.wall_us, packet.keyframe) for packet in packets
    ]
    assert all(frame.luma.shape == (120, 160) for frame in frames)


def test_without_b_frames_no_picture_waits_for_the_next_packet() -> None:
    info, packets = stream("h264", seconds=2)
    decoder = LumaDecoder(info)
    assert [len(decoder.decode(packet)) for packet in packets] == [1] * len(packets)


def test_reordered_pictures_keep_their_own_wall_time() -> None:
    info, packets = stream("h264", seconds=3, b_frames=2)
    frames = decoded(info, packets)
    assert [frame.pts_us for frame in frames] == sorted(packet.pts_us for packet in packets)
    walls = {packet.pts_us: packet.wall_us for packet in packets}
    assert all(frame.wall_us == walls[frame.pts_us] for frame in frames)


def test_luma_is_the_decoders_own_plane() -> None:
    info, packets = stream("h264", seconds=1, size=(322, 182))
    frame = decoded(info, packets)[0]
    assert frame.luma.shape == (182, 322)
    assert frame.luma.dtype == np.uint8
    assert not frame.luma.flags.writeable
    assert np.shares_memory(frame.luma, frame.luma)
    first = frame.luma.copy()
    decoded(info, packets)
    assert np.array_equal(frame.luma, first)


def test_it_starts_with_a_keyframe() -> None:
    info, packets = stream("h264", seconds=4)
    frames = decoded(info, packets[5:])
    assert frames[0].keyframe
    assert len(frames) == 20


def test_damage_costs_the_pictures_up_to_the_next_keyframe() -> None:
    info, packets = stream("h264", seconds=6)
    damaged = list(packets)
    damaged[5] = msgspec.structs.replace(packets[5], data=packets[5].data[:5] + b"\xff" * 40)
    decoder = LumaDecoder(info)
    frames = [frame for packet in damaged for frame in decoder.decode(packet)]
    assert decoder.errors == 1
    assert [frame.pts_us for frame in frames] == [packet.pts_us for packet in packets[:5] + packets[20:]]


def test_bytes_that_are_no_video_are_counted() -> None:
    info, packets = stream("h264", seconds=2)
    decoder = LumaDecoder(info)
    junk = msgspec.structs.replace(packets[0], data=b"\x00\x00\x00\x01\x65" + bytes(range(256)) * 4)
    assert decoder.decode(junk) == []
    assert decoder.errors == 1
    assert len(decoder.decode(packets[0])) == 1


def test_another_size_in_mid_stream_is_followed() -> None:
    info, small = stream("h264", seconds=1, size=(160, 120))
    _, large = stream("h264", seconds=1, size=(320, 240))
    shapes = [frame.luma.shape for frame in decoded(info, [*small, *large])]
    assert shapes == [(120, 160)] * 10 + [(240, 320)] * 10


def test_it_goes_on_after_a_flush() -> None:
    info, packets = stream("h264", seconds=2)
    decoder = LumaDecoder(info)
    for packet in packets[:15]:
        decoder.decode(packet)
    decoder.flush()
    assert decoder.decode(packets[15]) == []
    assert len(decoder.decode(packets[0])) == 1


def test_jpeg_has_the_size_that_was_asked_for() -> None:
    info, packets = stream("h264", seconds=1, size=(320, 240))
    frame = decoded(info, packets)[0]
    assert size(frame.jpeg()) == (320, 240)
    assert size(frame.jpeg(height=120)) == (160, 120)
    assert size(frame.jpeg(height=1000)) == (320, 240)
    assert size(frame.jpeg(box=(0.25, 0.5, 0.5, 0.25))) == (160, 60)
    assert size(frame.jpeg(height=30, box=(0.25, 0.5, 0.5, 0.25))) == (80, 30)
    assert size(frame.jpeg(box=(1, 1, 0, 0))) == (1, 1)
    assert size(frame.jpeg(box=(0.9, 0.9, 0.5, 0.5))) == (32, 24)
    assert len(frame.jpeg(quality=30)) < len(frame.jpeg(quality=95))


@pytest.mark.parametrize("name", COLOURS)
@pytest.mark.parametrize("full", [False, True], ids=["limited", "full"])
@pytest.mark.parametrize(
    ("matrix", "size", "said"),
    [
        (Colorspace.ITU601, (160, 120), True),
        (Colorspace.ITU709, (160, 120), True),
        (Colorspace.ITU601, (160, 120), False),  # what does not say is taken for what it mostly is
        (Colorspace.ITU709, (1280, 720), False),
    ],
)
def test_colours_are_right(
    name: str, full: bool, matrix: Colorspace, size: tuple[int, int], said: bool
) -> None:
    info, packet = coloured(COLOURS[name], full, matrix, size, said)
    frame = decoded(info, [packet])[0]
    picture = read(frame.jpeg(quality=95))
    middle = picture[size[1] // 2, size[0] // 2].astype(int)
    assert np.abs(middle - COLOURS[name]).max() <= 6, middle


def test_ten_bit_pictures_have_luma_of_eight() -> None:
    info, packets = stream("hevc", seconds=1, pixels="yuv420p10le")
    frame = decoded(info, packets)[0]
    assert frame.luma.dtype == np.uint8
    assert frame.luma.shape == (120, 160)
    assert size(frame.jpeg()) == (160, 120)


def size(jpeg: bytes) -> tuple[int, int]:
    picture = read(jpeg)
    return picture.shape[1], picture.shape[0]


def read(jpeg: bytes) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


def coloured(
    bgr: tuple[int, int, int], full: bool, matrix: Colorspace, size: tuple[int, int], said: bool
) -> tuple[StreamInfo, Packet]:
    """A keyframe of one colour, coded with the matrix and range; it tells of the former only if `said`."""
    encoder = av.CodecContext.create("libx264", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height = size
    encoder.pix_fmt = "yuvj420p" if full else "yuv420p"
    encoder.time_base = Fraction(1, 10)
    told = {Colorspace.ITU601: "smpte170m", Colorspace.ITU709: "bt709"}[matrix] if said else "undef"
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"colormatrix={told}:fullrange={'on' if full else 'off'}:qp=4",
    }
    pixels = np.full((size[1], size[0], 3), bgr, np.uint8)
    coded = VideoReformatter().reformat(
        av.VideoFrame.from_ndarray(pixels, "bgr24"),
        format=encoder.pix_fmt,
        dst_colorspace=matrix,
        dst_color_range=ColorRange.JPEG if full else ColorRange.MPEG,
    )
    if not said:
        coded.colorspace = 2
    coded.pts = 0
    encoded = [*encoder.encode(coded), *encoder.encode(None)]
    return StreamInfo("h264", *size, None, b""), Packet(bytes(encoded[0]), 0, 0, 0, True)
