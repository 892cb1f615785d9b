"""Recording and detection switched in Chromium: asked, done, refused, and to be seen by all."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from camera_hub.link.messages import Skill
from camera_hub.model import WhyNot, WishOutcome
from tests.browser.test_dashboard import PHONE, SMALL, browser, hub, opened, sign_in
from tests.support.dashboard import ADMIN, USER, Film
from tests.support.live import encode
from tests.support.waiting import until

CAMERA = "/cameras/khe-coc.cong-lang"


@pytest.fixture(scope="module")
def film() -> Film:
    encoded = encode()
    return Film(encoded.info, encoded.packets, encoded.duration_us)


async def test_switches_say_what_is_asked_done_and_refused_and_everybody_sees_what_is_off(
    tmp_path: Path, film: Film
) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser(viewport=PHONE) as context:
        page = await opened(context, address + CAMERA, ADMIN)
        record = page.locator("[data-switch=record]")
        switch = record.get_by_role("switch")
        await expect(switch).to_have_attribute("aria-checked", "true")
        await switch.click()
        dialog = page.locator("dialog")
        await expect(dialog).to_contain_text("Tắt ghi hình Cổng làng?")
        await dialog.get_by_role("button", name="Thôi").click()
        assert hamlet.asked == []
        await switch.click()
        await dialog.get_by_role("button", name="Tắt ghi hình").click()
        await expect(record).to_contain_text("Đang chờ máy của xóm trả lời")
        await expect(page.locator("[data-off]")).to_have_count(0)  # nothing is off before it is
        await hamlet.answer(WishOutcome.APPLIED)
        await expect(record).to_contain_text("Quản trị cho tắt")
        await expect(record).to_contain_text("Máy của xóm đã làm")
        await expect(page.locator("[data-off=record]").first).to_have_text("Đang tắt ghi hình")

        detect = page.locator("[data-switch=detect]")
        await detect.get_by_role("switch").click()  # what can be made good again is not asked twice
        await until(lambda: hamlet.asked)
        await hamlet.answer(WishOutcome.REFUSED, WhyNot.NOT_ALLOWED, "no leave")
        await expect(detect).to_contain_text("Xóm không cho máy chủ này đổi")
        await expect(detect.get_by_role("switch")).to_have_attribute("aria-checked", "true")
        await fits(page)

        # An officer sees what is off and who did it, and switches nothing.
        await context.clear_cookies()
        await page.reload()
        await sign_in(page, USER.password, USER.name)
        await expect(page.locator("[data-off=record]").first).to_be_visible()
        await expect(record).to_contain_text("Quản trị cho tắt")
        await expect(page.get_by_role("switch")).to_have_count(0)
        await page.goto(address)
        await expect(page.locator("[data-camera='khe-coc.cong-lang'] [data-off=record]")).to_be_visible()


async def test_a_hamlet_that_is_away_or_too_old_is_said_on_its_card(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (hamlet, address), browser(viewport=PHONE) as context:
        page = await opened(context, address, ADMIN)
        await page.goto(address + "/sites")
        await page.locator("summary", has_text="Bật và tắt").click()
        await hamlet.unlink()
        first = page.locator("[data-switch=detect]").first
        await expect(first).to_contain_text("Chưa rõ")
        await first.get_by_role("switch").click()
        await expect(first).to_contain_text("sẽ làm khi nối lại")
        await hamlet.link()
        await until(lambda: hamlet.asked)
        await hamlet.answer(WishOutcome.APPLIED)
        await expect(page.locator("li [data-off=detect]")).to_have_text("Đang tắt phát hiện")
        await hamlet.unlink()
        hamlet.can = frozenset({Skill.NOT_TAKEN})
        await hamlet.link()
        await expect(page.locator("[data-site=khe-coc]")).to_contain_text(
            "bật tắt ghi hình và phát hiện từ đây"
        )
        await first.get_by_role("switch").click()
        await expect(first).to_contain_text("Phần mềm của xóm đã cũ")
        await fits(page)


async def fits(page: Page) -> None:
    """Nothing is wider than the screen, and everything can be touched."""
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert await page.evaluate(SMALL) == []
