"""Signals are thinned without losing a peak, in bounded memory however long a clip is."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.replay.trace_signals import MOST, Signals


@given(
    st.lists(st.tuples(st.integers(0, 10_000_000_000), st.floats(0, 1)), min_size=1, max_size=200),
    st.integers(2, 50),
)
def test_no_peak_is_lost(points: list[tuple[int, float]], most: int) -> None:
    signals = Signals(most)
    for t_us, value in points:
        signals.add(t_us, {"x": value})
    series = signals.series()["x"]
    assert len(series) <= most
    assert max(value for _, value in series) == max(value for _, value in points)
    assert {(round(t_s * 1e6), value) for t_s, value in series} <= set(points)


def test_a_long_clip_takes_no_more_than_a_short_one() -> None:
    signals = Signals()
    for n in range(20 * MOST):
        signals.add(n * 400_000, {"a": float(n % 5), "b": 1.0})
    series = signals.series()
    assert MOST / 2 <= len(series["a"]) <= MOST
    assert [t_s for t_s, _ in series["a"]] == sorted(t_s for t_s, _ in series["a"])


def test_a_name_may_be_absent() -> None:
    signals = Signals()
    signals.add(0, {"a": 1.0})
    signals.add(1_000_000, {"b": 2.0})
    assert signals.series() == {"a": ((0.0, 1.0),), "b": ((1.0, 2.0),)}
