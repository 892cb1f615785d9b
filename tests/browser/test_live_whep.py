"""Chromium plays a camera by WHEP: at once, from the cached group of pictures, and lets go when told."""

import asyncio
import contextlib
import re
import socket
import tempfile
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import Page, async_playwright

from camera_hub.live.whep import WhepSessions
from camera_hub.server import problems
from camera_hub.server.live import live_router
from tests.support import needs
from tests.support.bad_network import Relays, bad_network
from tests.support.chromium import FLAGS
from tests.support.live import Camera, Encoded, camera, encode
from tests.support.waiting import until

PAGE = r"""<!doctype html><video id=video muted autoplay playsinline width=320></video><script>
window.play = async () => {
  const began = performance.now();
  const peer = window.peer = new RTCPeerConnection();
  const {receiver} = peer.addTransceiver('video', {direction: 'recvonly'});
  receiver.jitterBufferTarget = 0;
  const video = document.getElementById('video');
  peer.ontrack = event => { video.srcObject = new MediaStream([event.track]); };
  const first = new Promise((done, fail) => {
    video.requestVideoFrameCallback(() => done(performance.now() - began));
    setTimeout(() => fail(new Error(`no picture; the connection is ${peer.connectionState}`)), 20000);
  });
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch('/api/cameras/here.lane/whep', {
    method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: peer.localDescription.sdp});
  if (answer.status !== 201) return {status: answer.status, problem: await answer.json()};
  window.session = answer.headers.get('Location');
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  return {status: 201, first_ms: await first};
};
window.look = async () => {
  const report = [...(await window.peer.getStats()).values()].find(s => s.type === 'inbound-rtp');
  const video = document.getElementById('video');
  return {time: video.currentTime, width: video.videoWidth, ...report};
};
window.see = () => {
  // Where the square begins: its picture's number, as `encode` draws it.
  const video = document.getElementById('video');
  const canvas = new OffscreenCanvas(320, 1).getContext('2d');
  canvas.drawImage(video, 0, 120, 320, 1, 0, 0, 320, 1);
  const row = canvas.getImageData(0, 0, 320, 1).data;
  for (let x = 0; x < 320; x++) if (row[4 * x] > 190) return x;
  return -1;
};
window.restart = async () => {
  // As a page does when its network has changed.
  const peer = window.peer, answered = peer.remoteDescription.sdp;
  peer.restartIce();
  await peer.setLocalDescription(await peer.createOffer({iceRestart: true}));
  const ours = peer.localDescription.sdp.split('\r\n')
    .filter(line => /^(m=|a=mid:|a=ice-ufrag:|a=ice-pwd:|a=candidate:)/.test(line)).join('\r\n');
  const answer = await fetch(window.session, {method: 'PATCH', body: ours,
    headers: {'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*'}});
  const theirs = await answer.text();
  const value = name => theirs.match(new RegExp(`a=${name}:(.*)`))[1].trim();
  const sdp = answered.replace(/a=ice-ufrag:.*/, `a=ice-ufrag:${value('ice-ufrag')}`)
    .replace(/a=ice-pwd:.*/, `a=ice-pwd:${value('ice-pwd')}`);
  await peer.setRemoteDescription({type: 'answer', sdp});
  return {status: answer.status, tag: answer.headers.get('ETag'), ufrag: value('ice-ufrag')};
};
window.way = async () => {
  const stats = [...(await window.peer.getStats()).values()];
  const transport = stats.find(one => one.type === 'transport');
  const pair = stats.find(one => one.id === transport.selectedCandidatePairId);
  const local = stats.find(one => one.id === pair?.localCandidateId);
  return {ufrag: local?.usernameFragment, responses: pair?.responsesReceived, state: transport.iceState};
};
window.gaps = async seconds => {
  // How long each picture stood, in ms, in the time that follows.
  const video = document.getElementById('video'), at = [];
  const note = now => { at.push(now); video.requestVideoFrameCallback(note); };
  video.requestVideoFrameCallback(note);
  await new Promise(done => setTimeout(done, 1000 * seconds));
  at.push(performance.now());
  return at.slice(1).map((one, number) => one - at[number]);
};
window.leave = async () => (await fetch(window.session, {method: 'DELETE'})).status;
</script>"""


class Site:
    """A camera, its server and the page of one viewer."""

    def __init__(self, practice: Camera, sessions: WhepSessions, page: Page) -> None:
        self.camera = practice
        self.sessions = sessions
        self.page = page

    async def play(self) -> dict[str, Any]:
        result: dict[str, Any] = await self.page.evaluate("play()")
        return result

    async def look(self) -> dict[str, Any]:
        result: dict[str, Any] = await self.page.evaluate("look()")
        return result


@contextlib.asynccontextmanager
async def site(encoded: Encoded, sessions: WhepSessions | None = None) -> AsyncIterator[Site]:
    async with camera(encoded) as practice:
        sessions = WhepSessions() if sessions is None else sessions
        app = FastAPI()
        problems.install(app)
        whoever = Depends(lambda: SimpleNamespace(user=SimpleNamespace(name="viewer")))
        shown = SimpleNamespace(streams=("main", "sub"), unavailable="")
        app.include_router(live_router(practice.hub, sessions, {"here.lane": shown}.get, whoever))
        app.add_api_route("/", lambda: HTMLResponse(PAGE))
        with socket.create_server(("127.0.0.1", 0)) as listening:
            server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
            serving = asyncio.create_task(server.serve([listening]))
            try:
                async with opened_page(listening.getsockname()[1]) as page:
                    yield Site(practice, sessions, page)
            finally:
                await sessions.close()
                server.should_exit = True
                await serving


