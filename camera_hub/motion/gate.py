"""The gate: which packets are worth decoding, and which pictures a look.

While nothing moves, a camera's packets between keyframes are small and alike; whatever moves
makes them heavier. Asleep, the gate lets keyframes through alone and keeps what follows; when
packets become heavy, or a keyframe shows something, it wakes and lets all that it kept through
first, so that an event begins when its mover came and not when the gate woke.

Promises: the same packets and the same answers of the detector give the same decisions; no
clock. What it lets through can be decoded: a keyframe, or what follows a packet that it let
through. It sleeps only where sizes have proved to tell: for every event that the detector finds
it asks whether they would have woken it, and one that they missed takes the right to sleep away.
Relies on `learn` being called after each picture that `worth_a_look` lets the detector see.
"""

import math
from collections import deque
from collections.abc import Sequence

from camera_hub.model import Packet
from camera_hub.motion.reports import Closed, Opened, Report
from camera_hub.motion.sizes import Sizes

US = 1_000_000
KEPT_PACKETS = 400
KEPT_BYTES = 4 * 1024 * 1024
LONGEST_GOP_US = 8 * US  # with longer ones, a mover that the sizes do not show would be seen too late
GOPS = 4  # that must have been shorter
LEAST_PACKETS = 4  # of a GOP; with fewer there is little to weigh and little to gain
KEYFRAME_EVERY_US = 1 * US  # asleep, keyframes that come sooner are kept as well
IDLE_US = 3 * US  # nothing went on for so long, and ...
LIGHT_US = 2 * US  # ... no packet was heavy: all rests
LOOK_EVERY_US = 150_000  # at the pictures of a scene that rests
REORDERED_US = 60 * US  # since the last packet out of order
STEP_LEAST_US = 1_000  # between pictures in order whose times are true
STEP_MOST_US = 10 * US  # a longer step in time, or one back, is another stream

EARLY_US = 500_000  # packets are heavy in time from so long before a mover's start on ...
LATE_US = 1_000_000  # ... until so long after it
SOON_US = 500_000  # ... and after the keyframe that showed the mover while the gate slept
OLD_US = 1_500_000  # a start further back than this is that of something that stood there
APART_US = 3 * US  # since the last event; a sooner one is its continuation
PROOFS = 3  # events in a row
CHANCE = 1e-3  # the proofs would come by chance this rarely
CHANCE_S = 40.0  # over which the chance is measured
CHANCE_MOST = 0.4
BAN_US, BAN_MOST_US = 600 * US, 24 * 3600 * US  # without sleep after a miss; each one doubles it
FORGIVEN = 20  # events in a row, after which the next miss counts as the first

LEARNING = "what is usual is still being learned"
REORDERED = "the packets are not in the order of their pictures (B-frames)"
RARE = "keyframes come too rarely or not at all"
ONLY_KEYFRAMES = "there is hardly anything but keyframes"
RESTLESS = "packets are large and small without anything moving"
BLIND = "the sizes of the packets do not show what moves"
PROVING = "the sizes of the packets have yet to show that they tell what moves"


