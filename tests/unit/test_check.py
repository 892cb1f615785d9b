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
from camera_hub.check import CameraReport, advice, check_cameras, notes, table, verdict
from camera_hub.config import CameraConfig
from camera_hub.model import CameraState, SoundInfo


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
    assert row.split() == ["cam-0", "main", "h264", "640x360", "10.0", "2.0", "s", "answers"]
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


def test_advice_says_what_to_do(good: StreamProbe) -> None:
    assert (verdict(good), advice(good)) == ("answers", "")
    assert "set the camera to H.264" in advice(good._replace(codec="hevc"))
    assert "set one every 2 s" in advice(good._replace(keyframe_interval_s=10.0))
    large = good._replace(stream="sub", width=1920, height=1080)
    assert "about 640x360" in advice(large)
    assert verdict(large) == "answers, with advice"
    refused = good._replace(ok=False, state=CameraState.UNAUTHORISED, error="the password is not taken")
    assert (verdict(refused), advice(refused)) == ("refuses the password", "the password is not taken")


def test_what_holds_for_both_streams_is_said_once(good: StreamProbe) -> None:
    camera = CameraConfig.model_validate({"id": "a", "name": "A", "onvif": {"host": "h"}})
    away = good._replace(ok=False, error="is away")
    report = CameraReport(camera, (away, away._replace(stream="sub")))
    assert notes([report]) == ["a main and sub: is away"]


def test_the_table_fits_a_small_terminal(good: StreamProbe) -> None:
    camera = CameraConfig.model_validate({"id": "nga-ba-doi-che", "name": "A", "onvif": {"host": "h"}})
    away = good._replace(ok=False, state=CameraState.UNAUTHORISED, error="a long story")
    console = Console(width=80, no_color=True)
    with console.capture() as shown:
        console.print(table([CameraReport(camera, (good, away))]))
    assert len(shown.get().splitlines()) == 3
    assert "refuses the password" in shown.get()


def test_the_sound_is_told_where_it_is_wanted(good: StreamProbe) -> None:
    about = {"id": "a", "name": "A", "onvif": {"host": "h"}, "audio": True}
    heard = good._replace(sound=SoundInfo("pcm_alaw", 8000, 1))
    refused = good._replace(sound=SoundInfo("g726le", 8000, 1))
    assert advice(heard) == ""
    assert advice(refused) == "its sound (G726LE 8 kHz) cannot be used; set it to AAC or G.711 in the camera"
    console = Console(width=100, no_color=True)
    with console.capture() as shown:
        console.print(table([CameraReport(CameraConfig.model_validate(about), (heard, good))]))
    rows = shown.get().splitlines()
    assert "G.711 A-law 8 kHz" in rows[1]
    assert " - " in rows[2]


def test_no_cameras_and_a_camera_without_streams() -> None:
    assert check_cameras([], 1.0) == []
    camera = CameraConfig.model_validate({"id": "a", "name": "A", "onvif": {"host": "h"}})
    assert not CameraReport(camera, ()).ok
