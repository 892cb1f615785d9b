"""From a camera to an event with picture and clip; a camera's process killed; the whole ended.

The hub is the real one, in its real processes; the cameras are clips in real time.
"""

import io
import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import av
import psutil
import pytest

from tests.support.hub import Browserless, Command, command, server_section, signed_in, users, write_config
from tests.support.lane import make_lane
from tests.support.waiting import until_blocking

CAMERAS = ("cong-lang", "nha-van-hoa", "cau-khe-coc")


def camera(name: str, clip: Path, **more: object) -> dict[str, object]:
    return {
        "id": name,
        "name": f"Cổng {name}",
        "streams": {"main": str(clip)},
        "clip": {"loop": True, "pace": "real-time"},
        "zones": [{"name": "Lòng đường", "polygon": [[0, 0.4], [1, 0.4], [1, 1], [0, 1]]}],
        **more,
    }


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lane(tmp_path_factory.mktemp("lane") / "lane.mp4", seconds=12, crossings=((5, 8.5),))


@pytest.fixture(scope="module")
def hub(lane: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Command, Browserless]]:
    folder = tmp_path_factory.mktemp("hub")
    server = server_section()
    config = write_config(
        folder / "hub.yaml",
        cameras=[camera(name, lane) for name in CAMERAS],
        server=server,
        users=users(),
    )
    with (
        command("run", str(config), log=folder / "log") as running,
        signed_in(int(str(server["port"]))) as browser,
    ):
        yield running, browser


def _online(browser: Browserless) -> set[str]:
    return {id_.split(".")[1] for id_, found in browser.cameras().items() if found["state"] == "online"}


def _camera_pids(running: Command) -> dict[str, int]:
    """Camera → its process, from the log."""
    lines = running.lines()
    return {line["camera"]: line["pid"] for line in lines if line["event"] == "camera process started"}


def test_cameras_come_online_and_say_what_they_send(hub: tuple[Command, Browserless]) -> None:
    _, browser = hub
    until_blocking(lambda: _online(browser) == set(CAMERAS), 40)
    # Rates are there after some seconds.
    until_blocking(lambda: browser.cameras()["khe-coc.cong-lang"]["streams"][0]["keyframe_interval_s"], 20)
    (stream,) = browser.cameras()["khe-coc.cong-lang"]["streams"]
    assert (stream["codec"], stream["width"], stream["height"]) == ("h264", 640, 360)
    assert stream["keyframe_interval_s"] == pytest.approx(2, abs=0.2)
    assert stream["dropped"] == 0


def test_a_picture_of_now_can_be_had(hub: tuple[Command, Browserless]) -> None:
    _, browser = hub
    until_blocking(lambda: _online(browser) == set(CAMERAS), 40)
    path = "/api/cameras/khe-coc.cong-lang/latest.jpg"
    until_blocking(lambda: browser.http.get(path).status_code == 200)
    answer = browser.http.get(path, params={"h": 180})
    assert answer.headers["content-type"] == "image/jpeg"
    with av.open(io.BytesIO(answer.content), "r", format="jpeg_pipe") as picture:
        assert next(picture.decode(video=0)).height == 180


def test_an_event_has_its_picture_zone_and_clip(hub: tuple[Command, Browserless]) -> None:
    _, browser = hub

    def finished() -> list[dict[str, object]]:
        return [e for e in browser.events() if e["clip"] and e["snapshot"] and e["end"]]

    until_blocking(finished, 60)
    event = finished()[-1]
    assert event["zones"] == ["Lòng đường"]
    assert 2 <= float(str(event["duration_s"])) <= 8
    path = f"/api/events/{event['id']}"
    assert browser.get(path) == event
    assert browser.http.get(f"{path}/snapshot.jpg").content.startswith(b"\xff\xd8")
    clip = browser.http.get(f"{path}/clip.mp4")
    assert clip.headers["accept-ranges"] == "bytes"
    assert clip.headers["content-type"] == "video/mp4"
    with av.open(io.BytesIO(clip.content), "r") as video:
        frames = len(list(video.decode(video=0)))
    assert frames >= 10 * float(str(event["duration_s"]))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_camera_process_is_back_and_the_others_do_not_notice(
    hub: tuple[Command, Browserless], how: signal.Signals
) -> None:
    running, browser = hub
    until_blocking(lambda: _online(browser) == set(CAMERAS), 40)
    before = _camera_pids(running)
    restarts = browser.cameras()["khe-coc.cong-lang"]["restarts"]
    states: list[tuple[str, str]] = []
    os.kill(before["cong-lang"], how)
    killed = time.monotonic()
    while time.monotonic() - killed < 30:
        found = browser.cameras()["khe-coc.cong-lang"]
        states.append((found["state"], found["error"]))
        if found["state"] == "online" and found["restarts"] > restarts:
            break
        time.sleep(0.05)
    took_s = time.monotonic() - killed
    print(f"back after {took_s:.1f} s")
    assert states[-1][0] == "online"
    assert any(state == "connecting" and how.name in error for state, error in states), states
    after = _camera_pids(running)
    assert after["cong-lang"] != before["cong-lang"]
    assert {c: p for c, p in after.items() if c != "cong-lang"} == {
        c: p for c, p in before.items() if c != "cong-lang"
    }
    others = [found for id_, found in browser.cameras().items() if id_ != "khe-coc.cong-lang"]
    assert all(found["state"] == "online" and found["restarts"] == 0 for found in others)
    assert all(stream["dropped"] == 0 for found in others for stream in found["streams"])