@contextlib.asynccontextmanager
async def opened_page(port: int) -> AsyncIterator[Page]:
    with tempfile.TemporaryDirectory() as profile:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch_persistent_context(
                profile, executable_path=needs.chromium(), headless=True, args=FLAGS
            )
            try:
                page = await browser.new_page()
                await page.goto(f"http://127.0.0.1:{port}/")
                yield page
            finally:
                await browser.close()


@pytest.mark.parametrize("profile", ["baseline", "main", "high"])
async def test_chromium_plays_what_cameras_send(profile: str) -> None:
    needs.chromium()
    encoded = encode(profile=profile, gop=20, slices=3, delimiters=True)
    async with site(encoded) as here:
        result = await here.play()
        assert result["status"] == 201, result
        print(f"{profile}: first picture after {result['first_ms']:.0f} ms")
        before = await here.look()
        await asyncio.sleep(3)
        after = await here.look()
        print(after)
        assert after["width"] == 320
        assert after["time"] > before["time"] + 1
        assert after["framesDecoded"] >= before["framesDecoded"] + 15
        assert after["packetsLost"] == 0


async def test_a_late_viewer_starts_at_the_cached_group_and_is_at_the_live_edge() -> None:
    needs.chromium()
    async with site(encode(gop=100)) as here:
        await here.play()
        before = 0
        while not 50 < before % 100 < 75:  # a reload may take so long that the next keyframe comes
            await until(lambda: 50 < here.camera.sent % 100 < 60)
            await here.page.reload()
            before = here.camera.sent
        result = await here.play()
        assert here.camera.sent - before < 30, "the picture waited for the next keyframe"
        print(f"late: first picture after {result['first_ms']:.0f} ms")
        await until(lambda: here.camera.sent - before >= 20)
        seen = await here.look()
        # All of the group since its keyframe was sent, not only what came after the viewer.
        assert seen["framesReceived"] > 50
        assert seen["keyFramesDecoded"] == 1
        behind = []
        for _ in range(5):
            place = await here.page.evaluate("see()")
            newest = (here.camera.sent - 1) % len(here.camera.encoded.packets)
            behind.append(min(range(40), key=lambda back: abs((newest - back) % 100 * 7 % 280 - place)))
            await asyncio.sleep(0.13)
        print(f"late: {behind} pictures behind the camera")
        assert min(behind) <= 5, "the viewer stays behind the live edge"


async def test_ice_begins_anew_and_the_picture_goes_on() -> None:
    needs.chromium()
    async with site(encode()) as here:
        await here.play()
        before = await here.page.evaluate("way()")
        result = await here.page.evaluate("restart()")
        assert result["status"] == 200
        assert result["tag"]
        for _ in range(100):
            after = await here.page.evaluate("way()")
            if after["ufrag"] and after["ufrag"] != before["ufrag"]:
                break
            await asyncio.sleep(0.1)
        assert after["ufrag"] != before["ufrag"], "the way is still the old one"
        seen = (await here.look())["framesDecoded"]
        # Longer than the browser's patience with a way on which nobody answers it.
        await asyncio.sleep(8)
        assert (await here.look())["framesDecoded"] >= seen + 60
        assert (await here.page.evaluate("way()"))["state"] in ("connected", "completed")
        assert len(here.sessions) == 1


class Relayed(WhepSessions):
    """Sessions whose viewers come through a bad network."""

    def __init__(self, relays: Relays) -> None:
        super().__init__()
        self._relays = relays

    async def create(self, offer_sdp: str, *arguments: Any, **more: Any) -> tuple[str, str]:
        # Without the browser's own addresses, so that the server knows of no way but the relay.
        offer_sdp = re.sub(r"a=candidate:.*\r\n", "", offer_sdp)
        session, answer = await super().create(offer_sdp, *arguments, **more)
        return session, await self._relays.through(answer)


async def test_a_bad_network_holds_no_picture_for_two_seconds() -> None:
    """Five percent lost and 200 ms there and back: what is lost is found again, nothing is left out."""
    needs.chromium()
    async with bad_network(0.1, 0.05) as relays:
        sessions = Relayed(relays)
        async with site(encode(gop=40), sessions) as here:
            result = await here.play()
            assert result["status"] == 201, result
            gaps = await here.page.evaluate("gaps(15)")
            seen = await here.look()
            print(
                f"bad network: {len(gaps)} pictures in 15 s, the longest stood for {max(gaps):.0f} ms, {seen}"
            )
            assert relays.network.lost > 20
            assert max(gaps) < 2000
            assert seen["framesDecoded"] > 15 * 10 * 0.8
            assert [sessions.shown(one) for one in sessions._sessions] == ["sub"]


async def test_leaving_ends_the_session_and_the_stream() -> None:
    needs.chromium()
    async with site(encode()) as here:
        await here.play()
        assert len(here.sessions) == 1
        assert await here.page.evaluate("leave()") == 204
        assert len(here.sessions) == 0
        await until(lambda: [ask[0] for ask in here.camera.asks] == ["start", "stop"])
        assert await here.page.evaluate("leave()") == 404
