"""One clip through the worker's own pipeline, as fast as it can be read.

What could be a camera's stream goes the whole way of one: source, gate, decoder, detector.
Whatever else FFmpeg decodes goes frame by frame into the detector, without the gate. Promises
that every look is shown to `see` in order, with times that count from the clip's first frame,
and that whatever is open at the clip's end is closed and counted.
"""

from collections.abc import Callable
from pathlib import Path

import msgspec

from camera_hub.cameras.clip import ClipSource
from camera_hub.cameras.source import CameraError, TruncatedError
from camera_hub.model import Packet
from camera_hub.motion import MotionSettings
from camera_hub.motion.gate import WORDS
from camera_hub.replay.clips import ClipFile, look_at
from camera_hub.replay.frames import FrameReader
from camera_hub.replay.gathered import Gathered
from camera_hub.replay.report_words import many
from camera_hub.watch import Look, Watch

See = Callable[[Look, Watch], None]
OnShare = Callable[[float], None]
"""Called with the share of the clip that is done, 0..1."""

STEP_US = 2_000_000  # a longer pause between frames is told: the detector may begin anew after it
NOTES_MOST = 10
FIRST_FPS = 25.0  # where neither the file nor its frames say


class Played:
    """One clip on its way; `run` once, then look at what there is."""

    def __init__(self, path: Path, settings: MotionSettings, see: See, on_share: OnShare) -> None:
        self.path = path
        self.watch = Watch(settings)
        self.events = Gathered()
        self.frames = 0
        self.decoded = 0
        self.error: CameraError | None = None
        """Why it ended before its time; what was there has been played."""
        self.file: ClipFile | None = None
        self._see = see
        self._on_share = on_share
        self._gate_off = ""
        self._notes: list[str] = []
        self._damaged = 0
        self._pictures = 0
        self._no_picture = 0
        self._newest_us: int | None = None

    def run(self) -> None:
        """Raises CameraError where the clip cannot be read at all."""
        file = self.file = look_at(self.path)
        if file.as_camera:
            self._as_camera()
        else:
            container = file.container.split(",")[0]
            self._gate_off = (
                f"off: {file.codec.upper()} in {container} is not H.264 or H.265 in MP4, MKV or AVI; "
                "every frame is decoded"
            )
            self._frame_by_frame(file)

    @property
    def duration_us(self) -> int:
        """From the first frame to the end of the last; 0 where there is none."""
        return 0 if self._newest_us is None else self._newest_us + round(1e6 / self.fps)

    @property
    def fps(self) -> float:
        """As declared; where it is not, as it turned out."""
        if self.file is not None and self.file.fps:
            return self.file.fps
        return (self.frames - 1) * 1e6 / self._newest_us if self._newest_us else FIRST_FPS

    @property
    def gate(self) -> str:
        """Why everything was decoded at the end; empty where it need not be."""
        reason = self.watch.gate.reason
        return self._gate_off or (WORDS.get(reason, reason) if reason else "")

    @property
    def notes(self) -> tuple[str, ...]:
        """What happened on the way, in sentences."""
        notes = self._notes[:NOTES_MOST]
        if len(self._notes) > NOTES_MOST:
            notes.append(f"and {len(self._notes) - NOTES_MOST} more pauses or changes of size")
        if self._damaged:
            packets = many(self._damaged, "packet is", "packets are")
            notes.append(f"{packets} damaged, or without a whole keyframe; it goes on with the next keyframe")
        elif self._no_picture > 0:
            notes.append(
                f"{many(self._no_picture, 'packet')} gave no picture, as where a keyframe is missing"
            )
        return tuple(notes)

    def _as_camera(self) -> None:
        source = ClipSource(self.path, pace="full-speed", start_wall_us=0)
        try:
            info = source.open()
            self.watch.open(info)
            for read in source.packets():
                packet = _moved(read, source.shown_from_us or 0)
                if source.info is not info:
                    info = source.info
                    self._note_size(info.width, info.height, packet.pts_us)
                    self.events.take(self.watch.end())
                    self.watch.open(info)
                self.frames += 1
                self._comes(packet.pts_us)
                for look in self.watch.packet(packet):
                    self._look(look)
        except TruncatedError as error:
            self.error = error
        finally:
            source.close()
        for look in self.watch.finish():
            self._look(look)
        self.events.take(self.watch.end())
        self.frames += source.skipped
        self.decoded = self.watch.decoded
        self._damaged = source.skipped + self.watch.damaged
        self._no_picture = self.decoded - self._pictures - self.watch.damaged

    def _frame_by_frame(self, file: ClipFile) -> None:
        reader = FrameReader(self.path, file)
        detector = self.watch.detector
        try:
            for frame in reader.frames():
                self.frames += 1
                height, width = frame.luma.shape
                self._note_size(width, height, frame.pts_us)
                self._comes(frame.pts_us)
                self._look(Look(frame, detector.process(frame.luma, frame.pts_us), True))
        except TruncatedError as error:
            self.error = error
        self.events.take(detector.flush(self._newest_us or 0))
        self.decoded = self.frames
        self._damaged = reader.damaged

    def _look(self, look: Look) -> None:
        self._pictures += 1
        self.events.take(look.reports)
        self._see(look, self.watch)

    def _comes(self, t_us: int) -> None:
        """A frame comes that is shown at `t_us`."""
        newest_us, file = self._newest_us, self.file
        if newest_us is not None and t_us - newest_us > STEP_US:
            self._notes.append(f"nothing comes from {newest_us / 1e6:.1f} s to {t_us / 1e6:.1f} s")
        self._newest_us = max(t_us, newest_us or 0)
        if file is not None and file.duration_s and self.frames % 16 == 0:
            self._on_share(min(self._newest_us / 1e6 / file.duration_s, 1.0))

    def _note_size(self, width: int, height: int, t_us: int) -> None:
        """The picture has this size from `t_us` on."""
        file = self.file
        if file is None or (file.width, file.height) == (width, height):
            return
        self.file = file._replace(width=width, height=height)
        if self._newest_us is not None:
            self._notes.append(
                f"at {t_us / 1e6:.1f} s the picture becomes {width}x{height}; the detector begins anew"
            )


def _moved(packet: Packet, by_us: int) -> Packet:
    """The packet, earlier by so much."""
    if not by_us:
        return packet
    return msgspec.structs.replace(packet, pts_us=packet.pts_us - by_us, dts_us=packet.dts_us - by_us)
