"""The timing of the detector's steps sees every step, and changes nothing."""

from pathlib import Path

from benchmarks.motion_steps import STEPS, steps_of
from tests.support.made_clips import make_clip


def test_every_step_is_timed(tmp_path: Path) -> None:
    looks, best, calls = steps_of(make_clip(tmp_path / "a.mp4", seconds=12), rounds=1)
    assert looks > 60
    assert set(best) == {*STEPS, "other"}
    assert [step for step in STEPS if not calls[step]] == []
    assert all(us >= 0 for us in best.values())
    again, _, same = steps_of(tmp_path / "a.mp4", rounds=1)
    assert (again, same) == (looks, calls)
