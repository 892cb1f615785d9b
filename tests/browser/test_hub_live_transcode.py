"""The whole hub shows H.265 cameras in a Chromium that does not play H.265: real RTSP, worker, link, server.

One stream at once is transcoded here, so that the second camera is shown in stills and words.
"""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.support import needs, rtsp_servers
from tests.support.chromium import NO_UDP
from tests.support.hub import Browserless, Command, command, server_section, signed_in, users, write_config
from tests.support.hub_page import signed_in_page
from tests.support.made_clips import make_clip
from tests.support.transcodes import transcoding
from tests.support.waiting import until_blocking

CODEC = "MediaSource.isTypeSupported('video/mp4; codecs=\"hvc1.1.6.L93.B0\"')"
ROW = """() => {
  // The brightness of the picture's upper middle, from left to right: a square of 220 walks over 90 there.
  const video = document.querySelector('video');
  const canvas = new OffscreenCanvas(320, 240).getContext('2d');
  canvas.drawImage(video, 0, 0, 320, 240);
  const row = canvas.getImageData(0, 90, 320, 1).data;
  return [video.videoWidth, video.videoHeight, ...Array(320).keys().map(x => row[4 * x])];
}"""


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browserless, Command]]:
    needs.chromium()
    needs.dashboard()
    folder = tmp_path_factory.mktemp("hub")
    server = server_section()
    clip = make_clip(folder / "h265.mp4", codec="hevc", fps=10, gop=20, seconds=8)
    with rtsp_servers.gstreamer({"one": clip, "two": clip}) as urls:
        cameras = [{"id": name, "name": name, "streams": {"main": url}} for name, url in urls.items()]
        config = write_config(
            folder / "hub.yaml",
            cameras=cameras,
            server=server,
            users=users(),
            live={"transcode": {"max": 1, "height": 180}},
        )
        with (
            command("run", str(config), log=folder / "log") as running,
            signed_in(int(str(server["port"]))) as browser,
        ):
            until_blocking(lambda: browser.not_online() == {}, 120)
            yield browser, running


@pytest.fixture(params=["udp"])
def page(hub: tuple[Browserless, Command], request: pytest.FixtureRequest) -> Iterator[Page]:
    flags = (NO_UDP,) if request.param == "no udp" else ()
    with signed_in_page(hub[0], *flags, viewport={"width": 1200, "height": 900}) as page:
        if page.evaluate(CODEC):
            pytest.skip("this Chromium plays H.265")
        yield page
        for one in page.context.pages:
            one.goto("about:blank")  # it says goodbye, so that the next test finds the place free
        until_blocking(lambda: not transcoding(hub[1].pid), 40)


def squares(page: Page) -> list[int]:
    """Where the square is in some pictures, one after the other."""
    found = []
    for _ in range(8):
        width, height, *row = page.evaluate(ROW)
        assert (width, height) == (240, 180)
        bright = [x for x, value in enumerate(row) if value > 155]
        assert 50 < len(bright) < 70, row
        assert max(bright) - min(bright) + 1 == len(bright)
        assert all(70 < value < 110 for x, value in enumerate(row) if abs(x - bright[0]) > 80)
        found.append(bright[0])
        page.wait_for_timeout(230)
    return found


def opened(page: Page, hub: tuple[Browserless, Command], camera: str, way: str) -> None:
    page.goto(f"{hub[0].url}/cameras/khe-coc.{camera}")
    expect(page.locator(f"[data-way={way}]")).to_contain_text("chuyển mã", timeout=30_000)


@pytest.mark.timeout(240)
@pytest.mark.parametrize(("page", "way"), [("udp", "webrtc"), ("no udp", "mse")], indirect=["page"])
def test_the_right_pictures_are_seen_and_no_process_stays(
    page: Page, way: str, hub: tuple[Browserless, Command]
) -> None:
    opened(page, hub, "one", way)
    assert len(set(squares(page))) > 2
    if way == "mse":
        words = page.locator("[data-way=mse] .numbers").inner_text()
        late_s = float(re.sub(r"[^\d,]", "", words).replace(",", "."))
        print(f"by MSE, transcoded: {late_s} s behind the camera")
        assert late_s < 2
    assert len(transcoding(hub[1].pid)) == 1
    metrics = hub[0].http.get("/metrics").text
    assert "camera_hub_transcodes 1.0" in metrics
    assert float(re.search(r"^camera_hub_transcode_cpu_seconds_total (\S+)", metrics, re.M)[1]) > 0  # type: ignore[index]
    page.goto("about:blank")
    until_blocking(lambda: not transcoding(hub[1].pid), 30)


@pytest.mark.timeout(240)
def test_the_one_too_many_is_told_and_sees_stills(page: Page, hub: tuple[Browserless, Command]) -> None:
    opened(page, hub, "one", "webrtc")
    other = page.context.new_page()
    other.goto(f"{hub[0].url}/cameras/khe-coc.two")
    expect(other.locator("[data-way=pictures]")).to_contain_text("chuyển mã hết số luồng", timeout=30_000)
    page.goto("about:blank")
    # The first one's place is free at once: nobody waits for it to be let go.
    opened(other, hub, "two", "webrtc")


@pytest.mark.timeout(240)
def test_a_transcode_that_is_killed_is_back_in_seconds(page: Page, hub: tuple[Browserless, Command]) -> None:
    opened(page, hub, "one", "webrtc")
    squares(page)
    (killed,) = transcoding(hub[1].pid)
    killed.kill()
    until_blocking(lambda: transcoding(hub[1].pid) not in ([], [killed]), 30)
    page.wait_for_timeout(4000)
    assert len(set(squares(page))) > 2
    expect(page.locator("[data-way=webrtc]")).to_contain_text("chuyển mã")
    assert any(line.get("how") == "SIGKILL" for line in hub[1].lines())


@pytest.mark.timeout(240)
def test_a_wall_asks_for_no_transcodes(page: Page, hub: tuple[Browserless, Command]) -> None:
    page.goto(hub[0].url)
    expect(page.locator("a.tile [data-way=pictures]")).to_have_count(2, timeout=30_000)
    assert transcoding(hub[1].pid) == []
