"""Cameras and sites over HTTP: as their site tells them while it is linked, away when it is not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from camera_hub.link.messages import EventNews, Health, Lane, LinkHealth, LiveSize, Shed, ShedCause
from camera_hub.model import CameraHealth, CameraState, StreamHealth
from tests.support.server import JPEG, SITE, START_US, Server, event, hello, running_app

STREAM = StreamHealth(
    stream="sub",
    codec="h264",
    width=640,
    height=360,
    fps=9.9,
    kbit_s=402.5,
    keyframe_interval_s=2.0,
    last_packet_us=START_US,
    dropped=3,
    sound="aac",
)
ONLINE = CameraHealth(camera="cong-lang", state=CameraState.ONLINE, since_us=START_US, streams=(STREAM,))


def health(*cameras: CameraHealth) -> Health:
    return Health(
        at_us=START_US,
        cameras=cameras,
        outbox_depth=4,
        disk_free_bytes=10_000,
        disk_total_bytes=20_000,
        recorded_bytes=5_000,
    )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Server]:
    async with running_app(tmp_path) as running:
        await running.sign_in()
        yield running


async def _camera(server: Server, name: str = "cong-lang") -> dict[str, Any]:
    answer = await server.client.get(f"/api/cameras/khe-coc.{name}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def _site(server: Server) -> dict[str, Any]:
    (site,) = (await server.client.get("/api/sites")).json()["sites"]
    found: dict[str, Any] = site
    return found


async def test_a_site_that_was_never_linked_is_there_without_cameras(server: Server) -> None:
    site = await _site(server)
    assert (site["id"], site["name"], site["connected"]) == ("khe-coc", "Xóm Khe Cốc", False)
    assert (site["last_contact"], site["outbox_depth"]) == (None, None)
    assert (await server.client.get("/api/cameras")).json() == {"cameras": []}


async def test_a_camera_goes_with_its_site(server: Server) -> None:
    await server.state.site_connected(hello())
    assert (await _camera(server))["state"] == "connecting"
    await server.state.health(SITE, health(ONLINE))
    assert (await _camera(server))["state"] == "online"
    server.clock.go(60)
    await server.state.site_gone(SITE)
    away = await _camera(server)
    assert (away["state"], away["since"], away["streams"]) == ("away", "2026-05-28T20:27:40Z", [])
    await server.state.site_connected(hello())
    assert (await _camera(server))["state"] == "connecting"


async def test_a_camera_in_full(server: Server) -> None:
    await server.state.site_connected(hello())
    await server.state.health(SITE, health(ONLINE))
    assert await _camera(server) == {
        "id": "khe-coc.cong-lang",
        "site": "khe-coc",
        "name": "Cổng làng",
        "place": "Đầu đường vào xóm",
        "state": "online",
        "since": "2026-05-28T20:26:40Z",
        "error": "",
        "cause": None,
        "cause_detail": "",
        "cause_stream": None,
        "recording": "",
        "recording_cause": None,
        "detects": True,
        "records": True,
        "wanted": [],
        "gate_reason": None,
        "decoded_share": None,
        "restarts": 0,
        "zones": [{"name": "Lòng đường", "polygon": [[0.0, 0.5], [1.0, 0.5], [0.5, 1.0]]}],
        "lines": [
            {
                "name": "Cổng xóm",
                "points": [[0.25, 0.5], [0.75, 0.5]],
                "left_is": "ra",
                "right_is": "vào xóm",
            }
        ],
        "streams": [
            {
                "stream": "sub",
                "codec": "h264",
                "width": 640,
                "height": 360,
                "fps": 9.9,
                "kbit_s": 402.5,
                "keyframe_interval_s": 2.0,
                "last_packet": "2026-05-28T20:26:40Z",
                "dropped": 3,
                "sound": "aac",
            }
        ],
        "live": "whole",
    }
    listed = (await server.client.get("/api/cameras")).json()["cameras"]
    assert [camera["id"] for camera in listed] == ["khe-coc.cong-lang", "khe-coc.nha-van-hoa"]


async def test_a_site_in_full(server: Server) -> None:
    await server.state.site_connected(hello())
    server.clock.go(5)
    await server.state.health(SITE, health())
    assert await _site(server) == {
        "id": "khe-coc",
        "name": "Xóm Khe Cốc",
        "connected": True,
        "since": "2026-05-28T20:26:40Z",
        "last_contact": "2026-05-28T20:26:45Z",
        "software": "0.1.0",
        "outbox_depth": 4,
        "disk_free_bytes": 10_000,
        "disk_total_bytes": 20_000,
        "recorded_bytes": 5_000,
        "clock_offset_s": None,
        "enrolment": "config",
        "code_expires": None,
        "key_since": None,
        "changed_by": "",
        "changed": None,
        "lacks": ["configure", "new-key", "not-taken", "recordings", "run"],
        "newer": False,
        "outdated": False,
        "twin": None,
        "uplink": None,
        "floods": False,
    }


async def test_after_a_restart_the_cameras_are_there_and_away(tmp_path: Path) -> None:
    async with running_app(tmp_path) as first:
        await first.state.site_connected(hello())
        first.clock.go(30)
        await first.state.site_gone(SITE)
    async with running_app(tmp_path) as second:
        await second.sign_in()
        assert (await _camera(second))["state"] == "away"
        site = await _site(second)
        assert (site["connected"], site["last_contact"]) == (False, "2026-05-28T20:27:10Z")


async def test_health_of_a_site_that_is_gone_or_of_no_camera_changes_nothing(server: Server) -> None:
    await server.state.health(SITE, health(ONLINE))
    await server.state.health("nowhere", health(ONLINE))
    await server.state.site_connected(hello())
    ghost = CameraHealth(camera="ghost", state=CameraState.ONLINE, since_us=START_US)
    await server.state.health(SITE, health(ghost))
    listed = (await server.client.get("/api/cameras")).json()["cameras"]
    assert {camera["state"] for camera in listed} == {"connecting"}


@pytest.mark.parametrize(
    "camera", ["khe-coc.nothing", "nowhere.cong-lang", "khe-coc.cong-lang.x", "khe-coc", "%2e%2e.x"]
)
async def test_a_camera_that_is_not_there(server: Server, camera: str) -> None:
    await server.state.site_connected(hello())
    for rest in ("", "/latest.jpg"):
        assert (await server.client.get(f"/api/cameras/{camera}{rest}")).status_code in (404, 422)


async def test_the_latest_picture(server: Server) -> None:
    await server.state.site_connected(hello())
    server.links.linked.add(SITE)
    for _ in range(5):
        answer = await server.client.get("/api/cameras/khe-coc.cong-lang/latest.jpg", params={"h": 360})
        assert (answer.status_code, answer.content) == (200, JPEG)
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["x-picture-time"] == "2026-05-28T20:26:40.000Z"
        assert answer.headers["cache-control"] == "no-store"
    assert server.links.asked == 1


async def test_no_picture_is_explained_in_words(server: Server) -> None:
    await server.state.site_connected(hello())
    path = "/api/cameras/khe-coc.cong-lang/latest.jpg"
    away = await server.client.get(path)
    assert away.status_code == 503
    assert "Cổng làng: the site is not connected" in away.json()["detail"]
    server.links.linked.add(SITE)
    server.links.error = "the camera refuses our password"
    refused = await server.client.get(path)
    assert refused.status_code == 503
    assert "the camera refuses our password" in refused.json()["detail"]
    assert (await server.client.get(path, params={"h": 5})).status_code == 422


async def test_numbers_for_prometheus(server: Server) -> None:
    await server.state.site_connected(hello())
    await server.state.health(SITE, health(ONLINE))
    for revision in (1, 2):
        await server.state.deliver(SITE, EventNews(f"m{revision}", event(revision=revision)))
    text = (await server.client.get("/metrics")).text
    for line in (
        'camera_hub_camera_up{camera="khe-coc.cong-lang"} 1.0',
        'camera_hub_camera_up{camera="khe-coc.nha-van-hoa"} 0.0',
        'camera_hub_camera_state{camera="khe-coc.nha-van-hoa",state="connecting"} 1.0',
        'camera_hub_camera_fps{camera="khe-coc.cong-lang",stream="sub"} 9.9',
        'camera_hub_camera_bits_per_second{camera="khe-coc.cong-lang",stream="sub"} 402500.0',
        'camera_hub_camera_dropped_packets_total{camera="khe-coc.cong-lang",stream="sub"} 3.0',
        'camera_hub_site_connected{site="khe-coc"} 1.0',
        'camera_hub_storage_free_bytes{site="khe-coc"} 10000.0',
        'camera_hub_events_received_total{camera="khe-coc.cong-lang",kind="motion"} 1.0',
    ):
        assert line in text


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        ("Bearer mã đo", 200),
        ("bearer mã đo", 200),
        ("Bearer wrong", 401),
        ("Basic mã đo", 401),
        ("Bearer ", 401),
        ("", 401),
    ],
)
async def test_the_metrics_token(tmp_path: Path, authorization: str, status: int) -> None:
    async with running_app(tmp_path) as server:
        header = {b"Authorization": authorization.encode()}
        assert (await server.client.get("/metrics", headers=header)).status_code == status
        assert (await server.client.get("/api/events", headers=header)).status_code == 401


async def test_a_narrow_way_to_a_site_is_told_and_what_was_let_go_for_it(server: Server) -> None:
    await server.state.site_connected(hello())
    await server.state.health(SITE, health())
    shed = Shed(Lane.VIDEO, ShedCause.FULL, 12, 34_000_000, START_US, START_US + 1)
    link = LinkHealth(3, LiveSize.SUB, 1_500_000, 2_000_000, 4000, 1234, (shed,))
    await server.state.health(SITE, replace(health(), link=link))
    assert (await _site(server))["uplink"] == {
        "live": "sub",
        "limit_kbit": 4000,
        "line_kbit": 1234,
        "day_mb": 1.5,
        "day_limit_mb": 2.0,
        "shed": [
            {
                "kind": "video",
                "cause": "full",
                "count": 12,
                "bytes": 34_000_000,
                "first": "2026-05-28T20:26:40Z",
                "last": "2026-05-28T20:26:40.000001Z",
            }
        ],
    }
    assert (await _camera(server))["live"] == "sub"
    await server.state.site_gone(SITE)
    assert (await _camera(server))["live"] == "whole"
