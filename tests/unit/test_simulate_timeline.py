"""RTP payloads of practice streams (RFC 6184): every byte arrives once, in packets that fit."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.simulate.timeline import MAX_PAYLOAD, payloads


def reassembled(packets: list[tuple[bytes, bool]]) -> list[bytes]:
    """The NAL units of an access unit, as a receiver puts them together."""
    nalus: list[bytes] = []
    for payload, _ in packets:
        if payload[0] & 0x1F != 28:
            nalus.append(payload)
        elif payload[1] & 0x80:
            nalus.append(bytes([(payload[0] & 0xE0) | (payload[1] & 0x1F)]) + payload[2:])
        else:
            nalus[-1] += payload[2:]
    return nalus


@given(st.lists(st.tuples(st.sampled_from([0x65, 0x41, 0x67]), st.integers(0, 9000)), min_size=1, max_size=4))
def test_a_receiver_gets_the_same_units_back(shapes: list[tuple[int, int]]) -> None:
    nalus = [bytes([head]) + bytes(i % 251 for i in range(size)) for head, size in shapes]
    packets = payloads(nalus)
    assert reassembled(packets) == nalus
    assert all(len(payload) <= MAX_PAYLOAD for payload, _ in packets)
    assert [last for _, last in packets] == [False] * (len(packets) - 1) + [True]


def test_the_pieces_of_a_large_unit_say_where_it_begins_and_ends() -> None:
    packets = payloads([bytes([0x65]) + bytes(2 * (MAX_PAYLOAD - 2))])
    assert [payload[1] & 0xC0 for payload, _ in packets] == [0x80, 0x40]
