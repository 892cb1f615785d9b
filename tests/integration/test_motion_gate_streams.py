"""Promise: whatever the encoder, with the gate every visit is found from its start, as without it; where
sizes tell, most of a quiet camera is not decoded; where they cannot, the gate says why."""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.gate_recall import LATE_S, OpenGate
from benchmarks.yard import Encoding, Visit, Yard, film
from camera_hub.cameras.clip import ClipSource
from camera_hub.model import GateReason
from camera_hub.motion import Gate, MotionSettings, Opened
from camera_hub.watch import Watch

VISITS = (
    Visit(28, 6, 0.06, 0.6),
    Visit(46.4, 5, 0.1, 0.8, way=(0.8, 0.3)),
    Visit(63, 3, 0.2, 0.95, way=(-0.1, 1.1)),
    Visit(78.7, 7, 0.045, 0.5, way=(0.4, 0.8)),
)
YARD = Yard(92, size=(480, 270), visits=VISITS)
CRF = {"crf": "28"}
CBR = {"b": "300k", "maxrate": "300k", "bufsize": "300k"}
FILLER = {"b": "900k", "maxrate": "900k", "bufsize": "450k", "qmin": "24"}
SAVES = 0.93  # decoded at most of these clips, which are mostly visits and learning
SLEEPS: set[GateReason | None] = {None}
UNSURE = {GateReason.BLIND, GateReason.RESTLESS, GateReason.PROVING}

Case = tuple[Yard, Encoding, float, set[GateReason | None]]
"""What is filmed, how, how much is decoded at most, and what the gate says at some time."""
CASES: dict[str, Case] = {
    "keyframe every second": (YARD, Encoding(1), SAVES, SLEEPS),
    "every 2 s": (YARD, Encoding(2), SAVES, SLEEPS),
    "every 4 s": (YARD, Encoding(4), 1, SLEEPS),
    "25 a second": (replace(YARD, fps=25), Encoding(2), SAVES, SLEEPS),
    "every 10 s": (YARD, Encoding(10), 1, {None, GateReason.RARE_KEYFRAMES}),
    "one keyframe": (YARD, Encoding(1000), 1, {GateReason.RARE_KEYFRAMES}),
    "stretched": (YARD, Encoding(keyframes_s=(0, 2, 4, 6, 8, 10, 12, 23, 41, 43, 60, 79)), 1.02, SLEEPS),
    "H.265": (YARD, Encoding(2, "libx265", {"crf": "28", "preset": "ultrafast"}), SAVES, SLEEPS),
    "padded": (YARD, Encoding(2, options={**FILLER, "x264-params": "nal-hrd=cbr:filler=1"}), SAVES, SLEEPS),
    "constant bit rate": (YARD, Encoding(2, options=CBR), 1, {*UNSURE}),
    "noise": (replace(YARD, noise=6, kept=0.3), Encoding(2, options={"crf": "23"}), 1, {*UNSURE}),
    "night falls": (replace(YARD, night_s=40), Encoding(2), SAVES, SLEEPS),
    "intra refresh": (
        YARD,
        Encoding(2, options={**CRF, "x264-params": "intra-refresh=1"}),
        1,
        {GateReason.INTRA_REFRESH},
    ),
    "B-frames": (
        YARD,
        Encoding(2, options={**CRF, "x264-params": "bframes=2:b-adapt=0"}),
        1,
        {GateReason.B_FRAMES},
    ),
}


class Watched(NamedTuple):
    starts: list[float]  # of events, s
    decoded: float  # share
    reasons: set[GateReason | None]


def watched(clip: Path, gate: Gate | None = None) -> Watched:
    source = ClipSource(clip, pace="full-speed", start_wall_us=0)
    watch = Watch(MotionSettings())
    watch.open(source.open())
    if gate is not None:
        watch.gate = gate
    starts, packets, reasons = [], 0, set()
    for packet in source.packets():
        packets += 1
        starts += [
            report.start_us / 1e6
            for look in watch.packet(packet)
            for report in look.reports
            if isinstance(report, Opened)
        ]
        reasons.add(watch.gate.reason)
    source.close()
    return Watched(starts, watch.decoded / packets, reasons)


@pytest.fixture(scope="module")
def found() -> dict[str, tuple[list[float], list[float]]]:
    """The events of each case without and with the gate, for the recall over all."""
    return {}


@pytest.mark.parametrize("name", CASES)
def test_with_the_gate_the_same_is_found(
    name: str, tmp_path: Path, found: dict[str, tuple[list[float], list[float]]]
) -> None:
    yard, encoding, most, said = CASES[name]
    clip = film(tmp_path / "yard.mp4", yard, encoding)
    whole, gated = watched(clip, OpenGate()), watched(clip)
    found[name] = whole.starts, gated.starts
    assert len(gated.starts) >= len(whole.starts) >= 3
    assert missed(whole.starts, gated.starts) == []
    assert gated.decoded <= most
    assert gated.reasons & said
    if None not in said:
        assert gated.decoded == 1


def test_over_all_of_them_recall_is_whole(found: dict[str, tuple[list[float], list[float]]]) -> None:
    if len(found) < len(CASES):
        pytest.skip("counts what the other tests of this file have found")
    labelled = sum(len(whole) for whole, _ in found.values())
    lost = sum(len(missed(whole, gated)) for whole, gated in found.values())
    assert labelled >= 3 * len(CASES)
    assert 1 - lost / labelled >= 0.99


def missed(whole: list[float], gated: list[float]) -> list[float]:
    """The starts without one at about the same time among `gated`."""
    return [start for start in whole if all(abs(start - other) > LATE_S for other in gated)]


def test_a_quiet_camera_is_hardly_decoded(tmp_path: Path) -> None:
    clip = film(tmp_path / "yard.mp4", replace(YARD, seconds=100, visits=()), Encoding(2))
    assert watched(clip).decoded < 0.3  # the first 17 s, in which it learns
