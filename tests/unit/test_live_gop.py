"""The cached group begins with a keyframe, misses nothing after it, and is bounded."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.live.gop import GopCache
from tests.support.live import fake_packet


def test_what_comes_before_the_first_keyframe_is_not_kept() -> None:
    cache = GopCache()
    cache.add(fake_packet(0))
    assert cache.packets() == ()


def test_a_keyframe_lets_the_older_group_go() -> None:
    cache = GopCache()
    packets = [fake_packet(number, keyframe=number % 3 == 0) for number in range(5)]
    for packet in packets:
        cache.add(packet)
    assert cache.packets() == tuple(packets[3:])


def test_a_group_longer_than_the_bound_is_let_go_until_the_next_keyframe() -> None:
    cache = GopCache(max_packets=3)
    for number in range(6):
        cache.add(fake_packet(number, keyframe=number == 0))
    assert cache.packets() == ()
    assert cache.overflows == 1
    cache.add(fake_packet(6, keyframe=True))
    assert len(cache.packets()) == 1


def test_a_keyframe_larger_than_the_bound_is_not_kept() -> None:
    cache = GopCache(max_bytes=1000)
    cache.add(fake_packet(0, keyframe=True, size=1001))
    assert cache.packets() == ()


@given(st.lists(st.tuples(st.booleans(), st.integers(50, 400)), max_size=60))
def test_it_is_always_whole_and_never_over_its_bounds(stream: list[tuple[bool, int]]) -> None:
    cache = GopCache(max_bytes=1500, max_packets=10)
    fed = []
    for number, (keyframe, size) in enumerate(stream):
        packet = fake_packet(number, keyframe=keyframe, size=size)
        fed.append(packet)
        cache.add(packet)
        kept = cache.packets()
        assert len(kept) <= 10
        assert sum(len(one.data) for one in kept) <= 1500
        if kept:
            assert kept[0].keyframe
            assert kept == tuple(fed[-len(kept) :])
            assert not any(one.keyframe for one in kept[1:])


def test_it_is_read_whole_while_another_thread_adds() -> None:
    cache = GopCache()
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            cache.add(fake_packet(number, keyframe=number % 25 == 0, step_us=1))
            number += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(2000):
            kept = cache.packets()
            if kept:
                assert kept[0].keyframe
                first = kept[0].pts_us
                assert [packet.pts_us for packet in kept] == list(range(first, first + len(kept)))
    finally:
        stop.set()
        writer.join()
