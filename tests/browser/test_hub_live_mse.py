"""The whole hub shows cameras of many makes by MSE: real RTSP, worker, link, server, Chromium.

Slow and fast, short and long groups of pictures, H.265; and the worker killed and back. (GStreamer's server
sends B-frames with the times of their decoding; `test_dashboard_live` has them as cameras send them.)
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.support import needs, rtsp_servers
from tests.support.hub import Browserless, Command, command, server_section, signed_in, users, write_config
from tests.support.hub_page import signed_in_page
from tests.support.made_clips import make_clip
from tests.support.waiting import until_blocking

H264 = ("fps5", "fps25-group10s", "fps60")
LOOK = """id => {
  const tile = document.querySelector(`[data-camera="khe-coc.${id}"]`);
  const video = tile?.querySelector('video');
  if (!video) return null;
  const end = video.buffered.length ? video.buffered.end(video.buffered.length - 1) : 0;
  return {
    by: video.src.startsWith('blob:') ? 'mse' : video.srcObject ? 'webrtc' : 'none',
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    behind: end - video.currentTime,
    live: !video.classList.contains('gone'),
    why: tile.querySelector('.why')?.innerText ?? '',
  };
}"""


def made(folder: Path) -> dict[str, Path]:
    return {
        "fps5": make_clip(folder / "fps5.mp4", fps=5, gop=5, seconds=8),
        "fps25-group10s": make_clip(folder / "fps25.mp4", fps=25, gop=250, seconds=20),
        "fps60": make_clip(folder / "fps60.mp4", fps=60, gop=60, seconds=6),
        "h265": make_clip(folder / "h265.mp4", codec="hevc", fps=10, gop=20, seconds=8),
    }


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browserless, Command]]:
    needs.chromium()
    needs.dashboard()
    folder = tmp_path_factory.mktemp("hub")
    server = server_section()
    with rtsp_servers.gstreamer(made(folder)) as urls:
        cameras = [{"id": name, "name": name, "streams": {"main": url}} for name, url in urls.items()]
        config = write_config(folder / "hub.yaml", cameras=cameras, server=server, users=users())
        with (
            command("run", str(config), log=folder / "log") as running,
            signed_in(int(str(server["port"]))) as browser,
        ):
            until_blocking(lambda: browser.not_online() == {}, 120)
            yield browser, running


@pytest.fixture
def page(hub: tuple[Browserless, Command]) -> Iterator[Page]:
    with signed_in_page(hub[0], viewport={"width": 1600, "height": 1400}) as page:
        yield page


def plays(page: Page, name: str) -> bool:
    seen = page.evaluate(LOOK, name)
    return bool(seen and seen["live"] and seen["by"] == "mse" and seen["frames"] > 5 and seen["behind"] < 1)


@pytest.mark.timeout(240)
def test_cameras_of_many_makes_play_by_mse(page: Page) -> None:
    for name in H264:
        until_blocking(lambda name=name: plays(page, name), 60)  # type: ignore[misc]
    before = {name: page.evaluate(LOOK, name)["frames"] for name in H264}
    page.wait_for_timeout(4000)
    for name in H264:
        now = page.evaluate(LOOK, name)
        print(f"{name}: {now['frames'] - before[name]} frames in 4 s, {now['behind']:.2f} s behind the end")
        assert now["frames"] > before[name] + 10, name
        assert now["behind"] < 1, name
    h265 = page.locator("[data-camera='khe-coc.h265']")
    if not page.evaluate("MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')"):
        expect(h265.locator("[data-way=pictures]")).to_be_visible(timeout=30_000)


@pytest.mark.timeout(240)
def test_a_worker_that_is_killed_comes_back_and_so_does_the_picture(
    page: Page, hub: tuple[Browserless, Command]
) -> None:
    until_blocking(lambda: plays(page, "fps5"), 60)
    children = psutil.Process(hub[1].pid).children(recursive=True)
    workers = [one for one in children if "ingest" in " ".join(one.cmdline())]
    assert workers
    os.kill(workers[0].pid, signal.SIGKILL)
    until_blocking(lambda: page.evaluate(LOOK, "fps5")["why"] != "", 30)
    assert not page.evaluate(LOOK, "fps5")["live"]
    until_blocking(lambda: plays(page, "fps5"), 120)
