"""What may be under way, and how much of live goes: over simulated lines whose width nobody tells."""

from itertools import pairwise

import pytest

from camera_hub.link.messages import LiveSize
from camera_hub.link.worker.pace import FIRST_BYTES, LEAST_BYTES, QUEUE_US, Pace
from camera_hub.link.worker.squeeze import PATIENCE_US, SETTLE_US, Squeeze


class Bottleneck:
    """A line of so many bytes a second, with a queue before it that never overflows."""

    def __init__(self, bytes_per_s: float, delay_us: int) -> None:
        self.bytes_per_s = bytes_per_s
        self.delay_us = delay_us
        self.now_us = 0
        self._queued = 0.0
        self._returning: list[tuple[int, float]] = []
        self.under_way = 0.0

    def send(self, count: int) -> None:
        self._queued += count
        self.under_way += count

    def go(self, step_us: int) -> None:
        self.now_us += step_us
        passed = min(self._queued, self.bytes_per_s * step_us / 1e6)
        self._queued -= passed
        if passed:
            self._returning.append((self.now_us + self.delay_us, passed))
        while self._returning and self._returning[0][0] <= self.now_us:
            self.under_way -= self._returning.pop(0)[1]

    def round_trip_us(self) -> int:
        return self.delay_us + int(self._queued / self.bytes_per_s * 1e6)


def drive(line: Bottleneck, pace: Pace, seconds: float, piece: int = 8000) -> tuple[float, int]:
    """Sends whatever may be sent; gives the share of the line that was used, and the longest queue, in µs."""
    sent, longest_us, end_us = 0, 0, line.now_us + int(seconds * 1e6)
    while line.now_us < end_us:
        pace.seen(round(line.under_way), line.round_trip_us(), line.now_us)
        while line.under_way < pace.room:
            line.send(piece)
            pace.sent(piece)
            sent += piece
        longest_us = max(longest_us, line.round_trip_us() - line.delay_us)
        line.go(5_000)
    return sent / (line.bytes_per_s * seconds), longest_us


@pytest.mark.parametrize("kbit", [250, 2_000, 20_000])
@pytest.mark.parametrize("delay_ms", [5, 80, 300])
def test_the_line_is_filled_and_its_queue_stays_short(kbit: int, delay_ms: int) -> None:
    line, pace = Bottleneck(kbit * 125, delay_ms * 1000), Pace(0)
    drive(line, pace, 15)
    used, longest_us = drive(line, pace, 20)
    assert used > 0.9
    # What is under way for the queue, and one piece more.
    assert longest_us < QUEUE_US * 1.3 + 100_000 + (LEAST_BYTES + 8000) / line.bytes_per_s * 1e6


def test_a_line_that_grows_narrow_is_found_out() -> None:
    line, pace = Bottleneck(500_000, 40_000), Pace(0)
    drive(line, pace, 5)
    line.bytes_per_s = 50_000
    drive(line, pace, 10)
    _, longest_us = drive(line, pace, 10)
    assert longest_us < 700_000


def test_before_anything_was_seen_little_is_sent() -> None:
    assert Pace(0).room == FIRST_BYTES


def squeezed(squeeze: Squeeze, late_us: int, seconds: float, now_us: int) -> tuple[list[LiveSize], int]:
    """The sizes that it changed to while packets were so late."""
    changes = []
    for _ in range(round(seconds * 2)):
        now_us += 500_000
        if squeeze.seen(late_us, 0, now_us):
            changes.append(squeeze.size)
    return changes, now_us


def test_live_grows_smaller_step_by_step_and_comes_back() -> None:
    squeeze = Squeeze(0)
    changes, now_us = squeezed(squeeze, 2_000_000, 20, 0)
    assert changes == [LiveSize.SUB, LiveSize.KEYFRAMES]
    changes, now_us = squeezed(squeeze, 0, 60, now_us)
    assert changes == [LiveSize.SUB, LiveSize.WHOLE]


def test_a_late_moment_changes_nothing() -> None:
    squeeze = Squeeze(0)
    for second in range(1, 60):
        assert not squeeze.seen(3_000_000 if second % 10 == 0 else 0, 0, second * 1_000_000)


def test_a_line_at_the_edge_is_tried_ever_more_rarely() -> None:
    squeeze, now_us, climbs = Squeeze(0), 0, []
    for _ in range(2 * 600):
        now_us += 500_000
        before = squeeze.size
        if (
            squeeze.seen(2_000_000 if squeeze.size is LiveSize.WHOLE else 0, 0, now_us)
            and before is LiveSize.SUB
        ):
            climbs.append(now_us)
    pauses = [after - before for before, after in pairwise(climbs)]
    assert pauses == sorted(pauses)
    assert pauses[0] >= PATIENCE_US + SETTLE_US
    assert pauses[-1] > 4 * PATIENCE_US


def test_skips_again_and_again_are_too_much_and_one_at_the_beginning_is_not() -> None:
    squeeze = Squeeze(0)
    for step in range(1, 200):
        assert not squeeze.seen(0, step % 50 == 1, step * 500_000)
    changes = [squeeze.seen(0, step % 12 == 0, (200 + step) * 500_000) for step in range(40)]
    assert sum(changes) == 1
    assert squeeze.size is LiveSize.SUB
