"""Promise: trying a camera out tells what each stream sends, or in words why none; it never raises."""

from pathlib import Path

import pytest

from camera_hub.cameras.probe import probe_camera
from camera_hub.config import CameraConfig
from camera_hub.model import CameraState
from tests.support import rtsp_servers
from tests.support.made_clips import make_clip
from tests.support.waiting import free_port


def camera(main: str, sub: str | None = None) -> CameraConfig:
    streams = {"main": main} | ({"sub": sub} if sub else {})
    return CameraConfig.model_validate({"id": "cong-lang", "name": "Cổng làng", "streams": streams})


def test_what_each_stream_sends(tmp_path: Path) -> None:
    make_clip(tmp_path / "main.mp4", size=(640, 360), fps=15, gop=30, seconds=6)
    make_clip(tmp_path / "sub.mp4", size=(320, 180), fps=10, gop=20, seconds=6, codec="hevc")
    with rtsp_servers.aio_rtsp(tmp_path) as base:
        main, sub = probe_camera(camera(base + "main.mp4", base + "sub.mp4"))
    assert (main.ok, main.codec, main.width, main.height) == (True, "h264", 640, 360)
    assert (sub.ok, sub.codec, sub.width, sub.height) == (True, "hevc", 320, 180)
    # A sender report that comes meanwhile sets the stream's clock right, by as much as the server was late.
    assert (main.fps, sub.fps) == (15, 10)
    assert (main.keyframe_interval_s, sub.keyframe_interval_s) == pytest.approx((2, 2), abs=0.2)
    assert main.error == sub.error == ""


def test_a_clip(tmp_path: Path) -> None:
    (probe,) = probe_camera(camera(str(make_clip(tmp_path / "clip.mp4", seconds=4))))
    assert (probe.ok, probe.fps, probe.keyframe_interval_s) == (True, 10, 1)


def test_one_stream_may_be_wrong(tmp_path: Path) -> None:
    make_clip(tmp_path / "main.mp4")
    with rtsp_servers.aio_rtsp(tmp_path) as base:
        main, sub = probe_camera(camera(base + "main.mp4", base + "gone.mp4"))
    assert main.ok
    assert (sub.ok, sub.state) == (False, CameraState.CONNECTING)
    assert "no stream at this path" in sub.error


def test_nobody_there() -> None:
    (probe,) = probe_camera(camera(f"rtsp://127.0.0.1:{free_port()}/a"))
    assert (probe.ok, probe.state) == (False, CameraState.CONNECTING)
    assert "refuses the connection" in probe.error
