"""The dashboard in Chromium, against a whole server and a hand-made hamlet.

It signs people in, plays every camera, never shows an old picture as live, fills by itself as events
come, and comes back by itself; on a phone in either language everything fits and can be touched.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import BrowserContext, Page, expect

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.model import (
    CameraInfo,
    CameraState,
    Cause,
    Crossing,
    Event,
    EventKind,
    Line,
    TamperCause,
    Zone,
)
from camera_hub.server.settings import ConfigUser
from tests.support import needs
from tests.support.chromium import profile
from tests.support.dashboard import USER, Film, Hamlet, event_id, served
from tests.support.live import encode
from tests.support.waiting import free_port

PHONE = {"width": 360, "height": 740}
ZONE = Zone("Lòng đường", ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9)))
LINE = Line("Cổng xóm", ((0.2, 0.6), (0.8, 0.6)), left_is="ra khỏi xóm", right_is="vào xóm")
CAMERAS = (
    CameraInfo("cong-lang", "Cổng làng", "Đầu đường vào xóm", (ZONE,), ("main", "sub"), (LINE,)),
    CameraInfo("nha-van-hoa", "Nhà văn hoá", "Sân trước", (), ("main", "sub")),
)
DECODED = """() => [...document.querySelectorAll('video')]
  .reduce((sum, video) => sum + video.getVideoPlaybackQuality().totalVideoFrames, 0)"""
TIMES = "() => [...document.querySelectorAll('video')].map(video => video.currentTime)"
SMALL = """() => [...document.querySelectorAll('a, button, select, summary, input, label')]
  .filter(element => element.checkVisibility() && !element.closest('.visually-hidden, .skip'))
  .map(element => (element.type === 'checkbox' ? element.closest('label') : element))
  .filter(element => element.getBoundingClientRect().height < 44)
  .map(element => element.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def film() -> Film:
    encoded = encode()
    return Film(encoded.info, encoded.packets, encoded.duration_us)


@contextlib.asynccontextmanager
async def hub(folder: Path, film: Film, port: int = 0) -> AsyncIterator[tuple[Hamlet, str]]:
    needs.dashboard()
    async with served(folder, {info.id: film for info in CAMERAS}, CAMERAS, port) as running:
        yield running


@contextlib.asynccontextmanager
async def browser(*flags: str, executable: str = "", **options: Any) -> AsyncIterator[BrowserContext]:
    async with profile(*flags, executable=executable, timezone_id="Asia/Ho_Chi_Minh", **options) as context:
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        await context.new_page()
        yield context


async def sign_in(page: Page, password: str = USER.password, name: str = USER.name) -> None:
    await page.fill("#name", name)
    await page.fill("input[type=password]", password)
    await page.click("button.primary")


async def opened(context: BrowserContext, address: str, user: ConfigUser = USER) -> Page:
    page = context.pages[0]
    await page.goto(address)
    await sign_in(page, user.password, user.name)
    await expect(page.locator("header")).to_be_visible()
    return page


async def playing(page: Page, count: int) -> None:
    """So many pictures are live, and no other."""
    await expect(page.locator("video:not(.gone)")).to_have_count(count)
    await expect(page.locator(".why")).to_have_count(0)


def event(camera: str = "cong-lang") -> Event:
    start_us = SYSTEM_CLOCK.wall_us()
    return Event(
        id=event_id(start_us),
        camera=camera,
        kind=EventKind.MOTION,
        start_us=start_us,
        end_us=None,
        revision=1,
        zones=("Lòng đường",),
        score=0.8,
        box=(0.2, 0.3, 0.2, 0.3),
        path=((0, 0.2, 0.5), (500_000, 0.4, 0.6)),
        stays=(("Lòng đường", 3_000_000),),
        crossings=(Crossing(LINE.name, "right", 1_000_000, LINE.right_is),),
        entry="top",
    )


def closed(opened_event: Event) -> Event:
    return msgspec.structs.replace(opened_event, end_us=opened_event.start_us + 4_000_000, revision=2)


async def test_a_villager_signs_in_and_every_camera_plays(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser() as context:
        page = context.pages[0]
        await page.goto(address)
        await sign_in(page, "khong-phai")
        await expect(page.get_by_role("alert")).to_contain_text("không đúng")
        await sign_in(page)
        await expect(page.locator("a.tile")).to_have_count(2)
        await playing(page, 2)
        before, frames = await page.evaluate(TIMES), await page.evaluate(DECODED)
        await page.wait_for_function(
            f"before => ({TIMES})().every((time, i) => time > before[i] + 0.5)", arg=before
        )
        assert await page.evaluate(DECODED) > frames
        await page.click("text=Cổng làng")
        await expect(page.locator("h1")).to_have_text("Cổng làng")
        await playing(page, 1)


async def test_zones_and_lines_are_drawn_over_the_picture(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser() as context:
        page = await opened(context, f"{address}/cameras/khe-coc.cong-lang")
        await expect(page.locator("polyline")).to_have_count(0)
        await page.get_by_role("button", name="Hiện vùng và vạch").click()
        await expect(page.locator("polygon")).to_have_count(1)
        await expect(page.locator("polyline")).to_have_count(1)
        above, below = page.get_by_text("↑ ra khỏi xóm"), page.get_by_text("↓ vào xóm")
        boxes = await above.bounding_box(), await below.bounding_box()
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["y"] < boxes[1]["y"]


async def test_an_old_picture_is_never_shown_as_live(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser() as context:
        page = await opened(context, address)
        tile = page.locator("[data-camera='khe-coc.cong-lang']")
        await playing(page, 2)
        await hamlet.say("cong-lang", CameraState.STALLED, "no new picture for 10 s")
        await expect(tile.locator(".why")).to_contain_text("hình cũ")
        await expect(tile).to_contain_text("Mất kết nối từ")
        await expect(tile).to_contain_text("Hình đứng")
        assert "grayscale" in await tile.locator("canvas").evaluate(
            "canvas => getComputedStyle(canvas).filter"
        )
        await hamlet.say("cong-lang", CameraState.ONLINE)
        await playing(page, 2)
        await hamlet.unlink()
        await expect(page.locator(".why")).to_have_count(2)
        await hamlet.link()
        await playing(page, 2)


async def test_what_is_wrong_is_said_in_the_readers_language(tmp_path: Path, film: Film) -> None:
    """The worker's own words, which are English, are there for who opens the details."""
    async with hub(tmp_path, film) as (hamlet, address), browser() as context:
        page = await opened(context, address)
        await hamlet.say(
            "cong-lang", CameraState.UNSUPPORTED, "it sends MJPEG", Cause.UNSUPPORTED_CODEC, "MJPEG"
        )
        await page.click("text=Cổng làng")
        notice = page.locator(".notice")
        await expect(notice).to_contain_text("Camera gửi hình bằng mã MJPEG, ở đây chưa dùng được")
        await expect(notice.get_by_text("it sends MJPEG")).to_be_hidden()
        await notice.locator("summary").click()
        await expect(notice.get_by_text("it sends MJPEG")).to_be_visible()


async def test_an_event_appears_goes_on_ends_and_its_clip_plays(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser() as context:
        page = await opened(context, f"{address}/events")
        await expect(page.get_by_text("Chưa có sự kiện nào")).to_be_visible()
        one = event()
        await hamlet.event(one)
        card = page.locator(f"[data-event='{one.id}']")
        await expect(card).to_contain_text("đang diễn ra")
        await hamlet.picture(one)
        await expect(card.locator("img")).to_be_visible()
        await card.click()
        await expect(page.get_by_text("Đoạn ghi sẽ có khi sự kiện kết thúc.")).to_be_visible()
        facts = page.get_by_role("region", name="Chi tiết")
        await expect(facts).to_contain_text("Qua vạch “Cổng xóm” → vào xóm")
        await expect(facts).to_contain_text("Lòng đường (3 giây)")
        await expect(facts).to_contain_text("vào từ phía trên")
        await hamlet.event(closed(one))
        await expect(page.get_by_text("Đoạn ghi đang được gửi về…")).to_be_visible()
        await expect(page.locator("rect").last).to_be_visible()
        await hamlet.clip(one)
        await page.wait_for_function("() => document.querySelector('video')?.currentTime > 0.5")
        await page.go_back()
        await expect(card).to_contain_text("4 giây")


async def test_one_tap_says_what_it_was_and_others_see_it_at_once(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser(viewport=PHONE) as context:
        one = event()
        await hamlet.event(one)
        page = await opened(context, f"{address}/events/{one.id}")
        other = await context.new_page()
        await other.goto(f"{address}/events")
        mark = other.locator(f"[data-event='{one.id}'] [data-verdict]")
        await expect(other.locator(f"[data-event='{one.id}']")).to_be_visible()
        false, real = page.get_by_role("button", name="Báo nhầm"), page.get_by_role("button", name="Đúng")
        await false.click()
        await expect(false).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("main")).to_contain_text(USER.display_name)
        await expect(mark).to_have_text("Báo nhầm")
        await hamlet.event(closed(one))
        await expect(false).to_have_attribute("aria-pressed", "true")
        await real.focus()
        await page.keyboard.press("Enter")
        await expect(mark).to_have_text("Đúng")
        await expect(false).to_have_attribute("aria-pressed", "false")
        await page.get_by_role("button", name="Rút lại").click()
        await expect(mark).to_have_count(0)
        await expect(real).to_have_attribute("aria-pressed", "false")


async def test_what_comes_while_one_reads_waits_to_be_asked_for(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser(viewport=PHONE) as context:
        for _ in range(12):
            await hamlet.event(closed(event()))
            await asyncio.sleep(0.002)
        page = await opened(context, f"{address}/events")
        await expect(page.locator("a.event")).to_have_count(12)
        await page.evaluate("scrollTo(0, 500)")
        place = await page.evaluate("scrollY")
        one = event()
        await hamlet.event(one)
        await expect(page.get_by_text("1 sự kiện mới")).to_be_visible()
        assert await page.evaluate("scrollY") == place
        await expect(page.locator("a.event")).to_have_count(12)
        await page.get_by_text("1 sự kiện mới").click()
        await expect(page.locator("a.event").first).to_have_attribute("data-event", one.id)
        await page.get_by_label("Camera", exact=True).select_option("khe-coc.nha-van-hoa")
        await expect(page.get_by_text("Không có sự kiện nào khớp với bộ lọc")).to_be_visible()
        assert page.url.endswith("?camera=khe-coc.nha-van-hoa")


async def test_a_camera_that_is_tampered_with_says_so_while_it_lasts(tmp_path: Path, film: Film) -> None:
    turned = msgspec.structs.replace(
        event(), kind=EventKind.TAMPER, cause=TamperCause.TURNED, box=(0.0, 0.0, 1.0, 1.0), zones=(), path=()
    )
    async with hub(tmp_path, film) as (hamlet, address), browser() as context:
        page = await opened(context, address)
        tile = page.locator('[data-camera="khe-coc.cong-lang"]')
        await expect(tile).to_be_visible()
        await hamlet.event(turned)
        await hamlet.picture(turned)
        await expect(tile.get_by_text("Camera bị quay đi")).to_be_visible()
        await expect(tile.get_by_text("Có chuyển động")).to_have_count(0)
        await expect(page.locator(f'[data-event="{turned.id}"]')).to_contain_text("Camera bị quay đi")
        await hamlet.event(closed(turned))
        await expect(tile.get_by_text("Camera bị quay đi")).to_have_count(0)
        await page.locator(f'[data-event="{turned.id}"]').click()
        await expect(page.get_by_text("Camera bị quay đi")).to_be_visible()


async def test_it_comes_back_by_itself_when_the_server_does(tmp_path: Path, film: Film) -> None:
    port = free_port()
    async with browser() as context:
        async with hub(tmp_path, film, port) as (_, address):
            page = await opened(context, f"{address}/cameras/khe-coc.cong-lang")
            await playing(page, 1)
        await expect(page.get_by_text("Mất liên lạc với máy chủ")).to_be_visible()
        await expect(page.locator(".why")).to_contain_text("hình cũ")
        async with hub(tmp_path, film, port):
            await expect(page.get_by_text("Mất liên lạc với máy chủ")).to_have_count(0)
            await playing(page, 1)


async def test_a_session_that_ended_leads_back_to_where_one_was(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser() as context:
        page = await opened(context, f"{address}/events?kind=tamper")
        await expect(page.locator("h1")).to_have_text("Sự kiện")
        # At once: whatever the page asks for in between would lead to the sign-in from where it was.
        await page.evaluate(
            """async () => {
                await fetch('/api/logout', {method: 'POST'});
                document.querySelector('nav a[href="/sites"]').click();
            }"""
        )
        await expect(page.get_by_text("Phiên làm việc đã hết")).to_be_visible()
        await sign_in(page)
        await expect(page.locator("h1")).to_have_text("Các xóm")


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_page_fits_a_phone_and_a_thumb(tmp_path: Path, film: Film, language: str) -> None:
    complaints: list[str] = []
    async with hub(tmp_path, film) as (hamlet, address), browser(viewport=PHONE) as context:
        await context.add_init_script(f"localStorage.setItem('language', '{language}')")
        one = event()
        for told in (one, closed(one)):
            await hamlet.event(told)
        await hamlet.picture(one)
        await hamlet.clip(one)
        page = context.pages[0]
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console", lambda said: complaints.append(said.text) if "Content Security" in said.text else None
        )
        await opened(context, address)
        assert await page.evaluate("document.documentElement.lang") == language
        for path in (
            "/",
            "/cameras/khe-coc.cong-lang",
            "/events",
            f"/events/{one.id}",
            "/sites",
            "/why",
            "/nowhere",
        ):
            await page.goto(address + path)
            await expect(page.locator("main h1, main h2").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"], path
            assert await page.evaluate(SMALL) == [], path
    assert complaints == []
