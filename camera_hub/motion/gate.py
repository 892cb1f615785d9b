"""The gate: which packets are worth decoding, and which pictures a look.

While nothing moves, a camera's packets between keyframes are small and alike; whatever moves
makes them heavier. Asleep, the gate lets some keyframes through alone and keeps what follows; when
a keyframe shows something, or packets become heavy and a peek (see peeks.py) shows it, the gate wakes
and lets all that it kept through first, so that an event begins when its mover came and not when
the gate woke.

It sleeps only where the stream's make (see make.py) allows it and sizes tell. Either the smallest
mover that matters costs clearly more than what the sizes vary by when it is quiet (see sizes.py):
then a keyframe is looked at now and then, or, where that is true of larger movers alone, every
keyframe. Or they have proved it, event by event (see trials.py). One event that they missed takes
the right to sleep away, however it was got.

Promises: the same packets and the same answers of the detector give the same decisions; no
clock. What it lets through can be decoded: a keyframe, or what follows the packet before.
Relies on `learn` being called after each picture that `worth_a_look` lets the detector see, and
on `wake` where the last picture of what it let through asleep shows something.
"""

from collections.abc import Callable, Sequence

from camera_hub.model import GateReason, Packet
from camera_hub.motion.kept import Kept
from camera_hub.motion.make import Make
from camera_hub.motion.peeks import Peeks
from camera_hub.motion.reports import Closed, Opened, Report
from camera_hub.motion.sizes import Sizes
from camera_hub.motion.trials import Trials

US = 1_000_000
STEP_LEAST_US = 1_000  # between pictures in order whose times are true
STEP_MOST_US = 10 * US  # a longer step in time, or one back, is another stream

IDLE_US = 3 * US  # nothing went on for so long, and ...
LIGHT_US = 1 * US  # ... no packet was heavy: all rests
LOOK_EVERY_US = 150_000  # at the pictures of a scene that rests, where sizes tell ...
LOOK_OFTEN_US = 75_000  # ... and where they do not
LOOK_OPEN_US = 60_000  # ... and at those of an event that has been told for so long:
OPEN_US = 2 * US
PEEK_BACK_US = 5 * US  # from further back it is not worth it: what it shows is decoded once more
BACK_US = 3 * US  # before it wakes, a mover may have begun: a small one is noticed late

# Longest GOP, and how often a keyframe is looked at. With a longer GOP, a mover that the sizes do
# not show would be seen too late.
SURE = (64 * US, 24 * US)  # the smallest mover that matters shows in the sizes
NEARLY = (4_500_000, 2 * US)  # larger ones do: smaller ones must show in the keyframes
PROVED = (8 * US, 2 * US)
NEARLY_TIMES = 3.0  # how much more than the smallest mover a larger one costs
SURE_TIMES = 1.5  # times the smallest mover: ... are surely heavy, now and then without cause
STILL_SURE = 2.0  # what is believed is not given up for a trifle

WORDS = {
    GateReason.LEARNING: "what is usual is still being learned",
    GateReason.B_FRAMES: "the packets are not in the order of their pictures (B-frames)",
    GateReason.INTRA_REFRESH: "keyframes are not whole pictures (intra refresh)",
    GateReason.RARE_KEYFRAMES: "keyframes come too rarely or not at all",
    GateReason.ONLY_KEYFRAMES: "there is hardly anything but keyframes",
    GateReason.RESTLESS: "packets are large and small without anything moving",
    GateReason.BLIND: "the sizes of the packets do not show what moves",
    GateReason.PROVING: "the sizes of the packets have yet to show that they tell what moves",
    GateReason.HELD_BACK: "the decoder does not give a keyframe's picture at once",
    GateReason.SWITCHED_OFF: "every picture is wanted",
}
"""The reasons for testers, in English; the dashboard has its own."""

Weigh = Callable[[Packet], tuple[int, bool]]
"""A packet's bytes without padding, and whether it is a keyframe that one can begin with."""


def as_it_is(packet: Packet) -> tuple[int, bool]:
    """For streams without padding, whose keyframes are keyframes."""
    return len(packet.data), packet.keyframe


