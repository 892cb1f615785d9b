"""The same clips give the same results, in the order given, on any number of processes and threads."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import msgspec
import pytest

from camera_hub.motion import MotionSettings
from camera_hub.replay.labels import Labels, LabelSpan
from camera_hub.replay.result import ClipResult
from camera_hub.replay.runner import Job, results_of, run_all, run_one
from camera_hub.watch import Look, Watch
from tests.support.walker_clips import encode, walker

LABELS = Labels(events=(LabelSpan(start_s=4, end_s=8, what="person"),), conditions=("day",))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("clips")
    frames = walker()
    made = [
        encode(folder / "long.mp4", walker(30, [(6, 10), (15, 18)])),
        encode(folder / "b.mp4", frames, b_frames=2),
        encode(folder / "c.avi", frames, codec="mpeg4"),
        encode(folder / "a.mp4", frames),
    ]
    return [*made, folder / "missing.mp4"]


def jobs(clips: list[Path]) -> list[Job]:
    return [Job(str(clip), clip, MotionSettings(), LABELS) for clip in clips]


def without_times(clips: list[ClipResult]) -> bytes:
    """All that is promised to be the same, as JSON."""
    return msgspec.json.encode(
        results_of([msgspec.structs.replace(clip, wall_s=0.0, cpu_s=0.0) for clip in clips])
    )


def test_same_clips_give_the_same_json_on_any_number_of_processes_and_threads(
    clips: list[Path], threads: None
) -> None:
    cv2.setNumThreads(1)
    once = without_times([run_one(job).result for job in jobs(clips)])
    cv2.setNumThreads(2)
    again = without_times([run_one(job).result for job in jobs(clips)])
    alone = without_times([outcome.result for outcome in run_all(jobs(clips), 1)])
    apart = without_times([outcome.result for outcome in run_all(jobs(clips), 3)])
    assert once == again == alone == apart
    assert once.count(b'"kind":"motion"') >= 6  # and there was something to be the same


@pytest.fixture
def threads() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


def test_results_come_in_the_order_given_and_a_bad_clip_costs_itself_alone(clips: list[Path]) -> None:
    shares: list[float] = []
    outcomes = run_all(jobs(clips), 2, on_progress=shares.append)
    assert [outcome.result.clip for outcome in outcomes] == [str(clip) for clip in clips]
    assert ["" if not one.result.error else "bad" for one in outcomes] == ["", "", "", "", "bad"]
    assert shares == sorted(shares)
    assert shares[-1] == len(clips)


def test_totals_are_the_sums(clips: list[Path]) -> None:
    results = results_of([run_one(job).result for job in jobs(clips)])
    total = results.total
    assert (total.clips, total.errors, total.events) == (5, 1, 5)
    assert (total.frames, total.duration_s) == (720, 72.0)
    assert total.score is not None
    assert (total.score.clips, total.score.missed, total.score.found) == (4, 0, 4)
    assert total.per_condition == {"day": total.score}


def test_labels_that_cannot_be_the_clips_own_are_doubted(clips: list[Path]) -> None:
    late = Labels(events=(LabelSpan(start_s=60, end_s=70),))
    result = run_one(Job("a.mp4", clips[3], MotionSettings(), late)).result
    assert result.notes == ("a label begins at 60 s, after the clip's end; see whether they are its labels",)


class Counter:
    """An observer that counts, and says in which process."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._times_us: list[int] = []

    def observe(self, look: Look, watch: Watch) -> None:
        assert watch.detector is not None
        self._times_us.append(look.frame.pts_us)

    def by_product(self, result: ClipResult) -> Any:
        assert result.score is not None
        return (self._job.clip, len(self._times_us), self._times_us[0], os.getpid())


@pytest.mark.parametrize("workers", [1, 2])
def test_an_observer_sees_every_decoded_frame_in_the_process_that_decodes(
    clips: list[Path], workers: int
) -> None:
    outcomes = run_all(jobs(clips), workers, Counter)
    seen = [outcome.by_product for outcome in outcomes]
    assert [one[:3] for one in seen[:4]] == [
        (str(c), n, 0) for c, n in zip(clips, (300, 140, 140, 140), strict=False)
    ]
    assert seen[4] is None  # it could not be read
    assert ({one[3] for one in seen[:4]} == {os.getpid()}) is (workers == 1)


class Crash(Counter):
    """As a decoder that dies of one clip."""

    def observe(self, look: Look, watch: Watch) -> None:
        if self._job.clip.endswith("b.mp4"):
            os.kill(os.getpid(), signal.SIGKILL)
        super().observe(look, watch)


def test_a_decoder_that_crashes_costs_its_clip_alone(clips: list[Path]) -> None:
    outcomes = run_all(jobs(clips[:4]), 2, Crash)
    errors = [str(outcome.result.error or "") for outcome in outcomes]
    assert errors[1] == "the decoder crashed on the clip b.mp4; try it in a player, and tell us of it"
    assert [bool(error) for error in errors] == [False, True, False, False]
    assert all(outcome.result.events for outcome in outcomes if not outcome.result.error)


class Mistake(Counter):
    def observe(self, look: Look, watch: Watch) -> None:
        raise ZeroDivisionError("ours")


def test_a_mistake_of_ours_is_loud(clips: list[Path]) -> None:
    with pytest.raises(ZeroDivisionError, match="ours"):
        run_all(jobs(clips[:2]), 2, Mistake)
