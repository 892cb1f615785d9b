"""How the tests start Chromium: once for all tests of a process, where each has a profile of its own."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, async_playwright
from playwright.sync_api import Page, sync_playwright

from tests.support import needs

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Where loopback is the only network, Chromium has no address to use unless it may look at them all.
    "--disable-features=WebRtcHideLocalIpsWithMdns",
    "--allow-loopback-in-peer-connection",
]
NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"


@contextlib.asynccontextmanager
async def launched(*flags: str, executable: str = "") -> AsyncIterator[Browser]:
    """A Chromium of one's own, with these flags besides, or from a script that puts it elsewhere."""
    executable = executable or needs.chromium()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=[*FLAGS, *flags])
        try:
            yield browser
        finally:
            await browser.close()


class Shared:
    """The browsers that tests share, one for each set of flags, started by the first that asks.

    For tests in the session's event loop, as those in `tests/browser` are; `close` is for its end.
    """

    def __init__(self) -> None:
        self._browsers: dict[tuple[str, ...], Browser] = {}
        self._ends = contextlib.AsyncExitStack()

    async def browser(self, *flags: str) -> Browser:
        found = self._browsers.get(flags)
        if found is None or not found.is_connected():
            found = await self._ends.enter_async_context(launched(*flags))
            self._browsers[flags] = found
        return found

    async def close(self) -> None:
        self._browsers.clear()
        await self._ends.aclose()


SHARED = Shared()


@contextlib.asynccontextmanager
async def profile(*flags: str, executable: str = "", **options: Any) -> AsyncIterator[BrowserContext]:
    """A new profile; `options` are Playwright's. It shares a browser unless an executable is given."""
    async with contextlib.AsyncExitStack() as ends:
        if executable:
            browser = await ends.enter_async_context(launched(*flags, executable=executable))
        else:
            browser = await SHARED.browser(*flags)
        context = await browser.new_context(**options)
        ends.push_async_callback(context.close)
        yield context


@contextlib.asynccontextmanager
async def own_profile(folder: Path, *flags: str, **options: Any) -> AsyncIterator[BrowserContext]:
    """A Chromium of one's own with its profile in `folder`, as people have: others take no pushes."""
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            folder, executable_path=needs.chromium(), args=[*FLAGS, *flags], **options
        )
        try:
            yield context
        finally:
            await context.close()


@contextlib.contextmanager
def blocking_page(*flags: str, **options: Any) -> Iterator[Page]:
    """A page in a Chromium of its own, for tests without an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=needs.chromium(), args=[*FLAGS, *flags])
        try:
            yield browser.new_context(**options).new_page()
        finally:
            browser.close()
