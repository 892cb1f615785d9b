"""Timestamps as a camera gives them, made into ones that can be relied on. Pure: no clock inside.

Cameras leave timestamps out, repeat them, let them wrap, and set their clock in the middle of a
stream. What comes out here only grows, and keeps the pace of what came in.
"""

FIRST_INTERVAL_US = 40_000  # 25 pictures a second, until we know better

BACK_US = 1_000_000  # a step back of more is a new clock, not a late picture
_APART_US = 1_000_000  # pictures and sound that came together are no further apart
_SHORTEST_US, _LONGEST_US = 1_000, 2_000_000  # what we take for a time between two pictures


class Timeline:
    """Places each packet of one stream in time."""

    def __init__(
        self,
        interval_us: int = FIRST_INTERVAL_US,
        max_gap_us: int | None = 10_000_000,
        max_back_us: int = BACK_US,
    ) -> None:
        """`interval_us`: the time between pictures, as declared. `max_gap_us`: a step ahead of
        more means that the camera set its clock; None believes every step. `max_back_us`: likewise, back."""
        self._interval_us = interval_us
        self._max_gap_us = max_gap_us
        self._max_back_us = max_back_us
        self._offset_us: int | None = None
        self._last_us: int | None = None
        self._last_arrival_us = 0

    @property
    def interval_us(self) -> int:
        """The time between the last two pictures, as far as that is believable."""
        return self._interval_us

    def place(self, pts_us: int | None, dts_us: int | None, arrival_us: int) -> tuple[int, int]:
        """Presentation and decoding time (µs) of the next packet, which arrived at `arrival_us`
        on a monotonic clock. Decoding times only grow; none is after its presentation time."""
        given = dts_us if dts_us is not None else pts_us
        last = self._last_us
        if last is None:
            placed = 0 if given is None else given
            self._offset_us = None if given is None else 0
        elif given is None:
            placed = last + self._interval_us
        else:
            placed = self._after(last, given, arrival_us - self._last_arrival_us)
        self._last_us, self._last_arrival_us = placed, arrival_us
        if pts_us is None or self._offset_us is None:
            return placed, placed
        return max(pts_us + self._offset_us, placed), placed

    def beside(self, pts_us: int | None, arrival_us: int) -> int | None:
        """The time, on this stream's axis, of what comes beside it, as sound does; None before any packet.

        `pts_us` is by the same clock as the stream's. Where that cannot be (cameras tell late how the two
        belong together, or set one clock first), it is the time of the arrival.
        """
        if self._last_us is None:
            return None
        now_us = self._last_us + arrival_us - self._last_arrival_us
        if pts_us is None or self._offset_us is None:
            return now_us
        given_us = pts_us + self._offset_us
        return given_us if abs(given_us - now_us) <= _APART_US else now_us

    def _after(self, last: int, given: int, elapsed_us: int) -> int:
        if self._offset_us is None:
            # FFmpeg counts an RTSP stream from its first picture, but tells the time only of the second.
            from_first = _SHORTEST_US <= given - last <= _LONGEST_US
            self._offset_us = 0 if from_first else last + self._interval_us - given
        step = given + self._offset_us - last
        if step < -self._max_back_us or (self._max_gap_us is not None and step > self._max_gap_us):
            # Another clock: go on as much later as the packet came later.
            step_now = max(self._interval_us, elapsed_us)
            self._offset_us += step_now - step
            return last + step_now
        if step <= 0:
            return last + 1
        if _SHORTEST_US <= step <= _LONGEST_US:
            self._interval_us = step
        return last + step
