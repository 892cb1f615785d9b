"""How much a viewer is sent, by the loss that it reports. Pure: time is passed in.

A ladder has rungs from the most (0) to the least. Promises: a viewer goes one down after seconds of
heavy loss, and never for a single bad report or for bad luck with few packets; one up after a time
without loss, which doubles with each climb that fails, so that a viewer at the edge does not go up and
down for ever.
"""

BAD_SHARE = 0.12  # of the packets lost, on average; below it asking again is enough
GOOD_SHARE = 0.03
ENOUGH = 60  # packets that must have been reported on before a loss is believed to be bad
SETTLE_US = 3_000_000  # after a change its effect is waited for
PATIENCE_US = 15_000_000  # without loss before a climb
MAX_PATIENCE_US = 300_000_000
HELD_US = 30_000_000  # a climb that lasts so long was right
KEPT = 0.9  # of what was reported before, with each report, of which there is about one a second
MOST = 0.4  # that one report may say: a moment without any packet is not yet a bad connection


class Ladder:
    """One viewer's place."""

    def __init__(self, rungs: int, now_us: int) -> None:
        self.rung = 0
        self._rungs = rungs
        self._packets = 0.0  # reported on, the older the less
        self._lost = 0.0
        self._changed_us = now_us
        self._good_since_us = now_us
        self._patience_us = PATIENCE_US
        self._climbed_us: int | None = None

    def reported(self, lost: float, packets: int, now_us: int) -> None:
        """The share that was lost of so many packets since the last report; `rung` may be another then."""
        self._packets = KEPT * self._packets + packets
        self._lost = KEPT * self._lost + min(lost, MOST) * packets
        loss = self._lost / max(self._packets, 1.0)
        if loss > GOOD_SHARE:
            self._good_since_us = now_us
        settled = now_us - self._changed_us >= SETTLE_US
        if loss >= BAD_SHARE and self._packets >= ENOUGH and settled:
            self._down(now_us)
        elif self.rung > 0 and now_us - max(self._good_since_us, self._changed_us) >= self._patience_us:
            self.rung -= 1
            self._climbed_us = self._changed_us = now_us
        elif self._climbed_us is not None and now_us - self._climbed_us >= HELD_US:
            self._climbed_us = None
            self._patience_us = PATIENCE_US

    def choked(self, now_us: int) -> None:
        """Our own socket could not take what there was to send."""
        self._good_since_us = now_us
        if now_us - self._changed_us >= SETTLE_US:
            self._down(now_us)

    def _down(self, now_us: int) -> None:
        if self.rung == self._rungs - 1:
            return
        if self._climbed_us is not None:
            self._patience_us = min(2 * self._patience_us, MAX_PATIENCE_US)
            self._climbed_us = None
        self.rung += 1
        self._packets = self._lost = 0.0
        self._changed_us = self._good_since_us = now_us
