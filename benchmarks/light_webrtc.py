"""Light WebRTC viewers: ICE and DTLS by aiortc; what comes as RTP is counted, and nothing is decoded."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from aiortc import RTCCertificate, RTCDtlsTransport, RTCIceGatherer, RTCIceTransport
from aiortc.rtp import RtcpReceiverInfo, RtcpRrPacket
from aiortc.sdp import SessionDescription, candidate_to_sdp

from camera_hub.server.rights import COOKIE

CONNECT_S = 20.0

_CODEC = """a=rtpmap:{pt} H264/90000
a=fmtp:{pt} level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f
a=rtcp-fb:{pt} nack
a=rtcp-fb:{pt} nack pli
"""


class LightViewer:
    """One who watches. To be closed."""

    def __init__(self, certificate: RTCCertificate) -> None:
        self.packets = 0
        self.bytes = 0
        self.reached = asyncio.Event()  # the first packet is there
        self.pictured = asyncio.Event()  # the first picture is there, whole
        self.pictured_at = 0.0  # monotonic, s
        self.location = ""  # of its session
        self._first: int | None = None
        self._newest = 0
        self._ssrc = 0
        self._gatherer = RTCIceGatherer(iceServers=[])
        self._ice = RTCIceTransport(self._gatherer)
        self._dtls = RTCDtlsTransport(self._ice, [certificate])

    @property
    def lost(self) -> int:
        return 0 if self._first is None else self._newest - self._first + 1 - self.packets

    async def offer(self) -> str:
        # Before the server's first check, or the two would argue about who decides.
        self._ice._connection.ice_controlling = True
        return await self._description("actpass", "96", "0")

    async def answered(self, sdp: str) -> None:
        self._dtls._set_role("server")
        await self._connect(sdp)

    async def answer(self, offer: str) -> tuple[str, Callable[[], Awaitable[None]]]:
        """The answer to an offer, and what connects when it has been handed over."""
        media = SessionDescription.parse(offer).media[0]
        pt = next(str(codec.payloadType) for codec in media.rtp.codecs if codec.name == "H264")
        sdp = await self._description("active", pt, media.rtp.muxId)
        self._dtls._set_role("client")
        return sdp, lambda: self._connect(offer)

    async def _description(self, setup: str, pt: str, mid: str) -> str:
        await self._gatherer.gather()
        ours = self._gatherer.getLocalParameters()
        prints = self._dtls.getLocalParameters().fingerprints
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 0.0.0.0",
            "s=-",
            "t=0 0",
            f"a=group:BUNDLE {mid}",
            f"m=video 9 UDP/TLS/RTP/SAVPF {pt}",
            "c=IN IP4 0.0.0.0",
            "a=recvonly",
            f"a=mid:{mid}",
            "a=rtcp-mux",
            *_CODEC.format(pt=pt).splitlines(),
            f"a=ice-ufrag:{ours.usernameFragment}",
            f"a=ice-pwd:{ours.password}",
            *(f"a=fingerprint:{one.algorithm} {one.value}" for one in prints if one.algorithm == "sha-256"),
            f"a=setup:{setup}",
            *(f"a=candidate:{candidate_to_sdp(one)}" for one in self._gatherer.getLocalCandidates()),
            "a=end-of-candidates",
        ]
        return "\r\n".join(lines) + "\r\n"

    async def _connect(self, sdp: str) -> None:
        media = SessionDescription.parse(sdp).media[0]
        assert media.ice is not None
        assert media.dtls is not None
        for candidate in media.ice_candidates:
            await self._ice.addRemoteCandidate(candidate)
        await self._ice.addRemoteCandidate(None)
        await self._ice.start(media.ice)
        await self._dtls.start(media.dtls)
        if self._dtls.state != "connected":
            raise RuntimeError(f"a viewer did not connect: ICE {self._ice.state}, DTLS {self._dtls.state}")
        for protocol in self._ice._connection._protocols:
            self._count(protocol)

    def _count(self, protocol: Any) -> None:
        """Take RTP out before aiortc sees it."""
        otherwise = protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            if data[0] < 128 or 64 <= data[1] & 0x7F < 96:  # STUN and DTLS; RTCP
                otherwise(data, address)
                return
            self.packets += 1
            self.bytes += len(data)
            number = data[2] << 8 | data[3]
            if self._first is None:
                self._first = self._newest = number
                self.reached.set()
                self._ssrc = int.from_bytes(data[8:12], "big")
            else:
                ahead = (number - self._newest) & 0xFFFF
                self._newest += ahead if ahead < 0x8000 else 0
            if data[1] & 0x80 and not self.pictured_at and not self.lost:
                self.pictured_at = time.monotonic()
                self.pictured.set()

        protocol.datagram_received = received

    async def report(self) -> None:
        """A receiver report that has nothing to complain about."""
        info = RtcpReceiverInfo(self._ssrc, 0, 0, self._newest & 0xFFFFFFFF, 0, 0, 0)
        await self._dtls._send_rtp(bytes(RtcpRrPacket(ssrc=1, reports=[info])))

    async def vanish(self) -> None:
        """Go without a word."""
        await self._ice.stop()

    async def close(self) -> None:
        await self._dtls.stop()
        await self._ice.stop()


class Whep:
    """Viewers of Camera Hub. To be closed."""

    def __init__(self, url: str, token: str) -> None:
        self._url = url
        self._http = httpx.AsyncClient(timeout=CONNECT_S, headers={"Cookie": f"{COOKIE}={token}"})

    async def begin(self) -> None:
        """Nothing is to be done before."""

    async def watch(self, viewer: LightViewer, camera: str, stream: str) -> None:
        offer = await viewer.offer()
        path = f"{self._url}/api/cameras/{camera}/whep?stream={stream}"
        headers = {"Content-Type": "application/sdp"}
        answer = await self._http.post(path, content=offer, headers=headers)
        if answer.status_code != 201:
            raise RuntimeError(answer.text)
        viewer.location = answer.headers["Location"]
        await viewer.answered(answer.text)

    async def leave(self, viewer: LightViewer) -> None:
        await self._http.delete(self._url + viewer.location)

    async def close(self) -> None:
        await self._http.aclose()


class Janus:
    """Viewers of a mountpoint of Janus' streaming plugin, by its HTTP API. To be closed."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/janus"
        self._http = httpx.AsyncClient(timeout=60)
        self._offers: dict[int, asyncio.Future[str]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def _ask(self, path: str, janus: str, **more: Any) -> dict[str, Any]:
        body = {"janus": janus, "transaction": secrets.token_hex(6), **more}
        answer: dict[str, Any] = (await self._http.post(self._url + path, json=body)).json()
        if answer["janus"] == "error":
            raise RuntimeError(str(answer))
        return answer

    async def begin(self) -> None:
        self._session = f"/{(await self._ask('', 'create'))['data']['id']}"
        self._polling = asyncio.create_task(self._poll())

    async def _poll(self) -> None:
        while True:  # it answers after 30 s at the latest
            events = (await self._http.get(f"{self._url}{self._session}", params={"maxev": 20})).json()
            for event in events if isinstance(events, list) else [events]:
                waiting = self._offers.get(event.get("sender", 0))
                if waiting is not None and "jsep" in event:
                    waiting.set_result(event["jsep"]["sdp"])

    async def watch(self, viewer: LightViewer, mountpoint: int) -> None:
        attached = await self._ask(self._session, "attach", plugin="janus.plugin.streaming")
        handle = attached["data"]["id"]
        path = f"{self._session}/{handle}"
        offered = self._offers[handle] = asyncio.get_running_loop().create_future()
        await self._ask(path, "message", body={"request": "watch", "id": mountpoint})
        answer, connect = await viewer.answer(await offered)
        await self._ask(path, "message", body={"request": "start"}, jsep={"type": "answer", "sdp": answer})
        await connect()

    async def close(self) -> None:
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        await self._http.aclose()
