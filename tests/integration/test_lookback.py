"""Looking back over the link: hamlet and commune as two commands, the camera a clip in real time."""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import av
import pytest

from tests.integration.test_hub_apart import Pair
from tests.support.hub import Browserless, Command, command, signed_in
from tests.support.lane import make_lane
from tests.support.waiting import until_blocking

CAMERA = "/api/cameras/khe-coc.cong-lang/recordings"


class Apart:
    """Both running, and somebody signed in at the commune."""

    def __init__(self, pair: Pair, worker: Command, server: Command, browser: Browserless) -> None:
        self.pair = pair
        self.worker = worker
        self.server = server
        self.browser = browser

    def spans(self) -> list[dict[str, Any]]:
        """Of the main stream, of the last hour."""
        now = _now(self.browser)
        answer = self.browser.http.get(
            CAMERA, params={"from": _text(now - timedelta(hours=1)), "to": _text(now + timedelta(minutes=1))}
        )
        assert answer.status_code == 200, answer.text
        streams = answer.json()["streams"]
        return streams[0]["spans"] if streams else []

    def recorded_s(self) -> float:
        return sum(_length_s(span) for span in self.spans())


def _now(browser: Browserless) -> datetime:
    return datetime.fromtimestamp(browser.get("/api/clock")["now_us"] / 1e6).astimezone()


def _text(at: datetime) -> str:
    return at.isoformat()


def _length_s(span: dict[str, Any]) -> float:
    return (datetime.fromisoformat(span["end"]) - datetime.fromisoformat(span["start"])).total_seconds()


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Apart]:
    folder = tmp_path_factory.mktemp("apart")
    lane = make_lane(folder / "lane.mp4", seconds=12, crossings=(), size=(1280, 720), fps=20)
    pair = Pair(folder, lane)
    with (
        command("serve", str(pair.commune), log=folder / "serve.log") as server,
        command("ingest", str(pair.hamlet), log=folder / "ingest.log") as worker,
        signed_in(pair.port) as browser,
    ):
        both = Apart(pair, worker, server, browser)
        until_blocking(lambda: browser.get("/api/sites")["sites"][0]["connected"], 30)
        until_blocking(lambda: both.recorded_s() >= 8, 60)
        yield both


def test_a_range_plays_with_its_true_times(apart: Apart) -> None:
    (span,) = apart.spans()
    start = datetime.fromisoformat(span["start"])
    answer = apart.browser.http.get(
        f"{CAMERA}/play",
        params={
            "from": _text(start + timedelta(seconds=3)),
            "to": _text(start + timedelta(seconds=6)),
            "stream": "main",
        },
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "video/mp4"
    assert answer.headers["x-codec"].startswith("avc1.")
    assert answer.headers["cache-control"] == "no-store"
    begins = datetime.fromisoformat(answer.headers["x-start-time"])
    assert timedelta() <= start + timedelta(seconds=3) - begins <= timedelta(seconds=2.1)
    with av.open(io.BytesIO(answer.content), "r") as video:
        shown = [frame.time or 0.0 for frame in video.decode(video=0)]
    assert shown[-1] + (begins - start).total_seconds() == pytest.approx(5.95, abs=0.1)
    assert max(b - a for a, b in pairwise(shown)) < 0.3
