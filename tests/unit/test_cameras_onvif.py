"""Promise: of a camera's profiles the right two are chosen, and an impossible address is put right."""

import pytest

from camera_hub.cameras.onvif import Profile, choose, reachable

FULL = Profile("full", "H264", 1920, 1080)
VGA = Profile("vga", "H264", 640, 480)
TINY = Profile("tiny", "H264", 176, 144)
HD = Profile("hd", "H264", 1280, 720)
HEVC = Profile("hevc", "H265", 3840, 2160)
JPEG = Profile("jpeg", "JPEG", 640, 360)
NOTHING = Profile("metadata", "", 0, 0)


@pytest.mark.parametrize(
    ("profiles", "main", "sub"),
    [
        ([VGA, FULL], FULL, VGA),
        ([FULL, VGA, TINY], FULL, VGA),  # what is too small shows nobody
        ([FULL, HD], FULL, HD),  # the next larger, for want of a small one
        ([FULL, HD, TINY], FULL, HD),
        ([FULL, TINY], FULL, None),
        ([FULL], FULL, None),
        ([FULL, FULL], FULL, None),  # one stream under two names
        ([HEVC, FULL, JPEG, VGA, NOTHING], FULL, VGA),
        (
            [Profile("a", "H264", 704, 576), Profile("b", "H264", 320, 240), FULL],
            FULL,
            Profile("b", "H264", 320, 240),
        ),
    ],
)
def test_main_is_the_largest_and_sub_the_smallest_that_serves(
    profiles: list[Profile], main: Profile, sub: Profile | None
) -> None:
    assert choose(profiles) == (main, sub)
    assert choose(profiles[::-1]) == (main, sub)


@pytest.mark.parametrize("profiles", [[], [HEVC, JPEG], [NOTHING]])
def test_without_h264_there_is_nothing_to_choose(profiles: list[Profile]) -> None:
    assert choose(profiles) is None


@pytest.mark.parametrize(
    ("told", "host", "expected"),
    [
        ("rtsp://192.168.1.20:554/a?b=1", "192.168.1.20", "rtsp://192.168.1.20:554/a?b=1"),
        ("rtsp://0.0.0.0:554/a", "192.168.1.20", "rtsp://192.168.1.20:554/a"),
        ("rtsp://127.0.0.1/a", "192.168.1.20", "rtsp://192.168.1.20/a"),
        ("rtsp://localhost:8554/a", "cam.lan", "rtsp://cam.lan:8554/a"),
        ("rtsp://127.0.0.1:8554/a", "127.0.0.1", "rtsp://127.0.0.1:8554/a"),
        ("rtsp://169.254.3.4/a", "192.168.1.20", "rtsp://192.168.1.20/a"),
        ("rtsp://192.168.1.20/a", "8.8.8.8", "rtsp://8.8.8.8/a"),  # behind a router
        ("rtsp://192.168.1.21/a", "192.168.1.20", "rtsp://192.168.1.21/a"),  # its other port: it will know
        ("rtsp:///a", "192.168.1.20", "rtsp://192.168.1.20/a"),
        ("rtsp://0.0.0.0/a", "fd00::20", "rtsp://[fd00::20]/a"),
        ("rtsp://admin:secret@0.0.0.0/a", "192.168.1.20", "rtsp://192.168.1.20/a"),
        ("rtsp://admin:secret@192.168.1.20/a", "192.168.1.20", "rtsp://192.168.1.20/a"),
    ],
)
def test_an_address_that_can_only_be_wrong_is_put_right(told: str, host: str, expected: str) -> None:
    assert reachable(told, host) == expected
