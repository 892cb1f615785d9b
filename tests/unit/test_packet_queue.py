"""The queue between reader and consumer: bounded, whole GOPs, never a GOP without its head."""

import itertools
import threading

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.ingest.packet_queue import Item, PacketQueue, Pause
from camera_hub.model import Packet, StreamInfo

INFO = StreamInfo(codec="h264", width=4, height=4, fps=None, extradata=b"")


def packet(number: int, keyframe: bool, size: int = 1) -> Packet:
    return Packet(data=b"x" * size, pts_us=number, dts_us=number, wall_us=number, keyframe=keyframe)


def drained(queue: PacketQueue) -> list[Item]:
    items = []
    while (item := queue.get(0)) is not None:
        items.append(item)
    return items


def test_a_consumer_that_keeps_up_gets_everything_in_order() -> None:
    queue = PacketQueue()
    items: list[Item] = [INFO, packet(0, True), packet(1, False), Pause.PAUSE, INFO, packet(2, True)]
    for item in items:
        queue.put(item)
    assert drained(queue) == items
    assert queue.dropped == 0


def test_it_begins_at_a_keyframe() -> None:
    queue = PacketQueue()
    for number in range(4):
        queue.put(packet(number, keyframe=number == 2))
    assert drained(queue) == [packet(2, True), packet(3, False)]
    assert queue.dropped == 2


def test_a_slow_consumer_loses_its_oldest_gop() -> None:
    queue = PacketQueue(max_packets=5)
    for number in range(7):
        queue.put(packet(number, keyframe=number % 3 == 0))
    assert [i.pts_us for i in drained(queue) if isinstance(i, Packet)] == [3, 4, 5, 6]
    assert queue.dropped == 3


def test_stream_changes_are_never_dropped() -> None:
    queue = PacketQueue(max_packets=3)
    queue.put(INFO)
    for number in range(10):
        queue.put(packet(number, keyframe=number == 0))
    queue.put(Pause.PAUSE)
    items = drained(queue)
    assert items[0] == INFO
    assert items[-1] is Pause.PAUSE


@given(
    st.lists(st.tuples(st.booleans(), st.integers(1, 50)), max_size=80),
    st.integers(1, 20),
    st.integers(10, 200),
)
def test_bounds_hold_and_every_gop_has_its_head(
    packets: list[tuple[bool, int]], max_packets: int, max_bytes: int
) -> None:
    queue = PacketQueue(max_packets, max_bytes)
    for number, (keyframe, size) in enumerate(packets):
        queue.put(packet(number, keyframe, size))
    left = [i for i in drained(queue) if isinstance(i, Packet)]
    assert len(left) <= max_packets
    assert sum(len(p.data) for p in left) <= max_bytes
    assert len(left) + queue.dropped == len(packets)
    if left:
        assert left[0].keyframe
    for before, after in itertools.pairwise(left):
        assert after.keyframe or after.pts_us == before.pts_us + 1


def test_a_clip_at_full_speed_waits_for_a_slow_consumer_and_loses_nothing() -> None:
    queue = PacketQueue(max_packets=5, patient=True)
    sent = [packet(number, keyframe=number % 3 == 0) for number in range(60)]

    def read() -> None:
        for one in sent:
            queue.put(one)

    reader = threading.Thread(target=read)
    reader.start()
    got: list[Item] = []
    while len(got) < len(sent):
        got += queue.drain() if len(got) % 2 else [item] if (item := queue.get(5)) else []
    reader.join(5)
    assert got == sent
    assert queue.dropped == 0
