"""The whole hub lets people hear a camera: real RTSP with G.711 and AAC, worker, link, server, Chromium.

The cameras flash and beep at once, so what is seen and heard can be compared.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.support import needs, sound
from tests.support.hub import Browserless, command, server_section, signed_in, users, write_config
from tests.support.hub_page import signed_in_page
from tests.support.waiting import until_blocking

SOUNDS = {"g711": "pcm_alaw", "aac": "aac", "still": None}
BUTTON = ".tools .sound"

HEAR = f"""async seconds => {{
  const video = document.querySelector('.stage video');
  const audio = new AudioContext();
  await audio.resume();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  analyser.smoothingTimeConstant = 0;
  audio.createMediaStreamSource(video.captureStream()).connect(analyser);
  const canvas = new OffscreenCanvas(8, 8);
  const context = canvas.getContext('2d', {{willReadFrequently: true}});
  const bins = new Uint8Array(analyser.frequencyBinCount);
  const bin = Math.round({sound.TONE_HZ} / audio.sampleRate * analyser.fftSize);
  const seen = [];
  const began = performance.now();
  while (performance.now() - began < seconds * 1000) {{
    await new Promise(resolve => setTimeout(resolve, 20));
    analyser.getByteFrequencyData(bins);
    context.drawImage(video, 0, 0, 8, 8);
    const pixels = context.getImageData(0, 0, 8, 8).data;
    seen.push({{
      at: performance.now() - began,
      loud: Math.max(...bins.slice(bin - 1, bin + 2)),
      elsewhere: bins[bin * 3],
      bright: pixels[0] + pixels[pixels.length - 4],
    }});
  }}
  return seen;
}}"""

STATE = """() => {
  const video = document.querySelector('.stage video');
  return video && {
    by: video.src.startsWith('blob:') ? 'mse' : video.srcObject ? 'webrtc' : 'none',
    live: !video.classList.contains('gone'),
    frames: video.getVideoPlaybackQuality().totalVideoFrames,
    sound: video.webkitAudioDecodedByteCount ?? 0,
    muted: video.muted,
    behind: video.buffered.length ? video.buffered.end(video.buffered.length - 1) - video.currentTime : null,
  };
}"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hub")


@pytest.fixture(scope="module")
def hub(folder: Path) -> Iterator[Browserless]:
    needs.chromium()
    needs.dashboard()
    server = server_section()
    with sound.cameras(folder, SOUNDS) as urls:
        cameras = [
            {"id": name, "name": name, "streams": {"main": url}, "audio": True} for name, url in urls.items()
        ]
        config = write_config(folder / "hub.yaml", cameras=cameras, server=server, users=users())
        with (
            command("run", str(config), log=folder / "log"),
            signed_in(int(str(server["port"]))) as browser,
        ):
            until_blocking(lambda: browser.not_online() == {}, 120)
            yield browser


@pytest.fixture(scope="module")
def page(hub: Browserless) -> Iterator[Page]:
    with signed_in_page(hub, viewport={"width": 1200, "height": 900}) as page:
        yield page


def opened(page: Page, hub: Browserless, camera: str) -> None:
    page.goto(f"{hub.url}/cameras/khe-coc.{camera}")
    until_blocking(lambda: (page.evaluate(STATE) or {}).get("live"), 60)


def listening(page: Page, hub: Browserless, camera: str) -> None:
    """The camera's page with its sound on, whatever was chosen before."""
    opened(page, hub, camera)
    if page.locator(BUTTON).get_attribute("aria-pressed") == "false":
        page.locator(BUTTON).click()
    until_blocking(lambda: heard(page), 60)


def heard(page: Page) -> bool:
    state = page.evaluate(STATE)
    return bool(state["live"] and state["by"] == "mse" and state["sound"] > 1000 and state["frames"] > 5)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("camera", ["g711", "aac"])
def test_what_is_seen_is_heard_at_the_same_moment(page: Page, hub: Browserless, camera: str) -> None:
    page.evaluate("localStorage.clear()")
    opened(page, hub, camera)
    assert page.evaluate(STATE)["muted"]
    assert page.evaluate(STATE)["sound"] == 0
    page.locator(BUTTON).click()
    until_blocking(lambda: heard(page), 60)
    assert not page.evaluate(STATE)["muted"]
    expect(page.locator("[data-way=mse]")).to_contain_text("có tiếng")
    seen = page.evaluate(HEAR, 8)
    print({"state": page.evaluate(STATE), "loudest": max(one["loud"] for one in seen)})
    tones, flashes = begins(seen, "loud"), begins(seen, "bright")
    assert len(tones) >= 5
    apart = sorted(min((tone - flash for flash in flashes), key=abs) for tone in tones[1:-1])
    print(f"{camera}: sound after picture, ms: {apart}")
    # What is captured of the sound has not waited for the loudspeaker, as the picture has.
    assert abs(apart[len(apart) // 2]) < 200
    assert page.evaluate(STATE)["behind"] < 1.5


def begins(seen: list[dict[str, float]], what: str) -> list[float]:
    """When something went from little to much, ms."""
    values = sorted(one[what] for one in seen)
    middle = (values[len(values) // 20] + values[-len(values) // 20]) / 2
    return [now["at"] for before, now in itertools.pairwise(seen) if before[what] < middle <= now[what]]


@pytest.mark.timeout(240)
def test_a_camera_that_falls_silent_is_seen_on(page: Page, hub: Browserless, folder: Path) -> None:
    listening(page, hub, "aac")
    silent = folder / "aac.silent"
    silent.touch()
    try:
        page.wait_for_timeout(2_000)
        before = page.evaluate(STATE)
        page.wait_for_timeout(4_000)
        state = page.evaluate(STATE)
        print(state)
        assert state["live"]
        assert state["by"] == "mse"
        assert state["frames"] - before["frames"] > 25
    finally:
        silent.unlink()
    page.wait_for_timeout(2_000)
    assert max(one["loud"] for one in page.evaluate(HEAR, 3)) > 100


@pytest.mark.timeout(240)
def test_the_choice_is_kept_and_a_camera_without_sound_has_no_button(page: Page, hub: Browserless) -> None:
    listening(page, hub, "g711")
    page.reload()  # Chromium may wait for a click now, with the sound, not with the picture
    until_blocking(lambda: (page.evaluate(STATE) or {}).get("frames", 0) > 5 and heard(page), 60)
    if page.locator(BUTTON).get_attribute("aria-pressed") == "false":
        page.locator(BUTTON).click()
    page.locator(BUTTON).click()
    until_blocking(lambda: page.evaluate(STATE)["live"] and page.evaluate(STATE)["sound"] == 0, 60)
    assert page.evaluate(STATE)["muted"]
    opened(page, hub, "still")
    expect(page.locator(BUTTON)).to_have_count(0)