class Gate:
    """For the packets of one stream, from one thread."""

    def __init__(self) -> None:
        self.asleep = False
        self._kept: list[Packet] = []
        self._kept_bytes = 0
        self._sizes = Sizes()
        self._gops: deque[tuple[int, int]] = deque(maxlen=GOPS)  # (length in µs, packets)
        self._trials = _Trials()
        self._unfit = ""
        self._begin()

    def _begin(self) -> None:
        self.asleep = False
        self._t_us: int | None = None
        self._gops.clear()
        self._keyframe_us: int | None = None  # of the GOP that is running
        self._place = 0
        self._shown_us = 0  # the last keyframe let through
        self._reordered_us: int | None = None
        self._looked_us: int | None = None
        self._idle_us: int | None = None  # since when nothing goes on
        self._heavy_us: int | None = None

    @property
    def reason(self) -> str:
        """Why it cannot sleep, in words; empty when it can."""
        return self._unfit or self._of_the_stream() or self._trials.reason

    @property
    def excess(self) -> float | None:
        """By how much packets are heavier than usual (natural logarithm); None while that is not known."""
        return self._sizes.excess

    @property
    def limit(self) -> float | None:
        """The excess from which on it wakes; None while that is not known."""
        return self._sizes.limit

    def restart(self) -> None:
        """The stream begins again: what is kept is worth nothing, what was learned still holds."""
        self._unfit = ""
        self._drop()
        self._begin()

    def give_up(self, reason: str) -> None:
        """Sleep no more until `restart`."""
        self._unfit = reason
        self.asleep = False

    def let(self, packet: Packet) -> Sequence[Packet]:
        """The packets to decode now, in order: none, this one, or what was kept and this one."""
        t_us = packet.pts_us
        dt_us = 0 if self._t_us is None else t_us - self._t_us
        if abs(dt_us) > STEP_MOST_US:
            self._begin()
            dt_us = 0
        elif packet.pts_us != packet.dts_us or (self._t_us is not None and dt_us < STEP_LEAST_US):
            self._reordered_us = self._t_us = max(t_us, self._t_us or t_us)
        self._t_us = t_us if self._t_us is None else max(t_us, self._t_us)
        self._weigh(packet, max(0, dt_us))
        if self.asleep and not (self._sizes.heavy or self._of_the_stream()):
            return self._keep(packet)
        self.asleep = False
        return self._release(packet)

    def worth_a_look(self, t_us: int) -> bool:
        """Whether the detector shall see the decoded picture at `t_us`: all, but few of an idle scene."""
        looked_us = self._looked_us
        if looked_us is not None and 0 <= t_us - looked_us < LOOK_EVERY_US and self._at_rest(t_us):
            return False
        self._looked_us = t_us
        return True

    def _weigh(self, packet: Packet, dt_us: int) -> None:
        t_us = packet.pts_us
        if packet.keyframe:
            if self._keyframe_us is not None:
                self._gops.append((t_us - self._keyframe_us, self._place + 1))
            self._keyframe_us, self._place = t_us, 0
            self._sizes.keyframe()
            return
        self._place += 1
        quiet = self._idle_us is not None
        self._sizes.packet(len(packet.data), self._place, t_us, min(dt_us / US, 1.0), quiet)
        if self._sizes.heavy:
            self._heavy_us = t_us
        if self._sizes.known:
            self._trials.weighed(t_us, dt_us, self._sizes.heavy, self._keyframe_us or t_us, quiet)

    def _keep(self, packet: Packet) -> Sequence[Packet]:
        if packet.keyframe:
            self._drop()
            if packet.pts_us - self._shown_us >= KEYFRAME_EVERY_US:
                self._shown_us = packet.pts_us
                return (packet,)
        self._kept.append(packet)
        self._kept_bytes += len(packet.data)
        if len(self._kept) > KEPT_PACKETS or self._kept_bytes > KEPT_BYTES:
            self.asleep = False
            kept = self._kept
            self._drop()
            return kept
        return ()

    def _release(self, packet: Packet) -> Sequence[Packet]:
        kept = self._kept
        self._drop()
        if packet.keyframe:
            self._shown_us = packet.pts_us
        return (*kept, packet)

    def _drop(self) -> None:
        self._kept = []
        self._kept_bytes = 0

    def learn(self, t_us: int, reports: Sequence[Report], idle: bool) -> None:
        """What the detector made of the picture at `t_us`: its reports, and whether all is idle."""
        for report in reports:
            self._trials.told(report, t_us)
        if not idle:
            self._idle_us = None
            if self.asleep:
                self.asleep = False
                self._trials.woken_by_keyframe(t_us)
        elif self._idle_us is None:
            self._idle_us = t_us
        self.asleep = self.asleep or (self._at_rest(t_us) and not self.reason)

    def _at_rest(self, t_us: int) -> bool:
        """Whether neither the detector nor the sizes have had anything for a while."""
        idle = self._idle_us is not None and t_us - self._idle_us >= IDLE_US
        newest_us = t_us if self._t_us is None else self._t_us  # pictures may come late, from what was kept
        return idle and (self._heavy_us is None or newest_us - self._heavy_us >= LIGHT_US)

    def _of_the_stream(self) -> str:
        """What about the stream's make forbids to sleep."""
        now_us = self._t_us or 0
        if self._reordered_us is not None and now_us - self._reordered_us < REORDERED_US:
            return REORDERED
        running_us = 0 if self._keyframe_us is None else now_us - self._keyframe_us
        if running_us > LONGEST_GOP_US or any(length > LONGEST_GOP_US for length, _ in self._gops):
            return RARE
        if len(self._gops) < GOPS:
            return LEARNING
        if min(packets for _, packets in self._gops) < LEAST_PACKETS:
            return ONLY_KEYFRAMES
        return ""


