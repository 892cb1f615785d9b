"""Who watches what of a worker: one tap a stream, and nobody starts over because another came."""

from camera_hub.ingest.taps import STALE_US, Taps
from camera_hub.link.messages import LiveOpened, LivePackets
from camera_hub.model import Packet, StreamInfo, StreamName
from tests.support.clocks import HandClock

INFO = StreamInfo(codec="h264", width=640, height=360, fps=10.0, extradata=b"")


def packet(number: int, keyframe: bool = False) -> Packet:
    return Packet(b"v", number, number, number, keyframe)


class Worker:
    """The taps, what they asked of the camera, and what each server got."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.asked: list[tuple[str, StreamName, bool]] = []
        self.sent: list[tuple[str, LiveOpened | LivePackets]] = []
        self.taps = Taps(
            lambda camera, stream, on: self.asked.append((camera, stream, on)),
            lambda server, message: self.sent.append((server, message)),
            self.clock,
        )

    def got(self, server: str) -> list[int | str]:
        """Packets' numbers, and where the stream began."""
        found: list[int | str] = []
        for to, message in self.sent:
            if to == server and isinstance(message, LiveOpened):
                found.append("opened")
            elif to == server and isinstance(message, LivePackets):
                found += [packet.pts_us for packet in message.packets]
        return found


def watched() -> Worker:
    """A stream that `hamlet` watches, some packets after a keyframe."""
    worker = Worker()
    worker.taps.watch("hamlet", "gate", "sub", on=True)
    worker.taps.opened("gate", "sub", INFO)
    worker.taps.packets("gate", "sub", [packet(1, keyframe=True), packet(2)])
    worker.taps.packets("gate", "sub", [packet(3, keyframe=True), packet(4)])
    return worker


def test_a_second_server_gets_the_newest_group_and_the_first_does_not_notice() -> None:
    worker = watched()
    worker.taps.watch("commune", "gate", "sub", on=True)
    worker.taps.packets("gate", "sub", [packet(5)])
    assert worker.asked == [("gate", "sub", True)]
    assert worker.got("hamlet") == ["opened", 1, 2, 3, 4, 5]
    assert worker.got("commune") == ["opened", 3, 4, 5]


def test_the_tap_is_closed_by_the_last_who_leaves() -> None:
    worker = watched()
    worker.taps.watch("commune", "gate", "sub", on=True)
    worker.taps.unwatch_all("hamlet")
    assert worker.asked == [("gate", "sub", True)]
    worker.taps.packets("gate", "sub", [packet(5)])
    assert worker.got("hamlet")[-1] == 4
    worker.taps.watch("commune", "gate", "sub", on=False)
    worker.taps.watch("commune", "gate", "sub", on=False)
    assert worker.asked == [("gate", "sub", True), ("gate", "sub", False)]


def test_nobody_is_shown_what_stood_still_as_live() -> None:
    worker = watched()
    worker.clock.now_us += STALE_US
    worker.taps.watch("commune", "gate", "sub", on=True)
    assert worker.got("commune") == ["opened"]


def test_a_stream_that_begins_anew_begins_for_all() -> None:
    worker = watched()
    worker.taps.watch("commune", "gate", "sub", on=True)
    worker.taps.opened("gate", "sub", INFO)
    assert worker.got("hamlet")[-1] == worker.got("commune")[-1] == "opened"
    worker.taps.watch("third", "gate", "sub", on=True)
    assert worker.got("third") == ["opened"]
