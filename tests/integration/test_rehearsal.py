"""`replay --live`: a clip is rehearsed on a running hub, end to end, and leaves nothing but its events."""

import contextlib
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.hub import Browserless, Command, command, server_section, signed_in, users, write_config
from tests.support.lane import make_lane
from tests.support.waiting import free_port, until_blocking

CAMERA = "rehearsal.ngo-nha-ong-tu"
ZONE = {"name": "Lòng đường", "polygon": [[0, 0.3], [1, 0.3], [1, 1], [0, 1]]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("rehearsal")


@pytest.fixture(scope="module")
def clip(folder: Path) -> Path:
    return make_lane(folder / "Ngõ nhà ông Tư.mp4", seconds=14, crossings=((5, 9),))


@pytest.fixture(scope="module")
def config(folder: Path) -> Path:
    quiet = make_lane(folder / "quiet.mp4", seconds=20, crossings=())
    camera = {
        "id": "cong-lang",
        "name": "Cổng làng",
        "streams": {"main": str(quiet)},
        "clip": {"loop": True},
        "zones": [ZONE],
    }
    server = server_section()
    return write_config(folder / "hub.yaml", cameras=[camera], server=server, users=users())


@pytest.fixture(scope="module")
def hub(config: Path) -> Iterator[Browserless]:
    port = json.loads(config.read_text())["server"]["port"]
    with command("run", str(config), log=config.parent / "hub.log"), signed_in(port) as browser:
        until_blocking(lambda: not browser.not_online(), 40)
        yield browser


def rehearsal(clip: Path, config: Path, log: Path, *more: str) -> contextlib.AbstractContextManager[Command]:
    return command("replay", "--live", str(clip), "--config", str(config), *more, log=log)


def _events(hub: Browserless) -> list[dict[str, object]]:
    return hub.events(site="rehearsal")


def _state(hub: Browserless) -> str | None:
    found = hub.cameras().get(CAMERA)
    return None if found is None else str(found["state"])


def _left(config: Path) -> set[str]:
    """What lies in the rehearsals' folder."""
    return {path.name for path in (config.parent / "data-hub" / "rehearsal").iterdir()}


def test_a_clip_is_rehearsed_on_a_hub_that_runs(
    hub: Browserless, clip: Path, config: Path, tmp_path: Path
) -> None:
    with rehearsal(clip, config, tmp_path / "log", "--camera", "cong-lang") as running:
        until_blocking(lambda: _state(hub) == "online", 40)
        family = psutil.Process(running.pid).children(recursive=True)
        assert family
        still = f"/api/cameras/{CAMERA}/latest.jpg"
        until_blocking(lambda: hub.http.get(still).content.startswith(b"\xff\xd8"))
        with rehearsal(clip, config, tmp_path / "second") as second:
            assert second.process.wait(30) == 1
            assert "another camera-hub rehearsal" in second.text()
        until_blocking(lambda: _events(hub), 40)
        assert running.process.wait(60) == 0
    said = running.text()
    assert "Rehearsing at http://127.0.0.1" in said
    assert "ngo-nha-ong-tu  motion  told after" in said
    assert "1 event told; from the mover's first picture to the hub" in said
    (event,) = _events(hub)
    assert (event["camera"], event["camera_name"]) == (CAMERA, "Ngõ nhà ông Tư")
    assert (event["zones"], event["snapshot"], event["clip"]) == (["Lòng đường"], True, True)
    picture = hub.http.get(f"/api/events/{event['id']}/snapshot.jpg")
    assert picture.content.startswith(b"\xff\xd8")
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert _left(config) == {"site.key", "rehearsal.lock"}
    sites = {site["id"]: site for site in hub.get("/api/sites")["sites"]}
    until_blocking(lambda: _state(hub) == "away")
    assert sites["rehearsal"]["name"] == "Diễn tập"
    assert sites["khe-coc"]["connected"]
    assert hub.cameras()["khe-coc.cong-lang"]["state"] == "online"


def test_ctrl_c_ends_it_and_no_event_goes_on(
    hub: Browserless, clip: Path, config: Path, tmp_path: Path
) -> None:
    before = {event["id"] for event in _events(hub)}
    with rehearsal(clip, config, tmp_path / "log", "--loop") as running:
        until_blocking(lambda: {event["id"] for event in _events(hub)} - before, 60)
        family = psutil.Process(running.pid).children(recursive=True)
        assert running.end(signal.SIGINT) == 0
    assert "1 event told" in running.text()
    assert "Traceback" not in running.text()
    assert all(event["end"] for event in _events(hub))
    _, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    assert _left(config) == {"site.key", "rehearsal.lock"}


def test_without_a_hub_it_says_so(clip: Path, tmp_path: Path) -> None:
    config = write_config(tmp_path / "hub.yaml", server={"port": free_port()}, users=users())
    with rehearsal(clip, config, tmp_path / "log") as running:
        assert running.process.wait(30) == 1
        assert "no hub answers at http://127.0.0.1" in running.text()
        assert "camera-hub run" in running.text()


def test_a_hub_with_another_folder_does_not_let_it_in(hub: Browserless, clip: Path, tmp_path: Path) -> None:
    port = int(hub.url.rpartition(":")[2])
    config = write_config(tmp_path / "other.yaml", server={"port": port}, users=users())
    with rehearsal(clip, config, tmp_path / "log") as running:
        assert running.process.wait(60) == 1
        assert "does not let the rehearsal in" in running.text()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--live"], "say which by --config"),
        (["--loop"], "--loop goes with --live"),
        (["--live", "--config", "hub.yaml", "--json", "-"], "leave --json out"),
        (["--live", "--config", "hub.yaml", "--labels", "x"], "leave --labels out"),
    ],
)
def test_what_does_not_go_together_is_named(
    clip: Path, tmp_path: Path, options: list[str], said: str
) -> None:
    with command("replay", str(clip), *options, log=tmp_path / "log") as running:
        assert running.process.wait(30) == 2
        assert said in running.text()
