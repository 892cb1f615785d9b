"""Promise: cameras are read from RTSP servers that we did not write, GStreamer's and aio-rtsp-toolkit's
(ipycam's is in test_camera_onvif): over TCP and UDP, in H.264 and HEVC, with credentials; and a stream that
breaks off comes back by itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from camera_hub.cameras.reader import StreamReader
from camera_hub.cameras.rtsp import RtspSource, Transport
from camera_hub.cameras.source import NotFoundError, UnauthorisedError, WrongTransportError
from camera_hub.model import CameraState, Packet, StreamInfo
from tests.support import rtsp_servers
from tests.support.cameras import assert_sound, read
from tests.support.made_clips import make_clip
from tests.support.waiting import until_blocking

USER, PASSWORD = "làng", "p@ss: w/ord?#%&"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "h264.mp4", seconds=3)
    make_clip(folder / "hevc.mp4", codec="hevc", seconds=3)
    make_clip(folder / "sound.mp4", seconds=3, sound=True)
    make_clip(folder / "mpeg4.mp4", codec="mpeg4", seconds=3)
    return folder


@pytest.fixture(scope="module")
def gstreamer(clips: Path) -> Iterator[dict[str, str]]:
    with rtsp_servers.gstreamer(
        {codec: clips / f"{codec}.mp4" for codec in ("h264", "hevc")}, USER, PASSWORD
    ) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def aio_rtsp(clips: Path) -> Iterator[str]:
    with rtsp_servers.aio_rtsp(clips) as base:
        yield base


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_gstreamer_with_digest(gstreamer: dict[str, str], codec: str, transport: Transport) -> None:
    source = RtspSource(gstreamer[codec], transport=transport, username=USER, password=PASSWORD)
    info, packets = read(source, 25)
    assert_sound(info, packets, codec, (320, 240))


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (None, None)])
def test_gstreamer_refuses_wrong_credentials(
    gstreamer: dict[str, str], user: str | None, password: str | None
) -> None:
    with pytest.raises(UnauthorisedError, match="refuses the user name or password") as caught:
        RtspSource(gstreamer["h264"], username=user, password=password).open()
    assert caught.value.state is CameraState.UNAUTHORISED
    assert "wrong" not in str(caught.value)


def test_gstreamer_has_no_such_stream(gstreamer: dict[str, str]) -> None:
    with pytest.raises(NotFoundError, match="has no stream at this path"):
        RtspSource(gstreamer["h264"] + "x", username=USER, password=PASSWORD).open()


@pytest.mark.parametrize("name", ["h264", "hevc", "sound"])
def test_aio_rtsp_toolkit(aio_rtsp: str, name: str) -> None:
    source = RtspSource(aio_rtsp + f"{name}.mp4/play_count_0")
    info, packets = read(source, 35)  # across the seam of the server's loop
    codec = "h264" if name == "sound" else name
    assert_sound(info, packets, codec, (320, 240))


def test_aio_rtsp_toolkit_refuses_what_it_cannot_send(aio_rtsp: str) -> None:
    with pytest.raises(WrongTransportError, match="refuses to send this stream"):
        RtspSource(aio_rtsp + "mpeg4.mp4").open()


@contextmanager
def reading(reader: StreamReader) -> Iterator[None]:
    thread = threading.Thread(target=reader.run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        reader.stop()
        thread.join(20)
        assert not thread.is_alive()


def test_a_stream_that_ends_comes_back_by_itself(aio_rtsp: str) -> None:
    infos: list[StreamInfo] = []
    packets: list[Packet] = []
    states: list[CameraState] = []
    reader = StreamReader(
        lambda: RtspSource(aio_rtsp + "h264.mp4"),  # plays once, then hangs up
        on_info=infos.append,
        on_packet=packets.append,
        on_state=lambda state, error, wall_us: states.append(state),
    )
    with reading(reader):
        until_blocking(lambda: len(infos) >= 2 and len(packets) > 45, timeout_s=60)
    connecting, online = CameraState.CONNECTING, CameraState.ONLINE
    assert states[:4] == [connecting, online, connecting, online]
    health = reader.health("main")
    assert health is not None
    assert (health.codec, health.width, health.keyframe_interval_s) == ("h264", 320, 1.0)


def test_a_camera_that_restarts_comes_back_by_itself(clips: Path) -> None:
    packets: list[Packet] = []
    states: list[tuple[CameraState, str]] = []
    address: list[str] = []
    reader = StreamReader(
        lambda: RtspSource(address[-1] + "h264.mp4/play_count_0"),
        on_info=lambda info: None,
        on_packet=packets.append,
        on_state=lambda state, error, wall_us: states.append((state, str(error or ""))),
    )
    with rtsp_servers.aio_rtsp(clips) as base:
        address.append(base)
        thread = threading.Thread(target=reader.run, daemon=True)
        thread.start()
        until_blocking(lambda: len(packets) > 5, timeout_s=60)
    until_blocking(lambda: "refuses the connection" in states[-1][1], timeout_s=60)
    seen = len(packets)
    with rtsp_servers.aio_rtsp(clips) as base:
        address.append(base)
        until_blocking(lambda: len(packets) > seen + 5, timeout_s=60)
        assert states[-1] == (CameraState.ONLINE, "")
        reader.stop()
        thread.join(20)
        assert not thread.is_alive()
