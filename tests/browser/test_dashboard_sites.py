"""The page of hamlets in Chromium: one is added, its machine enrols by the real command, and links.

Then its key is changed and revoked there; on a phone, in either language, everything fits.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_dashboard import PHONE, SMALL, browser
from tests.integration.test_hub_runs import camera
from tests.support import needs
from tests.support.hub import PASSWORD, command, server_section, users, write_config
from tests.support.lane import make_lane
from tests.support.waiting import until, until_blocking


class Hub:
    """A commune's server process, and the configuration of a hamlet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        section = server_section()
        viewer = {"name": "xem", "display_name": "Người xem", "role": "viewer", "password": PASSWORD}
        self.address = f"http://127.0.0.1:{section['port']}"
        self.commune = write_config(
            folder / "tuc-tranh.yaml",
            site={"id": "tuc-tranh", "name": "Xã Tức Tranh"},
            server=section,
            users=[*users(), viewer],
        )
        lane = make_lane(folder / "lane.mp4", seconds=6, crossings=())
        self.hamlet = write_config(folder / "khe-coc.yaml", cameras=[camera("cong-lang", lane)])

    def type(self, told: str) -> subprocess.CompletedProcess[str]:
        """Enters what the page says, with the configuration behind it."""
        words = told.split()
        assert words.pop(0) == "camera-hub"
        asked = [sys.executable, "-m", "camera_hub", *words, str(self.hamlet)]
        return subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    needs.dashboard()
    made = Hub(tmp_path)
    with command("serve", str(made.commune), log=tmp_path / "serve.log") as server:
        until_blocking(lambda: made.address in server.text(), 40)  # as it greets who starts it
        yield made


async def signed_in(page: Page, hub: Hub, name: str = "canh-sat") -> None:
    await page.goto(f"{hub.address}/sites")
    await page.fill("#name", name)
    await page.fill("input[type=password]", PASSWORD)
    await page.click("button.primary")
    await expect(page.locator("main h1")).to_be_visible()
    await expect(page.locator("#name")).to_have_count(0)


@pytest.mark.timeout(300)
async def test_a_hamlet_is_added_enrolled_by_the_real_command_linked_and_revoked(hub: Hub) -> None:
    async with browser() as context:
        page = context.pages[0]
        await signed_in(page, hub)
        await page.get_by_role("button", name="Thêm xóm").click()
        await page.get_by_label("Tên xóm").fill("Xóm Khe Cốc")
        await expect(page.get_by_label("Mã xóm")).to_have_value("khe-coc")
        await page.get_by_role("button", name="Thêm và lấy mã").click()
        command_shown = await page.locator("dialog pre").inner_text()
        assert (await page.locator("dialog .code").inner_text()) in command_shown
        assert await page.locator("dialog img").evaluate("image => image.naturalWidth > 100")
        await expect(page.locator("dialog .notice")).to_contain_text("chỉ dùng được ngay trên máy này")
        card = page.locator("[data-site=khe-coc]")
        await expect(card).to_contain_text("Chưa liên kết")

        done = await asyncio.to_thread(hub.type, command_shown)
        assert done.returncode == 0, done.stderr
        await expect(page.locator("dialog")).to_contain_text("Xóm Khe Cốc đã được nhận")
        await page.get_by_role("button", name="Xong").click()

        with command("ingest", str(hub.hamlet), log=hub.folder / "ingest.log") as worker:
            await expect(card.locator("header .state")).to_contain_text("Đang nối")
            await expect(card).to_contain_text("1/1")
            await card.get_by_text("Quyền liên kết").click()
            await card.get_by_role("button", name="Đổi khóa").click()
            await page.locator("dialog").get_by_role("button", name="Đổi khóa").click()
            await until(lambda: "the site has a new key" in worker.text())
            await card.get_by_role("button", name="Thu hồi").click()
            await expect(page.locator("dialog")).to_contain_text("bị ngắt ngay")
            await page.locator("dialog").get_by_role("button", name="Thu hồi").click()
            await expect(card.locator("header .state")).to_contain_text("Đã thu hồi")
            await until(lambda: "was revoked on this server" in worker.text())
        await expect(card).to_contain_text("Thay đổi gần nhất: Công an xã")
        await card.get_by_role("button", name="Xóa xóm").click()
        await page.locator("dialog").get_by_role("button", name="Xóa xóm").click()
        await expect(page.locator("[data-site]")).to_have_count(0)
        log = (hub.folder / "serve.log").read_text()
        for said in ("site made", "worker enrolled", "site revoked", "site removed"):
            assert said in log


async def test_a_viewer_sees_hamlets_and_changes_none(hub: Hub) -> None:
    async with browser() as context:
        page = context.pages[0]
        await signed_in(page, hub, "xem")
        await expect(page.get_by_text("Chưa có xóm nào")).to_be_visible()
        await expect(page.get_by_role("button", name="Thêm xóm")).to_have_count(0)


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_on_a_phone_everything_fits_and_can_be_touched(hub: Hub, language: str) -> None:
    async with browser(viewport=PHONE) as context:
        await context.add_init_script(f"localStorage.setItem('language', '{language}')")
        page = context.pages[0]
        await signed_in(page, hub)
        await page.locator("main header button").click()
        await _fits(page)
        await page.locator("dialog input").first.fill("Xóm Khe Cốc")
        await page.locator("dialog button.primary").click()
        await expect(page.locator("dialog pre")).to_be_visible()
        await _fits(page)
        await page.locator("dialog .actions button").click()
        await page.locator("summary").click()
        await _fits(page)


async def _fits(page: Page) -> None:
    assert await page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    inside = "dialog => dialog.scrollWidth <= dialog.clientWidth"
    assert all([await one.evaluate(inside) for one in await page.locator("dialog").all()])
    # The label of a text field is beside what one touches.
    assert [small for small in await page.evaluate(SMALL) if not small.startswith("<label for=")] == []
