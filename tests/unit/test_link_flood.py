"""How much a site may bring: the backlog of weeks at once, a flood not."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.link.server.flood import LIMITS, Amount, Flood, Limit, Limits

FACT = Amount(messages=1, bytes=400, facts=1)


def test_a_months_backlog_comes_as_fast_as_it_can_be_kept() -> None:
    flood = Flood(LIMITS, 0)
    for number in range(75_000):  # 500 events a day of five facts each, 30 days, at 2,000 a second
        assert flood.wait_us(FACT, number * 500) == 0
    assert not flood.floods(75_000 * 500)


def test_a_busy_evening_with_thirty_streams_watched_is_no_flood() -> None:
    flood = Flood(LIMITS, 0)
    for second in range(60):
        for _ in range(1500):
            assert flood.wait_us(Amount(1, 20_000), second * 1_000_000) == 0
        for _ in range(20):
            assert flood.wait_us(FACT, second * 1_000_000) == 0


def test_a_flood_goes_on_at_the_limit_is_told_and_ends() -> None:
    flood = Flood(LIMITS, 0)
    now_us = taken = 0
    while now_us < 600_000_000:  # as fast as it may
        now_us += flood.wait_us(FACT, now_us)
        taken += 1
    assert taken <= LIMITS.facts.at_once + 600 * LIMITS.facts.per_s + 1
    assert flood.floods(now_us)
    assert not flood.floods(now_us + 60_000_000)


@given(st.lists(st.tuples(st.integers(0, 5_000_000), st.floats(0, 100)), max_size=50))
def test_over_any_time_no_more_goes_than_the_limit(steps: list[tuple[int, float]]) -> None:
    limit = Limit(at_once=100, per_s=10)
    flood = Flood(Limits(bytes=limit), 0)
    now_us, taken = 0, 0.0
    for gone_us, amount in steps:
        now_us += gone_us
        assert taken <= limit.at_once + now_us / 1e6 * limit.per_s + 1e-6
        taken += amount
        now_us += flood.wait_us(Amount(0, amount), now_us)
