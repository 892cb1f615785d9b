"""One WebRTC viewer's video: what to send, when, and what to send again.

Promises: it starts from the cached group as soon as the viewer is connected; a backlog leaves paced and
is bounded; lost packets are sent again from the pictures that all viewers share, a lost picture brings
the cached group again; one who keeps losing goes down the ladder (the full stream, the small one, its
keyframes alone) and up again. No task of its own: it works when a packet, a report or a timer comes.
Relies on one event loop for all its calls.
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from camera_hub.clock import Clock
from camera_hub.live.channel import MAX_WAITING_BYTES, MAX_WAITING_PACKETS, SLOW_PACKETS, LiveChannel
from camera_hub.live.feed import Feed
from camera_hub.live.ladder import Ladder
from camera_hub.live.path import CHUNK, MediaPath
from camera_hub.live.rtp import CLOCK_HZ, Packetiser, Picture, sender_report
from camera_hub.live.timeline import Pacer, Timeline
from camera_hub.model import Packet

RESTART_US = 2_000_000  # between two repeats of the cached group for a viewer who lost a picture
PACE_BYTES_S = 5_000_000
PACE_BURST_BYTES = 64 * 1024
AGAIN_US = 1_500_000  # how long a packet may be asked for: several round trips of 200 ms
AGAIN_BYTES_S = 500_000  # what is sent again, at most
AGAIN_PACKETS = 300  # of one NACK
REPORT_S = 1.0
RETRY_S = 0.01  # when the socket has no room

_WRAP = 0xFFFFFFFF


class Source(NamedTuple):
    """A stream that the viewer may be sent. `channel` is asked for when it is needed."""

    channel: Callable[[], LiveChannel]
    packetiser: Callable[[LiveChannel], Packetiser]

    def feed(self, sender: "VideoSender") -> Feed:
        channel = self.channel()
        return Feed(channel, self.packetiser(channel), sender)


class _Rung(NamedTuple):
    source: int
    keyframes_only: bool


class _Sent(NamedTuple):
    """A picture that left, of which packets may be asked for again."""

    sequence: int  # of its first packet, not wrapped
    timestamp: int
    picture: Picture
    at_us: int


class VideoSender:
    """What one viewer is sent, from the best of `sources` on. `gone` is called when no more can come.

    It watches from `enter` on and sends from `start` on, until `close`.
    """

    def __init__(self, sources: list[Source], gone: Callable[[str], None], clock: Clock) -> None:
        self.dropped = 0  # pictures that the viewer's connection was too slow for
        self.sent = 0  # packets
        self.again = 0  # packets that were lost and sent once more
        self._sources = sources
        self._gone = gone
        self._clock = clock
        now = clock.monotonic_us()
        self._rungs = _rungs(len(sources))
        self._ladder = Ladder(len(self._rungs), now)
        self._feed = sources[0].feed(self)
        self._source = 0  # which one the feed is of
        self._coming: Feed | None = None  # takes the feed's place at its first keyframe
        self._path: MediaPath | None = None
        self._closed = False
        self._wants_keyframe = True
        self._backlog: deque[Picture] = deque()
        self._backlog_bytes = 0
        self._begun = False  # the first picture of the backlog has its RTP time
        self._at = 0  # ... and so many of its packets left already
        self._due_us: int | None = None  # when its next ones may leave
        self._timer: asyncio.TimerHandle | None = None
        self._reports: asyncio.TimerHandle | None = None
        self._origin = random.getrandbits(32)
        # In the lower half, so that SRTP's count of wraps begins the same at both ends (RFC 3711, 3.3.1).
        self._sequence = random.getrandbits(15)
        self._timestamp = self._origin
        self._bytes = 0
        self._reported = 0  # packets that had been sent when the viewer last reported
        self._history: deque[_Sent] = deque()
        self._restarted_us = now - RESTART_US
        self._timeline = Timeline(now)
        self._pacer = Pacer(PACE_BYTES_S, PACE_BURST_BYTES, now)
        self._again = Pacer(AGAIN_BYTES_S, AGAIN_BYTES_S, now)

    @property
    def shows(self) -> str:
        """What the viewer is sent now: "main", "sub", or one of them with "keyframes"."""
        rung = self._rungs[self._ladder.rung]
        only = " keyframes" if rung.keyframes_only and rung.source == self._source else ""
        return f"{self._feed.channel.stream}{only}"

    def enter(self) -> None:
        self._feed.enter()

    def start(self, path: MediaPath) -> None:
        """The viewer is connected: begin with the cached group."""
        if self._closed:
            path.close()
            return
        now = self._clock.monotonic_us()
        self._path = path
        self._timeline = Timeline(now)
        self._pacer = Pacer(PACE_BYTES_S, PACE_BURST_BYTES, now)
        self._plan_report()
        self._feed.restart()

    def close(self) -> None:
        self._closed = True
        self._feed.leave()
        if self._coming is not None:
            self._coming.leave()
        for timer in (self._timer, self._reports):
            if timer is not None:
                timer.cancel()
        if self._path is not None:
            self._path.close()
            self._path = None
        self._backlog.clear()
        self._history.clear()

    # What the feeds bring.

    def take(self, feed: Feed, packet: Packet) -> None:
        if self._path is None:
            return
        if feed is not self._feed:
            if feed is not self._coming or not packet.keyframe:
                return
            self._change_to(feed)
        if packet.keyframe:
            self._wants_keyframe = False
            if len(self._backlog) >= SLOW_PACKETS:
                self._skip()
        elif self._wants_keyframe:
            return
        elif self._keyframes_only:
            self._wants_keyframe = True
            return
        picture = feed.picture(packet)
        if not picture.payloads:
            return
        self._backlog.append(picture)
        self._backlog_bytes += picture.size
        if len(self._backlog) > MAX_WAITING_PACKETS or self._backlog_bytes > MAX_WAITING_BYTES:
            self._skip()
            self._wants_keyframe = True
        if self._timer is None:
            self._drain()

    def interrupted(self, feed: Feed) -> None:
        if feed is self._feed:
            self._wants_keyframe = True
            self._timeline.rebase()

    def ended(self, feed: Feed, reason: str) -> None:
        if feed is self._coming or (feed is self._feed and self._source > 0):
            # The lesser stream cannot be had: the viewer has to do with the better one.
            self._rungs = _rungs(1)
            self._ladder = Ladder(len(self._rungs), self._clock.monotonic_us())
            self._aim()
        elif feed is self._feed:
            self._gone(reason)

    # What the viewer tells.

    def reported(self, lost: float) -> None:
        packets, self._reported = self.sent - self._reported, self.sent
        self._ladder.reported(lost, packets, self._clock.monotonic_us())
        self._aim()

    def packets_lost(self, sequence_numbers: list[int]) -> None:
        now, newest = self._clock.monotonic_us(), self._sequence - 1
        for number in sequence_numbers[:AGAIN_PACKETS]:
            sequence = newest - ((newest - number) & 0xFFFF)
            sent = next((one for one in reversed(self._history) if one.sequence <= sequence), None)
            if sent is None or self._path is None or now - sent.at_us > AGAIN_US:
                continue
            payloads, index = sent.picture.payloads, sequence - sent.sequence
            if index < len(payloads):
                if not self._again.may(len(payloads[index]), now):
                    return
                last = index == len(payloads) - 1
                self._path.send_again(payloads[index], number, sent.timestamp, last=last)
                self.again += 1

    def picture_lost(self) -> None:
        now = self._clock.monotonic_us()
        if now - self._restarted_us >= RESTART_US:
            self._restarted_us = now
            self._skip()
            self._wants_keyframe = True
            self._feed.restart()

    # The ladder.

    @property
    def _keyframes_only(self) -> bool:
        rung = self._rungs[self._ladder.rung]
        return rung.keyframes_only and rung.source == self._source

    def _aim(self) -> None:
        """Have the stream come that the ladder says, if it is another."""
        wanted = self._rungs[self._ladder.rung].source
        if self._closed:
            return
        if wanted == self._source:
            if self._coming is not None:
                self._coming.leave()
                self._coming = None
        elif self._coming is None:
            self._coming = self._sources[wanted].feed(self)
            self._coming.enter()  # its cached group may be there at once

    def _change_to(self, feed: Feed) -> None:
        self._feed.leave()
        self._feed, self._coming = feed, None
        self._source = 1 - self._source
        self._skip()
        self._timeline.rebase()

    # Sending.

    def _skip(self) -> None:
        """Let what waits go, but for a picture that has begun to leave."""
        begun = [self._backlog[0]] if self._begun else []
        self.dropped += len(self._backlog) - len(begun)
        self._backlog = deque(begun)
        self._backlog_bytes = sum(picture.size for picture in begun)

    def _drain(self) -> None:
        """Send what may leave now, and come back for the rest."""
        self._timer = None
        while self._backlog and self._path is not None:
            picture, now = self._backlog[0], self._clock.monotonic_us()
            count = min(len(picture.payloads) - self._at, CHUNK)
            if self._due_us is None:
                size = picture.size * count // len(picture.payloads)
                self._due_us = now + round(self._pacer.wait_s(size, now) * 1e6)
            if self._due_us > now:
                self._come_back((self._due_us - now) / 1e6)
                return
            if not self._begun:
                self._begin(picture, now)
            try:
                sent = self._path.send(picture.payloads, self._at, self._sequence & 0xFFFF, self._timestamp)
            except ValueError as exc:
                self._gone(str(exc))  # and nobody else, whom the same packet goes to
                return
            self._sequence += sent
            self.sent += sent
            self._at += sent
            if sent < count:
                self._ladder.choked(now)
                self._aim()
                self._come_back(RETRY_S)
                return
            self._due_us = None
            if self._at >= len(picture.payloads):
                self._backlog.popleft()
                self._backlog_bytes -= picture.size
                self._bytes += picture.size
                self._begun, self._at = False, 0

    def _begin(self, picture: Picture, now_us: int) -> None:
        history = self._history
        self._timestamp = self._origin + self._timeline.rtp_time(picture.packet.pts_us, now_us) & _WRAP
        self._begun = True
        history.append(_Sent(self._sequence, self._timestamp, picture, now_us))
        while now_us - history[0].at_us > AGAIN_US:
            history.popleft()

    def _come_back(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._drain)

    def _plan_report(self) -> None:
        seconds = REPORT_S * random.uniform(0.75, 1.25)  # noqa: S311 - no secret
        self._reports = asyncio.get_running_loop().call_later(seconds, self._report)

    def _report(self) -> None:
        """Tell the viewer which wall time, of the worker's clock, its RTP times belong to."""
        if self._path is not None and self._history:
            newest = self._history[-1]
            since_us = self._clock.monotonic_us() - newest.at_us
            wall_us = newest.picture.packet.wall_us + since_us
            rtp_time = newest.timestamp + since_us * CLOCK_HZ // 1_000_000 & _WRAP
            report = sender_report(
                self._path.ssrc, self._path.cname, wall_us, rtp_time, self.sent, self._bytes
            )
            self._path.send_report(report)
        self._plan_report()


def _rungs(sources: int) -> list[_Rung]:
    """Each stream whole, from the best on; then the last one's keyframes alone."""
    return [*(_Rung(number, False) for number in range(sources)), _Rung(sources - 1, True)]
