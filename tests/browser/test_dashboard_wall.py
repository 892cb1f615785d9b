"""The wall in Chromium: 1, 4, 9 or 16 tiles on any screen, pages, full screen, digital zoom.

Only what is on the screen is asked of the server, and the large stream only where one picture is large.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, ViewportSize, WebSocket, expect

from camera_hub.model import CameraInfo, StreamName, Zone
from tests.browser.test_dashboard import PHONE, SMALL, browser, opened, playing
from tests.support import needs
from tests.support.dashboard import Film, Hamlet, served
from tests.support.live import encode
from tests.support.waiting import until, until_async

ZONE = Zone("Lòng đường", ((0.4, 0.4), (0.8, 0.4), (0.8, 0.8), (0.4, 0.8)))
CAMERAS = tuple(
    CameraInfo(f"cam-{number:02}", f"Camera {number}", f"Nhà số {number}", (ZONE,), ("main", "sub"))
    for number in range(1, 18)
)
DESK: ViewportSize = {"width": 1280, "height": 720}
SIZES: dict[str, ViewportSize] = {
    "phone": {"width": 360, "height": 740},
    "phone-lying": {"width": 740, "height": 360},
    "desk": DESK,
    "tv": {"width": 1920, "height": 1080},
}
TILES = """() => [...document.querySelectorAll('a.tile')].map(tile => {
  const picture = tile.querySelector('.picture').getBoundingClientRect();
  const {left, top, right, bottom} = tile.getBoundingClientRect();
  return {left, top: top + scrollY, right, bottom: bottom + scrollY, ratio: picture.width / picture.height};
})"""
WIDE = "() => document.documentElement.scrollWidth - innerWidth"
FACTOR = "() => new DOMMatrix(getComputedStyle(document.querySelector('video')).transform).a"
LEFT = "() => document.querySelector('video').getBoundingClientRect().left"
NO_FULL_SCREEN = "Object.defineProperty(Document.prototype, 'fullscreenEnabled', {get: () => false});"
NO_STORAGE = "Storage.prototype.setItem = () => { throw new DOMException('no', 'QuotaExceededError'); };"


@pytest.fixture(scope="module")
def film() -> Film:
    encoded = encode(frames=40, fps=5, gop=10)
    return Film(encoded.info, encoded.packets, encoded.duration_us)


@contextlib.asynccontextmanager
async def hub(
    folder: Path, film: Film, cameras: tuple[CameraInfo, ...] = CAMERAS
) -> AsyncIterator[tuple[Hamlet, str]]:
    needs.dashboard()
    async with served(folder, {info.id: film for info in cameras}, cameras) as running:
        yield running


async def choose(page: Page, tiles: int) -> None:
    await page.locator("fieldset label", has_text=str(tiles)).get_by_text(str(tiles), exact=True).click()


async def asked(hamlet: Hamlet, first: int, last: int, stream: StreamName = "sub") -> None:
    """The server asks the hamlet for these cameras, for nothing else."""
    wanted = {(f"khe-coc.cam-{number:02}", stream) for number in range(first, last + 1)}
    await until(lambda: set(hamlet.hub.wanted()) == wanted)


async def becomes(page: Page, true: str) -> None:
    """The page's own rules forbid what Playwright would wait with."""
    await until_async(lambda: page.evaluate(true))


async def middle(part: Locator) -> tuple[float, float]:
    box = await part.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


async def finger(page: Page, *places: tuple[float, float]) -> None:
    """A finger that comes down at the first place and goes up at the last."""
    screen = await page.context.new_cdp_session(page)
    for number, (x, y) in enumerate(places):
        kind = "touchMove" if number else "touchStart"
        await screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    await screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await screen.detach()


async def pinch(page: Page, x: float, y: float) -> None:
    """Two fingers that come down beside a place and go apart."""
    screen = await page.context.new_cdp_session(page)
    for number, apart in enumerate((20, 30, 40, 50, 60)):
        kind = "touchMove" if number else "touchStart"
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}]
        await screen.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    await screen.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    await screen.detach()


