"""Light MSE viewers: WebSocket clients that count what comes and decode nothing."""

import asyncio
import base64
import secrets
import time
from typing import cast

from camera_hub.mp4.boxes import NTP_EPOCH_S
from camera_hub.server.rights import COOKIE

_LEAST_BYTES = 40  # a frame's header and its `prft`; each frame of ours is longer


class Counts:
    """What viewers got, all together."""

    def __init__(self) -> None:
        self.bytes = 0
        self.pictures = 0
        self.cut_off = 0  # connections that ended
        self.delays: list[float] = []  # s, from the worker to here, by the time that each fragment carries


class LightViewer(asyncio.Protocol):
    """One who watches, from `watch` on."""

    def __init__(self, counts: Counts, ask: bytes) -> None:
        self.pictured = asyncio.Event()  # the first picture is there, whole
        self.pictured_at = 0.0  # monotonic, s
        self.refusal = ""
        self._counts = counts
        self._ask = ask
        self._transport: asyncio.Transport | None = None
        self._open = False
        self._rest = b""  # the beginning of a frame
        self._left = 0  # of the frame that is being read, behind its beginning
        self._is_picture = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._ask)

    def data_received(self, data: bytes) -> None:
        self._counts.bytes += len(data)
        data, self._rest = self._rest + data, b""
        if not self._open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._open = head.startswith(b"HTTP/1.1 101")
            if not self._open:
                self.refusal = head.decode(errors="replace")
                self.leave()
                return
        while data:
            if self._left:
                left = max(0, self._left - len(data))
                data, self._left = data[self._left :], left
                if left:
                    return
                self._complete()
            elif len(data) < _LEAST_BYTES:
                self._rest = data
                return
            else:
                self._begin(data)

    def _begin(self, data: bytes) -> None:
        size, start = data[1], 2
        if size == 126:
            size, start = int.from_bytes(data[2:4]), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10]), 10
        self._left = start + size
        self._is_picture = data[start + 4 : start + 8] == b"prft"
        if self._is_picture:
            taken = int.from_bytes(data[start + 16 : start + 24]) / 2**32 - NTP_EPOCH_S
            self._counts.pictures += 1
            self._counts.delays.append(time.time() - taken)

    def _complete(self) -> None:
        if self._is_picture and not self.pictured_at:
            self.pictured_at = time.monotonic()
            self.pictured.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self._counts.cut_off += 1

    def pause(self) -> None:
        """Read nothing more."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def leave(self) -> None:
        if self._transport is not None:
            self._transport.abort()


async def watch(counts: Counts, port: int, token: str, camera: str, stream: str) -> LightViewer:
    """A viewer who has asked."""
    key = base64.b64encode(secrets.token_bytes(16)).decode()
    ask = (
        f"GET /api/cameras/{camera}/live.ws?stream={stream} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        f"Sec-WebSocket-Version: 13\r\nCookie: {COOKIE}={token}\r\n\r\n"
    )
    viewer = LightViewer(counts, ask.encode())
    await asyncio.get_running_loop().create_connection(lambda: viewer, "127.0.0.1", port)
    return viewer
