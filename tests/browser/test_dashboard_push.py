"""Alerts on a phone whose dashboard is closed, in Chromium: permission, the message, its click, and the end.

All is real but the push service between hub and browser (`tests.support.push`) and the desktop that shows the
notifications (`tests.support.desktop`): Chromium tells it by D-Bus, and hears from it what was clicked.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from camera_hub.alerts.life import AlertState
from camera_hub.alerts.occurrence import AlertKind
from camera_hub.alerts.rule import Rule, Step, Urgency
from camera_hub.config.alerts import ChannelConfig
from tests.browser.test_dashboard import PHONE, film, hub, opened, sign_in
from tests.browser.test_dashboard_alerts import moved, shot, the_alert
from tests.support.chromium import own_profile
from tests.support.dashboard import USER, Film, Hamlet
from tests.support.desktop import Desktop, desktop
from tests.support.push import PushService, push_service
from tests.support.waiting import until_async

__all__ = ["film"]

RULE = Rule(
    "nguoi",
    "Người vào xóm ban đêm",
    (AlertKind.MOTION,),
    urgency=Urgency.URGENT,
    steps=(Step(0, ("dien-thoai",)),),
)
NOTIFICATIONS = """async () => (await (await navigator.serviceWorker.ready).getNotifications())
  .map(one => [one.title, one.tag, one.body])"""
NO_PAGES = "async () => (await clients.matchAll({includeUncontrolled: true})).length === 0"
APPLE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1"

WHY = {
    "vi": {
        "denied": "đang chặn thông báo",
        "insecure": "địa chỉ https",
        "iphone": "Thêm vào MH chính",
        "unsupported": "Trình duyệt này không nhận được",
    },
    "en": {
        "denied": "blocks this page's notifications",
        "insecure": "https address",
        "iphone": "Add to Home Screen",
        "unsupported": "This browser cannot be told",
    },
}


@contextlib.asynccontextmanager
async def browser(folder: Path, *flags: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """A phone's, whose profile is its own."""
    shape = {"viewport": PHONE, "has_touch": True, "timezone_id": "Asia/Ho_Chi_Minh"}
    async with own_profile(folder / "profile", *flags, **shape, **options) as context:
        context.set_default_timeout(30_000)
        expect.set_options(timeout=30_000)
        yield context


@contextlib.asynccontextmanager
async def phone(
    folder: Path, film: Film, push: PushService, language: str = "vi", desk: Desktop | None = None
) -> AsyncIterator[tuple[Hamlet, Page]]:
    """An officer's phone on the page of alerts, allowed to show notifications; the hub tells it by push."""
    env = None if desk is None else desk.env
    async with (
        hub(folder, film) as (hamlet, url),
        browser(folder, env=env) as context,
    ):
        await push.serve(context)
        await context.grant_permissions(["notifications"], origin=url)
        await context.add_init_script(f"localStorage.language ??= '{language}'")
        await hamlet.parts.channels.put(ChannelConfig(id="dien-thoai", name="Điện thoại", kind="push"))
        await hamlet.rule(RULE)
        telling = asyncio.create_task(hamlet.parts.deliverer.run())
        try:
            yield hamlet, await opened(context, f"{url}/alerts")
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)


