"""RTP times: always growing, a burst is quick, and after it they step as the camera's own times do."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.live.timeline import Pacer, Timeline

FRAME_US = 100_000
NOW_US = 77_000_000


def test_times_step_as_the_cameras_do_whenever_the_packets_come() -> None:
    timeline = Timeline(NOW_US)
    delays = [0 if number == 5 else 1 + number * 7919 % 30_000 for number in range(1, 50)]
    arrivals = [number * FRAME_US + delay for number, delay in enumerate(delays, start=1)]
    times = [
        timeline.rtp_time(5_000_000 + number * FRAME_US, NOW_US + at)
        for number, at in enumerate(arrivals, start=1)
    ]
    steps = [b - a for a, b in pairwise(times)]
    assert steps[4:] == [9000] * len(steps[4:])  # from the quickest packet on
    assert min(steps) > 9000 - 30 * 90


def test_a_burst_takes_no_longer_in_rtp_time_than_it_took_to_send() -> None:
    timeline = Timeline(NOW_US)
    burst = [timeline.rtp_time(number * FRAME_US, NOW_US + number * 500) for number in range(100)]
    assert burst[-1] - burst[0] <= 100 * 90  # 10 s of video in 100 ms
    # The newest of the burst was taken 60 ms ago; the next comes 40 ms later and is shown as it comes.
    edge_us = NOW_US + 50_000
    live = [
        timeline.rtp_time((99 + number) * FRAME_US, edge_us - 60_000 + number * FRAME_US)
        for number in range(1, 20)
    ]
    assert [b - a for a, b in pairwise(live)][2:] == [9000] * 16
    assert abs(live[-1] - (edge_us - 60_000 + 19 * FRAME_US - NOW_US) * 9 // 100) <= 90 * 110


def test_the_camera_beginning_anew_does_not_turn_time_back() -> None:
    timeline = Timeline(NOW_US)
    before = timeline.rtp_time(900_000_000, NOW_US)
    after = timeline.rtp_time(40_000, NOW_US + 3_000_000)
    assert after - before == 3 * 90_000
    assert timeline.rtp_time(140_000, NOW_US + 3_100_000) - after == 9000


@given(st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(0, 10**7)), min_size=2, max_size=60))
def test_times_always_grow_and_are_never_far_from_now(stream: list[tuple[int, int]]) -> None:
    now = NOW_US
    timeline = Timeline(now)
    last = -1
    for pts, wait in stream:
        now += wait
        time = timeline.rtp_time(pts, now)
        assert time > last
        last = time
        elapsed = (now - NOW_US) * 9 // 100
        assert time <= elapsed + 90 * len(stream)
        assert time >= elapsed - 90_000 - 1


def test_a_burst_may_leave_at_once_and_then_waits_for_its_rate() -> None:
    pacer = Pacer(bytes_s=1_000_000, burst_bytes=10_000, now_us=0)
    assert pacer.wait_s(8_000, 0) == 0
    assert pacer.wait_s(8_000, 0) == 0  # the bucket was not empty yet
    assert pacer.wait_s(1_000, 0) == 0.006
    assert pacer.wait_s(1_000, 1_000_000) == 0


def test_the_bucket_never_holds_more_than_a_burst() -> None:
    pacer = Pacer(bytes_s=1_000_000, burst_bytes=10_000, now_us=0)
    assert pacer.wait_s(10_000, 3_600_000_000) == 0
    assert pacer.wait_s(5_000, 3_600_000_000) == 0
    assert pacer.wait_s(1, 3_600_000_000) == 0.005


def test_what_is_asked_for_again_has_a_budget() -> None:
    pacer = Pacer(1000, 500, 0)
    assert [pacer.may(400, 0) for _ in range(4)] == [True, True, False, False]
    assert pacer.may(400, 400_000)
    assert not pacer.may(400, 500_000)
