"""Looking back in Chromium: an RTSP camera whose worker has a past; it plays, seeks, passes a gap, and stops.

Real processes: GStreamer's RTSP server, `camera-hub run`, Chromium with a phone's screen.
"""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, Request, expect, sync_playwright

from tests.support import needs, rtsp_servers
from tests.support.chromium import FLAGS
from tests.support.hub import PASSWORD, Browserless, command, server_section, signed_in, users, write_config
from tests.support.lane import make_lane
from tests.support.past import record_past
from tests.support.waiting import until_blocking

M = 60_000_000
PAGE = "/cameras/khe-coc.cong-lang/lookback"
LOOK = """() => {
  const video = document.querySelector('video');
  const clock = document.querySelector('time.clock');
  return video && {
    state: video.dataset.state,
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    at: clock ? Date.parse(clock.dateTime) : 0,
    said: document.querySelector('.said')?.innerText ?? '',
    width: video.videoWidth,
  };
}"""


class Past:
    """When the past is: an hour before the test, ten minutes and, after a gap of five, ten more."""

    def __init__(self) -> None:
        self.start_us = (time.time_ns() // 1000 - 60 * M) // S * S
        self.gap_us = self.start_us + 10 * M
        self.end_of_gap_us = self.start_us + 15 * M
        self.end_us = self.start_us + 25 * M


S = 1_000_000


@pytest.fixture(scope="module")
def past() -> Past:
    return Past()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, past: Past) -> Iterator[Browserless]:
    needs.chromium()
    needs.dashboard()
    folder: Path = tmp_path_factory.mktemp("hub")
    main = make_lane(folder / "main.mp4", seconds=12, crossings=((5, 8.5),))
    sub = make_lane(folder / "sub.mp4", seconds=12, crossings=((5, 8.5),), size=(320, 180))
    server = server_section()
    with rtsp_servers.gstreamer({"main": main, "sub": sub}) as urls:
        config = write_config(
            folder / "hub.yaml",
            cameras=[{"id": "cong-lang", "name": "Cổng làng", "streams": dict(urls)}],
            server=server,
            users=users(),
        )
        times = [(past.start_us, past.gap_us), (past.end_of_gap_us, past.end_us)]
        record_past(folder / "data-hub", "cong-lang", {"main": main, "sub": sub}, times)
        with (
            command("run", str(config), log=folder / "log"),
            signed_in(int(str(server["port"]))) as browser,
        ):
            until_blocking(lambda: browser.not_online() == {} and browser.cameras(), 60)
            yield browser


