"""The time in a zone is the longest unbroken one."""

from camera_hub.motion.stays import Stays

S = 1_000_000


def been(*moments: tuple[float, tuple[str, ...]]) -> Stays:
    stays = Stays()
    for t_s, zones in moments:
        stays.step(zones, round(t_s * S))
    return stays


def test_the_longest_time_counts() -> None:
    moments = [(t, ("yard",) if t < 3 or 8 <= t < 20 else ()) for t in range(25)]
    assert been(*moments).longest() == {"yard": 11 * S}


def test_a_step_out_and_back_breaks_nothing() -> None:
    moments = [(t / 2, () if t == 5 else ("yard",)) for t in range(13)]
    assert been(*moments).longest() == {"yard": 6 * S}


def test_zones_count_apart() -> None:
    stays = been((0, ("a",)), (1, ("a", "b")), (2, ("b",)), (3, ("b", "c")))
    assert stays.longest() == {"a": 1 * S, "b": 2 * S, "c": 0}


def test_going_on_forgets_what_was_left() -> None:
    stays = been((0, ("a",)), (0.5, ("a",)), (2, ("b",)), (3, ("b",)))
    assert stays.going_on().longest() == {"b": 1 * S}
    assert stays.going_on(("a", "b"), 10 * S).longest() == {"b": 8 * S}
    assert stays.going_on(("a",), 10 * S).longest() == {}
    assert Stays().going_on().longest() == {}
