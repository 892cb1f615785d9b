"""Promise: each kind of camera in the configuration gets its kind of source, no error shows a password."""

from pathlib import Path
from typing import Any

import pytest

from camera_hub.cameras import open_source
from camera_hub.cameras.clip import ClipSource
from camera_hub.cameras.onvif_source import OnvifSource
from camera_hub.cameras.rtsp import MAX_CREDENTIALS, RtspSource
from camera_hub.cameras.source import LongPasswordError, NoSecondStreamError
from camera_hub.config import CameraConfig

SECRET = "bí mật/@:?#"


def camera(**keys: Any) -> CameraConfig:
    return CameraConfig.model_validate({"id": "cong-lang", "name": "Cổng làng"} | keys)


def test_rtsp() -> None:
    streams = {"main": "rtsp://127.0.0.1:9/a", "sub": "rtsp://127.0.0.1:9/b"}
    assert isinstance(open_source(camera(streams=streams), "main"), RtspSource)
    assert isinstance(open_source(camera(streams=streams), "sub"), RtspSource)


def test_clip(tmp_path: Path) -> None:
    assert isinstance(open_source(camera(streams={"main": str(tmp_path / "a.mp4")}), "main"), ClipSource)


def test_onvif() -> None:
    assert isinstance(open_source(camera(onvif={"host": "127.0.0.1"}), "sub"), OnvifSource)


def test_a_stream_that_the_camera_does_not_have() -> None:
    with pytest.raises(NoSecondStreamError, match="the camera cong-lang has no sub stream"):
        open_source(camera(streams={"main": "rtsp://127.0.0.1/a"}), "sub")


@pytest.mark.parametrize("in_address", [False, True])
def test_no_error_shows_the_password(in_address: bool) -> None:
    address = "rtsp://admin:Rau-muong-7@127.0.0.1:9/a" if in_address else "rtsp://127.0.0.1:9/a"
    source = RtspSource(address) if in_address else RtspSource(address, username="admin", password=SECRET)
    with pytest.raises(Exception, match="refuses the connection") as caught:
        source.open()
    shown = repr(caught.value) + repr(caught.value.__cause__) + repr(caught.value.__context__) + repr(source)
    assert "Rau-muong-7" not in shown
    assert SECRET not in shown
    assert "admin" not in shown


def test_credentials_that_ffmpeg_would_cut_short_are_refused_in_words() -> None:
    RtspSource("rtsp://127.0.0.1/a", username="u", password="x" * (MAX_CREDENTIALS - 2))
    with pytest.raises(LongPasswordError, match="too long"):
        RtspSource("rtsp://127.0.0.1/a", username="u", password="x" * (MAX_CREDENTIALS - 1))
