"""Hamlet and commune apart: two commands, two folders, one link; away, killed, refused, and back.

Events made while the server is away arrive once, live comes back by itself, and a worker with
a wrong key is refused in words.
"""

import asyncio
import subprocess
import sys
from contextlib import suppress
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from tests.integration.test_hub_runs import camera
from tests.support.hub import Browserless, command, server_section, signed_in, users, write_config
from tests.support.lane import make_lane
from tests.support.waiting import until_async, until_blocking

AWAY_S = 30
CROSSING_EVERY_S = 12


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_lane(
        tmp_path_factory.mktemp("lane") / "lane.mp4", seconds=CROSSING_EVERY_S, crossings=((5, 8.5),)
    )


class Pair:
    """The two configurations, joined by the hamlet's key."""

    def __init__(
        self,
        folder: Path,
        lane: Path,
        key: str | None = None,
        *,
        cameras: list[dict[str, object]] | None = None,
        **link: object,
    ) -> None:
        self.folder = folder
        self.port = int(str(server_section()["port"]))
        servers = [{"name": "tuc-tranh", "url": f"ws://127.0.0.1:{self.port}/api/link"}]
        self.hamlet = write_config(
            folder / "khe-coc.yaml",
            cameras=cameras or [camera("cong-lang", lane)],
            link={"servers": servers, **link},
        )
        asked = [sys.executable, "-m", "camera_hub", "key", str(self.hamlet)]
        printed = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()
        site = {"id": "khe-coc", "name": "Xóm Khe Cốc", "key": key or printed}
        self.commune = write_config(
            folder / "tuc-tranh.yaml",
            site={"id": "tuc-tranh", "name": "Xã Tức Tranh"},
            server={"host": "127.0.0.1", "port": self.port, "sites": [site]},
            users=users(),
        )


def _finished(browser: Browserless) -> list[dict[str, object]]:
    return [e for e in browser.events(limit=200) if e["end"] and e["snapshot"] and e["clip"]]


@pytest.fixture
def pair(tmp_path: Path, lane: Path) -> Pair:
    return Pair(tmp_path, lane)


async def _watch(browser: Browserless) -> tuple[RTCPeerConnection, list[int | None]]:
    """Watch the hamlet's camera by WHEP; the list grows with each packet's time."""
    peer, seen = RTCPeerConnection(RTCConfiguration(iceServers=[])), list[int | None]()
    peer.addTransceiver("video", direction="recvonly")
    await peer.setLocalDescription(await peer.createOffer())
    answer = await asyncio.to_thread(
        browser.http.post,
        "/api/cameras/khe-coc.cong-lang/whep",
        content=peer.localDescription.sdp,
        headers={"content-type": "application/sdp"},
    )
    assert answer.status_code == 201, answer.text
    tracks: list[MediaStreamTrack] = []
    peer.on("track", tracks.append)
    await peer.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))

    async def drain() -> None:
        with suppress(MediaStreamError):
            while True:
                frame = await tracks[0].recv()
                seen.append(frame.pts)

    draining = asyncio.create_task(drain())
    peer.on("connectionstatechange", lambda: draining)  # kept with the peer, so that it is not collected
    return peer, seen


@pytest.mark.timeout(300)
async def test_a_server_killed_and_away_gets_every_event_once_and_live_comes_back(pair: Pair) -> None:
    log = pair.folder
    with command("ingest", str(pair.hamlet), log=log / "ingest.log") as worker:
        with command("serve", str(pair.commune), log=log / "serve-1.log") as server:
            with signed_in(pair.port) as browser:
                until_blocking(lambda: _finished(browser), 60)
                peer, seen = await _watch(browser)
                await until_async(lambda: asyncio.sleep(0, len(seen) > 5), 20)
                await peer.close()
                (site,) = browser.get("/api/sites")["sites"]
                assert site["connected"]
            server.process.kill()
        before = [line for line in worker.lines() if line["event"] == "camera process started"]
        await asyncio.sleep(AWAY_S)
        with (
            command("serve", str(pair.commune), log=log / "serve-2.log"),
            signed_in(pair.port) as browser,
        ):
            # A crossing every twelve seconds: at least two were made while nobody listened.
            until_blocking(lambda: len(_finished(browser)) >= 4, 90)
            until_blocking(lambda: browser.cameras()["khe-coc.cong-lang"]["state"] == "online", 60)
            events = browser.events(limit=200)
            assert len({e["id"] for e in events}) == len(events)
            starts = sorted(datetime.fromisoformat(str(e["start"])) for e in events)
            apart_s = [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
            assert apart_s == [pytest.approx(CROSSING_EVERY_S, abs=2)] * len(apart_s)  # none lost, none twice
            peer, seen = await _watch(browser)
            await until_async(lambda: asyncio.sleep(0, len(seen) > 5), 20)
            await peer.close()
        after = [line for line in worker.lines() if line["event"] == "camera process started"]
        assert after == before  # the cameras did not notice


def test_a_worker_with_a_wrong_key_is_refused_in_words(tmp_path: Path, lane: Path) -> None:
    pair = Pair(tmp_path, lane, key="AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    with (
        command("serve", str(pair.commune), log=tmp_path / "serve.log") as server,
        command("ingest", str(pair.hamlet), log=tmp_path / "ingest.log") as worker,
        signed_in(pair.port) as browser,
    ):
        until_blocking(lambda: "camera-hub key" in worker.text(), 30)
        until_blocking(lambda: "worker refused" in server.text(), 10)
        (site,) = browser.get("/api/sites")["sites"]
        assert not site["connected"]
        assert worker.process.poll() is None  # it goes on recording, and asks again


def test_a_second_worker_on_the_same_folder_says_so_and_leaves(pair: Pair) -> None:
    with command("ingest", str(pair.hamlet), log=pair.folder / "first.log") as first:
        until_blocking(lambda: "worker running" in first.text(), 30)
        with command("ingest", str(pair.hamlet), log=pair.folder / "second.log") as second:
            assert second.process.wait(30) == 1
            assert "another camera-hub ingest" in second.text()
        assert first.process.poll() is None
