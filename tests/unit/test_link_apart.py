"""How far two clocks are apart, whatever the answers had to wait for."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.link.worker.apart import Apart

YEAR_US = 365 * 86_400 * 1_000_000
SERVER_US = 1_780_000_000_000_000


@given(
    st.integers(-10 * YEAR_US, 10 * YEAR_US),
    st.lists(st.tuples(st.integers(0, 30_000_000), st.integers(0, 30_000_000)), min_size=1, max_size=30),
)
def test_the_quickest_answer_of_the_last_bounds_the_error(off_us: int, ways: list[tuple[int, int]]) -> None:
    apart = Apart()
    for number, (out_us, back_us) in enumerate(ways):
        there_us = SERVER_US + number * 60_000_000 + out_us
        apart.answered(there_us, there_us + back_us + off_us, out_us + back_us)
    offset_us = apart.offset_us
    assert offset_us is not None
    quickest_us = min(out + back for out, back in ways[-8:])
    assert abs(offset_us - off_us) <= quickest_us / 2 + 1


def test_a_clock_that_was_set_is_noticed_by_the_next_answer() -> None:
    apart = Apart()
    for number in range(5):
        apart.answered(SERVER_US + number, SERVER_US + number + 10 * YEAR_US, 1000)
    assert abs((apart.offset_us or 0) - 10 * YEAR_US) <= 500
    apart.answered(SERVER_US, SERVER_US, 80_000)
    assert abs(apart.offset_us or 0) <= 40_000
