"""A WebRTC viewer that is no browser, and a server for it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import av
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError

from camera_hub.live.limits import Limits
from camera_hub.live.whep import WhepSessions
from camera_hub.model import StreamName
from tests.support.live import brightness, number_of

LANE: tuple[str, StreamName] = ("here.lane", "sub")


class Receiver:
    """aiortc at the viewer's end: its pictures as fingerprints and numbers, their RTP times in seconds."""

    def __init__(self) -> None:
        self.pictures: list[list[int]] = []
        self.numbers: list[int] = []
        self.times: list[float] = []
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.on("track", self._track)
        self._task: asyncio.Task[None] | None = None

    def _track(self, track: MediaStreamTrack) -> None:
        self._task = asyncio.create_task(self._receive(track))

    async def _receive(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                assert frame.pts is not None
                self.times.append(frame.pts / 90_000)
                self.pictures.append(brightness(frame))
                self.numbers.append(number_of(frame))

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def answered(self, sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))

    async def close(self) -> None:
        await self.peer.close()
        if self._task is not None:
            await self._task


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        await made.close()


@contextlib.asynccontextmanager
async def whep_sessions(
    max_sessions: int = 8, ready_s: float = 6.0, ports: range | None = None
) -> AsyncIterator[WhepSessions]:
    made = WhepSessions(Limits(max_sessions), ready_s=ready_s, ports=ports)
    try:
        yield made
    finally:
        await made.close()


class Lossy:
    """Drops some of the RTP that comes to a receiver, before it sees it."""

    def __init__(self, viewer: Receiver, drops: Callable[[int], bool]) -> None:
        self.dropped = 0
        self._drops = drops
        self._ssrc: bytes | None = None
        self._count = 0
        ice: Any = viewer.peer.getTransceivers()[0].receiver.transport.transport
        for protocol in ice._connection._protocols:
            protocol.datagram_received = self._through(protocol.datagram_received)

    def _through(self, received: Callable[[bytes, Any], None]) -> Callable[[bytes, Any], None]:
        def through(data: bytes, address: Any) -> None:
            media = 128 <= data[0] < 192 and not 64 <= data[1] & 0x7F < 96
            if media:
                self._ssrc = self._ssrc or data[8:12]  # what is sent again by RTX has another
            if media and data[8:12] == self._ssrc:
                self._count += 1
                if self._drops(self._count):
                    self.dropped += 1
                    return
            received(data, address)

        return through