@pytest.mark.parametrize("size", SIZES)
async def test_every_choice_fits_every_screen(tmp_path: Path, film: Film, size: str) -> None:
    screen = SIZES[size]
    async with hub(tmp_path, film) as (_, address), browser(viewport=screen) as context:
        page = await opened(context, address)
        for tiles in (1, 4, 9, 16):
            await choose(page, tiles)
            await expect(page.locator("a.tile")).to_have_count(tiles)
            assert await page.evaluate(WIDE) <= 0, tiles
            assert await page.evaluate(SMALL) == [], tiles
            seen = await page.evaluate(TILES)
            assert all(abs(tile["ratio"] - 4 / 3) < 0.03 for tile in seen), seen  # as the pictures are
            assert all(tile["left"] >= 0 and tile["right"] <= screen["width"] for tile in seen)
            assert len({round(tile["right"] - tile["left"]) for tile in seen}) <= 2  # in whole pixels
            if size in ("desk", "tv"):
                right = max(tile["right"] for tile in seen)
                bottom = max(tile["bottom"] for tile in seen)
                assert bottom <= screen["height"], tiles
                # As large as that: they reach to the end of the screen, downwards or sideways.
                assert bottom > screen["height"] - 24 or right > screen["width"] - 48, tiles
                await playing(page, tiles)


