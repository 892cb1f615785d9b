"""Promise: clips, and segments themselves, play in a browser, with the right length, and can be sought in."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, Route

from camera_hub.recording import Catalogue, Recorder, cut_clip
from tests.support import recorded
from tests.support.chromium import blocking_page
from tests.support.clocks import HandClock

WATCH = """
async (at) => {
  const video = document.querySelector("video");
  const failed = () => { throw new Error(video.error ? video.error.message : "no picture"); };
  const happened = (name) => new Promise((good, bad) => {
    video.addEventListener(name, good, {once: true});
    video.addEventListener("error", () => bad(new Error(video.error.message)), {once: true});
  });
  video.src = "http://recording.invalid/clip.mp4";
  await happened("loadeddata");
  const seeked = happened("seeked");
  video.currentTime = at;
  await seeked;
  const sought = video.currentTime;
  const ended = happened("ended");
  await video.play();
  await ended;
  const quality = video.getVideoPlaybackQuality();
  return [video.duration, sought, video.currentTime, video.videoWidth, quality.totalVideoFrames];
}
"""


def watch(page: Page, mp4: bytes, at_s: float) -> tuple[float, float, float, float, float]:
    """(duration, time sought, time at the end, width, pictures shown)."""

    def serve(route: Route) -> None:
        if route.request.url.endswith(".mp4"):
            asked = route.request.headers.get("range", "bytes=0-").removeprefix("bytes=").partition("-")
            first, last = int(asked[0]), int(asked[2] or len(mp4) - 1)
            headers = {
                "content-type": "video/mp4",
                "accept-ranges": "bytes",
                "content-range": f"bytes {first}-{last}/{len(mp4)}",
            }
            route.fulfill(status=206, headers=headers, body=mp4[first : last + 1])
        else:
            route.fulfill(content_type="text/html", body="<video muted></video>")

    page.route("http://recording.invalid/**", serve)
    page.goto("http://recording.invalid/")
    duration, sought, end, width, pictures = page.evaluate(WATCH, at_s)
    return duration, sought, end, width, pictures


@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_clip_and_its_segments_play(b_frames: int, tmp_path: Path) -> None:
    info, packets = recorded.stream(b_frames=b_frames)
    catalogue = Catalogue(tmp_path / "catalogue.db")
    recorder = Recorder(
        tmp_path, catalogue, "cong-lang", "main", 4, HandClock(recorded.START_US), lambda _: None
    )
    recorder.start(info)
    for packet in packets:
        recorder.write(packet)
    recorder.close()
    start_us = recorded.START_US
    clip = cut_clip(tmp_path, catalogue, "cong-lang", "main", start_us, start_us + 6_000_000, 10**7)
    assert clip is not None
    first, second = catalogue.segments()

    with blocking_page() as page:
        page.set_default_timeout(60_000)
        for mp4, length_s, at_s in [
            (clip.mp4, clip.duration_us / 1e6, 4.6),
            ((tmp_path / first.path).read_bytes(), first.duration_us / 1e6, 3.3),
            ((tmp_path / second.path).read_bytes(), second.duration_us / 1e6, 1.3),
        ]:
            duration, sought, end, width, pictures = watch(page, mp4, at_s)
            assert duration == pytest.approx(length_s, abs=0.25)
            assert sought == pytest.approx(at_s, abs=0.1)
            assert end == pytest.approx(length_s, abs=0.25)
            assert width == 160
            assert pictures > 3
