"""Chromium plays what cameras send: real RTSP from GStreamer's server, worker, link, server, WHEP and MSE.

H.264 in all profiles, parameter sets in the SDP alone, 1 s and 10 s groups, 5 to 60 pictures a second,
B-frames. Each picture has its number in it, so that is told which ones are seen, and when.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support import needs, rtsp_servers
from tests.support.chromium import blocking_page
from tests.support.hub import PASSWORD, command, server_section, signed_in, users, write_config
from tests.support.live import encode
from tests.support.rtsp_servers import RtspCamera, Served
from tests.support.waiting import until_blocking

STREAMS = {
    "baseline-5fps": Served(encode(profile="baseline", fps=5, gop=5, frames=50)),
    "baseline-10s-sdp": Served(encode(profile="baseline", fps=10, gop=100, frames=200), sets_in_stream=False),
    "main-10s": Served(encode(profile="main", fps=25, gop=250, frames=500, slices=3)),
    "main-30fps-sdp": Served(encode(profile="main", fps=30, gop=30, frames=300), sets_in_stream=False),
    "high-60fps": Served(encode(profile="high", fps=60, gop=60, frames=480, delimiters=True)),
    "high-10s-sdp": Served(encode(profile="high", fps=25, gop=250, frames=500), sets_in_stream=False),
    "b-frames": Served(encode(profile="high", b_frames=2, fps=25, gop=250, frames=500)),
    # the times of sending, which some senders give: RTP says nothing of B-frames then
    "b-frames-as-sent": Served(
        encode(profile="main", b_frames=2, fps=25, gop=250, frames=500), stamped="as decoded"
    ),
}
REORDERED = ("b-frames", "b-frames-as-sent")
# So many pictures of a new connection go by the times that came with them: nothing tells otherwise yet.
UNTOLD = 12
LONG = ("baseline-10s-sdp", "main-10s", "high-10s-sdp", *REORDERED)

PAGE = r"""
const seen = (video, numbers) => {
  // The number that `encode` wrote into the picture, each time that another is shown.
  const canvas = new OffscreenCanvas(320, 16).getContext('2d', {willReadFrequently: true});
  const look = () => {
    canvas.drawImage(video, 0, 0, 320, 16, 0, 0, 320, 16);
    const row = canvas.getImageData(0, 8, 320, 1).data;
    let number = 0;
    for (let bit = 0; bit < 16; bit++) if (row[4 * (20 * bit + 10)] > 128) number |= 1 << bit;
    if (number >> 15) numbers.push(number & 0x7fff);  // else nothing is drawn yet
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
};
const made = () => {
  const video = document.createElement('video');
  video.muted = video.autoplay = video.playsInline = true;
  video.width = 320;
  document.body.append(video);
  return video;
};
const whep = async (camera, video) => {
  const peer = new RTCPeerConnection();
  const {receiver} = peer.addTransceiver('video', {direction: 'recvonly'});
  receiver.jitterBufferTarget = 0;
  video.srcObject = new MediaStream([receiver.track]);
  await peer.setLocalDescription(await peer.createOffer());
  const answer = await fetch(`/api/cameras/${camera}/whep?stream=main`, {
    method: 'POST', headers: {'Content-Type': 'application/sdp'}, body: peer.localDescription.sdp});
  if (answer.status !== 201) return {refused: (await answer.json()).code, close: () => peer.close()};
  await peer.setRemoteDescription({type: 'answer', sdp: await answer.text()});
  return {close: () => { peer.close(); fetch(answer.headers.get('Location'), {method: 'DELETE'}); }};
};
const mse = async (camera, video) => {
  const socket = new WebSocket(`/api/cameras/${camera}/live.ws?stream=main`);
  const waiting = [];
  let buffer = null, said = {};
  socket.binaryType = 'arraybuffer';
  const feed = () => {
    if (buffer && !buffer.updating && waiting.length) buffer.appendBuffer(waiting.shift());
  };
  socket.onmessage = ({data}) => {
    if (typeof data !== 'string') { waiting.push(data); feed(); return; }
    said = JSON.parse(data);
    if (said.type !== 'opened') return;
    const source = new MediaSource();
    video.src = URL.createObjectURL(source);
    source.onsourceopen = () => {
      buffer = source.addSourceBuffer(`video/mp4; codecs="${said.codec}"`);
      buffer.onupdateend = feed;
      feed();
    };
  };
  return {
    get codec() { return said.codec; },
    get error() { return video.error?.message ?? said.reason; },
    close: () => socket.close(),
  };
};
window.watch = async (cameras, by, seconds) => {
  const views = await Promise.all(cameras.map(async camera => {
    const video = made(), numbers = [];
    seen(video, numbers);
    return {camera, video, numbers, view: await (by === 'whep' ? whep : mse)(`khe-coc.${camera}`, video)};
  }));
  await new Promise(done => setTimeout(done, 1000 * seconds));
  return Object.fromEntries(views.map(({camera, video, numbers, view}) => {
    const {refused, codec, error} = view;
    view.close();
    video.remove();
    return [camera, {numbers, refused, codec, error}];
  }));
};
"""


class Hub:
    """A whole hub with a camera for each stream, and a page of its own origin."""

    def __init__(self, cameras: dict[str, RtspCamera], page: Page) -> None:
        self.cameras = cameras
        self.page = page

    def watch(self, by: str, seconds: float) -> tuple[dict[str, int], dict[str, Any]]:
        """All cameras at once: how many packets each had sent before, and what is seen of it."""

        def amid_a_group() -> bool:
            return all(0.05 < self.cameras[name].sent() / _gop(name) % 1 < 0.75 for name in LONG)

        until_blocking(amid_a_group, 40)
        before = {name: camera.sent() for name, camera in self.cameras.items()}
        seen: dict[str, Any] = self.page.evaluate(
            "([cameras, by, seconds]) => watch(cameras, by, seconds)", [list(self.cameras), by, seconds]
        )
        return before, seen


def _gop(name: str) -> int:
    packets = STREAMS[name].stream.packets
    return next(number for number, packet in enumerate(packets) if number and packet.keyframe)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    needs.chromium()
    folder = tmp_path_factory.mktemp("hub")
    (folder / "streams").mkdir()
    server = server_section()
    with rtsp_servers.streams(folder / "streams", STREAMS) as cameras:
        listed = [
            {
                "id": name,
                "name": name,
                "streams": {"main": camera.url},
                "record": [],
                "motion": {"enabled": False},
            }
            for name, camera in cameras.items()
        ]
        config = write_config(folder / "hub.yaml", cameras=listed, server=server, users=users())
        with (
            command("run", str(config), log=folder / "log"),
            signed_in(int(str(server["port"]))) as browser,
            blocking_page(bypass_csp=True) as page,
        ):
            until_blocking(lambda: len(browser.cameras()) == len(cameras) and not browser.not_online(), 60)
            page.add_init_script(PAGE)
            page.goto(f"{browser.url}/healthz")
            page.context.request.post(
                f"{browser.url}/api/login", data={"username": "canh-sat", "password": PASSWORD}
            )
            yield Hub(cameras, page)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("by", ["whep", "mse"])
def test_the_first_picture_does_not_wait_for_a_keyframe_and_then_they_go_on(hub: Hub, by: str) -> None:
    before, seen = hub.watch(by, 3)
    for name, found in seen.items():
        stream = STREAMS[name].stream
        if by == "whep" and name in REORDERED:
            assert found["refused"] == "b-frames", found
            continue
        numbers = found["numbers"]
        print(f"{name}: {numbers[:8]}… {len(numbers)} pictures, {before[name]} had been sent before")
        assert numbers, f"{name}: no picture: {found}"
        if name in LONG:
            group = (before[name] - 1) // _gop(name)
            assert numbers[0] // _gop(name) == group % (len(stream.packets) // _gop(name)), name
        if name == "b-frames-as-sent" and before[name] <= _gop(name):
            numbers = numbers[UNTOLD:]
        steps = [(b - a) % len(stream.packets) for a, b in pairwise(numbers)]
        assert all(step < len(stream.packets) // 2 for step in steps), f"{name}: backwards"
        assert sum(steps) >= min(stream.fps, 25), f"{name}: {numbers}"
