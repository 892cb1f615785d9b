"""The practice cameras on the network: RTSP by aio-rtsp-toolkit, over TCP and UDP, without an end.

The toolkit's server speaks RTSP (RFC 2326) and describes clips; what it lacks for cameras is here:
addresses `/<camera>/<stream>`, 404 for one that is not ready, one looping timeline for all who
watch, and RTP over UDP. A watcher begins at the next keyframe, as with a real camera, and one that
reads too slowly loses whole GOPs.
"""

import asyncio
import struct
import time
import urllib.parse
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import structlog
from aio_rtsp_toolkit import server as toolkit
from aio_rtsp_toolkit.server_session import RtspServerSession

from camera_hub.model import HubError
from camera_hub.simulate.clips import ClipFiles
from camera_hub.simulate.timeline import CLOCK_HZ, Timeline, payloads

log = structlog.get_logger(__name__)

ORIGIN_S = 1.0  # RTP time begins here: FFmpeg takes a time of 0 for none
LATE_S = 2.0  # a watcher this far behind goes on at the next keyframe
BURST = 12  # RTP packets sent over UDP without a pause
PAUSE_S = 0.002
REPORT_S = 5.0
NTP_EPOCH_S = 2208988800


class _Quiet:
    """The toolkit's chatter, as debug lines of ours, never louder: a watcher that goes is no fault."""

    def __getattr__(self, level: str) -> Any:
        return lambda message, *_, **__: log.debug("rtsp", detail=str(message))


