"""What goes over a worker's connection next: the lanes strictly in order, in pieces, within the budget.

Promises: a lane sends only when those above it have nothing to send; what is larger than a piece is cut, so
that nothing waits behind it for long; control and facts of events since the connection began wait
for nothing, and what waited before that follows in its order. Within both, order is kept. A message is
sent once a connection; the outbox keeps it until it is acknowledged. Relies on `gate`, which says how long
the line has to be left alone.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

import structlog

from camera_hub.link.messages import (
    ClipWanted,
    Durable,
    EventClip,
    Lane,
    Skill,
    TooLargeError,
    WorkerMessage,
    encode,
    lane_of,
)
from camera_hub.link.worker.budget import Budget, piece_bytes
from camera_hub.link.worker.outgoing import ClipsOut, LiveBuffer, Numbered, Parts
from camera_hub.link.worker.protocols import Outbox
from camera_hub.link.worker.ranges import RangesOut

log = structlog.get_logger(__name__)

# Sent and not yet acknowledged. Of facts that waited so many that a slow answer costs no speed, and so few
# that a fresh one does not wait long behind them at the server.
WINDOW = {Lane.EVENT: 256, Lane.PICTURE: 16, Lane.CLIP: 2, Lane.VIDEO: 2}
MOST_FRESH = 4096
_BATCH = {Lane.EVENT: 64, Lane.PICTURE: 4, Lane.CLIP: 1, Lane.VIDEO: 1}
_CLOSED_US = 30_000_000  # so often is looked whether a lane that has no hour or no volume may go again
_PART_HEAD = 64  # bytes of a message around a piece


class Step(NamedTuple):
    """The next bytes; or None, and how long there is nothing to do unless something happens."""

    data: bytes | None
    wait_us: int | None = None


class Sending:
    """One connection. `who` is its name in the budget."""

    def __init__(
        self,
        who: str,
        outbox: Outbox,
        newest: int,
        can: Iterable[str],
        budget: Budget,
        live: Callable[[], list[LiveBuffer]],
        ranges: RangesOut | None = None,
    ) -> None:
        """`newest` is the outbox's when the connection began, `can` the server's skills; `live` gives
        what is watched, `ranges` what somebody looks back at.
        """
        self.control: deque[WorkerMessage] = deque(maxlen=256)
        self.answers: deque[WorkerMessage] = deque(maxlen=64)
        """What somebody asked for: pictures, what is recorded."""
        self._who = who
        self._can = frozenset(can)
        self._budget = budget
        self._live = live
        self._ranges = ranges
        self._turn = 0  # whose live packets are next
        self._lanes = {lane: _Lane(outbox, lane, newest) for lane in _BATCH}
        self._clips = {lane: ClipsOut() for lane in (Lane.CLIP, Lane.VIDEO)}
        self._parts: dict[Lane, Parts] = {}
        self._flying: dict[str, Lane] = {}
        self._count: Counter[Lane] = Counter()

    # -- what the connection tells ---------------------------------------------------------

    def outbox_changed(self) -> None:
        """New durable messages wait."""
        for lane in self._lanes.values():
            lane.changed()

    def acknowledged(self, ids: Iterable[str]) -> None:
        for id_ in ids:
            lane = self._flying.pop(id_, None)
            if lane is not None:
                self._count[lane] -= 1
        for clips in self._clips.values():
            clips.acknowledged(ids)

    def wanted(self, message: ClipWanted) -> None:
        """The server said from where on it wants a clip."""
        for clips in self._clips.values():
            if not clips.wanted(message.id, message.at):
                log.error("a clip arrives otherwise than it was sent; not now any more", message=message.id)

    # -- what the connection asks ----------------------------------------------------------

    async def next(self, gate_us: Callable[[], int], line_kbit: float | None) -> Step:
        """What to send now. `gate_us` says how long the line has to be left alone, 0 if not at all."""
        while True:
            try:
                return await self._next(gate_us, line_kbit)
            except TooLargeError as exc:
                log.error("not sent; it stays here until its time is over", message=exc.id, error=str(exc))
                self.acknowledged([exc.id])  # in nobody's way on this connection

    async def _next(self, gate_us: Callable[[], int], line_kbit: float | None) -> Step:
        if self.control:
            return self._sent(encode(self.control.popleft()))
        fresh = await self._event(old=False)
        if fresh is not None:
            return self._sent(encode(fresh))
        wait_us = None
        for lane in Lane:
            if not await self._has(lane):
                continue
            if not self._budget.is_open(lane):
                wait_us = _CLOSED_US
                continue
            shut_us = gate_us()
            if shut_us:
                self._budget.withdraw(self._who)
                return Step(None, shut_us)
            delay_us = self._budget.delay_us(self._who, lane)
            if delay_us:
                return Step(None, delay_us)
            piece = min(self._budget.piece_bytes, piece_bytes(line_kbit))
            message = await self._take(lane, piece)
            if message is not None:
                return self._sent(self._cut(lane, message, piece))
        self._budget.withdraw(self._who)
        return Step(None, wait_us)

    def _sent(self, data: bytes) -> Step:
        self._budget.spend(self._who, len(data))
        return Step(data)

    async def _has(self, lane: Lane) -> bool:
        """Whether the lane has something to send now."""
        if lane in self._parts:
            return True
        match lane:
            case Lane.EVENT:
                return self._has_window(lane) and await self._lanes[lane].peek(old=True) is not None
            case Lane.PICTURE:
                return bool(self.answers) or (self._has_window(lane) and await self._lanes[lane].any())
            case Lane.LIVE:
                return any(buffer.ready for buffer in self._live()) or self._has_range(lane)
            case Lane.CLIP | Lane.VIDEO:
                clips = self._clips[lane]
                return (
                    self._has_range(lane)
                    or clips.ready
                    or (clips.has_room and self._has_window(lane) and await self._lanes[lane].any())
                )

    def _has_range(self, lane: Lane) -> bool:
        return self._ranges is not None and self._ranges.ready(lane)

    def _take_range(self, lane: Lane, piece: int) -> WorkerMessage | None:
        return None if self._ranges is None else self._ranges.take(lane, piece)

    async def _take(self, lane: Lane, piece: int) -> WorkerMessage | None:
        """The lane's next message; None where it has none after all."""
        if lane in self._parts:
            return self._next_part(lane, piece)
        match lane:
            case Lane.EVENT:
                return await self._event(old=True)
            case Lane.PICTURE if self.answers:
                return self.answers.popleft()
            case Lane.PICTURE:
                return self._fly(await self._lanes[lane].pop())
            case Lane.LIVE:
                return self._take_live(piece) or self._take_range(lane, piece)
            case Lane.CLIP | Lane.VIDEO:
                # For a range somebody waits; it goes before long clips.
                return self._take_range(lane, piece) or await self._take_clip(lane, piece)

    async def _event(self, old: bool) -> Durable | None:
        lane = self._lanes[Lane.EVENT]
        has_window = self._has_window(Lane.EVENT) if old else self._count[Lane.EVENT] < MOST_FRESH
        if not has_window or await lane.peek(old) is None:
            return None
        return self._fly(lane.take(old))

    async def _take_clip(self, lane: Lane, piece: int) -> WorkerMessage | None:
        clips = self._clips[lane]
        if not clips.ready:
            clip = self._fly(await self._lanes[lane].pop())
            if not isinstance(clip, EventClip) or Skill.CLIP_PIECES not in self._can:
                return clip
            clips.add(clip)
        return clips.take(piece)

    def _take_live(self, piece: int) -> WorkerMessage | None:
        buffers = self._live()
        for step in range(len(buffers)):
            message = buffers[(self._turn + step) % len(buffers)].take(piece)
            if message is not None:
                self._turn += step + 1
                return message
        return None

    def _cut(self, lane: Lane, message: WorkerMessage, piece: int) -> bytes:
        data = encode(message)
        is_piece = lane in self._clips or lane in self._parts
        if is_piece or len(data) <= piece + _PART_HEAD or Skill.PARTS not in self._can:
            return data
        self._parts[lane] = Parts(lane, data)
        return encode(self._next_part(lane, piece))

    def _next_part(self, lane: Lane, piece: int) -> WorkerMessage:
        parts = self._parts[lane]
        part = parts.take(piece)
        if parts.done:
            del self._parts[lane]
        return part

    def _has_window(self, lane: Lane) -> bool:
        return self._count[lane] < WINDOW[lane]

    def _fly(self, message: Durable | None) -> Durable | None:
        if message is not None:
            lane = self._flying[message.id] = lane_of(message)
            self._count[lane] += 1
        return message


