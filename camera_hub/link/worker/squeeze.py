"""How much of what is watched goes over one link: all, the small stream, or keyframes. Pure: times passed in.

Judged by how late the oldest packet is that waits for the line, and by how often a stream had to skip to a
keyframe. Promises: one step down after a second or more of lateness, or skips again and again, never for a
single moment: a viewer begins with a group of pictures at once, which takes its time. One up after a time in
which nothing was late, which doubles with each climb that fails, so that a line at the edge does not go
up and down for ever.
"""

from camera_hub.link.messages import LiveSize

LATE_US = 1_000_000
PROMPT_US = 300_000
SKIPS, SKIPS_US = 3, 20_000_000  # so many within such a time are too many
SETTLE_US = 4_000_000  # after a change its effect is waited for
PATIENCE_US = 10_000_000  # without lateness before a climb
MAX_PATIENCE_US = 300_000_000
HELD_US = 20_000_000  # a climb that lasts so long was right
_STEPS = (LiveSize.WHOLE, LiveSize.SUB, LiveSize.KEYFRAMES)


class Squeeze:
    """One link's place."""

    def __init__(self, now_us: int) -> None:
        self._step = 0
        self._changed_us = now_us - SETTLE_US
        self._late_since_us: int | None = None
        self._skips: list[int] = []  # when, lately
        self._prompt_since_us: int | None = None
        self._patience_us = PATIENCE_US
        self._climbed_us: int | None = None

    @property
    def size(self) -> LiveSize:
        return _STEPS[self._step]

    def seen(self, late_us: int, skips: int, now_us: int) -> bool:
        """The oldest packet is so late now, and so many skips there were since the last call.

        Called about every half second. Whether `size` changed.
        """
        self._skips = [at_us for at_us in self._skips if now_us - at_us < SKIPS_US] + [now_us] * skips
        self._late_since_us = (self._late_since_us or now_us) if late_us > LATE_US else None
        self._prompt_since_us = (
            (self._prompt_since_us or now_us) if late_us < PROMPT_US and not skips else None
        )
        if self._climbed_us is not None and now_us - self._climbed_us >= HELD_US:
            self._climbed_us, self._patience_us = None, PATIENCE_US
        if now_us - self._changed_us < SETTLE_US:
            return False
        is_late = self._late_since_us is not None and now_us - self._late_since_us >= LATE_US
        if is_late or len(self._skips) >= SKIPS:
            return self._down(now_us)
        prompt_since_us = max(self._prompt_since_us or now_us, self._changed_us)
        if self._step > 0 and now_us - prompt_since_us >= self._patience_us:
            self._step -= 1
            self._climbed_us = self._changed_us = now_us
            return True
        return False

    def _down(self, now_us: int) -> bool:
        if self._step == len(_STEPS) - 1:
            return False
        if self._climbed_us is not None:
            self._patience_us = min(2 * self._patience_us, MAX_PATIENCE_US)
            self._climbed_us = None
        self._step += 1
        self._changed_us = now_us
        self._late_since_us = None
        self._skips = []
        return True
