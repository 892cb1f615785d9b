"""A consumer that is switched on and off gets whole runs: info first, packets from a keyframe on, a pause."""

from camera_hub.ingest.outlet import Outlet
from camera_hub.ingest.packet_queue import PacketQueue, Pause
from camera_hub.model import Packet, StreamInfo

INFO = StreamInfo("h264", 640, 360, 25.0, b"")
OTHER = StreamInfo("h264", 1280, 720, 25.0, b"")


def packet(number: int) -> Packet:
    """Every fourth is a keyframe."""
    return Packet(bytes([number]), number, number, number, number % 4 == 0)


def came(outlet: Outlet) -> list[object]:
    return [item.pts_us if isinstance(item, Packet) else item for item in outlet.queue.drain()]


def test_what_is_on_gets_everything() -> None:
    outlet = Outlet(PacketQueue(), on=True)
    outlet.opened(INFO)
    for number in range(3):
        outlet.packet(packet(number))
    outlet.paused()
    assert came(outlet) == [INFO, 0, 1, 2, Pause.PAUSE]


def test_off_ends_at_the_next_packet_and_on_begins_at_the_next_keyframe_without_the_stream_being_opened() -> (
    None
):
    outlet = Outlet(PacketQueue(), on=True)
    outlet.opened(INFO)
    outlet.packet(packet(0))
    outlet.on = False
    outlet.packet(packet(1))
    outlet.packet(packet(2))
    outlet.on = True
    for number in (3, 4, 5):
        outlet.packet(packet(number))
    assert came(outlet) == [INFO, 0, Pause.PAUSE, INFO, 4, 5]
    assert outlet.queue.dropped == 0


def test_what_is_off_gets_nothing_and_knows_the_stream_that_was_opened_last() -> None:
    outlet = Outlet(PacketQueue(), on=False)
    outlet.opened(INFO)
    outlet.packet(packet(0))
    outlet.paused()
    outlet.opened(OTHER)
    outlet.packet(packet(4))
    assert came(outlet) == []
    outlet.on = True
    outlet.packet(packet(8))
    assert came(outlet) == [OTHER, 8]


def test_a_switch_that_is_turned_off_and_on_between_two_packets_changes_nothing() -> None:
    outlet = Outlet(PacketQueue(), on=True)
    outlet.opened(INFO)
    outlet.packet(packet(0))
    outlet.on = False
    outlet.on = True
    outlet.packet(packet(1))
    assert came(outlet) == [INFO, 0, 1]
