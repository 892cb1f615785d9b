"""A whole hub's live views, watched by GStreamer's WHEP and by MSE: what is killed or unplugged, and back.

Real RTSP, real processes. Sessions end or go on as docs/live.md says, and the server keeps nothing of them.
"""

import contextlib
import os
import signal
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from tests.support.hub import Browserless, Command, command, server_section, signed_in, users, write_config
from tests.support.live import encode
from tests.support.live_clients import by_gstreamer, by_mse
from tests.support.rtsp_servers import Served, streams
from tests.support.waiting import free_port, until_blocking

LANE = "khe-coc.lane"
PICTURES = 500


class Hub:
    def __init__(self, running: Command, browser: Browserless, folder: Path, port: int) -> None:
        self.running = running
        self.browser = browser
        self._folder = folder
        self._port = port
        self._camera = contextlib.ExitStack()

    def plug(self) -> None:
        """Switch the camera on."""
        stream = encode(profile="high", fps=25, gop=25, frames=PICTURES)
        self._camera.enter_context(streams(self._folder, {"lane": Served(stream)}, self._port))

    def unplug(self) -> None:
        self._camera.close()

    def process(self, part: str) -> psutil.Process:
        """`serve` or `ingest`."""
        children = psutil.Process(self.running.pid).children()
        (found,) = (one for one in children if part in one.cmdline())
        return found

    def online(self) -> bool:
        return [camera["state"] for camera in self.browser.cameras().values()] == ["online"]

    def files(self) -> int:
        """Files and sockets that the server has open."""
        return self.process("serve").num_fds()

    def gone(self) -> list[str]:
        """Why viewers have gone, so far."""
        return [line["reason"] for line in self.running.lines() if line.get("event") == "viewer gone"]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    folder, port, server = tmp_path_factory.mktemp("hub"), free_port(), server_section()
    (folder / "streams").mkdir()
    camera = {"id": "lane", "name": "Đường làng", "streams": {"main": f"rtsp://127.0.0.1:{port}/lane"}}
    quiet = {"record": [], "motion": {"enabled": False}}
    config = write_config(folder / "hub.yaml", cameras=[camera | quiet], server=server, users=users())
    with (
        command("run", str(config), log=folder / "log") as running,
        signed_in(int(str(server["port"]))) as browser,
    ):
        made = Hub(running, browser, folder / "streams", port)
        made.plug()
        try:
            until_blocking(made.online, 60)
            yield made
        finally:
            made.unplug()


def test_gstreamer_plays_by_whep_and_nothing_is_left_of_it(hub: Hub) -> None:
    with by_mse(hub.browser, LANE) as mse:  # the first view has the server make what it keeps
        until_blocking(lambda: mse.fragments)
    files = hub.files()
    for _ in range(2):
        with by_gstreamer(hub.browser, LANE) as viewer:
            until_blocking(lambda: len(viewer.numbers) > 50)
    assert all((b - a) % PICTURES == 1 for a, b in pairwise(viewer.numbers))
    until_blocking(lambda: hub.gone() == ["the viewer left"] * 2)
    until_blocking(lambda: hub.files() <= files)


def test_a_camera_that_is_unplugged_and_back(hub: Hub) -> None:
    files = hub.files()
    with by_gstreamer(hub.browser, LANE) as whep, by_mse(hub.browser, LANE) as mse:
        until_blocking(lambda: len(whep.numbers) > 10 and mse.fragments > 10)
        gone = len(hub.gone())
        hub.unplug()
        until_blocking(lambda: not hub.online())
        seen = len(whep.numbers)
        hub.plug()
        until_blocking(lambda: len(whep.numbers) > seen + 50, 60)
        until_blocking(lambda: mse.told[-1] == "opened" and mse.fragments > 50)
        assert len(hub.gone()) == gone
        assert not mse.closed
    until_blocking(lambda: hub.files() <= files)


def test_a_worker_that_is_killed_and_back(hub: Hub) -> None:
    files = hub.files()
    with by_gstreamer(hub.browser, LANE) as whep, by_mse(hub.browser, LANE) as mse:
        until_blocking(lambda: len(whep.numbers) > 10 and mse.fragments > 10)
        gone = len(hub.gone())
        os.kill(hub.process("ingest").pid, signal.SIGKILL)
        until_blocking(lambda: "paused" in mse.told)
        seen = len(whep.numbers)
        until_blocking(lambda: len(whep.numbers) > seen + 50, 60)
        until_blocking(lambda: mse.told[-1] == "opened" and mse.fragments > 50)
        assert len(hub.gone()) == gone
        assert not mse.closed
    until_blocking(lambda: hub.files() <= files)


def test_a_server_that_is_killed_and_back(hub: Hub) -> None:
    with by_gstreamer(hub.browser, LANE) as whep, by_mse(hub.browser, LANE) as mse:
        until_blocking(lambda: len(whep.numbers) > 10 and mse.fragments > 10)
        os.kill(hub.process("serve").pid, signal.SIGKILL)
        until_blocking(lambda: mse.closed)
    hub.browser.wait_until_up()
    until_blocking(hub.online, 60)
    with by_gstreamer(hub.browser, LANE) as whep, by_mse(hub.browser, LANE) as mse:
        until_blocking(lambda: len(whep.numbers) > 50 and mse.fragments > 50)
