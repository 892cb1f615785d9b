"""A page in Chromium that plays a practice camera by WHEP, with nothing of the dashboard's."""

import asyncio
import contextlib
import re
import socket
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import HTMLResponse
from playwright.async_api import Page

from camera_hub.live.whep import WhepSessions
from camera_hub.server import problems
from camera_hub.server.live import live_router
from tests.support import needs
from tests.support.bad_network import Relays
from tests.support.chromium import profile
from tests.support.live import Camera, Encoded, camera
from tests.support.networks import Network

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
async def site(
    encoded: Encoded,
    sessions: WhepSessions | None = None,
    host: str = "127.0.0.1",
    browser_in: Network | None = None,
) -> AsyncIterator[Site]:
    """The server at `host`, the browser in a network of its own."""
    async with camera(encoded) as practice:
        sessions = WhepSessions() if sessions is None else sessions
        app = FastAPI()
        problems.install(app)
        whoever = Depends(lambda: SimpleNamespace(user=SimpleNamespace(name="viewer")))
        shown = SimpleNamespace(streams=("main", "sub"), unavailable="")
        app.include_router(live_router(practice.hub, sessions, {"here.lane": shown}.get, whoever))
        app.add_api_route("/", lambda: HTMLResponse(PAGE))
        with socket.create_server((host, 0)) as listening:
            server = uvicorn.Server(uvicorn.Config(app, log_config=None))
            serving = asyncio.create_task(server.serve([listening]))
            try:
                port = listening.getsockname()[1]
                async with opened_page(f"http://{host}:{port}/", browser_in) as page:
                    yield Site(practice, sessions, page)
            finally:
                await sessions.close()
                server.should_exit = True
                await serving


@contextlib.asynccontextmanager
async def opened_page(address: str, network: Network | None) -> AsyncIterator[Page]:
    with tempfile.TemporaryDirectory() as folder:
        executable = ""
        if network is not None:
            started = Path(folder) / "chromium"
            started.write_text(f'#!/bin/sh\nexec nsenter --net={network.path} {needs.chromium()} "$@"\n')
            started.chmod(0o700)
            executable = str(started)
        async with profile(executable=executable) as context:
            page = await context.new_page()
            await page.goto(address)
            yield page


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
