"""Promise: with the gate the same events are found as without it, and no later, on real clips, on the
practice hamlet, and on a quiet yard; and a picture that freezes while it sleeps is told in time."""

from pathlib import Path

import pytest

from benchmarks.gate_recall import OpenGate, missed, recall, table, watched
from benchmarks.yard import Encoding, Visit, Yard, film
from camera_hub.cameras.clip import ClipSource
from camera_hub.model import EventKind, TamperCause
from camera_hub.motion import MotionSettings, Opened
from camera_hub.simulate.hamlet import render_clip
from camera_hub.watch import Watch
from tests.integration.test_motion_clips import CLIPS
from tests.support import needs

FROZEN_S = 48.3
TOLD_WITHIN_S = 10


@pytest.mark.parametrize("name", CLIPS)
def test_on_real_clips(name: str) -> None:
    one = recall(needs.clips() / f"{name}.mp4")
    assert missed(one.whole.starts, one.gated.starts) == []
    assert missed(one.gated.starts, one.whole.starts) == []
    assert one.in_time == one.found


def test_on_the_practice_hamlet(tmp_path: Path) -> None:
    clip = render_clip("san-bong", 5, tmp_path, conditions=frozenset({"night", "quiet"}), duration_s=12).sub
    whole, gated = watched(clip, OpenGate(), seconds=60), watched(clip, seconds=60)
    assert missed(whole.starts, gated.starts) == []
    assert missed(gated.starts, whole.starts) == []


def test_on_a_yard_in_which_it_sleeps(tmp_path: Path) -> None:
    visits = [
        Visit(start, 5, tall, 0.7, way=(0.2, 0.7))
        for start, tall in ((27, 0.04), (41, 0.06), (55.5, 0.1), (69, 0.05), (83, 0.2))
    ]
    clip = film(tmp_path / "yard.mp4", Yard(96, size=(480, 270), visits=visits), Encoding(2))
    labels = ", ".join(
        f'{{"start_s": {visit.start_s}, "end_s": {visit.start_s + visit.seconds}, "what": "person"}}'
        for visit in visits
    )
    clip.with_name("yard.events.json").write_text(f'{{"events": [{labels}]}}')
    one = recall(clip)
    assert one.gated.slept > 0.2
    assert (one.found, one.in_time) == (len(visits), len(visits))
    told = table([tmp_path])
    assert f"| {tmp_path.name}, slept | 1 | 1 | {len(visits)} | {len(visits)} | 1.000 |" in told


def test_a_picture_that_freezes_while_it_sleeps_is_told(tmp_path: Path) -> None:
    # Slow noise, of which the encoder lets enough through to tell a picture that lives.
    yard = Yard(FROZEN_S + TOLD_WITHIN_S, size=(480, 270), noise=26, kept=0.98, frozen_s=FROZEN_S)
    clip = film(tmp_path / "frozen.mp4", yard, Encoding(2, options={"crf": "23"}))
    source = ClipSource(clip, pace="full-speed", start_wall_us=0)
    watch = Watch(MotionSettings())
    watch.open(source.open())
    slept, told = False, []
    for packet in source.packets():
        for look in watch.packet(packet):
            told += [
                (report.kind, report.cause, packet.pts_us / 1e6)
                for report in look.reports
                if isinstance(report, Opened)
            ]
        if packet.pts_us < FROZEN_S * 1e6:
            slept = watch.gate.asleep
    source.close()
    assert slept
    ((kind, cause, told_s),) = told
    assert (kind, cause) == (EventKind.TAMPER, TamperCause.FROZEN)
    assert FROZEN_S < told_s <= FROZEN_S + TOLD_WITHIN_S
