"""Alerts in Chromium: they come by themselves, officers work on them, and the second sees who was first."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Page, Route, expect

from camera_hub.alerts import life
from camera_hub.alerts.life import Person
from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Rule, Urgency
from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.config.alerts import ChannelConfig
from camera_hub.model import Event, EventKind, Verdict
from camera_hub.server.settings import ConfigUser
from camera_hub.store.alert_records import AlertFilter, StoredAlert
from tests.browser.test_dashboard import PHONE, SMALL, browser, film, hub, opened
from tests.support.dashboard import ADMIN, USER, Film, Hamlet, event_id
from tests.support.receivers import http_receiver

__all__ = ["film"]

RULE = Rule("nguoi", "Người vào xóm ban đêm", (AlertKind.MOTION,), urgency=Urgency.URGENT)
OTHER = Person("binh", "Đại úy Bình")
WORDS = {
    "vi": {
        "rules": "Quy tắc",
        "add": "Thêm quy tắc",
        "name": "Tên",
        "only": "Chỉ trong khoảng",
        "try": "Thử với 7 ngày qua",
        "elsewhere": "1 ở camera khác",
        "save": "Lưu quy tắc",
        "remove": "Xoá",
        "really": "Xoá hẳn",
    },
    "en": {
        "rules": "Rules",
        "add": "Add a rule",
        "name": "Name",
        "only": "Only between",
        "try": "Try it on the last 7 days",
        "elsewhere": "1 at other cameras",
        "save": "Save the rule",
        "remove": "Remove",
        "really": "Really remove",
    },
}
PAGES = {"rules": "/../rules", "channels": "/../channels", "sites": "/../sites"}
SHOWN = {
    "inbox": "[data-alert]",
    "alert": "ol li",
    "rules": "[data-rule]",
    "channels": "[data-channel]",
    "sites": "[data-site]",
}
# What a screen reader could not call by a name, and what names something that is not there.
NAMELESS = """() => [...document.querySelectorAll('a, button, input, select, textarea, img')]
  .filter(it => it.checkVisibility() && !it.hasAttribute('alt'))
  .filter(it => !(it.ariaLabel || it.title || it.textContent.trim() || it.labels?.length))
  .concat([...document.querySelectorAll('[aria-controls], [aria-labelledby]')].filter(it =>
    ['aria-controls', 'aria-labelledby'].some(name =>
      it.getAttribute(name)?.split(' ').some(id => !document.getElementById(id)))))
  .map(it => it.outerHTML.slice(0, 120))"""
SHOTS = os.environ.get("CAMERA_HUB_SHOTS")


@contextlib.asynccontextmanager
async def officer(
    folder: Path, film: Film, language: str = "vi", *, user: ConfigUser = USER, **options: Any
) -> AsyncIterator[tuple[Hamlet, Page]]:
    """A signed-in officer on the page of alerts."""
    async with hub(folder, film) as (hamlet, url), browser(**options) as context:
        await hamlet.rule(RULE)
        await context.add_init_script(f"localStorage.setItem('language', '{language}')")
        yield hamlet, await opened(context, f"{url}/alerts", user)


async def moved(hamlet: Hamlet, ago_s: float = 20, camera: str = "cong-lang", *, bare: bool = False) -> Event:
    """Somebody went by; `bare`: without picture and clip, so far."""
    start_us = SYSTEM_CLOCK.wall_us() - round(ago_s * 1e6)
    event = Event(
        event_id(start_us),
        camera,
        EventKind.MOTION,
        start_us,
        start_us + 8_000_000,
        1,
        zones=("Lòng đường",),
        score=0.8,
        box=(0.4, 0.3, 0.1, 0.3),
    )
    await hamlet.event(event)
    if not bare:
        await hamlet.picture(event)
        await hamlet.clip(event)
    return event


async def the_alert(hamlet: Hamlet) -> StoredAlert:
    (found,) = (await hamlet.store.alerts.alert_page(AlertFilter(), 10)).alerts
    return found


async def shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True)


async def test_an_alert_comes_by_itself_and_is_worked_on(tmp_path: Path, film: Film) -> None:
    async with officer(tmp_path, film, viewport={"width": 1280, "height": 800}) as (hamlet, page):
        await expect(page.get_by_text("Không có báo động nào đang chờ")).to_be_visible()
        await moved(hamlet)
        card = page.locator("[data-alert]")
        await expect(card).to_contain_text("Người vào xóm ban đêm")
        await expect(card).to_contain_text("Cổng làng · Xóm Khe Cốc")
        await expect(page.locator("nav .count")).to_have_text("1")
        await shot(page, "inbox-1280-vi")
        await page.keyboard.press("j")
        await expect(card).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Người vào xóm ban đêm")
        await shot(page, "alert-1280-vi")
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog")).to_contain_text("đóng: Đúng")
        await page.keyboard.press("a")  # a dialog's keys are its own
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        await page.wait_for_function("document.activeElement === document.body")
        await page.keyboard.press("a")
        await expect(page.locator("[data-state=acknowledged]")).to_contain_text("Nguyễn Văn An")
        await expect(page.locator("nav .count")).to_have_count(0)
        await page.get_by_placeholder("Ghi chú").fill("bò nhà bác Sáu")
        await page.get_by_role("button", name="Báo nhầm").click()
        await expect(page.locator("[data-state=closed]")).to_contain_text("Báo nhầm")
        await expect(page.locator("ol")).to_contain_text("đóng: Báo nhầm")
        await expect(page.locator("ol")).to_contain_text("bò nhà bác Sáu")
        stored = await the_alert(hamlet)
        assert stored.alert.verdict is Verdict.FALSE
        assert stored.events[0].verdict is not None
        await shot(page, "alert-closed-1280-vi")


async def test_what_is_written_while_something_else_is_sent_stays(tmp_path: Path, film: Film) -> None:
    answered = asyncio.Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await answered.wait()
        await route.fulfill(response=answer)

    async with officer(tmp_path, film) as (hamlet, page):
        await moved(hamlet)
        await page.locator("[data-alert]").click()
        await page.route("**/acknowledge", late)
        await page.get_by_role("button", name="Nhận việc").click()
        await expect(page.locator("[data-state=acknowledged]")).to_be_visible()
        await page.get_by_placeholder("Ghi chú").fill("bò nhà bác Sáu")
        answered.set()
        await page.get_by_role("button", name="Báo nhầm").click()
        await expect(page.locator("ol")).to_contain_text("bò nhà bác Sáu")


async def test_the_second_officer_sees_who_was_first(tmp_path: Path, film: Film) -> None:
    async with officer(tmp_path, film) as (hamlet, page):
        await moved(hamlet)
        await page.locator("[data-alert]").click()
        await expect(page.get_by_role("button", name="Nhận việc")).to_be_visible()
        stored = await the_alert(hamlet)
        # Another server of the same database, as it were: this page is not told.
        await hamlet.store.alerts.act(
            stored.alert.id,
            lambda alert: life.close(alert, alert.version, OTHER, Verdict.REAL, "", SYSTEM_CLOCK.wall_us()),
        )
        await page.get_by_role("button", name="Báo nhầm").click()
        await expect(page.get_by_role("alert")).to_contain_text("Đại úy Bình đã làm trước")
        await expect(page.locator("[data-state=closed]")).to_contain_text("Đúng")
        assert (await the_alert(hamlet)).alert.verdict is Verdict.REAL


async def test_a_long_inbox_stays_under_the_reader(tmp_path: Path, film: Film) -> None:
    async with officer(tmp_path, film, viewport=PHONE, has_touch=True) as (hamlet, page):
        await hamlet.rule(msgspec.structs.replace(RULE, join_s=0))
        for number in range(35):
            await moved(hamlet, ago_s=4000 - 60 * number, bare=True)
        cards = page.locator("[data-alert]")
        await expect(cards).to_have_count(35)
        await page.reload()
        await expect(cards).to_have_count(30)
        await page.get_by_role("button", name="Xem cũ hơn").click()
        await expect(cards).to_have_count(35)
        read = cards.nth(31)
        await read.scroll_into_view_if_needed()
        before = await read.bounding_box()
        await moved(hamlet, bare=True)
        fresh = page.get_by_role("button", name="1 báo động mới")
        await expect(fresh).to_be_visible()
        assert await read.bounding_box() == before
        place = await page.evaluate("scrollY")
        await read.click()
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await page.go_back()
        await page.wait_for_function("place => Math.abs(scrollY - place) < 200", arg=place)
        # The newest page, asked for anew on the way back, has joined what was there.
        await expect(cards).to_have_count(36)


async def test_on_a_phone_the_picture_comes_first_and_the_buttons_lie_at_the_thumb(
    tmp_path: Path, film: Film
) -> None:
    async with officer(tmp_path, film, viewport=PHONE, has_touch=True) as (hamlet, page):
        event = await moved(hamlet, bare=True)
        await hamlet.picture(event)
        await page.locator("[data-alert]").click()
        await expect(page.get_by_text("Đoạn ghi đang được gửi về…")).to_be_visible()
        picture = await page.locator("figure img").bounding_box()
        title = await page.get_by_role("heading", level=1).bounding_box()
        assert picture
        assert title
        assert picture["y"] < title["y"]
        for name in ("Nhận việc", "Đúng", "Báo nhầm", "Chỉ là thử"):
            button = page.get_by_role("button", name=name, exact=True)
            assert await button.evaluate("it => it.getBoundingClientRect().top > innerHeight / 2")
            await button.click(trial=True)  # nothing lies over it
        await hamlet.clip(event)
        await expect(page.locator("figure video")).to_be_visible()
        await page.get_by_role("button", name="Nhận việc").click()
        await expect(page.locator("[data-state=acknowledged]")).to_be_visible()
        await page.get_by_role("link", name="Xem trực tiếp").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Cổng làng")


async def test_boxes(tmp_path: Path, film: Film) -> None:
    async with officer(tmp_path, film) as (hamlet, page):
        await moved(hamlet)
        card = page.locator("[data-alert]")
        await expect(card).to_have_count(1)
        await page.get_by_text("Của tôi", exact=True).click()
        await expect(page.get_by_text("Bạn không nhận việc nào")).to_be_visible()
        stored = await the_alert(hamlet)
        await page.goto(page.url.replace("/alerts?box=mine", f"/alerts/{stored.alert.id}"))
        await page.get_by_role("button", name="Giao cho…").click()
        await page.get_by_role("button", name="Nguyễn Văn An", exact=True).click()
        await expect(page.locator("[data-state=assigned]")).to_be_visible()
        await page.goto(page.url.rpartition("/")[0] + "?box=mine")
        await expect(card).to_have_count(1)


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_on_a_phone_everything_fits_and_can_be_touched(
    tmp_path: Path, film: Film, language: str
) -> None:
    at = {"viewport": PHONE, "has_touch": True}
    async with officer(tmp_path, film, language, user=ADMIN, **at) as (hamlet, page):
        await moved(hamlet)
        await moved(hamlet, ago_s=10, camera="nha-van-hoa")
        await hamlet.parts.channels.put(ChannelConfig(id="dien-thoai", name="Điện thoại", kind="push"))
        inbox = page.url
        await expect(page.locator("[data-alert]")).to_be_visible()
        stored = await the_alert(hamlet)
        for name, path in {"inbox": "", "alert": f"/{stored.alert.id}", **PAGES}.items():
            await page.goto(f"{inbox}{path}")
            await expect(page.locator(SHOWN[name]).first).to_be_visible()
            for width, height in ((360, 740), (1280, 800)):
                await page.set_viewport_size({"width": width, "height": height})
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
                assert await page.evaluate(NAMELESS) == [], name
                if width == PHONE["width"]:
                    assert await page.evaluate(SMALL) == [], name
                await shot(page, f"{name}-{width}-{language}")


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_rule_is_tried_on_the_past_and_kept(tmp_path: Path, film: Film, language: str) -> None:
    words = WORDS[language]
    async with officer(tmp_path, film, language, viewport=PHONE, has_touch=True) as (hamlet, page):
        await moved(hamlet)
        await page.get_by_role("link", name=words["rules"]).click()
        await expect(page.locator("[data-rule=nguoi]")).to_contain_text("Người vào xóm ban đêm")
        await page.get_by_role("button", name=words["add"]).click()
        await page.get_by_label(words["name"], exact=True).fill("Đường ở cổng")
        await page.get_by_text("Nhà văn hoá", exact=True).click()
        await page.get_by_label(words["only"]).uncheck()
        await page.get_by_role("button", name=words["try"]).click()
        await expect(page.locator("[data-trial='0']")).to_contain_text(words["elsewhere"])
        await page.get_by_text("Cổng làng", exact=True).click()
        await page.get_by_role("button", name=words["try"]).click()
        await expect(page.locator("[data-trial='1'] li")).to_contain_text("Cổng làng")
        await shot(page, f"rule-360-{language}")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await page.get_by_role("button", name=words["save"]).click()
        await expect(page.locator("[data-rule=duong-o-cong]")).to_be_visible()
        await shot(page, f"rules-360-{language}")
        assert await page.evaluate(SMALL) == []
        kept = {one.rule.id: one.rule for one in await hamlet.store.alerts.rules()}
        assert kept["duong-o-cong"].cameras == ("khe-coc.nha-van-hoa", "khe-coc.cong-lang")
        await page.locator("[data-rule=duong-o-cong]").get_by_role("button", name=words["remove"]).click()
        await page.get_by_role("button", name=words["really"]).click()
        await expect(page.locator("[data-rule=duong-o-cong]")).to_have_count(0)


async def test_an_administrator_adds_a_channel_and_tries_it(tmp_path: Path, film: Film) -> None:
    async with (
        http_receiver() as receiver,
        officer(tmp_path, film, user=ADMIN, viewport=PHONE, has_touch=True) as (_, page),
    ):
        await page.get_by_role("link", name="Quy tắc").click()
        await page.get_by_role("link", name="Kênh báo tin").click()
        await page.get_by_role("button", name="Thêm kênh").click()
        await page.get_by_label("Tên", exact=True).fill("Trung tâm huyện")
        await page.get_by_label("Báo bằng").select_option("webhook")
        await page.get_by_label("Địa chỉ", exact=True).fill(f"{receiver.url}/in?khoa=bi-mat")
        await page.get_by_label("Cho phép địa chỉ trong mạng nội bộ").check()
        await shot(page, "channel-360-vi")
        await page.get_by_role("button", name="Lưu", exact=True).first.click()
        await expect(page.locator(".secret code")).to_contain_text("whsec_")
        card = page.locator("[data-channel=trung-tam-huyen]")
        await expect(card).to_contain_text("http://127.0.0.1")
        assert "bi-mat" not in await page.content()
        await card.get_by_role("button", name="Gửi thử").click()
        await expect(card.get_by_role("status")).to_have_text("Đã gửi thử tới 1 nơi.")
        assert receiver.calls[0].path == "/in?khoa=bi-mat"
        await card.get_by_role("button", name="Kết quả").click()
        await expect(card).to_contain_text("Chưa báo lần nào qua kênh này.")
        await shot(page, "channels-360-vi")
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert await page.evaluate(SMALL) == []
        await page.get_by_text("Lời báo", exact=True).click()
        await page.get_by_label("Tiêu đề", exact=True).fill("{{ site }}: {{ nobody }}")
        await page.get_by_role("button", name="Xem thử").click()
        await expect(page.get_by_role("alert")).to_contain_text("'nobody' is undefined")
        await page.get_by_label("Tiêu đề", exact=True).fill("{{ site }}: {{ rule }}")
        await page.get_by_role("button", name="Xem thử").click()
        await expect(page.locator(".preview")).to_contain_text("Xóm Khe Cốc: Người qua lại ban đêm")
        await shot(page, "texts-360-vi")
        await page.get_by_role("button", name="Lưu", exact=True).click()
        await expect(page.get_by_role("button", name="Về như ban đầu")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
