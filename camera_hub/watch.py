"""One stream's way from packets to what moves: gate, decoder, detector.

The worker runs it beside the recorder, the replay lab over clips: one path for both, so that a
score holds for what a village has. Promises that the same packets give the same looks, whatever
the pace; no thread and no clock of its own. Relies on one caller at a time.
"""

from collections.abc import Iterator
from typing import NamedTuple

from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.config import CameraConfig
from camera_hub.model import Packet, StreamInfo
from camera_hub.motion import Gate, MotionDetector, MotionSettings, Numbers, PersonHeight, Report

HELD_BACK = "the decoder does not give a keyframe's picture at once"


def motion_settings(camera: CameraConfig) -> MotionSettings:
    """What the detector is told of `camera`."""
    info, motion = camera.info(), camera.motion
    return MotionSettings(
        zones=info.zones,
        masks=camera.mask_zones(),
        sensitivity=motion.sensitivity,
        lines=info.lines,
        person_height=tuple(PersonHeight(place.at, place.height) for place in motion.person_height),
        numbers=Numbers(**motion.exact.model_dump()),
    )


class Look(NamedTuple):
    """One decoded picture, and what it told."""

    frame: DecodedFrame
    reports: list[Report]
    looked: bool  # whether the detector saw it; of a scene at rest it sees but some


class Watch:
    """`open` a stream, give its packets, `end`; then the next one may be opened."""

    def __init__(self, settings: MotionSettings) -> None:
        self.detector = MotionDetector(settings)
        self.gate = Gate()
        self.decoded = 0
        """Packets that were decoded, so far."""
        self._info: StreamInfo | None = None
        self._decoder: LumaDecoder | None = None
        self._damaged = 0  # by decoders before this one
        self._last_us: int | None = None

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded, so far."""
        return self._damaged + (self._decoder.errors if self._decoder is not None else 0)

    def open(self, info: StreamInfo) -> None:
        """A stream begins, or the same one again."""
        if info != self._info:
            self.gate = Gate()  # another make of stream, other sizes
        self._info = info
        self._damaged = self.damaged
        self.gate.restart()
        self._decoder = LumaDecoder(info)

    def packet(self, packet: Packet) -> Iterator[Look]:
        """The pictures that are worth it, in order of time; to be run through to its end.

        None, one, or many when what the gate kept is decoded after all.
        """
        decoder = self._decoder
        if decoder is None:
            return
        asleep = self.gate.asleep
        for wanted in self.gate.let(packet):
            self.decoded += 1
            times = []
            for frame in decoder.decode(wanted):
                times.append(frame.pts_us)
                yield self._look(frame)
            if asleep and wanted.keyframe and times != [wanted.pts_us]:
                self.gate.give_up(HELD_BACK)

    def _look(self, frame: DecodedFrame) -> Look:
        self._last_us = frame.pts_us
        if not self.gate.worth_a_look(frame.pts_us):
            return Look(frame, [], False)
        reports = self.detector.process(frame.luma, frame.pts_us)
        self.gate.learn(frame.pts_us, reports, self.detector.idle)
        return Look(frame, reports, True)

    def finish(self) -> Iterator[Look]:
        """The stream has come to its end, not broken off: the pictures that are still inside the decoder."""
        if self._decoder is not None:
            for frame in self._decoder.flush():
                yield self._look(frame)

    def end(self) -> list[Report]:
        """The stream has stopped, and nobody knows what moves now: what is open is closed."""
        self._damaged, self._decoder = self.damaged, None
        return [] if self._last_us is None else self.detector.flush(self._last_us)
