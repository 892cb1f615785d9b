"""`camera-hub check` asks every camera at once and says in words what an operator should do."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from rich.console import Console

from camera_hub import cli
from camera_hub.cameras.probe import StreamProbe, probe_camera
from camera_hub.check import CameraReport, check_cameras, table, verdict
from camera_hub.config import CameraConfig


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five seconds of H.264 with a keyframe every two."""
    file = tmp_path_factory.mktemp("clips") / "lane.mp4"
    with av.open(str(file), "w") as out:
        stream = out.add_stream("libx264", rate=10, options={"g": "20", "bf": "0", "sc_threshold": "0"})
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index in range(50):
            picture = np.full((360, 640, 3), index * 4, np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode())
    return file


@pytest.fixture
def refused_port() -> Iterator[int]:
    """A port on which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


def configuration(folder: Path, *streams: str) -> Path:
    file = folder / "hub.yaml"
    cameras = ""
    for index, stream in enumerate(streams):
        cameras += f"- {{id: cam-{index}, name: Cam, streams: {{main: '{stream}'}}"
        cameras += "}\n" if stream.startswith("rtsp") else ", clip: {pace: full-speed}}\n"
    file.write_text(f"site: {{id: xom, name: Xóm}}\ncameras:\n{cameras}")
    return file


def run_check(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["camera-hub", "check", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "160")
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert isinstance(caught.value.code, int)
    return caught.value.code


def test_a_camera_that_answers(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_check(monkeypatch, configuration(tmp_path, str(clip))) == 0
    said = capsys.readouterr().out
    row = next(line for line in said.splitlines() if line.startswith("cam-0"))
    assert row.split() == ["cam-0", "main", "h264", "640x360", "10.0", "2.0", "s", row.split()[7], "answers"]
    assert "1 of 1 cameras answer" in said


def test_a_camera_that_does_not_answer_and_its_password_is_not_said(
    clip: Path,
    refused_port: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    refused = f"rtsp://xem:hunter2@127.0.0.1:{refused_port}/a"
    file = configuration(tmp_path, str(clip), refused, str(tmp_path / "none.mp4"))
    assert run_check(monkeypatch, file, "--timeout", 5) == 1
    said = capsys.readouterr()
    assert "1 of 3 cameras answer" in said.out
    assert "hunter2" not in said.out + said.err
    assert run_check(monkeypatch, file, "--timeout", 5, "--json") == 1
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert [camera["ok"] for camera in report["cameras"]] == [True, False, False]
    assert report["cameras"][0]["streams"][0]["codec"] == "h264"
    assert all(camera["streams"][0]["error"] for camera in report["cameras"][1:])
    assert "hunter2" not in said.out + said.err


@pytest.fixture(scope="module")
def good(clip: Path) -> StreamProbe:
    streams = {"streams": {"main": str(clip)}, "clip": {"pace": "full-speed"}}
    camera = CameraConfig.model_validate({"id": "a", "name": "A", **streams})
    (probe,) = probe_camera(camera, 10)
    return probe


def test_advice(good: StreamProbe) -> None:
    assert verdict(good) == "answers"
    assert "set the camera to H.264" in verdict(good._replace(codec="hevc"))
    assert "set one every 2 s" in verdict(good._replace(keyframe_interval_s=10.0))
    assert "about 640x360" in verdict(good._replace(stream="sub", width=1920, height=1080))
    assert verdict(good._replace(ok=False, error="is away")) == "is away"


def test_the_table_takes_names_as_they_are(good: StreamProbe) -> None:
    camera = CameraConfig.model_validate({"id": "a", "name": "A", "onvif": {"host": "h"}})
    odd = good._replace(ok=False, error="[bold] is no [/markup]")
    rendered = Console(width=200, no_color=True)
    with rendered.capture() as shown:
        rendered.print(table([CameraReport(camera, (odd,))]))
    assert "[bold] is no [/markup]" in shown.get()


def test_no_cameras_and_a_camera_without_streams() -> None:
    assert check_cameras([], 1.0) == []
    camera = CameraConfig.model_validate({"id": "a", "name": "A", "onvif": {"host": "h"}})
    assert not CameraReport(camera, ()).ok
