"""Viewers come and go, in good order or without a word: nothing of them is left over."""

from pathlib import Path

import pytest

from benchmarks.live_soak import soak


@pytest.mark.timeout(300)
def test_viewers_that_came_and_went_leave_nothing_over(tmp_path: Path) -> None:
    soaked = soak(tmp_path, seconds=20, count=2, viewers=12, warm_up_s=10)
    assert soaked.views.get("webrtc", 0) >= 5
    assert soaked.views.get("mse", 0) >= 5
    # Threads and the database's connections are made as they are needed, up to a bound, and stay.
    pooled = ("thread", "threads", "database")
    left = {
        name: {what: count for what, count in found.items() if what.partition(" ")[0] not in pooled}
        for name, found in soaked.left_over().items()
    }
    assert not any(left.values()), left