class PracticeServer(toolkit.RtspServer):
    """Serves clips that were published as `/<camera>/main` and `/<camera>/sub`."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(str(Path.cwd()), host, port, session_name="practice camera", session_timeout=60)
        self.logger = _Quiet()
        self._timelines: dict[str, Timeline] = {}
        self.sessions: set[PracticeSession] = set()

    def publish(self, camera: str, files: ClipFiles) -> None:
        """From now on the camera answers. Its streams keep time with each other."""
        main, sub = Timeline(files.main), Timeline(files.sub)
        sub.began = main.began
        self._timelines[f"{camera}/main"], self._timelines[f"{camera}/sub"] = main, sub

    def timeline(self, uri: str) -> Timeline:
        """What is asked for; FileNotFoundError makes the toolkit answer 404."""
        name = urllib.parse.urlsplit(uri).path.strip("/")
        if name not in self._timelines:
            raise FileNotFoundError(name)
        return self._timelines[name]

    def resolve_request_path(self, uri: str) -> Path:
        return self.timeline(uri).path

    async def _handle_client(self, sock: Any) -> None:
        session = PracticeSession(self, sock)
        self.sessions.add(session)
        try:
            await session.run()
        except OSError as error:
            log.debug("watcher gone", error=str(error))
        finally:
            self.sessions.discard(session)


class PracticeSession(RtspServerSession):
    """One watcher of one stream."""

    server: PracticeServer
    timeline: Timeline
    _udp: asyncio.DatagramTransport | None = None
    _udp_rtcp: asyncio.DatagramTransport | None = None

    async def _handle_describe(self, uri: str, headers: dict[str, str]) -> None:
        self.timeline = self.server.timeline(uri)
        await super()._handle_describe(uri, headers)

    async def _handle_setup(self, uri: str, headers: dict[str, str]) -> None:
        ports = _client_ports(headers.get("transport", ""))
        state = self.track_states.get(self.server.resolve_track_name(uri))
        if ports is None or self.media_source is None or state is None:
            await super()._handle_setup(uri, headers)
            return
        loop = asyncio.get_running_loop()
        peer, here = self.peername[0], self.sock.getsockname()[0]
        self._close_udp()
        self._udp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=(here, 0), remote_addr=(peer, ports[0])
        )
        self._udp_rtcp, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, local_addr=(here, 0), remote_addr=(peer, ports[1])
        )
        state.rtp_channel, state.rtcp_channel = 0, 1
        self.session_active = True
        ours = [t.get_extra_info("sockname")[1] for t in (self._udp, self._udp_rtcp)]
        transport = f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]};server_port={ours[0]}-{ours[1]}"
        await self._send_response(
            headers, 200, "OK", {"Transport": transport, "Session": self._session_header_value()}
        )

    async def _stream_media(self) -> None:
        """Send the timeline from its next keyframe on, for as long as the watcher stays."""
        state = next(state for state in self.track_states.values() if state.rtp_channel is not None)
        line = self.timeline
        number = first = line.next_keyframe(line.now())
        try:
            while not self.closed:
                await asyncio.sleep(max(0.0, line.when(number) - line.now()))
                stamp = round((line.when(number) - line.when(first) + ORIGIN_S) * CLOCK_HZ) & 0xFFFFFFFF
                await self._send_unit(state, number, stamp)
                number += 1
                if line.now() - line.when(number) > LATE_S:
                    number = line.next_keyframe(line.now())
        except (OSError, RuntimeError) as error:
            log.debug("watcher gone", error=str(error))

    async def _send_unit(self, state: Any, number: int, stamp: int) -> None:
        nalus = self.timeline.nalus(number)
        if self.timeline.keyframe(number):
            sets = state.info.parameter_sets
            nalus = [sets[name] for name in ("sps", "pps") if name in sets] + nalus
        packets = []
        for payload, last in payloads(nalus):
            marker = (0x80 if last else 0) | state.info.payload_type
            packets.append(
                struct.pack("!BBHII", 0x80, marker, state.sequence_number, stamp, state.ssrc) + payload
            )
            state.sequence_number = (state.sequence_number + 1) & 0xFFFF
            state.packet_count += 1
            state.octet_count += len(payload)
        state.last_rtp_timestamp = stamp
        report = self._report(state)
        if self._udp is not None and self._udp_rtcp is not None:
            for i, packet in enumerate(packets):
                self._udp.sendto(packet)
                if i % BURST == BURST - 1:
                    await asyncio.sleep(PAUSE_S)
            if report:
                self._udp_rtcp.sendto(report)
            return
        framed = [struct.pack("!cBH", b"$", state.rtp_channel, len(packet)) + packet for packet in packets]
        if report:
            framed.append(struct.pack("!cBH", b"$", state.rtcp_channel, len(report)) + report)
        async with self.write_lock:
            await self.sock.send(b"".join(framed))

    def _report(self, state: Any) -> bytes:
        """A sender report (RFC 3550, 6.4.1) when one is due, else nothing."""
        now = time.time()
        if state.last_rtcp_send_time is not None and now - state.last_rtcp_send_time < REPORT_S:
            return b""
        state.last_rtcp_send_time = now
        seconds = int(now)
        return struct.pack(
            "!BBHIIIIII",
            0x80,
            200,
            6,
            state.ssrc,
            (seconds + NTP_EPOCH_S) & 0xFFFFFFFF,
            int((now - seconds) * (1 << 32)) & 0xFFFFFFFF,
            state.last_rtp_timestamp,
            state.packet_count & 0xFFFFFFFF,
            state.octet_count & 0xFFFFFFFF,
        )

    def _close_udp(self) -> None:
        for transport in (self._udp, self._udp_rtcp):
            if transport is not None:
                transport.close()
        self._udp = self._udp_rtcp = None

    async def close(self) -> None:
        await super().close()
        self._close_udp()


def _client_ports(transport: str) -> tuple[int, int] | None:
    """The ports that a watcher wants RTP and RTCP at over UDP; None where it does not ask for UDP."""
    if "/tcp" in transport.lower() or "multicast" in transport.lower():
        return None
    for word in transport.split(";"):
        if word.strip().lower().startswith("client_port="):
            first, _, second = word.split("=", 1)[1].partition("-")
            if first.isdigit() and second.isdigit() and 0 < int(first) < 65536 and 0 < int(second) < 65536:
                return int(first), int(second)
    return None


@asynccontextmanager
async def served(host: str, port: int) -> AsyncIterator[PracticeServer]:
    """A server on this port while the context lasts. Raises HubError where the port is taken."""
    server = PracticeServer(host, port)
    try:
        await server.start()
    except OSError as error:
        raise HubError(
            f"the practice cameras cannot be served on port {port} ({error.strerror or error}); "
            "end what uses it, or write another port under practice: in the config"
        ) from None
    try:
        yield server
    finally:
        for session in list(server.sessions):
            with suppress(OSError, RuntimeError):
                await session.close()
        await server.close()
