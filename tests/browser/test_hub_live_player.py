"""The dashboard's player before a whole hub: what may go, goes and comes back, and no old picture looks live.

Real processes (server and worker apart), GStreamer's RTSP server, Chromium; each is killed in its turn.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.support import needs, rtsp_servers
from tests.support.hub import Browserless, Command, server_section, users, write_config
from tests.support.hub_page import signed_in_page
from tests.support.made_clips import make_clip
from tests.support.waiting import free_port, until_blocking

PAGE = "/cameras/khe-coc.cong-lang"
PATIENCE_MS = 6500  # 5 s without a picture, a look a second, and a busy machine
WATCHER = """
// Notes each time that a picture has stood for too long and yet is shown as if it were live.
window.lies = [];
window.seen = {frames: 0, atMs: performance.now()};
setInterval(() => {
  const video = document.querySelector('video');
  const frames = video?.getVideoPlaybackQuality().totalVideoFrames ?? 0;
  if (frames !== seen.frames) window.seen = {frames, atMs: performance.now()};
  const stoodMs = performance.now() - seen.atMs;
  if (video && !video.classList.contains('gone') && stoodMs > PATIENCE_MS) lies.push(stoodMs);
}, 250);
""".replace("PATIENCE_MS", str(PATIENCE_MS))


class Hub:
    """A camera, its worker and the server, each a process that can be killed and started anew."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rtsp_port = free_port()
        self.clips = {
            "main": make_clip(folder / "main.mp4", fps=10, gop=20, seconds=8),
            "sub": make_clip(folder / "sub.mp4", fps=10, gop=20, seconds=8),
            "h265": make_clip(folder / "h265.mp4", codec="hevc", fps=10, gop=20, seconds=8),
        }
        at = f"rtsp://127.0.0.1:{self.rtsp_port}/"
        cameras = [
            {"id": "cong-lang", "name": "Cổng làng", "streams": {"main": at + "main", "sub": at + "sub"}},
            {"id": "nga-ba", "name": "Ngã ba", "streams": {"main": at + "h265", "sub": at + "sub"}},
        ]
        port = int(str(server_section()["port"]))
        servers = [{"name": "tuc-tranh", "url": f"ws://127.0.0.1:{port}/api/link"}]
        self.hamlet = write_config(folder / "khe-coc.yaml", cameras=cameras, link={"servers": servers})
        asked = [sys.executable, "-m", "camera_hub", "key", str(self.hamlet)]
        key = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        self.commune = write_config(
            folder / "tuc-tranh.yaml",
            site={"id": "tuc-tranh", "name": "Xã Tức Tranh"},
            server=server_section(port=port, sites=[{"id": "khe-coc", "name": "Xóm Khe Cốc", "key": key}]),
            users=users(),
        )
        self.browser = Browserless(port)
        self.server = self._start("serve", self.commune)
        self.worker = self._start("ingest", self.hamlet)
        self.cameras = self._cameras()
        next(self.cameras)
        self.browser.wait_until_up().sign_in()
        self.until_online()

    def _start(self, what: str, config: Path) -> Command:
        return Command([what, str(config)], self.folder / f"{what}.log", sys.executable, {})

    def _cameras(self) -> Iterator[None]:
        with rtsp_servers.gstreamer(self.clips, port=self.rtsp_port):
            yield

    def until_online(self) -> None:
        def online() -> bool:
            return len(self.browser.cameras()) == 2 and self.browser.not_online() == {}

        until_blocking(online, 120, 0.5)

    def kill_server(self) -> None:
        self.server.end(signal.SIGKILL)

    def start_server(self) -> None:
        self.server = self._start("serve", self.commune)

    def kill_worker(self) -> None:
        self.worker.end(signal.SIGKILL)

    def start_worker(self) -> None:
        self.worker = self._start("ingest", self.hamlet)

    def kill_cameras(self) -> None:
        next(self.cameras, None)

    def start_cameras(self) -> None:
        self.cameras = self._cameras()
        next(self.cameras)

    def close(self) -> None:
        self.kill_cameras()
        for running in (self.worker, self.server):
            running.end(timeout_s=30)
        self.browser.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    needs.chromium()
    needs.dashboard()
    needs.gstreamer()
    running = Hub(tmp_path_factory.mktemp("hub"))
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def page(hub: Hub) -> Iterator[Page]:
    hub.until_online()
    with signed_in_page(hub.browser, path=PAGE, script=WATCHER) as page:
        plays(page, "webrtc")
        yield page


def plays(page: Page, by: str, seconds: float = 90) -> None:
    """It is live, and new pictures come."""
    expect(page.locator(f"[data-way={by}]")).to_be_visible(timeout=1000 * seconds)
    expect(page.locator(".why")).to_have_count(0)
    before = page.evaluate("seen.frames")
    page.wait_for_function("before => seen.frames !== before", arg=before, timeout=30_000)


def is_old(page: Page) -> None:
    """It says so, with its age, and is grey."""
    expect(page.locator(".why")).to_contain_text("hình cũ", timeout=30_000)
    expect(page.locator("video:not(.gone)")).to_have_count(0)


def cdp(page: Page) -> CDPSession:
    return page.context.new_cdp_session(page)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("what", ["server", "worker", "cameras"])
def test_what_is_killed_comes_back_and_is_never_shown_as_live_meanwhile(
    page: Page, hub: Hub, what: str
) -> None:
    kill, start = getattr(hub, f"kill_{what}"), getattr(hub, f"start_{what}")
    kill()
    try:
        is_old(page)
        page.wait_for_timeout(4000)
        is_old(page)
    finally:
        start()
    plays(page, "webrtc", 120)
    assert page.evaluate("lies") == []


@pytest.mark.timeout(240)
def test_a_page_that_slept_and_a_network_that_went_come_back_by_themselves(page: Page) -> None:
    session = cdp(page)
    session.send("Page.setWebLifecycleState", {"state": "frozen"})
    page.wait_for_timeout(12_000)
    session.send("Page.setWebLifecycleState", {"state": "active"})
    plays(page, "webrtc", 30)
    # Chromium cuts nothing that is open already: the view goes on, and is not begun anew for nothing.
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.method) if "/whep" in request.url else None)
    offline = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", offline)
    page.wait_for_function("() => !navigator.onLine")
    page.wait_for_timeout(8000)
    plays(page, "webrtc", 1)
    session.send("Network.emulateNetworkConditions", {**offline, "offline": False})
    page.wait_for_timeout(4000)
    plays(page, "webrtc", 1)
    assert asked == []
    assert page.evaluate("lies") == []


@pytest.mark.timeout(240)
def test_a_main_stream_that_is_not_played_is_replaced_by_the_sub_stream(page: Page, hub: Hub) -> None:
    page.goto(hub.browser.url + PAGE.replace("cong-lang", "nga-ba"))
    plays_h265 = page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')")
    plays(page, "mse" if plays_h265 else "webrtc")
    if not plays_h265:
        expect(page.locator("[data-way=webrtc]")).to_contain_text("luồng phụ")