async def test_a_push_is_shown_and_its_click_opens_the_alert(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with (
        push_service(monkeypatch) as push,
        desktop() as desk,
        phone(tmp_path, film, push, desk=desk) as (hamlet, page),
    ):
        await page.get_by_role("button", name="Báo lên máy này").click()
        await expect(page.get_by_role("button", name="Máy này được báo")).to_be_visible()
        await shot(page, "push-on-360-vi")
        await moved(hamlet)
        message = await push.sent()
        await push.bring(page, message)
        shown = await desk.shown()
        assert shown.title == "KHẨN: Người vào xóm ban đêm"
        assert "Cổng làng (Đầu đường vào xóm), Xóm Khe Cốc" in shown.body
        assert "Có chuyển động lúc" in shown.body
        assert "Nhận việc" in shown.buttons
        alert = (await the_alert(hamlet)).alert
        ((_, tag, _),) = await page.evaluate(NOTIFICATIONS)
        assert tag == alert.id

        # Told anew, it takes the place of the one before.
        await push.bring(page, message)
        shown = await desk.shown()
        assert len(await page.evaluate(NOTIFICATIONS)) == 1

        # The page that is open goes to the alert; no second one opens.
        await page.goto(page.url.replace("/alerts", "/events"))
        await desk.click(shown)
        await page.wait_for_url(f"**/alerts/{alert.id}")
        await expect(page.get_by_role("heading", level=1)).to_contain_text(RULE.name)
        assert len(page.context.pages) == 1

        # With no page and no session: the button opens one, asks who it is, and shows the alert.
        await push.bring(page, message)
        shown = await desk.shown()
        await page.context.clear_cookies()
        await page.goto("about:blank")
        (worker,) = page.context.service_workers
        await until_async(lambda: worker.evaluate(NO_PAGES))
        async with page.context.expect_page() as coming:
            await desk.click(shown, shown.buttons["Nhận việc"])
        page = await coming.value
        await sign_in(page)
        await expect(page.get_by_role("heading", level=1)).to_contain_text(RULE.name)
        assert (await the_alert(hamlet)).alert.state is AlertState.NEW

        # Signed in, the same button takes it.
        await page.goto(page.url.replace(f"/{alert.id}", ""))
        await push.bring(page, message)
        shown = await desk.shown()
        await desk.click(shown, shown.buttons["Nhận việc"])
        await expect(page.locator("[data-state=acknowledged]")).to_contain_text("Nguyễn Văn An")
        assert (await the_alert(hamlet)).alert.owner is not None


async def test_the_devices_that_are_told(tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch) -> None:
    async with push_service(monkeypatch) as push, phone(tmp_path, film, push, "en") as (hamlet, page):
        store = hamlet.store.alerts

        async def mine() -> list[tuple[str, str]]:
            return [(one.endpoint, one.language) for one in await store.subscriptions(USER.name)]

        async def told(what: list[tuple[str, str]]) -> bool:
            return await mine() == what

        async def told_in(language: str) -> bool:
            return [one for _, one in await mine()] == [language]

        await page.get_by_role("button", name="Tell me on this device").click()
        await expect(page.get_by_role("button", name="This device is told")).to_be_visible()
        ((first, language),) = await mine()
        assert language == "en"

        await page.get_by_role("button", name="Account and settings").click()
        await page.get_by_role("button", name="Devices that are told").click()
        dialog = page.get_by_role("dialog")
        await expect(dialog.get_by_role("listitem")).to_contain_text("Chrome, Linux")
        await dialog.get_by_role("button", name="Send a test").click()
        assert b"A test of alerts" in await push.sent()
        await expect(dialog.get_by_role("listitem")).to_contain_text("Sent.")
        await shot(page, "devices-360-en")

        # The push service moves the browser: the worker tells the hub.
        await page.context.service_workers[0].evaluate(
            """([old, keys]) => {
                const fresh = {endpoint: 'https://push.example/moved', keys};
                const moved = {oldSubscription: {endpoint: old}, newSubscription: {toJSON: () => fresh}};
                dispatchEvent(Object.assign(new ExtendableEvent('pushsubscriptionchange'), moved));
            }""",
            [first, {"p256dh": push.browser.p256dh, "auth": push.browser.auth}],
        )
        await until_async(lambda: told([("https://push.example/moved", "en")]))

        # One that the push service does not know any more is let go, and the page says so.
        push.status = 410
        await dialog.get_by_role("button", name="Send a test").click()
        await expect(dialog).to_contain_text("None of your devices")
        assert await mine() == []

        # The page, opened anew, says that it is not told any more.
        push.status = 201
        await page.reload()
        await expect(page.get_by_text("This device is no longer told")).to_be_visible()
        await page.get_by_role("button", name="Tell me on this device").click()
        await until_async(mine)
        assert await mine() != [(first, "en")]

        # Who reads another language is told in it.
        await page.get_by_role("button", name="Account and settings").click()
        await page.get_by_text("Tiếng Việt").click()
        await until_async(lambda: told_in("vi"))

        # Who signs out is told no more.
        await page.get_by_role("button", name="Đăng xuất").click()
        await expect(page.locator("#name")).to_be_visible()
        assert await mine() == []
        assert await page.evaluate("localStorage.getItem('push-service')") is None


async def test_why_a_browser_cannot_be_told(tmp_path: Path, film: Film) -> None:
    resolve = "--host-resolver-rules=MAP hub.example 127.0.0.1"
    async with hub(tmp_path, film) as (_, url), browser(tmp_path, resolve) as context:

        async def says(page: Page, state: str) -> None:
            for language in WHY:
                await page.evaluate(f"localStorage.language = '{language}'")
                await page.reload()
                await page.locator(".ways button").first.click()
                await expect(page.locator(f"[data-push={state}]")).to_contain_text(WHY[language][state])
                assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
                await shot(page, f"push-{state}-360-{language}")

        page = await opened(context, f"{url}/alerts")
        devtools = await context.new_cdp_session(page)
        refused = {"permission": {"name": "notifications"}, "setting": "denied", "origin": url}
        await devtools.send("Browser.setPermission", refused)
        await says(page, "denied")
        await page.add_init_script("delete window.PushManager")
        await says(page, "unsupported")
        await devtools.send("Emulation.setUserAgentOverride", {"userAgent": APPLE})
        await says(page, "iphone")
        plain = await context.new_page()
        await plain.goto(url.replace("127.0.0.1", "hub.example") + "/alerts")
        await sign_in(plain)
        await expect(plain.locator("header")).to_be_visible()
        await says(plain, "insecure")


async def test_the_dashboard_can_be_installed(tmp_path: Path, film: Film) -> None:
    async with hub(tmp_path, film) as (_, url), browser(tmp_path) as context:
        page = context.pages[0]
        await page.goto(url)
        devtools = await context.new_cdp_session(page)
        manifest = await devtools.send("Page.getAppManifest")
        assert manifest["errors"] == []
        parsed = manifest["manifest"]
        assert (parsed["display"], parsed["startUrl"]) == ("kStandalone", f"{url}/")
        assert (await devtools.send("Page.getInstallabilityErrors"))["installabilityErrors"] == []
        for icon in parsed["icons"]:
            answer = await page.request.get(icon["url"])
            assert answer.ok
            assert answer.headers["content-type"].startswith("image/")
