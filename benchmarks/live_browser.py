"""Real viewers: Chromium with the dashboard, or with a bare page, and what is seen there."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

from benchmarks.clock_camera import READ_CLOCK
from benchmarks.live_servers import Running
from camera_hub.server.rights import COOKIE
from tests.support import needs
from tests.support.chromium import FLAGS

NO_UDP = "--webrtc-ip-handling-policy=disable_non_proxied_udp"

BARE = """<!doctype html><meta charset=utf-8><title>bare</title>
<video muted autoplay playsinline width=640></video><script>
const video = document.querySelector('video');
function receive() {
  const peer = window.peer = new RTCPeerConnection();
  peer.ontrack = event => {
    event.receiver.jitterBufferTarget = 0;
    video.srcObject = new MediaStream([event.track]);
  };
  return peer;
}
window.whep = async (camera, stream) => {
  const peer = receive();
  peer.addTransceiver('video', {direction: 'recvonly'});
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(`/api/cameras/${camera}/whep?stream=${stream}`, {
    method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: peer.localDescription.sdp});
  if (answer.status !== 201) throw new Error(await answer.text());
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
};
window.janus = async mountpoint => {
  const url = '/janus';
  const ask = async (path, janus, more) => (await fetch(url + path, {
    method: 'POST', body: JSON.stringify({janus, transaction: String(Math.random()), ...more})})).json();
  const session = `/${(await ask('', 'create')).data.id}`;
  const handle = `${session}/${(await ask(session, 'attach', {plugin: 'janus.plugin.streaming'})).data.id}`;
  const offered = (async () => {
    for (;;) {
      const event = await (await fetch(url + session)).json();
      if (event.jsep) return event.jsep;
    }
  })();
  await ask(handle, 'message', {body: {request: 'watch', id: mountpoint}});
  const peer = receive();
  await peer.setRemoteDescription(await offered);
  await peer.setLocalDescription(await peer.createAnswer());
  await new Promise(done => {
    const look = () => peer.iceGatheringState === 'complete' && done();
    peer.onicegatheringstatechange = look;
    look();
  });
  await ask(handle, 'message', {body: {request: 'start'}, jsep: peer.localDescription.toJSON()});
};
</script>"""

WATCH = (
    READ_CLOCK
    + """
window.shownVideo = () => [...document.querySelectorAll('video')].find(
  video => video.videoWidth && video.checkVisibility());
window.sampleClock = async seconds => {
  // How old each picture is when it is shown, in ms, and how old the page says that it is, in s.
  const video = window.shownVideo(), ages = [], told = [];
  let unread = 0, over = false;
  const note = () => {
    if (over) return;
    const age = window.readClock(video);
    if (age === null) unread++; else ages.push(age);
    video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  for (let half = 0; half < 2 * seconds; half++) {
    await new Promise(done => setTimeout(done, 500));
    const words = document.querySelector('[data-way] .numbers')?.textContent.match(/\\d+([.,]\\d+)?/);
    if (words) told.push(Number(words[0].replace(',', '.')));
  }
  over = true;
  return {ages, unread, told, way: document.querySelector('[data-way]')?.dataset.way ?? ''};
};
window.firstPicture = click => new Promise((done, fail) => {
  // From a click to the first picture that is shown, and to the first that is less than a second old; ms.
  const began = performance.now();
  const known = new Map([...document.querySelectorAll('video')].map(one => [one, one.srcObject ?? one.src]));
  const met = new WeakSet();
  let first = null, over = false;
  setTimeout(() => { over = true; fail(new Error('no picture')); }, 15000);
  const look = () => {
    if (over) return;
    for (const video of document.querySelectorAll('video')) {
      const source = video.srcObject ?? video.src;
      if (!source || met.has(video) || known.get(video) === source) continue;
      met.add(video);
      const note = () => {
        if (over) return;
        first ??= performance.now() - began;
        const age = window.readClock(video);
        if (age !== null && age < 1000) {
          over = true;
          done({first, current: performance.now() - began});
        } else video.requestVideoFrameCallback(note);
      };
      video.requestVideoFrameCallback(note);
    }
    setTimeout(look, 5);
  };
  click();
  look();
});
"""
)


@asynccontextmanager
async def chromium(running: Running, token: str, *flags: str) -> AsyncIterator[BrowserContext]:
    """Somebody who has signed in to the hub."""
    with tempfile.TemporaryDirectory() as profile:
        async with async_playwright() as playwright:
            context = await playwright.chromium.launch_persistent_context(
                profile,
                executable_path=needs.chromium(),
                args=[*FLAGS, *flags],
                ignore_default_args=["--mute-audio"],
                viewport={"width": 1280, "height": 800},
            )
            try:
                await context.add_cookies([{"name": COOKIE, "value": token, "url": running.url}])
                await context.add_init_script(WATCH)
                yield context
            finally:
                await context.close()


async def bare(context: BrowserContext, running: Running) -> Page:
    """The bare page, at an address of the server whose video it is to show."""
    page = await context.new_page()

    async def answer(route: Any) -> None:
        await route.fulfill(body=BARE, content_type="text/html")

    await page.route("**/bare.html", answer)
    await page.goto(f"{running.url}/bare.html")
    return page


async def dashboard(context: BrowserContext, running: Running, path: str) -> Page:
    page = await context.new_page()
    await page.goto(running.url + path)
    return page


async def playing(page: Page) -> None:
    """Until some pictures have been shown."""
    deadline = time.monotonic() + 30
    while not await page.evaluate("window.shownVideo()?.getVideoPlaybackQuality().totalVideoFrames > 3"):
        if time.monotonic() > deadline:
            raise RuntimeError("nothing plays")
        await asyncio.sleep(0.2)
