"""The report in Chromium: nothing to complain of, nothing from elsewhere, and it fits a phone."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from camera_hub.replay.report import write_report
from tests.support.chromium import profile
from tests.support.replayed import MADE, results

WIDE = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

DARK = """() => getComputedStyle(document.documentElement).backgroundColor
  .match(/\\d+/g).every(part => part < 60)"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    made, traces = results(extra=12)
    write_report(path, made, traces, passed_s=4.0, made=MADE)
    return path


@contextlib.asynccontextmanager
async def opened(file: Path, width: int, **options: Any) -> AsyncIterator[Page]:
    """The report; at its end nothing may have gone wrong, nor been asked for elsewhere."""
    async with profile(viewport={"width": width, "height": 740}, **options) as context:
        page = await context.new_page()
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        await page.goto(file.as_uri())
        yield page
        assert [line for line in said if not line.startswith(("data:", file.as_uri()))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
async def test_it_fits(file: Path, width: int, scheme: str) -> None:
    async with opened(file, width, color_scheme=scheme) as page:
        assert await page.evaluate(WIDE) <= 0
        await page.get_by_role("button", name="Open all").click()
        assert await page.evaluate(WIDE) <= 0
        dark = await page.evaluate(DARK)
        assert dark == (scheme == "dark")


async def test_it_is_read_without_javascript(file: Path) -> None:
    async with opened(file, 360, java_script_enabled=False) as page:
        await expect(page.locator("details.clip[open] figure img").first).to_be_visible()
        await expect(page.get_by_role("button", name="Open all")).to_be_hidden()
        await page.locator("details.clip:not([open]) > summary").first.click()
        await expect(page.locator("details.clip[open] .lanes")).to_have_count(3)


async def test_a_clip_is_found_by_its_condition(file: Path) -> None:
    async with opened(file, 1280) as page:
        await page.get_by_role("searchbox").fill("rain")
        await expect(page.locator("details.clip:visible")).to_have_count(1)
        await expect(page.locator("details.clip:visible .title")).to_contain_text("silent.mp4")


async def test_a_bar_leads_to_its_picture_and_the_picture_grows(file: Path) -> None:
    async with opened(file, 1280) as page:
        bar = page.locator(".lane a[href$='m0']").first
        href = await bar.get_attribute("href")
        await bar.locator("rect").click()
        figure = page.locator(f"figure{href}")
        await expect(figure).to_be_in_viewport()
        await figure.locator(".frame").click()
        await expect(page.locator("dialog[open] img")).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(page.locator("dialog[open]")).to_have_count(0)


async def test_the_pointer_reads_the_signals(file: Path) -> None:
    async with opened(file, 1280) as page:
        await page.locator(".lane.tall").first.hover()
        await expect(page.locator(".readout")).to_contain_text("differs %")
