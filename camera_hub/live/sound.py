"""Sound beside the pictures of a live view: frames of AAC, put on the pictures' time axis without a hole.

Browsers show no picture for which the sound is missing. So there is always sound: where the camera's is late,
has a gap, drifts behind or never comes, silence takes its place, and what comes too late is left out. Frames
follow each other exactly, whatever the clock that they came by. Pure: data in and bytes out.
"""

from collections import deque
from collections.abc import Iterable

from camera_hub.live.voice import Frame
from camera_hub.mp4.aac import CODEC, FRAME, LowComplexity
from camera_hub.mp4.boxes import SoundTrack, sound_entry, sound_fragment

# So far behind the newest picture silence begins: sound comes a little late, from some cameras later.
LEAST_WAIT_US = 200_000
MOST_WAIT_US = 1_000_000
AHEAD_US = 2_000_000  # of the newest picture: more is no time of this stream
MAX_WAITING = 500  # frames; some seconds


class LiveSound:
    """The sound of one muxed stream: `hear` takes what comes, `fragment` gives what belongs to a picture."""

    codec = CODEC

    def __init__(self, made: LowComplexity) -> None:
        self.track = SoundTrack(sound_entry(made.rate, made.channels, made.config), made.rate)
        self._silence = made.silence
        self._rate = made.rate
        self._frame_us = FRAME * 1_000_000 / made.rate
        self._waiting: deque[Frame] = deque(maxlen=MAX_WAITING)
        self._wait_us: float = LEAST_WAIT_US
        self.begin()

    def begin(self) -> None:
        """A new time axis."""
        self._placed = 0  # frames
        self._sequence = 0

    def hear(self, frames: Iterable[Frame]) -> None:
        self._waiting.extend(frames)

    def fragment(self, time_us: int, shift_us: int) -> bytes:
        """What goes with the picture of `time_us` on the axis; `shift_us` leads there from the camera's time.

        Empty where there is nothing to add.
        """
        made: list[bytes] = []
        while self._waiting:
            frame = self._waiting.popleft()
            self._place(made, frame.time_us + shift_us, time_us, frame.data)
        while self._end_us(made) + self._frame_us < time_us - self._wait_us:
            made.append(self._silence)
        if not made:
            return b""
        self._sequence += 1
        self._placed += len(made)
        return sound_fragment(self._sequence, self._placed - len(made), made)

    def _place(self, made: list[bytes], at_us: int, newest_us: int, data: bytes) -> None:
        if at_us > newest_us + AHEAD_US:
            return
        if at_us < self._end_us(made) - self._frame_us:  # something stands there already
            late_us = newest_us - at_us + self._frame_us
            self._wait_us = min(max(self._wait_us, late_us), MOST_WAIT_US)
            return
        while self._end_us(made) + self._frame_us / 2 < at_us:
            made.append(self._silence)
        made.append(data)

    def _end_us(self, made: list[bytes]) -> float:
        return (self._placed + len(made)) * self._frame_us
