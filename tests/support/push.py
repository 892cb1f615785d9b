"""A push service for tests: browsers subscribe, hubs send, and it brings what they sent to Chromium.

Chromium's own goes through Google's servers. Here `PushManager` alone is replaced: its subscription has keys
that the test holds, and what the hub encrypted for them is handed to the real service worker by DevTools.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from camera_hub.alerts.telling import outward, push
from tests.support.receivers import Browser, Call, HttpReceiver, http_receiver

ADDRESS = "https://push.example"
_MANAGER = """
(() => {
  const PLACE = 'push-service';
  const there = () => JSON.parse(localStorage.getItem(PLACE));
  const subscription = made => made && {
    endpoint: made.endpoint,
    options: {applicationServerKey: Uint8Array.from(made.key).buffer},
    toJSON: () => ({endpoint: made.endpoint, keys: made.keys}),
    unsubscribe: async () => (localStorage.removeItem(PLACE), true),
  };
  PushManager.prototype.getSubscription = async () => subscription(there());
  PushManager.prototype.subscribe = async ({applicationServerKey: key}) => {
    const made = {endpoint: `ADDRESS/${crypto.randomUUID()}`, keys: KEYS, key: [...key]};
    localStorage.setItem(PLACE, JSON.stringify(made));
    return subscription(made);
  };
})();
"""


class PushService:
    def __init__(self, receiver: HttpReceiver) -> None:
        self.browser = Browser()
        self.status = 201
        self._calls: asyncio.Queue[Call] = asyncio.Queue()
        receiver.respond = self._take

    async def serve(self, context: BrowserContext) -> None:
        """The context's pages subscribe here."""
        keys = {"p256dh": self.browser.p256dh.rstrip("="), "auth": self.browser.auth.rstrip("=")}
        await context.add_init_script(_MANAGER.replace("ADDRESS", ADDRESS).replace("KEYS", str(keys)))

    async def sent(self) -> bytes:
        """The next message that the hub sent, as the browser reads it."""
        async with asyncio.timeout(30):
            return self.browser.read(await self._calls.get())

    async def bring(self, page: Page, message: bytes) -> None:
        """The message comes to the service worker of the page."""
        devtools = await page.context.new_cdp_session(page)
        found: list[dict[str, Any]] = []
        devtools.on(
            "ServiceWorker.workerRegistrationUpdated", lambda told: found.extend(told["registrations"])
        )
        await devtools.send("ServiceWorker.enable")
        while not found:
            await page.wait_for_timeout(20)
        origin = found[-1]["scopeURL"].rstrip("/")
        given = {"origin": origin, "registrationId": found[-1]["registrationId"], "data": message.decode()}
        await devtools.send("ServiceWorker.deliverPushMessage", given)
        await devtools.detach()

    def _take(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        self._calls.put_nowait(call)
        return self.status, {}, b""


@contextlib.asynccontextmanager
async def push_service(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PushService]:
    """What hubs of this process send to `ADDRESS` comes to it."""
    async with http_receiver() as receiver:

        async def post(address: str, *given: Any, **more: Any) -> outward.Answer:
            assert address.startswith(ADDRESS)
            return await outward.post(
                address.replace(ADDRESS, receiver.url), *given, **more | {"inside": True}
            )

        monkeypatch.setattr(push, "post", post)
        yield PushService(receiver)
