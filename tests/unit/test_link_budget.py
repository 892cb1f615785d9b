"""The uplink's budget: never over its bounds, the urgent first, and nobody starves in their own lane."""

from datetime import time
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.link.messages import Lane
from camera_hub.link.worker.budget import (
    LEAST_PIECE,
    MOST_PIECE,
    Budget,
    Limits,
    on_the_line,
    piece_bytes,
)
from tests.support.clocks import START_US, HandClock

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")  # START_US is 03:26:40 there


def budget(clock: HandClock, **limits: object) -> Budget:
    return Budget(Limits(**limits), ZONE, clock)  # type: ignore[arg-type]


def wait_and_send(shared: Budget, clock: HandClock, who: str, lane: Lane, count: int) -> None:
    while delay_us := shared.delay_us(who, lane):
        clock.now_us += delay_us
    shared.spend(who, count)


def test_without_bounds_nothing_waits() -> None:
    free = budget(HandClock())
    for lane in Lane:
        assert free.is_open(lane)
        assert free.delay_us("a", lane) == 0
        free.spend("a", 10**9)


@given(st.lists(st.integers(1, 50_000), min_size=20, max_size=60))
def test_over_any_time_no_more_goes_than_the_limit_and_a_piece(pieces: list[int]) -> None:
    clock = HandClock()
    narrow = budget(clock, kbit=1000)
    total = 0
    for count in pieces:
        wait_and_send(narrow, clock, "a", Lane.VIDEO, count)
        total += on_the_line(count)
        assert total <= 125_000 * clock.now_us / 1e6 + 12_500 + on_the_line(max(pieces))
    # ... and no less, while there is something to send.
    assert total >= 125_000 * clock.now_us / 1e6 - 1


def test_what_goes_at_once_is_paid_for_by_the_rest() -> None:
    clock = HandClock()
    narrow = budget(clock, kbit=80)  # 10 kB/s
    narrow.spend("a", 20_000)
    assert 1_900_000 < narrow.delay_us("a", Lane.PICTURE) < 2_100_000


def test_of_two_servers_the_one_with_the_more_urgent_lane_goes_first() -> None:
    clock = HandClock()
    shared = budget(clock, kbit=1000)
    shared.spend("video", 20_000)
    assert shared.delay_us("video", Lane.VIDEO) > 0
    assert shared.delay_us("picture", Lane.PICTURE) > 0
    clock.go(1)
    assert shared.delay_us("video", Lane.VIDEO) > 0
    assert shared.delay_us("picture", Lane.PICTURE) == 0
    shared.spend("picture", 20_000)
    clock.go(1)
    assert shared.delay_us("video", Lane.VIDEO) == 0


def test_one_who_has_gone_is_in_nobodys_way() -> None:
    clock = HandClock()
    shared = budget(clock, kbit=1000)
    assert shared.delay_us("picture", Lane.PICTURE) == 0
    assert shared.delay_us("video", Lane.VIDEO) > 0
    shared.withdraw("picture")
    assert shared.delay_us("video", Lane.VIDEO) == 0


def test_in_one_lane_two_servers_take_turns() -> None:
    clock = HandClock()
    shared = budget(clock, kbit=1000)
    sent = {"a": 0, "b": 0}
    for _ in range(200):
        delays = {who: shared.delay_us(who, Lane.VIDEO) for who in sent}
        ready = [who for who, delay_us in delays.items() if delay_us == 0]
        assert len(ready) <= 1
        if ready:
            shared.spend(ready[0], 10_000)
            sent[ready[0]] += 1
        else:
            clock.now_us += min(delays.values())
    assert abs(sent["a"] - sent["b"]) <= 1
    assert sent["a"] > 20


def test_the_days_volume_used_up_leaves_facts_and_pictures_until_midnight() -> None:
    clock = HandClock()
    shared = budget(clock, day_bytes=100_000)
    shared.spend("a", 60_000)
    assert shared.is_open(Lane.VIDEO)
    shared.spend("b", 60_000)
    open_lanes = [lane for lane in Lane if shared.is_open(lane)]
    assert open_lanes == [Lane.EVENT, Lane.PICTURE]
    clock.go(20 * 3600)  # 23:26
    assert not shared.is_open(Lane.CLIP)
    clock.go(3600)
    assert shared.is_open(Lane.VIDEO)
    assert shared.today() == ("2026-05-30", 0)


def test_a_restart_does_not_give_the_day_anew() -> None:
    clock = HandClock()
    before = budget(clock, day_bytes=100_000)
    before.spend("a", 100_000)
    after = budget(clock, day_bytes=100_000)
    after.resume(*before.today())
    assert not after.is_open(Lane.LIVE)
    clock.go(24 * 3600)
    tomorrow = budget(clock, day_bytes=100_000)
    tomorrow.resume(*before.today()) if before.today()[0] != after.today()[0] else None
    assert tomorrow.is_open(Lane.LIVE)


def test_long_video_keeps_to_its_hours_also_over_midnight() -> None:
    clock = HandClock()
    night = budget(clock, hours=(time(22), time(5)))
    day = budget(clock, hours=(time(8), time(18)))
    for _ in range(24):
        hour = ((START_US + clock.now_us) // 3_600_000_000 + 7) % 24
        assert night.is_open(Lane.VIDEO) == (hour >= 22 or hour < 5)
        assert day.is_open(Lane.VIDEO) == (8 <= hour < 18)
        assert night.is_open(Lane.CLIP)
        assert night.is_open(Lane.LIVE)
        clock.go(3600)


def test_a_piece_takes_a_tenth_of_a_second_within_reason() -> None:
    assert piece_bytes(None) == MOST_PIECE
    assert piece_bytes(4000) == 50_000
    assert piece_bytes(64) == LEAST_PIECE
    assert piece_bytes(10**6) == MOST_PIECE
