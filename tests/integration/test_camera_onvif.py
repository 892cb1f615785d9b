"""Promise: a camera that is given by its ONVIF address alone tells its streams and is read; and what stands
in the way is said in words. Against ipycam's virtual camera, its ONVIF and its RTSP."""

import threading
from collections.abc import Iterator

import pytest

from camera_hub.cameras import open_source
from camera_hub.cameras.onvif import resolve
from camera_hub.cameras.onvif_source import OnvifSource
from camera_hub.cameras.probe import probe_camera
from camera_hub.cameras.source import (
    GivenUpError,
    NoOnvifError,
    RefusedError,
    TimedOutError,
    UnauthorisedError,
)
from camera_hub.config import CameraConfig
from camera_hub.model import CameraState, StreamName
from tests.support import bad_cameras as bad
from tests.support import rtsp_servers
from tests.support.cameras import assert_sound, read
from tests.support.rtsp_servers import VirtualCamera
from tests.support.waiting import free_port

USER, PASSWORD = "police", "Rau-muong/7"


@pytest.fixture(scope="module")
def virtual() -> Iterator[VirtualCamera]:
    with rtsp_servers.ipycam(USER, PASSWORD, main=(640, 360), sub=(320, 180), told_host="0.0.0.0") as camera:
        yield camera


def config(virtual: VirtualCamera, password: str = PASSWORD) -> CameraConfig:
    return CameraConfig.model_validate(
        {
            "id": "cong-lang",
            "name": "Cổng làng",
            "onvif": {"host": virtual.host, "port": virtual.onvif_port},
            "username": USER,
            "password": password,
        }
    )


def test_streams_are_told_and_an_impossible_host_put_right(virtual: VirtualCamera) -> None:
    assert resolve(virtual.host, virtual.onvif_port, USER, PASSWORD) == (virtual.main, virtual.sub)


@pytest.mark.parametrize(("stream", "size"), [("main", (640, 360)), ("sub", (320, 180))])
def test_streams_are_read(virtual: VirtualCamera, stream: StreamName, size: tuple[int, int]) -> None:
    info, packets = read(open_source(config(virtual), stream), 25)
    assert_sound(info, packets, "h264", size)


def test_probe_tells_everything(virtual: VirtualCamera) -> None:
    main, sub = probe_camera(config(virtual), timeout_s=3)
    assert (main.stream, main.ok, main.codec, main.width, main.height) == ("main", True, "h264", 640, 360)
    assert (sub.stream, sub.ok, sub.codec, sub.width, sub.height) == ("sub", True, "h264", 320, 180)
    assert main.fps is not None
    assert 5 < main.fps < 15
    assert main.kbit_s is not None
    assert main.kbit_s > 0


@pytest.mark.parametrize(("user", "password"), [(USER, "wrong"), ("nobody", PASSWORD), (None, None)])
def test_wrong_credentials(virtual: VirtualCamera, user: str | None, password: str | None) -> None:
    with pytest.raises(UnauthorisedError, match="refuses the user name or password") as caught:
        resolve(virtual.host, virtual.onvif_port, user, password)
    assert caught.value.state is CameraState.UNAUTHORISED
    assert caught.value.__cause__ is None


def test_wrong_credentials_reach_the_source_and_the_probe(virtual: VirtualCamera) -> None:
    main, _ = probe_camera(config(virtual, "wrong"))
    assert (main.ok, main.state) == (False, CameraState.UNAUTHORISED)
    assert "wrong" not in main.error


def test_nobody_there() -> None:
    with pytest.raises(RefusedError, match="is the ONVIF port right"):
        resolve("127.0.0.1", free_port(), USER, PASSWORD)


def test_no_answer() -> None:
    with (
        bad.listening(bad.silent) as address,
        pytest.raises(TimedOutError, match="no ONVIF answer within 2 s"),
    ):
        resolve("127.0.0.1", int(address.rsplit(":", 1)[1].split("/")[0]), USER, PASSWORD, timeout_s=2)


def test_something_else_answers() -> None:
    with bad.listening(bad.garbage) as address, pytest.raises(NoOnvifError, match="does not speak ONVIF"):
        resolve("127.0.0.1", int(address.rsplit(":", 1)[1].split("/")[0]), USER, PASSWORD)


def test_a_question_can_be_given_up() -> None:
    with bad.listening(bad.silent) as address:
        port = int(address.rsplit(":", 1)[1].split("/")[0])
        source = OnvifSource("127.0.0.1", port, "main", username=USER, password=PASSWORD)
        timer = threading.Timer(1.0, source.interrupt)
        timer.start()
        with pytest.raises(GivenUpError):
            source.open()
        timer.join()
        source.close()
