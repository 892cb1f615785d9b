"""Two workers with one key are told from one that restarts, or whose line is bad."""

from hypothesis import given
from hypothesis import strategies as st

from camera_hub.link.server.copies import MAX_RUNS, Copies

LET_IN, NOTICED, REFUSED = (True, False), (True, True), (False, True)


def test_a_worker_that_comes_again_and_one_that_restarts_are_one_worker() -> None:
    copies = Copies()
    assert copies.arrives("a", None) == LET_IN
    assert copies.arrives("a", "a") == LET_IN  # its line was cut, and the old link has not ended yet
    assert copies.arrives("a", None) == LET_IN
    assert copies.arrives("b", "a") == LET_IN  # restarted
    assert copies.arrives("b", None) == LET_IN


def test_a_run_that_comes_back_after_a_later_one_gives_the_copy_away() -> None:
    copies = Copies()
    assert copies.arrives("original", None) == LET_IN
    assert copies.arrives("copy", "original") == LET_IN
    assert copies.arrives("original", "copy") == NOTICED
    for _ in range(3):
        assert copies.arrives("copy", "original") == REFUSED
    assert copies.arrives("original", None) == LET_IN  # whose line was cut


def test_a_successor_is_let_in_as_soon_as_the_old_machine_is_off() -> None:
    copies = Copies()
    copies.arrives("old", None)
    copies.arrives("new", "old")
    copies.arrives("old", "new")
    assert copies.arrives("new", "old") == REFUSED
    assert copies.arrives("new", None) == LET_IN
    assert copies.arrives("old", "new") == NOTICED  # it was not off after all


def test_a_worker_of_version_1_cannot_be_told_apart_and_is_let_in() -> None:
    copies = Copies()
    for linked in (None, "a", ""):
        assert copies.arrives("", linked) == LET_IN


@given(st.lists(st.integers(1, 5), max_size=60))
def test_restarts_and_cuts_alone_never_look_like_a_copy(stays: list[int]) -> None:
    copies = Copies()
    for run, times in enumerate(stays):
        for _ in range(times):
            assert copies.arrives(str(run), str(run - 1)) == LET_IN
    assert len(copies._order) <= MAX_RUNS


@given(st.lists(st.sampled_from("ab"), min_size=3, max_size=40))
def test_two_that_take_turns_are_noticed_by_the_third_change(turns: list[str]) -> None:
    copies, linked, noticed, changes = Copies(), None, False, 0
    for run in turns:
        let_in, now = copies.arrives(run, linked)
        noticed |= now
        changes += run != linked
        linked = run if let_in else linked
        assert noticed or changes < 3
