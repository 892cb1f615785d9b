"""Pictures become RTP payloads that are within the limit and lose nothing, whoever reads them."""

import pytest
from aiortc.codecs.h264 import H264PayloadDescriptor
from aiortc.rtp import RtcpPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from camera_hub.annexb import joined, nal_units
from camera_hub.live import gop, rtp
from camera_hub.live.rtp import PAYLOAD_BYTES, Packetiser, payloads, sender_report
from tests.support.live import encode, fake_packet


def depacketised(parts: list[bytes]) -> bytes:
    """By aiortc's own reader."""
    return b"".join(H264PayloadDescriptor.parse(part)[1] for part in parts)


def units(sizes: list[int]) -> bytes:
    """NAL units of these sizes, without zeros in them."""
    return joined(
        [bytes([0x41 + 0x20 * (number % 2), *[number % 255 + 1] * (size - 1)])
         for number, size in enumerate(sizes)]
    )  # fmt: skip


@given(st.lists(st.one_of(st.integers(2, 60), st.integers(1100, 1300), st.integers(2000, 9000)), max_size=9))
def test_what_goes_in_comes_out_at_the_other_end(sizes: list[int]) -> None:
    data = units(sizes)
    parts = list(payloads(data))
    assert all(len(part) <= PAYLOAD_BYTES for part in parts)
    assert nal_units(depacketised(parts)) == nal_units(data)


def test_small_units_go_together_and_fragments_are_of_one_size() -> None:
    parts = list(payloads(units([10, 8, 5000])))
    assert len(parts) == 1 + 5
    assert parts[0][0] & 0x1F == 24
    assert {len(part) for part in parts[1:-1]} == {PAYLOAD_BYTES}
    assert [part[1] & 0xC0 for part in parts[1:]] == [0x80, 0, 0, 0, 0x40]


@pytest.mark.parametrize("slices", [1, 4])
def test_an_encoders_pictures(slices: int) -> None:
    for packet in encode(frames=30, slices=slices, delimiters=True).packets:
        assert nal_units(depacketised(list(payloads(packet.data)))) == nal_units(packet.data)


def test_a_picture_is_made_once_for_all_and_kept_until_the_next_keyframe() -> None:
    packetiser = Packetiser()
    first, second = fake_packet(0, keyframe=True), fake_packet(1)
    made = packetiser.picture(first)
    packetiser.picture(second)
    assert packetiser.picture(first) is made
    packetiser.picture(fake_packet(2, keyframe=True))
    assert packetiser.picture(first) is not made


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gop, "MAX_BYTES", 1000)
    packetiser = Packetiser()
    packets = [fake_packet(number, size=300) for number in range(20)]
    for packet in packets:
        packetiser.picture(packet)
        assert packetiser._bytes <= 1000
        assert sum(one.size for one in packetiser._pictures.values()) == packetiser._bytes


def test_a_sender_report_is_read_by_others() -> None:
    data = sender_report(7, b"camera", 1_780_000_000_500_000, 90_000, 2**32 + 5, 1234)
    report, description = RtcpPacket.parse(data)
    assert isinstance(report, RtcpSrPacket)
    assert report.ssrc == 7
    assert report.sender_info.ntp_timestamp == (1_780_000_000 + rtp._NTP_EPOCH_S) << 32 | 1 << 31
    assert (report.sender_info.rtp_timestamp, report.sender_info.packet_count) == (90_000, 5)
    assert report.sender_info.octet_count == 1234
    assert isinstance(description, RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"camera")]
