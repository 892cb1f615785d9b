"""The dashboard of a running hub in Chromium, with somebody signed in."""

import contextlib
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Page, expect

from tests.support.chromium import blocking_page
from tests.support.hub import PASSWORD, Browserless


@contextlib.contextmanager
def signed_in_page(
    hub: Browserless, *flags: str, path: str = "", script: str = "", **options: Any
) -> Iterator[Page]:
    """The page at `path`; `script` runs before each page's own."""
    with blocking_page(*flags, locale="vi-VN", **options) as page:
        page.set_default_timeout(60_000)
        if script:
            page.context.add_init_script(script)
        page.goto(hub.url + path)
        page.locator("input[autocomplete=username]").fill("canh-sat")
        page.locator("input[autocomplete=current-password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator("input[autocomplete=current-password]")).to_have_count(0, timeout=60_000)
        yield page
