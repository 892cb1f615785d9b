"""The whole hub among cameras that misbehave, and on a full disk: said in words; nobody else suffers."""

import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.integration.test_hub_runs import camera
from tests.support import bad_cameras as bad
from tests.support import needs
from tests.support.hub import Browserless, command, server_section, signed_in, users, write_config
from tests.support.lane import make_lane
from tests.support.waiting import free_port, until_blocking

SECRET = "Rau-muong-luoc-7"
JPEG = "m=video 0 RTP/AVP 26\r\na=control:track1\r\n"
DIGEST = 'WWW-Authenticate: Digest realm="camera", nonce="1f"\r\n'


def rtsp_camera(name: str, url: str, **more: object) -> dict[str, object]:
    return {"id": name, "name": name, "streams": {"main": url}, **more}


def test_every_camera_says_what_ails_it_and_the_good_one_does_not_notice(tmp_path: Path) -> None:
    lane = make_lane(tmp_path / "lane.mp4", seconds=12, crossings=((5, 8.5),))
    server = server_section()
    with ExitStack() as stack:
        wrong = stack.enter_context(bad.listening(bad.answering("401 Unauthorized", DIGEST)))
        mjpeg = stack.enter_context(bad.listening(bad.camera(JPEG, bad.silent)))
        stalls = stack.enter_context(bad.listening(bad.camera(bad.h264_media(b""), bad.silent)))
        cameras = [
            camera("tot", lane),
            camera("mat", tmp_path / "nowhere.mp4"),
            rtsp_camera("tu-choi", f"rtsp://127.0.0.1:{free_port()}/a"),
            rtsp_camera("sai-mat-khau", wrong, username="xem", password=SECRET),
            rtsp_camera("mjpeg", mjpeg),
            rtsp_camera("dung", stalls),
        ]
        config = write_config(tmp_path / "hub.yaml", cameras=cameras, server=server, users=users())
        running = stack.enter_context(command("run", str(config), log=tmp_path / "log"))
        browser = stack.enter_context(signed_in(int(str(server["port"]))))
        wanted = {
            "tot": ("online", "", None),
            "mat": ("connecting", "nowhere.mp4", "clip-missing"),
            "tu-choi": ("connecting", "refuses the connection", "refused"),
            "sai-mat-khau": ("unauthorised", "user name or password", "wrong-password"),
            "mjpeg": ("unsupported", "MJPEG", "unsupported-codec"),
            "dung": ("stalled", "sent nothing", "stalled"),
        }
        seen: dict[str, set[tuple[str, str, str]]] = {name: set() for name in wanted}

        def all_seen() -> bool:
            for id_, found in browser.cameras().items():
                seen[id_.split(".")[1]].add((found["state"], found["error"], found["cause"]))
            return all(
                any(state == s and words in error and cause == c for s, error, c in seen[name])
                for name, (state, words, cause) in wanted.items()
            )

        try:
            until_blocking(all_seen, 60, every_s=0.3)
        except AssertionError:
            pytest.fail(f"not all were seen: {seen}")
        assert browser.http.get("/api/cameras/khe-coc.mjpeg/latest.jpg").status_code == 503
        good = browser.cameras()["khe-coc.tot"]
        assert (good["state"], good["restarts"], good["streams"][0]["dropped"]) == ("online", 0, 0)
        assert SECRET not in browser.http.get("/api/cameras").text
    assert SECRET not in running.text()
    assert "Traceback" not in running.text()


def _events_with_clips(browser: Browserless) -> int:
    return sum(1 for event in browser.events(limit=200) if event["clip"] and event["end"])


@pytest.mark.timeout(300)
def test_a_full_disk_costs_the_oldest_and_never_the_newest(tmp_path: Path) -> None:
    lane = make_lane(tmp_path / "lane.mp4", seconds=12, crossings=((5, 8.5),), size=(1280, 720), fps=15)
    server = server_section()
    hamlet_link = {"servers": [{"name": "own", "url": f"ws://127.0.0.1:{server['port']}/api/link"}]}
    with needs.small_disk(tmp_path / "disk", 6_000_000) as disk:
        config = write_config(
            tmp_path / "hamlet.yaml",
            storage={"path": str(disk / "data"), "max_gb": 1, "keep_free_gb": 0.001, "segment_s": 5},
            cameras=[camera(name, lane) for name in ("mot", "hai", "ba")],
            link=hamlet_link,
        )
        commune = write_config(
            tmp_path / "commune.yaml",
            site={"id": "tuc-tranh", "name": "Xã Tức Tranh"},
            server={**server, "sites": [{"id": "khe-coc", "name": "Khe Cốc", "key": _key(config, tmp_path)}]},
            users=users(),
        )
        with (
            command("serve", str(commune), log=tmp_path / "serve.log"),
            command("ingest", str(config), log=tmp_path / "ingest.log") as worker,
            signed_in(int(str(server["port"]))) as browser,
        ):
            recordings = disk / "data" / "recordings"
            until_blocking(lambda: any(recordings.rglob("*.mp4")), 60)
            oldest = min(recordings.rglob("*.mp4"))
            until_blocking(lambda: not oldest.exists(), 150)
            known = _events_with_clips(browser)
            until_blocking(lambda: _events_with_clips(browser) > known, 60)  # and the newest is there
            newest = max(recordings.rglob("*.mp4"), key=lambda file: file.stat().st_mtime)
            assert time.time() - newest.stat().st_mtime < 10
            assert all(found["restarts"] == 0 for found in browser.cameras().values())
            assert worker.process.poll() is None
        assert "Traceback" not in worker.text()


def _key(config: Path, folder: Path) -> str:
    with command("key", str(config), log=folder / "key.log") as asked:
        assert asked.process.wait(30) == 0
        return asked.text().strip()


@pytest.mark.parametrize("what", ["port", "folder", "database"])
def test_what_keeps_it_from_starting_is_said_in_a_sentence(what: str, tmp_path: Path) -> None:
    lane = make_lane(tmp_path / "lane.mp4", seconds=2, crossings=())
    server = server_section()
    more: dict[str, object] = {}
    words = ""
    with ExitStack() as stack:
        if what == "port":
            stack.enter_context(bad.listening(bad.silent))
            taken = stack.enter_context(bad.listening(bad.silent))
            server["port"] = int(taken.split(":")[2].split("/")[0])
            words = "is taken by another program"
        if what == "folder":
            (tmp_path / "file").write_text("no folder")
            more["storage"] = {"path": str(tmp_path / "file" / "data")}
            words = "cannot be"
        if what == "database":
            data = tmp_path / "data-hub"
            data.mkdir()
            (data / "worker.db").write_bytes(b"this is no database" * 100)
            words = "move the file away"
        config = write_config(
            tmp_path / "hub.yaml", cameras=[camera("mot", lane)], server=server, users=users(), **more
        )
        running = stack.enter_context(command("run", str(config), log=tmp_path / "log"))
        assert running.process.wait(40) == 1
        assert words in running.text()
        assert "Traceback" not in running.text()
