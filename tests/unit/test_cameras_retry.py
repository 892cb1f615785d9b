"""Promise: a camera is tried again after 1 s, 2 s, 4 s … 30 s, for ever; wrong credentials slowly; and a
stream gets on only with new timestamps."""

import random

import pytest

from camera_hub.cameras.retry import JITTER, Progress, Retry


class Steady(random.Random):
    """Jitter of none."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


def delays(count: int, *, unauthorised: bool = False) -> list[float]:
    retry = Retry(Steady())
    return [retry.failed(unauthorised=unauthorised, ran_s=0) for _ in range(count)]


def test_delays_double_up_to_thirty_seconds_and_stay() -> None:
    assert delays(8) == [1, 2, 4, 8, 16, 30, 30, 30]


def test_wrong_credentials_are_tried_slowly() -> None:
    assert delays(6, unauthorised=True) == [30, 60, 120, 240, 300, 300]


def test_other_failures_do_not_hasten_wrong_credentials() -> None:
    retry = Retry(Steady())
    assert retry.failed(unauthorised=True, ran_s=0) == 30
    assert retry.failed(unauthorised=False, ran_s=0) == 1
    assert retry.failed(unauthorised=True, ran_s=0) == 60


@pytest.mark.parametrize(("ran_s", "expected_s"), [(0, 8), (29, 8), (30, 1), (3600, 1)])
def test_begins_anew_only_after_a_stream_that_ran_well_for_a_while(ran_s: float, expected_s: float) -> None:
    retry = Retry(Steady())
    for _ in range(3):
        retry.failed(unauthorised=False, ran_s=0)
    assert retry.failed(unauthorised=False, ran_s=ran_s) == expected_s


def test_credentials_that_worked_begin_anew() -> None:
    retry = Retry(Steady())
    retry.failed(unauthorised=True, ran_s=0)
    retry.failed(unauthorised=False, ran_s=5)
    assert retry.failed(unauthorised=True, ran_s=0) == 30


def test_jitter_spreads_the_attempts_but_keeps_their_size() -> None:
    firsts = [Retry(random.Random(seed)).failed(unauthorised=False, ran_s=0) for seed in range(50)]
    assert len(set(firsts)) == 50
    assert all(1 - JITTER <= first <= 1 + JITTER for first in firsts)


def test_new_timestamps_are_progress_however_few() -> None:
    progress = Progress(now_us=0, stalled_after_s=10)
    assert all(progress.packet(dts_us=n * 9_000_000, now_us=n * 9_000_000) for n in range(5))


def test_packets_without_new_timestamps_are_no_progress() -> None:
    progress = Progress(now_us=0, stalled_after_s=10)
    assert progress.packet(dts_us=500, now_us=0)
    # The timeline lets a time that stands still creep on by a microsecond a packet.
    got_on = [progress.packet(dts_us=500 + n, now_us=n * 100_000) for n in range(1, 102)]
    assert all(got_on[:99])
    assert not got_on[-1]


def test_progress_after_a_pause_counts_from_there() -> None:
    progress = Progress(now_us=0, stalled_after_s=10)
    progress.packet(dts_us=0, now_us=0)
    progress.packet(dts_us=0, now_us=9_000_000)
    assert progress.packet(dts_us=40_000, now_us=9_500_000)
    assert progress.packet(dts_us=40_000, now_us=19_400_000)
    assert not progress.packet(dts_us=40_000, now_us=19_500_000)