async def test_only_the_page_that_is_seen_plays(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser(viewport=DESK) as context:
        connections: list[WebSocket] = []
        context.pages[0].on("websocket", lambda connection: connections.append(connection))
        page = await opened(context, address)
        await choose(page, 4)
        await playing(page, 4)
        await asked(hamlet, 1, 4)
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 5")
        await expect(page.get_by_role("status").filter(has_text="Trang 2/5")).to_have_count(1)
        await playing(page, 4)
        await asked(hamlet, 5, 8)
        for _ in range(3):  # round, quickly: what was opened on the way is closed
            await page.get_by_role("button", name="Trang sau").click()
        await playing(page, 1)
        await asked(hamlet, 17, 17)
        await page.keyboard.press("ArrowRight")
        await playing(page, 4)
        await asked(hamlet, 1, 4)
        # A slow machine may take another way for some.
        await until(lambda: sum(not connection.is_closed() for connection in connections) <= 4)
        await page.keyboard.press("ArrowLeft")
        await asked(hamlet, 17, 17)
        await choose(page, 9)  # what was in sight stays so
        await expect(page.locator("a.tile h3").last).to_contain_text("Camera 17")
        await page.locator("a.tile").last.click()
        await asked(hamlet, 17, 17, "main")
        await page.get_by_role("link", name="Tất cả camera").click()
        await expect(page.locator("a.tile h3").last).to_contain_text("Camera 17")
        await asked(hamlet, 10, 17)


async def test_the_keyboard_is_enough(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser(viewport=DESK) as context:
        page = await opened(context, address)
        await page.locator("fieldset input").nth(3).focus()
        await page.keyboard.press("ArrowLeft")  # a choice has the arrows for itself
        await expect(page.locator("a.tile")).to_have_count(9)
        await page.locator("a.tile").nth(4).focus()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("a.tile").first).to_be_focused()
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 10")
        await page.keyboard.press("Enter")
        await expect(page.locator("h1")).to_have_text("Camera 10")
        await playing(page, 1)
        await page.keyboard.press("+")
        await becomes(page, f"({FACTOR})() === 1.5")
        before = await page.evaluate(LEFT)
        await page.keyboard.press("ArrowRight")
        await becomes(page, f"({LEFT})() < {before}")
        await page.keyboard.press("-")
        await becomes(page, f"({FACTOR})() === 1")


@pytest.mark.parametrize(
    ("size", "cameras", "stream"),
    [("desk", 1, "main"), ("tv", 1, "main"), ("phone", 1, "sub"), ("desk", 3, "sub"), ("phone", 3, "sub")],
)
async def test_one_large_picture_is_the_main_stream(
    tmp_path: Path, film: Film, size: str, cameras: int, stream: StreamName
) -> None:
    async with (
        hub(tmp_path, film, CAMERAS[:cameras]) as (hamlet, address),
        browser(viewport=SIZES[size]) as context,
    ):
        page = await opened(context, address)
        await expect(page.locator("a.tile")).to_have_count(cameras)
        await asked(hamlet, 1, cameras, stream)


async def test_a_camera_with_one_stream_alone_is_seen_on_the_wall(tmp_path: Path, film: Film) -> None:
    only = tuple(CameraInfo(info.id, info.name, "", (), ("main",)) for info in CAMERAS[:5])
    async with hub(tmp_path, film, only) as (hamlet, address), browser(viewport=DESK) as context:
        page = await opened(context, address)
        await playing(page, 5)
        await asked(hamlet, 1, 5, "main")
        await hamlet.unlink()  # who is away is told without its streams
        await expect(page.locator(".old canvas:not(.gone)")).to_have_count(5)
        seen = await page.evaluate(TILES)
        assert all(abs(tile["ratio"] - 4 / 3) < 0.03 for tile in seen), seen


async def test_the_choice_is_kept_even_where_nothing_can_be_stored(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser(viewport=DESK) as context:
        page = await opened(context, address)
        await expect(page.locator("a.tile")).to_have_count(16)
        await choose(page, 4)
        await page.reload()
        await expect(page.locator("a.tile")).to_have_count(4)
        await page.add_init_script(NO_STORAGE)
        await page.reload()
        await choose(page, 9)
        await page.get_by_role("link", name="Các xóm").click()
        await page.get_by_role("link", name="Trực tiếp").click()
        await expect(page.locator("a.tile")).to_have_count(9)


async def test_pages_turn_by_themselves_where_nobody_sits(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser(viewport=DESK) as context:
        await context.pages[0].clock.install()
        page = await opened(context, address)
        await choose(page, 9)
        await page.clock.run_for(40_000)
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 1")
        patrol = page.get_by_role("button", name="Tự lật trang")
        await patrol.click()
        await expect(patrol).to_have_attribute("aria-pressed", "true")
        await page.clock.run_for(16_000)
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 10")
        await page.clock.run_for(10_000)
        await page.mouse.move(300, 300)  # somebody is there
        await page.clock.run_for(10_000)
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 10")
        await page.clock.run_for(10_000)
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 1")


@pytest.mark.parametrize("size", ["desk", "phone"])
@pytest.mark.parametrize("known", [True, False])
async def test_full_screen(tmp_path: Path, film: Film, size: str, known: bool) -> None:
    screen = SIZES[size]
    async with hub(tmp_path, film) as (_, address), browser(viewport=screen) as context:
        if not known:
            await context.add_init_script(NO_FULL_SCREEN)
        page = await opened(context, address)
        await choose(page, 9)
        await page.keyboard.press("f")
        await becomes(page, f"(document.fullscreenElement !== null) === {str(known).lower()}")
        await expect(page.locator(".stage.full")).to_be_visible()
        seen = await page.evaluate(TILES)
        inner = await page.evaluate("[innerWidth, innerHeight]")
        assert max(tile["right"] for tile in seen) <= inner[0]
        assert max(tile["bottom"] for tile in seen) <= inner[1] + await page.evaluate("scrollY")
        assert await page.locator("header").is_visible()
        x, y = await middle(page.locator("header"))
        assert await page.evaluate("([x, y]) => !!document.elementFromPoint(x, y).closest('.stage')", [x, y])
        assert await page.evaluate(SMALL) == []
        await page.locator("a.tile").first.click()  # a camera that is opened stays so
        await expect(page.locator(".stage.full video")).to_have_count(1)
        await expect(page.locator(".stage.full").get_by_text("Camera 1")).to_be_visible()
        await page.get_by_role("link", name="Tất cả camera").last.click()
        await expect(page.locator(".stage.full a.tile")).to_have_count(9)
        if known:
            await page.get_by_role("button", name="Thoát toàn màn hình").click()
        else:
            await page.keyboard.press("Escape")
        await expect(page.locator(".stage.full")).to_have_count(0)
        assert await page.evaluate("document.fullscreenElement") is None
        assert await page.evaluate(WIDE) <= 0


async def test_a_camera_is_seen_larger_by_wheel_and_mouse(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, address), browser(viewport=DESK) as context:
        page = await opened(context, f"{address}/cameras/khe-coc.cam-01")
        await playing(page, 1)
        await page.get_by_role("button", name="Hiện vùng").click()
        x, y = await middle(page.locator(".frame"))
        label = page.locator(".zones span")
        before = await label.bounding_box()
        await page.mouse.move(x, y)
        await page.mouse.wheel(0, -300)
        await becomes(page, f"({FACTOR})() > 1.3")
        factor = await page.evaluate(FACTOR)
        after = await label.bounding_box()
        assert before
        assert after
        assert abs(after["height"] - before["height"]) < 1  # the words keep their size
        away = before["x"] + before["width"] / 2 - x
        assert abs((after["x"] + after["width"] / 2 - x) - away * factor) < 2  # and go with their place
        await expect(page.get_by_role("button", name="về cả hình")).to_be_visible()
        left = await page.evaluate(LEFT)
        await page.mouse.down()
        await page.mouse.move(x - 60, y, steps=4)
        await page.mouse.up()
        assert abs(await page.evaluate(LEFT) - (left - 60)) < 2
        assert await page.evaluate("scrollY") == 0
        await page.mouse.wheel(0, 2_000)
        await page.mouse.wheel(0, 2_000)
        await becomes(page, f"({FACTOR})() === 1")
        await page.mouse.dblclick(x, y)
        await becomes(page, f"({FACTOR})() === 2.5")
        await page.get_by_role("button", name="về cả hình").click()
        await becomes(page, f"({FACTOR})() === 1")
        await page.mouse.move(x, y)
        await page.mouse.wheel(0, 200)  # the whole picture: the page scrolls
        await becomes(page, "scrollY > 0")


async def test_the_only_tile_is_zoomed_by_a_double_click_and_opened_by_one(
    tmp_path: Path, film: Film
) -> None:
    async with hub(tmp_path, film) as (_, address), browser(viewport=DESK) as context:
        page = await opened(context, address)
        await choose(page, 1)
        await playing(page, 1)
        await page.locator("a.tile").dblclick(position={"x": 200, "y": 200})
        await becomes(page, f"({FACTOR})() === 2.5")
        await page.wait_for_timeout(600)
        await expect(page.locator("a.tile")).to_have_count(1)
        await page.keyboard.press("0")
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("a.tile h3")).to_contain_text("Camera 2")
        await page.keyboard.press("+")
        await page.get_by_role("button", name="Trang sau").click()
        await expect(page.locator("a.tile h3")).to_contain_text("Camera 3")
        await becomes(page, f"({FACTOR})() === 1")  # another camera is seen whole
        await page.locator("a.tile").click(position={"x": 200, "y": 200})
        await expect(page.locator("h1")).to_have_text("Camera 3")


async def test_fingers_turn_pages_and_zoom_and_still_scroll(tmp_path: Path, film: Film) -> None:
    options: dict[str, Any] = {"viewport": PHONE, "has_touch": True, "is_mobile": True}
    async with hub(tmp_path, film) as (_, address), browser(**options) as context:
        page = await opened(context, address)
        await choose(page, 4)
        await finger(page, (300, 400), (200, 402), (100, 405))
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 5")
        await finger(page, (100, 400), (200, 402), (300, 405))
        await expect(page.locator("a.tile h3").first).to_contain_text("Camera 1")
        await finger(page, (180, 500), (182, 420), (184, 300), (184, 200))
        await becomes(page, "scrollY > 50")
        await expect(page.locator("a.tile")).to_have_count(4)

        await page.goto(f"{address}/cameras/khe-coc.cam-01")
        await playing(page, 1)
        x, y = await middle(page.locator(".frame"))
        await pinch(page, x, y)
        await becomes(page, f"({FACTOR})() > 1.8")
        assert await page.evaluate("visualViewport.scale") == 1
        left = await page.evaluate(LEFT)
        await finger(page, (x, y), (x - 20, y - 20), (x - 40, y - 40))
        await becomes(page, f"({LEFT})() < {left} - 20")
        assert await page.evaluate("scrollY") == 0
        for _ in range(2):  # a double tap leads back
            await finger(page, (x, y))
        await becomes(page, f"({FACTOR})() === 1")
        await finger(page, (x, y), (x, y - 40), (x, y - 80), (x, y - 120))
        await becomes(page, "scrollY > 20")
