"""One stream of a camera on its way to one WebRTC viewer, and whether WebRTC can carry it at all.

Promises: a stream that it cannot carry is said to be so in words, at its opening or as soon as it shows.
Relies on the channel, which calls it for each packet.
"""

from typing import Protocol

from camera_hub.live.channel import LiveChannel, Opened, Paused
from camera_hub.live.rtp import Packetiser, Picture
from camera_hub.model import HubError, NotLive, Packet, StreamInfo


class NotLiveError(HubError):
    """The stream cannot be shown now."""

    def __init__(self, words: str, code: NotLive = NotLive.NO_PICTURE) -> None:
        super().__init__(words)
        self.code = code


class CannotCarryError(NotLiveError):
    """WebRTC cannot carry what this camera sends."""


def check_carried(channel: LiveChannel, info: StreamInfo) -> None:
    """Raises CannotCarryError."""
    if info.codec != "h264":
        name = {"hevc": "H.265"}.get(info.codec, info.codec)
        raise CannotCarryError(
            f"this camera's {channel.stream} stream is {name}, which is not shown live by WebRTC; "
            "set the stream to H.264 in the camera",
            NotLive.CODEC,
        )
    if channel.reordered:
        raise CannotCarryError(
            f"this camera's {channel.stream} stream has B-frames, whose order WebRTC cannot carry; "
            "set the stream to baseline profile, or B-frames to 0, in the camera",
            NotLive.B_FRAMES,
        )


class Taker(Protocol):
    """Who gets what a feed brings."""

    def take(self, feed: "Feed", packet: Packet) -> None: ...

    def interrupted(self, feed: "Feed") -> None:
        """What comes next does not go on from what came before."""

    def ended(self, feed: "Feed", reason: str) -> None:
        """No more comes, for a reason in words."""


class Feed:
    """A channel's viewer that hands on at once."""

    def __init__(self, channel: LiveChannel, packetiser: Packetiser, taker: Taker) -> None:
        self.channel = channel
        self._packetiser = packetiser
        self._taker = taker

    def enter(self) -> None:
        self.channel.enter(self)

    def leave(self) -> None:
        """Watch no more; may be called twice."""
        self.channel.discard(self)

    def picture(self, packet: Packet) -> Picture:
        """The packet as all viewers of the stream send it."""
        return self._packetiser.picture(packet)

    def put_packet(self, packet: Packet) -> None:
        if not self.channel.reordered or self._carried(self.channel.info):
            self._taker.take(self, packet)

    def put(self, item: Opened | Paused) -> None:
        if isinstance(item, Paused) or self._carried(item.info):
            self._taker.interrupted(self)  # the dashboard knows of a pause, and the session waits

    def restart(self) -> None:
        """What is cached, again."""
        for packet in self.channel.cached():
            self.put_packet(packet)

    def end(self, reason: str) -> None:
        self._taker.ended(self, reason)

    def _carried(self, info: StreamInfo | None) -> bool:
        try:
            if info is not None:
                check_carried(self.channel, info)
        except CannotCarryError as exc:
            self._taker.ended(self, str(exc))
            return False
        return True
