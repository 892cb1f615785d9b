"""One stream's way from packets to what moves: gate, decoder, detector.

The worker runs it beside the recorder, the replay lab over clips: one path for both, so that a
score holds for what a village has. Promises that the same packets give the same looks, whatever
the pace; no thread and no clock of its own. Relies on one caller at a time.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from camera_hub.annexb import can_begin, picture_bytes
from camera_hub.cameras.decoding import DecodedFrame, LumaDecoder
from camera_hub.config import CameraConfig
from camera_hub.model import EventKind, GateReason, Packet, StreamInfo
from camera_hub.motion import Gate, MotionDetector, MotionSettings, Numbers, PersonHeight, Report


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


def _weigher(codec: str) -> Callable[[Packet], tuple[int, bool]]:
    """What the gate asks of each packet."""

    def weigh(packet: Packet) -> tuple[int, bool]:
        if packet.keyframe:
            return len(packet.data), can_begin(codec, packet.data)
        return picture_bytes(codec, packet.data), False

    return weigh


SHARE_US = 10_000_000  # the share decoded is told of so long times SHARES
SHARES = 6


class Look(NamedTuple):
    """One decoded picture, and what it told."""

    frame: DecodedFrame
    reports: list[Report]
    looked: bool  # whether the detector saw it; of a scene at rest it sees but some


NOTHING: Iterator[Look] = iter(())  # for most packets of a quiet camera


class Watch:
    """`open` a stream, give its packets, `end`; then the next one may be opened."""

    def __init__(self, settings: MotionSettings) -> None:
        self.settings = settings
        self.detector = MotionDetector(settings)
        self.gate = Gate()
        self.decoded = 0
        """Packets that were decoded, so far."""
        self._info: StreamInfo | None = None
        self._decoder: LumaDecoder | None = None
        self._damaged = 0  # by decoders before this one
        self._last_us: int | None = None
        self._packets = 0
        self._counts: deque[tuple[int, int]] = deque(maxlen=SHARES + 1)  # (packets, decoded), each SHARE_US
        self._counted_us = 0

    @property
    def decoded_share(self) -> float | None:
        """How many of the last minute's pictures were decoded, 0..1; None before the first."""
        first = self._counts[0] if self._counts else (0, 0)
        packets = self._packets - first[0]
        return min((self.decoded - first[1]) / packets, 1.0) if packets else None

    @property
    def damaged(self) -> int:
        """Packets that could not be decoded, so far."""
        return self._damaged + (self._decoder.errors if self._decoder is not None else 0)

    def open(self, info: StreamInfo) -> None:
        """A stream begins, or the same one again."""
        if info != self._info:
            self.gate = Gate((info.width, info.height), _weigher(info.codec))  # other sizes
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
            return NOTHING
        if not 0 <= packet.pts_us - self._counted_us < SHARE_US:
            self._counted_us = packet.pts_us
            self._counts.append((self._packets, self.decoded))
        self._packets += 1
        wanted = self.gate.let(packet)
        return self._decoded(decoder, packet, wanted) if wanted else NOTHING

    def _decoded(self, decoder: LumaDecoder, packet: Packet, wanted: Sequence[Packet]) -> Iterator[Look]:
        if self.gate.asleep:
            wanted, frames = self._peek(decoder, wanted) if self.gate.peeks else self._glance(decoder, packet)
            for frame in frames:
                yield self._look(frame)
        # What was kept may begin with a keyframe that was looked at before.
        seen_us = self._last_us if len(wanted) > 1 else None
        for one in wanted:
            self.decoded += 1
            for frame in decoder.decode(one):
                if seen_us is None or frame.pts_us > seen_us:
                    yield self._look(frame)

    def _glance(
        self, decoder: LumaDecoder, keyframe: Packet
    ) -> tuple[Sequence[Packet], Sequence[DecodedFrame]]:
        """The keyframe's picture, if it shows nothing; else what is to be decoded before it, and itself."""
        self.decoded += 1
        frames = decoder.decode(keyframe)
        if [frame.pts_us for frame in frames] != [keyframe.pts_us]:
            self.gate.give_up(GateReason.HELD_BACK)
        elif self.detector.shows(frames[0].luma):
            return self.gate.wake(), ()
        return (), frames

    def _peek(
        self, decoder: LumaDecoder, packets: Sequence[Packet]
    ) -> tuple[Sequence[Packet], Sequence[DecodedFrame]]:
        """Nothing, if the last one's picture shows nothing; else what is to be decoded, from long before."""
        self.decoded += len(packets)
        frames: Sequence[DecodedFrame] = ()
        for packet in packets:
            frames = decoder.decode(packet)
        whole = [frame.pts_us for frame in frames] == [packets[-1].pts_us]
        if whole and not self.detector.shows(frames[0].luma):
            return (), ()
        return self.gate.wake(), ()

    def _look(self, frame: DecodedFrame) -> Look:
        self._last_us = frame.pts_us
        if not self.gate.worth_a_look(frame.pts_us):
            return Look(frame, [], False)
        reports = self.detector.process(frame.luma, frame.pts_us)
        moved = [report for report in reports if report.kind is EventKind.MOTION]
        self.gate.learn(frame.pts_us, moved, self.detector.idle)
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
