"""Viewers of a whole hub that are no browsers, each with a thread of its own: by WHEP and by MSE."""

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.support import needs
from tests.support.hub import Browserless
from tests.support.live import number_of


class GstreamerViewer:
    """The numbers of the pictures that webrtcbin was sent and FFmpeg decoded."""

    def __init__(self, address: str, token: str) -> None:
        self.numbers: list[int] = []
        script = Path(__file__).with_name("whep_viewer.py")
        self.process = subprocess.Popen(
            [needs.gstreamer_webrtc(), script, address, token],
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
        )
        self._thread = threading.Thread(target=self._decode)
        self._thread.start()

    def _decode(self) -> None:
        codec = av.CodecContext.create("h264", "r")
        assert isinstance(codec, av.VideoCodecContext)
        codec.thread_count = 1
        assert self.process.stdout is not None
        while data := self.process.stdout.read1(65536):  # type: ignore[attr-defined]
            for packet in codec.parse(data):
                self.numbers += map(number_of, codec.decode(packet))

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        self._thread.join(10)


class MseViewer:
    """What it was told, in order, and how many fragments came since it was told last."""

    def __init__(self, socket: ClientConnection) -> None:
        self.told: list[str] = []
        self.fragments = 0
        self.closed = False
        self._socket = socket
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for message in self._socket:
                if isinstance(message, str):
                    said: dict[str, Any] = json.loads(message)
                    self.told.append(said["type"])
                    self.fragments = 0
                else:
                    self.fragments += 1
        self.closed = True

    def close(self) -> None:
        self._socket.close()
        self._thread.join(10)


@contextlib.contextmanager
def by_gstreamer(browser: Browserless, camera: str) -> Iterator[GstreamerViewer]:
    viewer = GstreamerViewer(f"{browser.url}/api/cameras/{camera}/whep?stream=main", token(browser))
    try:
        yield viewer
    finally:
        viewer.close()


@contextlib.contextmanager
def by_mse(browser: Browserless, camera: str) -> Iterator[MseViewer]:
    address = f"{browser.url}/api/cameras/{camera}/live.ws?stream=main".replace("http", "ws", 1)
    headers = {"Authorization": f"Bearer {token(browser)}"}
    with connect(address, max_size=None, additional_headers=headers) as socket:
        viewer = MseViewer(socket)
        try:
            yield viewer
        finally:
            viewer.close()


def token(browser: Browserless) -> str:
    """The session's, for programs."""
    (value,) = browser.http.cookies.jar
    assert value.value is not None
    return value.value
