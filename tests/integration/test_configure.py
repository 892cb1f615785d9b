"""A server changes a hamlet's settings: at once, while the hamlet is away, over kills, and only what it may.

Hamlet and commune are the real commands in processes of their own; the camera is a clip in real time.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.integration.test_hub_apart import Pair
from tests.integration.test_hub_runs import camera
from tests.support.hub import Browserless, command, signed_in
from tests.support.lane import make_lane
from tests.support.waiting import until_blocking

CAMERA = "khe-coc.cong-lang"
OFF_S = 5
OTHER = "khe-coc.nha-van-hoa"


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Somebody is nearly always to be seen."""
    return make_lane(tmp_path_factory.mktemp("lane") / "lane.mp4", seconds=12, crossings=((1, 11),))


@pytest.fixture
def pair(tmp_path: Path, lane: Path) -> Pair:
    cameras = [camera("cong-lang", lane), camera("nha-van-hoa", lane)]
    return Pair(tmp_path, lane, cameras=cameras, may_change=["detect", "record", "name", "zones"])


@pytest.fixture
def browser(pair: Pair) -> Iterator[Browserless]:
    with command("serve", str(pair.commune), log=pair.folder / "serve.log"), signed_in(pair.port) as found:
        yield found


def want(browser: Browserless, camera: str = CAMERA, **settings: object) -> dict[str, dict[str, Any]]:
    answer = browser.http.patch(f"/api/cameras/{camera}/settings", json=settings)
    assert answer.status_code == 200, answer.text
    return {one["key"]: one for one in answer.json()["wanted"]}


def wanted(browser: Browserless, key: str, camera: str = CAMERA) -> dict[str, Any]:
    found: dict[str, Any] = {one["key"]: one for one in browser.cameras()[camera]["wanted"]}[key]
    return found


def moving(browser: Browserless) -> list[str]:
    return [one["camera"] for one in browser.events(limit=50) if one["end"] is None]


def gaps_s(pair: Pair, camera: str = "cong-lang") -> list[float]:
    """The longest times between what is recorded, the longest first."""
    path = pair.folder / "data-khe-coc" / "recordings" / "catalogue.db"
    with contextlib.closing(sqlite3.connect(path)) as catalogue:
        rows = catalogue.execute(
            "SELECT start_us, start_us + duration_us FROM segments WHERE camera = ? ORDER BY start_us",
            (camera,),
        ).fetchall()
    return sorted(((after[0] - before[1]) / 1e6 for before, after in pairwise(rows)), reverse=True)


@pytest.mark.timeout(240)
def test_a_server_switches_what_it_may_at_once_and_what_it_wants_holds_over_kills(
    pair: Pair, browser: Browserless
) -> None:
    with command("ingest", str(pair.hamlet), log=pair.folder / "first.log") as worker:
        until_blocking(lambda: {CAMERA, OTHER} <= set(moving(browser)), 60)
        assert (browser.cameras()[CAMERA]["detects"], browser.cameras()[CAMERA]["records"]) == (True, True)
        want(browser, detect=False, record=False, masks=[])
        until_blocking(lambda: wanted(browser, "detect")["state"] == "applied")
        until_blocking(lambda: browser.cameras()[CAMERA]["records"] is False)
        refused = wanted(browser, "masks")
        assert (refused["state"], refused["why"]) == ("refused", "not-allowed")
        assert "'masks'" in refused["detail"]
        # What was open ends; at the other camera nothing does.
        until_blocking(lambda: CAMERA not in moving(browser), 10)
        assert OTHER in moving(browser)
        found = browser.cameras()[CAMERA]
        assert (found["detects"], found["recording"], found["state"]) == (False, "", "online")
        time.sleep(OFF_S)
        # Back as the hamlet has it, and under another name.
        want(browser, detect=None, record=None, name="Cổng làng mới", zones=[])
        until_blocking(lambda: CAMERA in moving(browser), 30)
        found = browser.cameras()[CAMERA]
        assert (found["name"], found["zones"], found["records"]) == ("Cổng làng mới", [], True)
        # Neither process nor stream began anew.
        lines = worker.lines()
        assert len([line for line in lines if line["event"] == "camera process started"]) == 2
        assert [line["state"] for line in lines if line["event"] == "camera state"] == ["online"] * 2
        assert gaps_s(pair)[0] > OFF_S - 2
        assert max(gaps_s(pair, "nha-van-hoa"), default=0) < 1
        worker.process.kill()

    until_blocking(lambda: browser.cameras()[CAMERA]["state"] == "away")
    assert want(browser, detect=False)["detect"]["state"] == "away"
    with command("ingest", str(pair.hamlet), log=pair.folder / "second.log") as worker:
        until_blocking(lambda: wanted(browser, "detect")["state"] == "applied", 60)
        worker.process.kill()  # it has said so, and so it holds
    begun = len(browser.events(camera=CAMERA, limit=200))
    with command("ingest", str(pair.hamlet), log=pair.folder / "third.log"):
        until_blocking(lambda: OTHER in moving(browser), 60)
        until_blocking(lambda: browser.cameras()[CAMERA]["state"] == "online")
        assert browser.cameras()[CAMERA]["detects"] is False
        assert len(browser.events(camera=CAMERA, limit=200)) == begun
