"""The dashboard's player by WebRTC in Chromium: through a relay, over to another network, and how late it is.

All is real but the hamlet: coturn, a viewer in a network namespace whose network changes, a late network.
"""

import asyncio
import contextlib
import os
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Request, expect

from camera_hub.live.fragment import Fragment
from camera_hub.live.ice import IceServers
from tests.browser.test_dashboard import browser, opened, playing
from tests.browser.test_dashboard_live import CAMERAS, PAGE, filmed
from tests.support import needs
from tests.support.bad_network import bad_network
from tests.support.chromium import NO_UDP
from tests.support.coturn import SECRET, coturn, free_udp_port
from tests.support.dashboard import Film, Hamlet, served
from tests.support.waiting import free_port, until_async
from tests.support.whep_page import Relayed

PEERS = """
window.peers = [];
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(settings) { super(settings); window.peers.push(this); }
};
"""
RELAY_ONLY = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(settings) { super({...settings, iceTransportPolicy: 'relay'}); }
  setConfiguration(settings) { super.setConfiguration({...settings, iceTransportPolicy: 'relay'}); }
};
"""
PAIR = """async () => {
  const peer = window.peers.at(-1);
  const stats = [...(await peer.getStats()).values()];
  const transport = stats.find(one => one.type === 'transport');
  const pair = stats.find(one => one.id === transport?.selectedCandidatePairId);
  const local = stats.find(one => one.id === pair?.localCandidateId);
  return {
    type: local?.candidateType, relay: local?.relayProtocol, address: local?.address,
    user: peer.getConfiguration().iceServers.at(-1)?.username, peers: window.peers.length,
    frames: stats.find(one => one.type === 'inbound-rtp')?.framesDecoded ?? 0,
  };
}"""
SEEN = """async seconds => {
  // When each picture was seen, by the machine's clock, and where its square is (`encode` draws it).
  const video = document.querySelector('video'), seen = [];
  const canvas = new OffscreenCanvas(320, 1).getContext('2d', {willReadFrequently: true});
  const note = () => {
    const at = performance.timeOrigin + performance.now();
    canvas.drawImage(video, 0, 120, 320, 1, 0, 0, 320, 1);
    const row = canvas.getImageData(0, 0, 320, 1).data;
    let place = 0;
    while (place < 320 && row[4 * place] <= 190) place++;
    const told = Number(document.querySelector('[data-way]')?.dataset.delayMs || NaN);
    seen.push([at, place, told]);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  await new Promise(done => setTimeout(done, 1000 * seconds));
  return seen;
}"""


@contextlib.asynccontextmanager
async def hub(folder: Path, film: Film, port: int = 0, **more: Any) -> AsyncIterator[tuple[Hamlet, str]]:
    needs.dashboard()
    async with served(folder, {"cong-lang": film}, CAMERAS, port, **more) as running:
        yield running


class Asked:
    """What a page asked the server for by WHEP."""

    def __init__(self, page: Page) -> None:
        self.methods: list[str] = []
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "/whep" in request.url:
            self.methods.append(request.method)


async def by_webrtc(page: Page) -> None:
    await expect(page.locator("[data-way=webrtc]")).to_be_visible()
    await playing(page, 1)


async def by_relay(page: Page, transport: str) -> None:
    await by_webrtc(page)
    pair = await page.evaluate(PAIR)
    assert (pair["type"], pair["relay"]) == ("relay", transport)


async def goes_on(page: Page) -> None:
    """New pictures come."""
    before = (await page.evaluate(PAIR))["frames"]

    async def more() -> bool:
        return bool((await page.evaluate(PAIR))["frames"] > before + 5)

    await until_async(more, 30)


@pytest.mark.parametrize("transport", ["tcp", "udp"])
async def test_the_picture_comes_through_a_relay_where_nothing_else_goes(
    tmp_path: Path, transport: str
) -> None:
    """UDP blocked in the browser, or all but the relay."""
    flags = (NO_UDP,) if transport == "tcp" else ()
    async with coturn(tmp_path) as port:
        ice = IceServers(turn=(f"turn:127.0.0.1:{port}?transport={transport}",), secret=SECRET)
        async with hub(tmp_path, filmed(), ice=ice) as (_, address), browser(*flags) as context:
            if transport == "udp":
                await context.add_init_script(RELAY_ONLY)
            await context.add_init_script(PEERS)
            asked = Asked(context.pages[0])
            page = await opened(context, address + PAGE)
            await by_relay(page, transport)
            # The first learns of the relay from the answer.
            assert asked.methods[:2] == ["POST", "PATCH"]
            await page.get_by_role("link", name="Tất cả camera").click()
            await page.click("text=Cổng làng")
            await by_relay(page, transport)
            await page.goto(f"{address}/why?camera=khe-coc.cong-lang")
            await expect(page.locator("li", has_text="TURN")).to_contain_text("Có đặt và dùng được")


async def test_why_says_what_is_the_matter_with_the_relay(tmp_path: Path) -> None:
    async with coturn(tmp_path) as port, browser() as context:
        url = f"turn:127.0.0.1:{port}?transport=tcp"
        nobody = f"turn:127.0.0.1:{free_port()}?transport=tcp"
        for ice, says in (
            (None, "Chưa đặt"),
            (IceServers(turn=(nobody,), secret=SECRET), "không trả lời"),
            (IceServers(turn=(url,), secret="another"), "từ chối"),
        ):
            await context.clear_cookies()
            async with hub(tmp_path, filmed(), ice=ice) as (_, address):
                page = await opened(context, f"{address}/why?camera=khe-coc.cong-lang")
                await expect(page.locator("li", has_text="TURN")).to_contain_text(says)
                await expect(page.locator(".conclusion")).to_contain_text("Mọi cách đều được")


async def test_credentials_that_ended_are_made_anew_when_the_relay_comes_back(tmp_path: Path) -> None:
    """The relay is started anew, and knows nothing of the view: ICE begins anew, the session stays."""
    port = free_udp_port()
    ice = IceServers(turn=(f"turn:127.0.0.1:{port}",), secret=SECRET, valid_s=4)
    async with hub(tmp_path, filmed(), ice=ice) as (_, address), browser() as context:
        await context.add_init_script(RELAY_ONLY)
        await context.add_init_script(PEERS)
        async with coturn(tmp_path, port=port):
            page = await opened(context, address + PAGE)
            await by_webrtc(page)
            before = await page.evaluate(PAIR)
            await asyncio.sleep(6)
            await goes_on(page)
            asked = Asked(page)
        async with coturn(tmp_path, port=port):
            await goes_on(page)
            await by_webrtc(page)
            after = await page.evaluate(PAIR)
        assert after["type"] == "relay"
        assert after["user"] != before["user"]
        assert after["peers"] == before["peers"]
        assert "OPTIONS" in asked.methods
        assert "PATCH" in asked.methods
        assert "POST" not in asked.methods


class Steps:
    """A viewer's machine as a network namespace with two ways to the server: `first`, then the other one."""

    SERVER = "10.78.0.1"

    def __init__(self) -> None:
        self.name = f"viewer{os.getpid()}"

    def __enter__(self) -> "Steps":
        if os.geteuid() != 0 or not shutil.which("ip"):
            pytest.skip("needs the right to make network namespaces")
        self._clean = contextlib.ExitStack()
        with self._clean:
            self._make()
            self._clean = self._clean.pop_all()
        return self

    def _make(self) -> None:
        self._run("netns", "add", self.name)
        self._clean.callback(self._run, "netns", "del", self.name)
        self._run("link", "add", "hub-a", "type", "veth", "peer", "name", "a", "netns", self.name)
        self._run("link", "add", "hub-b", "type", "veth", "peer", "name", "b", "netns", self.name)
        for end in "ab":
            self._clean.callback(self._run, "link", "del", f"hub-{end}")
        self._run("addr", "add", f"{self.SERVER}/32", "dev", "lo")
        self._clean.callback(self._run, "addr", "del", f"{self.SERVER}/32", "dev", "lo")
        for end, number in (("a", 1), ("b", 2)):
            self._run("addr", "add", f"10.78.{number}.1/24", "dev", f"hub-{end}")
            self._run("link", "set", f"hub-{end}", "up")
            self.inside("addr", "add", f"10.78.{number}.2/24", "dev", end)
        self.inside("link", "set", "lo", "up")
        self.up("a", 1)

    def __exit__(self, *_: object) -> None:
        self._clean.close()

    def up(self, end: str, number: int) -> None:
        self.inside("link", "set", "dev", end, "up")
        self.inside("route", "replace", "default", "via", f"10.78.{number}.1")

    def inside(self, *arguments: str) -> None:
        self._run("-n", self.name, *arguments)

    def browser(self, folder: Path) -> str:
        """Chromium in there."""
        script = folder / "chromium"
        script.write_text(f'#!/bin/sh\nexec ip netns exec {self.name} {needs.chromium()} "$@"\n')
        script.chmod(0o755)
        return str(script)

    @staticmethod
    def _run(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)


async def test_a_viewer_whose_network_changes_keeps_its_session(tmp_path: Path) -> None:
    """From Wi-Fi to mobile: the one interface goes, another one comes."""
    with Steps() as network:
        inside = network.browser(tmp_path)
        async with (
            hub(tmp_path, filmed(), host=network.SERVER) as (_, address),
            browser(executable=inside) as context,
        ):
            await context.add_init_script(PEERS)
            page = await opened(context, address + PAGE)
            await by_webrtc(page)
            await asyncio.sleep(4)
            before = await page.evaluate(PAIR)
            asked = Asked(page)
            network.inside("link", "set", "dev", "a", "down")
            network.up("b", 2)
            began = time.monotonic()
            await goes_on(page)
            print(f"another network: pictures again after {time.monotonic() - began:.1f} s, {asked.methods}")
            await by_webrtc(page)
            after = await page.evaluate(PAIR)
            assert (before["address"], after["address"]) == ("10.78.1.2", "10.78.2.2")
            assert after["peers"] == before["peers"]
            # Chromium finds its new address by itself where it sees the change; else ICE begins anew.
            assert "POST" not in asked.methods


class Detour(Relayed):
    """Sessions whose viewers have no way but the relays of a bad network, also when ICE begins anew."""

    async def patch(self, session_id: str, owner: str, fragment: Fragment) -> str | None:
        answer = await super().patch(session_id, owner, replace(fragment, candidates=()))
        return None if answer is None else await self._relays.through(answer)

    def forget(self) -> None:
        """As a server does that was killed and started anew: without a word to anybody."""
        for session in self._sessions.values():
            session.owner = "nobody"


async def test_a_path_that_dies_is_replaced_before_the_session_is(tmp_path: Path) -> None:
    async with bad_network(0.02, 0.0) as relays:
        sessions = Detour(relays)
        async with hub(tmp_path, filmed(), sessions=sessions) as (_, address), browser() as context:
            await context.add_init_script(PEERS)
            page = await opened(context, address + PAGE)
            await by_webrtc(page)
            await asyncio.sleep(4)
            before = await page.evaluate(PAIR)
            asked = Asked(page)
            relays.close()
            began = time.monotonic()
            await goes_on(page)
            print(f"a dead path: pictures again after {time.monotonic() - began:.1f} s, {asked.methods}")
            await by_webrtc(page)
            assert (await page.evaluate(PAIR))["peers"] == before["peers"]
            assert set(asked.methods) == {"PATCH"}
            # A session that the server knows no more is replaced by a new one.
            sessions.forget()
            relays.close()
            await goes_on(page)
            await by_webrtc(page)
            assert asked.methods[-1] == "POST"


@pytest.mark.parametrize(("late_s", "wrong_s"), [(0.0, 0), (0.1, 0), (0.0, -3600)])
async def test_the_delay_that_is_told_is_the_true_one(tmp_path: Path, late_s: float, wrong_s: int) -> None:
    """Against the pictures themselves, on a late network, and where the browser's clock is wrong."""
    film = filmed(frames=400, fps=25, gop=50)
    async with bad_network(late_s, 0.0) as relays:
        sessions = Detour(relays) if late_s else None
        async with hub(tmp_path, film, sessions=sessions) as (hamlet, address), browser() as context:
            if wrong_s:
                await context.add_init_script(wrong_clock(wrong_s))
            page = await opened(context, address + PAGE)
            await by_webrtc(page)
            await asyncio.sleep(6)
            seen = await page.evaluate(SEEN, 5)
            true, errors = [], []
            for at_ms, place, told in seen:
                if (delay := true_delay(hamlet, at_ms, place)) is not None and told is not None:
                    true.append(delay)
                    errors.append(told - delay)
            print(
                f"late {late_s} s, clock {wrong_s} s: true {statistics.median(true):.0f} ms, "
                f"error {statistics.mean(errors):+.0f} ms, sd {statistics.stdev(errors):.0f} ms"
            )
            assert len(errors) > 50
            assert abs(statistics.median(errors)) < 60
            await expect(page.locator("[data-way=webrtc]")).to_contain_text("trễ")


def true_delay(hamlet: Hamlet, at_ms: float, place: int) -> float | None:
    """From when the picture that was seen was taken, ms; None where the picture cannot be told."""
    for taken_us in reversed([us for n, us in enumerate(hamlet.taken_us) if n % 400 * 7 % 280 == place]):
        if taken_us / 1000 <= at_ms:
            return at_ms - taken_us / 1000
    return None


def wrong_clock(seconds: int) -> str:
    return f"""
      const Right = Date;
      window.Date = class extends Right {{
        constructor(...parts) {{ if (parts.length) super(...parts); else super(Date.now()); }}
        static now() {{ return Right.now() + {seconds * 1000}; }}
      }};
    """


async def test_a_server_started_anew_at_once_does_not_end_webrtc(tmp_path: Path) -> None:
    port = free_port()
    async with browser() as context:
        async with hub(tmp_path, filmed(), port) as (_, address):
            page = await opened(context, address + PAGE)
            await by_webrtc(page)
            # Once more, so that the session is a young one.
            await page.reload()
            await by_webrtc(page)
        async with hub(tmp_path, filmed(), port):
            await by_webrtc(page)


async def test_b_frames_are_given_as_the_reason(tmp_path: Path) -> None:
    film = filmed(profile="main", b_frames=2)
    async with hub(tmp_path, film) as (_, address), browser() as context:
        page = await opened(context, address + PAGE)
        await expect(page.locator("[data-way=mse]")).to_contain_text("khung B")
        await playing(page, 1)