def test_a_second_hub_on_the_same_folder_says_so_and_leaves(
    hub: tuple[Command, Browserless], tmp_path: Path
) -> None:
    running, _ = hub
    (config,) = running.log.parent.glob("hub.yaml")
    with command("run", str(config), log=tmp_path / "log") as second:
        assert second.process.wait(30) == 1
        assert "another camera-hub" in second.text()
        assert "Traceback" not in second.text()
    assert running.process.poll() is None


def test_ctrl_c_ends_everything_within_five_seconds(lane: Path, tmp_path: Path) -> None:
    server = server_section()
    config = write_config(
        tmp_path / "hub.yaml", cameras=[camera(name, lane) for name in CAMERAS], server=server, users=users()
    )
    with (
        command("run", str(config), log=tmp_path / "log") as running,
        signed_in(int(str(server["port"]))) as browser,
    ):
        until_blocking(lambda: _online(browser) == set(CAMERAS), 40)
        family = psutil.Process(running.pid).children(recursive=True)
        assert len(family) >= 2 + len(CAMERAS)
        began = time.monotonic()
        assert running.end(signal.SIGINT, timeout_s=15) == 0
        print(f"ended within {time.monotonic() - began:.1f} s")
        _, alive = psutil.wait_procs(family, timeout=2)
        assert alive == []
        assert "Traceback" not in running.text()
    left = [line for line in running.lines() if line["level"] in ("error", "critical")]
    assert left == []


def test_a_killed_hub_leaves_nothing_running(lane: Path, tmp_path: Path) -> None:
    server = server_section()
    config = write_config(
        tmp_path / "hub.yaml", cameras=[camera("cong-lang", lane)], server=server, users=users()
    )
    with (
        command("run", str(config), log=tmp_path / "log") as running,
        signed_in(int(str(server["port"]))) as browser,
    ):
        until_blocking(lambda: _online(browser) == {"cong-lang"}, 40)
        family = psutil.Process(running.pid).children(recursive=True)
        running.process.kill()
        running.process.wait()
        _, alive = psutil.wait_procs(family, timeout=15)
        assert alive == []


def test_a_clip_at_full_speed_gives_all_its_events_and_all_its_video(tmp_path: Path) -> None:
    clip = make_lane(tmp_path / "long.mp4", seconds=60, crossings=((6, 9.5), (25, 28.5), (45, 48.5)))
    server = server_section()
    fast = camera("nhanh", clip) | {"clip": {"loop": False, "pace": "full-speed"}}
    config = write_config(tmp_path / "hub.yaml", cameras=[fast], server=server, users=users())
    began = time.monotonic()
    with (
        command("run", str(config), log=tmp_path / "log"),
        signed_in(int(str(server["port"]))) as browser,
    ):
        until_blocking(lambda: sum(1 for e in browser.events() if e["end"]) >= 3, 40)
        print(f"three events of a minute's clip after {time.monotonic() - began:.0f} s")
        events = sorted(browser.events(), key=lambda e: e["start"])
        starts = [datetime.fromisoformat(e["start"]) for e in events]
        assert [(t - starts[0]).total_seconds() for t in starts] == pytest.approx([0, 19, 39], abs=0.5)
        (stream,) = browser.cameras()["khe-coc.nhanh"]["streams"]
        assert stream["dropped"] == 0
    recorded = sum(_frames(file) for file in (tmp_path / "data-hub" / "recordings").rglob("*.mp4"))
    assert recorded == 600


def _frames(file: Path) -> int:
    with av.open(file, "r") as video:
        return len(list(video.decode(video=0)))