class _Trials:
    """Whether heavy packets foretold the events."""

    def __init__(self) -> None:
        self._heavy: deque[tuple[int, int]] = deque(maxlen=256)  # (when, keyframe before) µs
        self._chance = 1.0  # that packets are heavy within a second and a half in which nothing moves
        self._last_heavy_us: int | None = None
        self._passed = 0
        self._failed = 0  # in a row
        self._misses = 0  # that cost the right to sleep
        self._banned_until_us: int | None = None
        self._now_us = 0
        self._ended_us: int | None = None
        self._keyframe_woke_us: int | None = None

    @property
    def reason(self) -> str:
        """Why the sizes are not to be trusted; empty when they are."""
        if self._banned_until_us is not None and self._now_us < self._banned_until_us:
            return BLIND
        if self._passed >= self._needed():
            return ""
        if self._failed:
            return BLIND
        return RESTLESS if self._chance > CHANCE_MOST else PROVING

    def _needed(self) -> float:
        if self._chance > CHANCE_MOST:
            return math.inf
        return max(PROOFS, math.ceil(math.log(CHANCE) / math.log(max(self._chance, 1e-6))))

    def weighed(self, t_us: int, dt_us: int, heavy: bool, keyframe_us: int, quiet: bool) -> None:
        """A packet was heavy or not."""
        self._now_us = t_us
        if heavy:
            self._last_heavy_us = t_us
            self._heavy.append((t_us, keyframe_us))
        if quiet:
            lately = self._last_heavy_us is not None and t_us - self._last_heavy_us < EARLY_US + LATE_US
            self._chance += min(dt_us / US / CHANCE_S, 1.0) * (lately - self._chance)

    def woken_by_keyframe(self, t_us: int) -> None:
        """A keyframe showed something that the sizes before it did not."""
        self._keyframe_woke_us = t_us

    def told(self, report: Report, t_us: int) -> None:
        """The detector told something of an event."""
        if isinstance(report, Closed):
            self._ended_us = t_us
        if not isinstance(report, Opened) or not math.isfinite(self._needed()):
            return
        start_us = max(report.start_us, t_us - OLD_US)
        if self._ended_us is not None and start_us - self._ended_us < APART_US:
            return
        if self._foretold(start_us, t_us):
            self._passed += 1
            self._failed = 0
            if self._passed >= FORGIVEN:
                self._misses = 0
        else:
            self._miss(t_us)

    def _foretold(self, start_us: int, t_us: int) -> bool:
        latest_us = start_us + LATE_US
        woken_us = self._keyframe_woke_us
        if woken_us is not None and start_us - EARLY_US <= woken_us and t_us - woken_us < APART_US:
            # It may have come some time before the keyframe that showed it first.
            latest_us = woken_us + SOON_US
        return any(
            start_us - EARLY_US <= at_us <= latest_us and keyframe_us <= start_us + EARLY_US
            for at_us, keyframe_us in self._heavy
        )

    def _miss(self, t_us: int) -> None:
        if self._passed >= self._needed():
            self._banned_until_us = t_us + min(BAN_US << min(self._misses, 20), BAN_MOST_US)
            self._misses += 1
        self._passed = 0
        self._failed += 1