class _Lane:
    """One lane's messages in the outbox: those put in since the connection began, and the older ones."""

    def __init__(self, outbox: Outbox, lane: Lane, newest: int) -> None:
        self._outbox = outbox
        self._lane = lane
        self._fresh = _Run(after=newest, until=None)
        self._old = _Run(after=0, until=newest)

    def changed(self) -> None:
        self._fresh.more = True

    async def peek(self, old: bool) -> Numbered | None:
        run = self._old if old else self._fresh
        if not run.found and run.more:
            run.more = False
            limit = _BATCH[self._lane]
            found = await self._outbox.unacknowledged(self._lane, run.after, run.until, limit)
            run.found.extend(found)
            if found:
                run.after = found[-1].number
            if len(found) == limit:
                run.more = True
        return run.found[0] if run.found else None

    def take(self, old: bool) -> Durable:
        return (self._old if old else self._fresh).found.popleft().message

    async def any(self) -> bool:
        return await self.peek(old=False) is not None or await self.peek(old=True) is not None

    async def pop(self) -> Durable | None:
        for old in (False, True):
            if await self.peek(old) is not None:
                return self.take(old)
        return None


class _Run:
    """A run of numbers in the outbox, read from its beginning to its end."""

    def __init__(self, after: int, until: int | None) -> None:
        self.after = after
        self.until = until
        self.more = True  # may be there beyond what was found
        self.found: deque[Numbered] = deque()
