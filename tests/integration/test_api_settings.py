"""What is wanted of a camera over HTTP: by whom, what became of it, and that all of it is kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from camera_hub.link.messages import Configured, Health, Skill
from camera_hub.model import Answer, CameraHealth, CameraInfo, CameraState, WhyNot, Wish, WishOutcome
from camera_hub.store import wishes as wish_store
from tests.support.server import CAMERAS, SITE, START_US, Server, hello, running_app

CAMERA = "khe-coc.cong-lang"
NEW = replace(hello(), can=(Skill.CONFIGURE.value,))


class Links:
    """The server's end of the link, as far as it is asked to tell."""

    def __init__(self) -> None:
        self.told: list[Wish] = []

    async def configure(self, site: str, wishes: Sequence[Wish]) -> None:
        assert site == SITE
        self.told += wishes


@asynccontextmanager
async def running(folder: Path, name: str = "admin") -> AsyncIterator[tuple[Server, Links]]:
    links = Links()
    async with running_app(folder) as server:
        server.state.wishes.links = links
        passwords = {"cong-an": "giữ yên thôn xóm"}
        await server.sign_in(name, passwords.get(name, "chè xanh Khe Cốc"))
        yield server, links


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[tuple[Server, Links]]:
    async with running(tmp_path) as made:
        await made[0].state.site_connected(NEW)
        yield made


async def want(server: Server, status: int = 200, camera: str = CAMERA, **settings: object) -> Any:
    answer = await server.client.patch(f"/api/cameras/{camera}/settings", json=settings)
    assert answer.status_code == status, answer.text
    return answer.json()


async def wanted(server: Server) -> dict[str, Any]:
    found = (await server.client.get(f"/api/cameras/{CAMERA}")).json()["wanted"]
    return {one["key"]: one for one in found}


async def answered(server: Server, key: str, version: int, outcome: WishOutcome, **more: Any) -> None:
    answer = Answer("cong-lang", key, version, outcome, **more)
    await server.state.wishes.answered(SITE, Configured((answer,)))


async def test_what_is_wanted_is_told_answered_and_kept_over_a_restart(tmp_path: Path) -> None:
    async with running(tmp_path) as (server, links):
        await server.state.site_connected(NEW)
        found = await want(server, detect=False, name="Cổng mới")
        assert [(one["key"], one["on"], one["state"]) for one in found["wanted"]] == [
            ("detect", False, "waiting"),
            ("name", None, "waiting"),
        ]
        assert links.told == [
            Wish("cong-lang", "detect", "false", 1, server.clock.wall_us()),
            Wish("cong-lang", "name", '"Cổng mới"', 1, server.clock.wall_us()),
        ]
        assert found["name"] == "Cổng làng"  # until its worker says otherwise
        await answered(server, "detect", 1, WishOutcome.APPLIED)
        why = {"why": WhyNot.NOT_ALLOWED, "detail": "no \0 leave" + "!" * 2000}
        await answered(server, "name", 1, WishOutcome.REFUSED, **why)
        await server.state.site_gone(SITE)
        await want(server, detect=True)
    async with running(tmp_path) as (server, links):
        now = await wanted(server)
        assert (now["detect"]["state"], now["detect"]["on"]) == ("away", True)
        assert (now["name"]["state"], now["name"]["why"]) == ("refused", "not-allowed")
        assert now["name"]["detail"].startswith("no  leave!")
        assert (now["detect"]["by"], len(now["name"]["detail"])) == ("Quản trị", 1000)
        await server.state.site_connected(NEW)
        await server.state.wishes.site_linked(SITE)
        assert {(one.key, one.value, one.version) for one in links.told} == {
            ("detect", "true", 2),
            ("name", '"Cổng mới"', 1),
        }
        history = (await server.client.get(f"/api/cameras/{CAMERA}/settings")).json()["wanted"]
        told = [(one["key"], one["version"], one["value"], one["state"]) for one in history]
        assert sorted(told) == [
            ("detect", 1, False, "applied"),
            ("detect", 2, True, "waiting"),
            ("name", 1, "Cổng mới", "refused"),
        ]


async def test_an_answer_counts_for_what_is_wanted_now_alone(hub: tuple[Server, Links]) -> None:
    server, _ = hub
    await want(server, record=False)
    await want(server, record=True)
    for key, version in (("record", 1), ("record", 3), ("detect", 1), ("teleport", 1)):
        await answered(server, key, version, WishOutcome.APPLIED)
    assert (await wanted(server))["record"]["state"] == "waiting"
    await answered(server, "record", 2, WishOutcome.APPLIED)
    assert (await wanted(server))["record"]["state"] == "applied"
    # Another server had the last word afterwards; what a later release answers is no yes.
    await answered(server, "record", 2, WishOutcome.OVERRULED, detail="tuc-tranh")
    assert (await wanted(server))["record"]["state"] == "overruled"
    # What is left to the hamlet is not spoken of once that is done.
    await want(server, record=None)
    assert (await wanted(server))["record"]["on"] is None
    await answered(server, "record", 3, WishOutcome.APPLIED)
    assert await wanted(server) == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"detect": "false"},
        {"detect": 0},
        {"name": ""},
        {"streams": {"main": "rtsp://evil/"}},
        {"zones": [{"name": "A", "polygon": [[0, 0], [1, 1]]}]},
        {"zones": [{"name": "A", "polygon": [[0, 0], [1, 0], [1, 2]]}]},
        {"masks": [{"name": "A", "polygon": [[0, 0], [1, 0], [1, 1]]}] * 2},
        {"lines": [{"name": "A", "points": [[0, 0], [0, 0]]}]},
    ],
)
async def test_what_no_configuration_could_have_is_refused_here(
    hub: tuple[Server, Links], settings: dict[str, Any]
) -> None:
    server, links = hub
    said = await want(server, 422, **settings)
    assert said["detail"]
    assert (links.told, await wanted(server)) == ([], {})