@pytest.fixture(scope="module")
def page(hub: Browserless) -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=needs.chromium(), args=FLAGS)
        context = chromium.new_context(
            viewport={"width": 360, "height": 740},
            locale="vi-VN",
            timezone_id="Asia/Ho_Chi_Minh",
            has_touch=True,
        )
        page = context.new_page()
        page.goto(hub.url)
        page.locator("input[autocomplete=username]").fill("canh-sat")
        page.locator("input[autocomplete=current-password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("input[autocomplete=current-password]")).to_have_count(0, timeout=20_000)
        yield page
        chromium.close()


def look_at(page: Page, hub: Browserless, at_us: int) -> None:
    page.goto(
        f"{hub.url}{PAGE}?at={datetime.fromtimestamp(at_us / S, UTC).isoformat().replace('+00:00', 'Z')}"
    )


def seen_us(page: Page) -> int:
    """The instant over the picture, in wall µs."""
    return round(float(page.evaluate(LOOK)["at"]) * 1000)


def plays(page: Page, from_us: int, to_us: int) -> bool:
    seen = page.evaluate(LOOK)
    return bool(seen and seen["state"] == "playing" and from_us <= round(seen["at"] * 1000) <= to_us)


def test_it_plays_from_a_moment_with_the_true_clock(page: Page, hub: Browserless, past: Past) -> None:
    look_at(page, hub, past.start_us + 2 * M)
    until_blocking(lambda: plays(page, past.start_us + 2 * M, past.start_us + 3 * M), 30)
    first = page.evaluate(LOOK)
    assert first["width"] == 640
    until_blocking(lambda: page.evaluate(LOOK)["frames"] > first["frames"] + 5, 20)
    assert first["at"] < page.evaluate(LOOK)["at"] < first["at"] + 60_000


def test_it_seeks_by_steps_keys_and_a_tap(page: Page, past: Past) -> None:
    before = seen_us(page)
    page.get_by_label("Tới 10 giây").click()
    until_blocking(lambda: plays(page, before + 9 * S, before + 60 * S), 20)
    page.keyboard.press("Escape")
    page.locator("h1").click()
    before = seen_us(page)
    page.keyboard.press("ArrowLeft")
    until_blocking(lambda: page.evaluate(LOOK)["state"] == "playing" and seen_us(page) < before - 3 * S, 20)
    page.keyboard.press("4")
    expect(page.get_by_label("4×")).to_be_checked()
    page.keyboard.press("1")

    # An hour in sight: a finger hits the minute.
    page.locator(".face", has_text="1 giờ").click()
    line = page.get_by_role("slider")
    line.scroll_into_view_if_needed()
    box = line.bounding_box()
    assert box is not None
    from_us = seen_us(page)
    share = float(re.search(r"left: ([\d.]+)%", page.locator(".now").get_attribute("style") or "")[1])  # type: ignore[index]
    to_share = share / 100 + 4 / 60
    line.tap(position={"x": box["width"] * to_share, "y": box["height"] / 2})
    wanted_us = from_us + 4 * M
    until_blocking(lambda: plays(page, wanted_us - M // 2, wanted_us + M), 20)


def test_a_gap_is_passed_and_said(page: Page, hub: Browserless, past: Past) -> None:
    look_at(page, hub, past.gap_us - 4 * S)
    until_blocking(lambda: plays(page, past.gap_us - 4 * S, past.gap_us), 30)
    until_blocking(lambda: plays(page, past.end_of_gap_us, past.end_us), 30)
    expect(page.locator(".said")).to_contain_text("không ghi hình")


def test_paused_nothing_flows_and_it_goes_on_where_it_was(page: Page, hub: Browserless) -> None:
    def is_range(request: Request) -> bool:
        return "/recordings/play" in request.url

    with page.expect_event("requestfailed", is_range):  # let go by the page
        page.get_by_label("Dừng", exact=True).click()
    at_us = seen_us(page)
    page.wait_for_timeout(1000)
    assert seen_us(page) - at_us < S
    page.get_by_label("Phát", exact=True).click()
    until_blocking(lambda: page.evaluate(LOOK)["state"] == "playing" and seen_us(page) > at_us + S, 20)
    # Asked for anew when what is there is nearly seen: a minute or two, by what the browser had taken ahead.
    with page.expect_request(is_range, timeout=90_000):
        page.keyboard.press("8")
    page.keyboard.press("1")


def test_from_an_event_one_looks_back_at_it(page: Page, hub: Browserless) -> None:
    until_blocking(lambda: any(event["end"] for event in hub.events()), 90)
    event = next(event for event in hub.events() if event["end"])
    page.goto(f"{hub.url}/events/{event['id']}")
    page.get_by_text("Xem lại lúc này").click()
    start_us = round(datetime.fromisoformat(event["start"]).timestamp() * S)
    until_blocking(lambda: plays(page, start_us - 5 * S, start_us + 60 * S), 30)
    expect(page.locator(".line .event").first).to_be_attached()


def test_where_nothing_is_recorded_the_page_says_so(page: Page, hub: Browserless) -> None:
    look_at(page, hub, 1_700_000_000 * S)
    expect(page.get_by_text("Ngày này không có bản ghi nào")).to_be_visible(timeout=20_000)
