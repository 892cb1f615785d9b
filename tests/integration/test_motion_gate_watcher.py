"""A camera on which somebody passes now and then: with the gate the same events, for far less decoding."""

from itertools import pairwise, takewhile
from pathlib import Path
from typing import ClassVar

import pytest

from benchmarks.gate_recall import OpenGate
from camera_hub import watch as watch_module
from camera_hub.cameras.clip import ClipSource
from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config import CameraConfig
from camera_hub.ingest.messages import EventFound
from camera_hub.ingest.packet_queue import Pause
from camera_hub.ingest.watcher import Watcher
from camera_hub.model import Packet, StreamInfo
from camera_hub.motion import Gate
from tests.support.lane import make_lane
from tests.support.waiting import until_blocking

CLIP_S = 40
LEARNT_S = 160  # by then four have passed, and the gate knows
LENGTH_S = 320


class Counting(LumaDecoder):
    """A decoder that notes what it was given."""

    decoded: ClassVar[list[int]] = []

    def decode(self, packet: Packet) -> list[DecodedFrame]:
        self.decoded.append(packet.pts_us)
        return super().decode(packet)


class Late(Counting):
    """A decoder that gives each picture with the next packet, as some do that expect B-frames."""

    def __init__(self, info: StreamInfo) -> None:
        super().__init__(info)
        self._held: list[DecodedFrame] = []

    def decode(self, packet: Packet) -> list[DecodedFrame]:
        given, self._held = self._held, super().decode(packet)
        return given


def watch(
    clip: Path, gate: type[Gate], patch: pytest.MonkeyPatch, decoder: type[Counting] = Counting
) -> tuple[list[float], list[float]]:
    """When events began in the clip in a loop, and what was decoded: times in seconds."""
    patch.setattr(watch_module, "Gate", gate)
    patch.setattr(watch_module, "LumaDecoder", decoder)
    patch.setattr(Counting, "decoded", [])
    camera = CameraConfig.model_validate(
        {
            "id": "lane",
            "name": "Lane",
            "streams": {"main": str(clip)},
            "clip": {"loop": True, "pace": "full-speed"},
        }
    )
    found: list[EventFound] = []
    watcher = Watcher(camera, found.append, SYSTEM_CLOCK)
    source = ClipSource(
        clip, loop=True, pace="full-speed", start_wall_us=SYSTEM_CLOCK.wall_us() // 1_000_000 * 1_000_000
    )
    watcher.start()
    watcher.queue.put(source.open())
    first_us = None
    for packet in takewhile(lambda packet: packet.pts_us < LENGTH_S * 1_000_000, source.packets()):
        first_us = packet.wall_us if first_us is None else first_us
        watcher.queue.put(packet)
    source.close()
    until_blocking(lambda: watcher.latest() is not None, timeout_s=60)
    watcher.queue.put(Pause.PAUSE)
    until_blocking(lambda: watcher.latest() is None, timeout_s=120)
    watcher.stop()
    assert watcher.queue.dropped == 0
    assert first_us is not None
    starts = [(one.event.start_us - first_us) / 1e6 for one in found if one.event.end_us is not None]
    return starts, [pts_us / 1e6 for pts_us in Counting.decoded]


def test_the_same_events_for_less(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = make_lane(tmp_path / "lane.mp4", CLIP_S, ((8, 12), (27, 30)), size=(320, 180))
    whole, all_decoded = watch(clip, OpenGate, monkeypatch)
    gated, decoded = watch(clip, Gate, monkeypatch)
    assert len(whole) == 2 * LENGTH_S // CLIP_S
    assert len(gated) == len(whole)
    for one, other in zip(whole, gated, strict=True):
        assert abs(one - other) <= 0.5
    late = [sum(t_s >= LEARNT_S for t_s in times) for times in (all_decoded, decoded)]
    assert late[1] < 0.75 * late[0]


def test_where_pictures_come_late_out_of_the_decoder_it_stays_awake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = make_lane(tmp_path / "lane.mp4", CLIP_S, ((8, 12), (27, 30)), size=(320, 180))
    starts, decoded = watch(clip, Gate, monkeypatch, Late)
    assert len(starts) == 2 * LENGTH_S // CLIP_S
    gaps = [later - earlier for earlier, later in pairwise(decoded) if later - earlier > 0.15]
    assert len(gaps) <= 1  # it tries to sleep, and learns at the first keyframe that it cannot