async def test_zones_go_as_the_configuration_has_them(hub: tuple[Server, Links]) -> None:
    server, links = hub
    await want(server, zones=[{"name": "Sân", "polygon": [[0, 0], [1, 0], [0.5, 1]]}])
    assert links.told[0].value == '[{"name":"Sân","polygon":[[0.0,0.0],[1.0,0.0],[0.5,1.0]]}]'
    await want(server)  # nothing
    assert len(links.told) == 1


async def test_only_administrators_change_settings(tmp_path: Path) -> None:
    async with running(tmp_path, "cong-an") as (server, links):
        await server.state.site_connected(NEW)
        await want(server, 403, record=False)
        assert (await server.client.get(f"/api/cameras/{CAMERA}/settings")).status_code == 403
        await server.sign_in()
        await want(server, 404, camera="khe-coc.cua-sau", record=False)
        assert links.told == []


async def test_a_worker_of_an_older_release_is_said_to_be_too_old(hub: tuple[Server, Links]) -> None:
    server, _ = hub
    await server.state.site_connected(hello())
    assert (await want(server, record=False))["wanted"][0]["state"] == "too-old"
    (site,) = (await server.client.get("/api/sites")).json()["sites"]
    assert "configure" in site["lacks"]
    await server.state.site_connected(NEW)  # it was brought up to date
    assert (await wanted(server))["record"]["state"] == "waiting"


async def test_what_is_switched_off_is_told_as_no_trouble(hub: tuple[Server, Links]) -> None:
    server, _ = hub
    off = CameraHealth("cong-lang", CameraState.ONLINE, START_US, detects=False, records=False)
    with server.updates.subscribe() as browser:
        await server.state.health(SITE, Health(START_US, (off,), 0, 1, 1, 1))
        assert b'"records":false' in (await browser.next() or b"")
    found = (await server.client.get(f"/api/cameras/{CAMERA}")).json()
    assert (found["detects"], found["records"], found["recording"], found["state"]) == (
        False,
        False,
        "",
        "online",
    )
    other = (await server.client.get("/api/cameras/khe-coc.nha-van-hoa")).json()
    assert (other["detects"], other["records"]) == (None, None)


async def test_cameras_that_change_while_linked_are_told_to_those_who_look(
    hub: tuple[Server, Links], tmp_path: Path
) -> None:
    server, _ = hub
    gate = replace(CAMERAS[0], name="Cổng mới", zones=())
    with server.updates.subscribe() as browser:
        await server.state.cameras_changed(SITE, (gate, CAMERAS[1]))
        told = await browser.next() or b""
        assert "Cổng mới".encode() in told
        assert b"event: reset" not in told
        assert "Nhà văn hoá".encode() not in told  # which is as it was
        await server.state.cameras_changed(SITE, (gate, CameraInfo("cau", "Cầu")))
        told = await browser.next() or b""
        assert (b"event: reset" in told, "Cầu".encode() in told) == (True, True)
    names = [one["name"] for one in (await server.client.get("/api/cameras")).json()["cameras"]]
    assert names == ["Cổng mới", "Cầu"]
    assert [one.info.name for one in await server.store.cameras()] == names


async def test_history_has_an_end_and_goes_with_its_site(
    hub: tuple[Server, Links], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wish_store, "MOST_KEPT", 3)
    server, _ = hub
    for number in range(5):
        server.clock.go(60)
        await want(server, record=number % 2 == 0)
    history = await server.store.wishes.history(SITE, "cong-lang", 100)
    assert [one.version for one in history] == [5, 4, 3]
    await server.store.wishes.tidy(server.clock.wall_us() + 1)
    assert [one.version for one in await server.store.wishes.history(SITE, "cong-lang", 100)] == [5]
    await server.state.wishes.forget(SITE)
    assert await server.store.wishes.newest() == []
    assert await wanted(server) == {}


@pytest.mark.parametrize(
    ("software", "outdated"),
    [("0.0.9", True), ("0.1.0", False), ("0.10.0", False), ("", False), ("nightly", False)],
)
async def test_a_worker_of_an_older_release_than_ours_is_said(
    hub: tuple[Server, Links], software: str, outdated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("camera_hub.server.site_shapes.__version__", "0.1.0")
    server, _ = hub
    await server.state.site_connected(replace(NEW, software=software))
    (site,) = (await server.client.get("/api/sites")).json()["sites"]
    assert (site["software"], site["outdated"]) == (software, outdated)
