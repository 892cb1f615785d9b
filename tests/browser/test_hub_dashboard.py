"""The whole hub before a person's eyes: seven RTSP cameras play on the wall, an event comes and plays.

Real processes, GStreamer's RTSP server, Chromium; the cameras send main and sub.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.support import needs, rtsp_servers
from tests.support.hub import Browserless, command, server_section, signed_in, users, write_config
from tests.support.hub_page import signed_in_page
from tests.support.lane import make_lane
from tests.support.waiting import until_blocking

CAMERAS = (
    "cong-lang",
    "nha-van-hoa",
    "nga-ba-doi-che",
    "duong-suoi",
    "san-bong",
    "loi-vao-xom",
    "cau-khe-coc",
)
DECODED = (
    """[...document.querySelectorAll('video')].map((v) => v.getVideoPlaybackQuality().totalVideoFrames)"""
)
TIMES = "[...document.querySelectorAll('video')].map((v) => v.currentTime)"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browserless]:
    needs.chromium()
    folder = tmp_path_factory.mktemp("hub")
    main = make_lane(folder / "main.mp4", seconds=16, crossings=((9, 13),), size=(1280, 720), fps=15)
    sub = make_lane(folder / "sub.mp4", seconds=16, crossings=((9, 13),))
    clips = {f"{name}-main": main for name in CAMERAS} | {f"{name}-sub": sub for name in CAMERAS}
    server = server_section()
    with rtsp_servers.gstreamer(clips) as urls:
        cameras = [
            {
                "id": name,
                "name": f"Camera {number}",
                "streams": {"main": urls[f"{name}-main"], "sub": urls[f"{name}-sub"]},
                "zones": [{"name": "Lòng đường", "polygon": [[0, 0.4], [1, 0.4], [1, 1], [0, 1]]}],
            }
            for number, name in enumerate(CAMERAS, 1)
        ]
        config = write_config(folder / "hub.yaml", cameras=cameras, server=server, users=users())
        with (
            command("run", str(config), log=folder / "log"),
            signed_in(int(str(server["port"]))) as browser,
        ):
            until_blocking(lambda: browser.not_online() == {}, 120)
            yield browser


@pytest.fixture
def page(hub: Browserless) -> Iterator[Page]:
    """A person at a desk, signed in."""
    with signed_in_page(hub, viewport={"width": 1600, "height": 1400}) as page:
        yield page


def becomes(page: Page, true: str) -> None:
    """Wait until an expression is true; the page's own rules forbid what Playwright would wait with."""
    until_blocking(lambda: page.evaluate(true), 90)


@pytest.mark.timeout(240)
def test_seven_cameras_play_on_the_wall(page: Page) -> None:
    expect(page.locator("video")).to_have_count(len(CAMERAS), timeout=20_000)
    becomes(page, f"{TIMES}.every((t) => t > 1)")
    times, decoded = page.evaluate(TIMES), page.evaluate(DECODED)
    assert len(decoded) == len(CAMERAS)
    page.wait_for_timeout(3000)
    later_times, later_decoded = page.evaluate(TIMES), page.evaluate(DECODED)
    assert all(later > now + 1 for now, later in zip(times, later_times, strict=True)), (times, later_times)
    assert all(later > now + 10 for now, later in zip(decoded, later_decoded, strict=True))
    widths: list[int] = page.evaluate("[...document.querySelectorAll('video')].map((v) => v.videoWidth)")
    assert widths == [640] * len(CAMERAS)  # the sub stream on the wall


@pytest.mark.timeout(240)
def test_one_camera_opened_plays_its_main_stream(page: Page) -> None:
    page.locator("a[href='/cameras/khe-coc.cong-lang']").first.click()
    becomes(page, "document.querySelector('video')?.videoWidth === 1280")
    becomes(page, "document.querySelector('video')?.currentTime > 2")


@pytest.mark.timeout(240)
def test_events_come_by_themselves_and_one_plays(page: Page, hub: Browserless) -> None:
    page.goto(f"{hub.url}/events")
    known = {e["id"] for e in hub.events(limit=200)}

    def fresh() -> dict[str, Any] | None:
        return next((e for e in hub.events(limit=50) if e["id"] not in known and e["clip"]), None)

    until_blocking(fresh, 90)
    event = fresh()
    assert event is not None
    link = page.locator(f"a[href='/events/{event['id']}']").first
    expect(link).to_be_attached(timeout=20_000)  # without a reload
    becomes(page, f"document.querySelector(`a[href='/events/{event['id']}'] img`)?.naturalWidth > 0")
    link.click()
    becomes(page, "document.querySelector('video')?.currentTime > 1")
    expect(page.get_by_text("Lòng đường").first).to_be_visible()