class Gate:
    """For the packets of one stream, from one thread."""

    def __init__(self, picture: tuple[int, int] = (0, 0), weigh: Weigh = as_it_is) -> None:
        """`picture`: (width, height) px; without it, sizes are trusted only when they have proved to tell."""
        self.asleep = False
        self._weigh = weigh
        self._kept = Kept()
        self._peeks = Peeks()
        self._sizes = Sizes(picture)
        self._trials = Trials()
        self._unfit: GateReason | None = None
        self._trust: tuple[int, int] | None = None  # see _judge
        self._begin()

    def _begin(self) -> None:
        self.asleep = False
        self._t_us: int | None = None
        self._make = Make()
        self._shown_us = 0  # the last keyframe let through
        self._shown: Packet | None = None
        self._looked_us: int | None = None
        self._opened_us: int | None = None  # since when an event is open
        self._idle_us: int | None = None  # since when nothing goes on
        self._woken_by_sizes = False  # and nothing has been seen since
        self._unusual_us: int | None = None
        self._peeks.end()

    @property
    def peeks(self) -> bool:
        """Whether what it lets through asleep is for a peek: nobody but `shows` is to see it."""
        return self._peeks.since_us is not None

    @property
    def reason(self) -> GateReason | None:
        """Why it cannot sleep; None when it can."""
        return self._unfit or self._of_the_stream() or (None if self._trust else self._untrusted())

    @property
    def excess(self) -> float | None:
        """By how much packets are heavier than usual, as a share of `limit`; None while that is not known."""
        return self._sizes.excess if self._sizes.known else None

    @property
    def limit(self) -> float | None:
        """The excess from which on it wakes; None while that is not known."""
        return 1.0 if self._sizes.known else None

    def restart(self) -> None:
        """The stream begins again: what is kept is worth nothing, what was learned still holds."""
        self._unfit = None
        self._kept.drop()
        self._begin()

    def give_up(self, reason: GateReason) -> None:
        """Sleep no more until `restart`."""
        self._unfit = reason
        self._peeks.end()
        self.asleep = False

    def let(self, packet: Packet) -> Sequence[Packet]:
        """The packets to decode now, in order: none, this one, or what was kept and this one; while it
        stays asleep, a keyframe or those of a peek.

        What was kept may begin with a keyframe that was let through before, so that its packets can
        be decoded.
        """
        t_us = packet.pts_us
        dt_us = 0 if self._t_us is None else t_us - self._t_us
        asleep = self.asleep
        if abs(dt_us) > STEP_MOST_US:
            self._begin()
            dt_us = 0
        elif t_us != packet.dts_us or (self._t_us is not None and dt_us < STEP_LEAST_US):
            self._make.out_of_order(max(t_us, self._t_us or t_us))
        self._t_us = t_us if self._t_us is None else max(t_us, self._t_us)
        fresh = self._take(packet, max(0, dt_us))
        if not self.asleep:
            if asleep:  # a moment ago: the decoder lacks what was kept
                self._kept.add(packet, fresh)
                return self._release(fresh)
            if fresh:
                self._shown, self._shown_us = packet, t_us
            return (packet,)
        if fresh:  # nothing that shows from now on can have begun before
            self._kept.forget(min(t_us, self._peeks.since_us or t_us) - BACK_US)
        light = self._sizes.light
        if light or not self._trust or self._of_the_stream():
            self._woken_by_sizes = light or self._sizes.heavy
            self._kept.add(packet, fresh)
            return self._release(fresh)
        return self._let_or_keep(packet, fresh)

    def wake(self) -> Sequence[Packet]:
        """What was let through last shows something: what was kept before it, and itself."""
        if self.peeks:
            self._woken_by_sizes = True
            self._peeks.end()
        else:
            self._trials.woken_by_keyframe(self._shown_us)
        self.asleep = False
        return self._kept.take(whole=True)

    def worth_a_look(self, t_us: int) -> bool:
        """Whether the detector shall see the decoded picture at `t_us`: all, but few of an idle scene."""
        looked_us = self._looked_us
        every_us = LOOK_EVERY_US if self._trust else LOOK_OFTEN_US
        rests = self._at_rest(t_us)
        if not rests and self._opened_us is not None and t_us - self._opened_us >= OPEN_US:
            rests, every_us = True, LOOK_OPEN_US
        soon = looked_us is not None and 0 <= t_us - looked_us < every_us
        if soon and rests and t_us != self._shown_us:  # at a keyframe it may fall asleep
            return False
        self._looked_us = t_us
        return True

    def learn(self, t_us: int, reports: Sequence[Report], idle: bool) -> None:
        """What the detector made of the picture at `t_us`: its reports, and whether all is idle."""
        for report in reports:
            if isinstance(report, Opened):
                self._opened_us = t_us
            elif isinstance(report, Closed):
                self._opened_us = None
            self._trials.told(report, t_us, self._trust is not None)
        self._judge()
        if not idle:
            if self._idle_us is not None:
                self._sizes.doubt()
            self._idle_us = None
            self._woken_by_sizes = False
            if self.asleep:
                self.asleep = False
                self._peeks.end()
                self._kept.drop()
                self._trials.woken_by_keyframe(t_us)
        elif self._idle_us is None:
            self._idle_us = t_us
        if self.asleep and t_us == self._shown_us:
            self._kept.drop(keep=1)  # the detector has gone on
        elif not self.asleep and self._at_rest(t_us) and not self.reason:
            if self._woken_by_sizes:
                self._sizes.false_alarm()
                self._woken_by_sizes = False
            self._fall_asleep(t_us)

    def _fall_asleep(self, t_us: int) -> None:
        """At once where a keyframe will hardly show what the sizes did not; else at a keyframe, so that
        one can go back to it."""
        if self._trust is SURE:
            self.asleep = True
        elif self._shown is not None and t_us == self._shown_us == self._t_us:
            self.asleep = True
            self._kept.add(self._shown, fresh=True)

    def _take(self, packet: Packet, dt_us: int) -> bool:
        """Learn of the packet; returns whether it is a keyframe that one can begin with."""
        t_us = packet.pts_us
        size, fresh = self._weigh(packet)
        if fresh:
            self._make.begins(t_us)
            self._sizes.keyframe(size)
            self._judge()
            return True
        place = self._make.goes_on(t_us, packet.keyframe)
        quiet = self._idle_us is not None
        sizes = self._sizes
        sizes.packet(size, place, t_us, dt_us, quiet)
        if sizes.heavy or sizes.light:
            self._unusual_us = t_us
        if sizes.known:
            self._trials.weighed(t_us, dt_us, sizes.heavy, quiet)
        else:
            self._trust = None
        return False

    def _let_or_keep(self, packet: Packet, fresh: bool) -> Sequence[Packet]:
        self._kept.add(packet, fresh)
        while self._kept.too_much:
            if len(self._kept) == 1:
                return self._release(fresh)
            self._kept.drop(keep=len(self._kept) - 1)
        if self._sizes.heavy or self.peeks:
            return self._peek(packet, fresh)
        if fresh and self._due(packet.pts_us):
            self._shown, self._shown_us = packet, packet.pts_us
            return (packet,)
        return ()

    def _peek(self, packet: Packet, fresh: bool) -> Sequence[Packet]:
        """The packets are heavy, or were just now."""
        t_us, heavy, peeks = packet.pts_us, self._sizes.heavy, self._peeks
        if self.peeks:
            peeks.add(packet)
        elif not self._kept.headless and t_us - self._kept.running[0].pts_us <= PEEK_BACK_US:
            peeks.begin(self._kept.running)
        if not self.peeks or (heavy and peeks.lasted(t_us)):
            self._woken_by_sizes = True
            return self._release(fresh)
        if heavy:
            return peeks.due(t_us)
        if t_us - (self._unusual_us or 0) >= LIGHT_US:
            peeks.end()
            self._sizes.false_alarm()
        return ()

    def _due(self, t_us: int) -> bool:
        """Whether the keyframe at `t_us` is to be looked at, though nothing says that anything moves."""
        _, every_us = self._trust or PROVED
        since_us = t_us - self._shown_us
        next_us = since_us + self._make.last_gop_us
        return since_us >= every_us or 2 * next_us > 3 * every_us

    def _release(self, fresh: bool) -> Sequence[Packet]:
        self.asleep = False
        self._peeks.end()
        kept = self._kept.take()
        if fresh:
            self._shown, self._shown_us = kept[-1], kept[-1].pts_us
        return kept

    def _at_rest(self, t_us: int) -> bool:
        """Whether neither the detector nor the sizes have had anything for a while."""
        idle = self._idle_us is not None and t_us - self._idle_us >= IDLE_US
        newest_us = t_us if self._t_us is None else self._t_us  # pictures may come late, from what was kept
        return idle and (self._unusual_us is None or newest_us - self._unusual_us >= LIGHT_US)

    def _judge(self) -> None:
        """By how far sizes can be trusted: longest GOP and how often to look (µs); None: not at all."""
        sizes, trials = self._sizes, self._trials
        sure = sizes.margin <= sizes.mover * (STILL_SURE if self._trust is SURE else SURE_TIMES)
        if trials.banned or not sizes.known:
            self._trust = None
        elif sure:
            self._trust = SURE
        elif trials.proved:
            self._trust = PROVED
        else:
            self._trust = NEARLY if sizes.margin <= NEARLY_TIMES * sizes.mover else None

    def _untrusted(self) -> GateReason | None:
        return self._trials.reason if self._sizes.known else GateReason.LEARNING

    def _of_the_stream(self) -> GateReason | None:
        """What about the stream's make forbids to sleep."""
        allowed_us, _ = self._trust or PROVED
        return self._make.forbids(self._t_us or 0, allowed_us, self._trust is SURE)
