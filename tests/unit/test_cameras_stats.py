"""Promise: a stream's rates are those of its last seconds, whatever came before."""

from camera_hub.cameras.stats import StreamStats
from camera_hub.model import Packet, StreamInfo

INFO = StreamInfo("h264", 640, 360, 10.0, b"", "Main")
SECOND = 1_000_000


def feed(stats: StreamStats, begin_us: int, seconds: float, fps: int, size: int, gop: int = 20) -> int:
    count = round(seconds * fps)
    for n in range(count):
        now = begin_us + n * SECOND // fps
        stats.add(Packet(bytes(size), now, now, 1_700_000_000 * SECOND + now, n % gop == 0), now)
    return begin_us + count * SECOND // fps


def test_nothing_is_known_before_the_stream_was_open() -> None:
    assert StreamStats().health("main", 0, 5 * SECOND) is None


def test_rates_and_keyframe_interval() -> None:
    stats = StreamStats()
    stats.opened(INFO, 100 * SECOND)
    end = feed(stats, 100 * SECOND, 30, fps=10, size=1000)
    health = stats.health("sub", 3, end)
    assert health is not None
    assert (health.stream, health.codec, health.width, health.height) == ("sub", "h264", 640, 360)
    assert (health.fps, health.kbit_s, health.keyframe_interval_s) == (10.0, 80.0, 2.0)
    assert health.last_packet_us == 1_700_000_000 * SECOND + end - SECOND // 10
    assert health.dropped == 3


def test_rates_are_right_soon_after_the_start() -> None:
    stats = StreamStats()
    stats.opened(INFO, 0)
    end = feed(stats, 0, 2, fps=15, size=100)
    health = stats.health("main", 0, end)
    assert health is not None
    assert health.fps == 15
    assert health.keyframe_interval_s == 20 / 15 or health.keyframe_interval_s == round(20 / 15, 3)


def test_a_stream_that_stopped_falls_to_nothing() -> None:
    stats = StreamStats()
    stats.opened(INFO, 0)
    end = feed(stats, 0, 20, fps=10, size=100)
    fading = [stats.health("main", 0, end + n * SECOND) for n in range(12)]
    rates = [health.fps for health in fading if health is not None]
    assert rates == sorted(rates, reverse=True)
    assert rates[0] == 10
    assert rates[-1] == 0


def test_a_new_connection_starts_anew() -> None:
    stats = StreamStats()
    stats.opened(INFO, 0)
    end = feed(stats, 0, 20, fps=10, size=100)
    stats.opened(INFO, end + 60 * SECOND)
    health = stats.health("main", 0, end + 60 * SECOND)
    assert health is not None
    assert (health.fps, health.keyframe_interval_s) == (0, None)
