"""Our edge to aiortc and aioice: what we need of them that they have no setting for.

Each function reaches for something that is not promised to stay, so all of it is here, and the tests
`test_live_peer` and `test_live_whep` fail when a new version moves it.
"""

import asyncio
import contextlib
import errno
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import aioice
from aioice import ice
from aioice.candidate import candidate_foundation, candidate_priority
from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCRtpSender, rtp
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]

_LOOPBACK = "127.0.0.1"
_CIPHERS = (  # for DTLS 1.2, so few that a hello fits into one packet
    b"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:"
    b"ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:"
    b"ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA"
)
STUN_S = 1  # for a STUN server to answer, since the viewer waits

SLOTS = 32
SLOT_BYTES = 1504  # so that each begins where libsrtp wants it, at a multiple of 4
_MEMORY = ffi.new("char[]", SLOTS * SLOT_BYTES)
_POINTERS = [_MEMORY + number * SLOT_BYTES for number in range(SLOTS)]
_SIZE = ffi.new("int *")
MEMORY = memoryview(ffi.buffer(_MEMORY))
"""Where RTP packets are put together and encrypted, `SLOTS` of them: one memory for all viewers, who are
served one after the other by one event loop."""


class PortsTakenError(Exception):
    """No port of the range is free."""


def new_peer(stun: Sequence[str] = ()) -> RTCPeerConnection:
    """A connection that asks nobody for its address but these servers: aiortc's default is a public one."""
    servers = [RTCIceServer(urls=list(stun))] if stun else []
    connection: Any = RTCPeerConnection(RTCConfiguration(iceServers=servers))
    for certificate in connection._RTCPeerConnection__certificates:
        _take_rsa(certificate)
    made: RTCPeerConnection = connection
    return made


def _take_rsa(certificate: Any) -> None:
    """Let viewers in whose certificate is RSA, as GStreamer's is; aiortc takes ECDSA alone."""
    create = certificate._create_ssl_context

    def create_ours(srtp_profiles: Any) -> Any:
        context = create(srtp_profiles)
        context.set_cipher_list(_CIPHERS)
        return context

    certificate._create_ssl_context = create_ours


def gather_on(sender: RTCRtpSender, ports: range | None = None) -> None:
    """Have the connection use ports of the range alone, and loopback where the machine has no network up.

    aioice lets the system pick its ports, and leaves 127.0.0.1 out of its addresses; where no other is
    left, it is used. To be called before candidates are gathered, which raises PortsTakenError.
    """
    connection = _ice(sender)
    gather = connection.get_component_candidates

    async def gather_ours(component: int, addresses: list[str], timeout: int = 5) -> list[Any]:  # noqa: ASYNC109
        addresses = addresses or [_LOOPBACK]
        if ports is None:
            found: list[Any] = await gather(component=component, addresses=addresses, timeout=STUN_S)
            return found
        return await _gather_within(connection, component, addresses, ports)

    connection.get_component_candidates = gather_ours


async def _gather_within(connection: Any, component: int, addresses: list[str], ports: range) -> list[Any]:
    """What aioice's own method does, on ports of the range."""
    protocols = [
        protocol
        for address in addresses
        if (protocol := await _bound(connection, address, ports)) is not None
    ]
    if not protocols:
        raise PortsTakenError
    found = []
    for protocol in protocols:
        host, port = protocol.transport.get_extra_info("sockname")[:2]
        protocol.local_candidate = aioice.Candidate(
            foundation=candidate_foundation("host", "udp", host),
            component=component,
            transport="udp",
            priority=candidate_priority(component, "host"),
            host=host,
            port=port,
            type="host",
        )
        found.append(protocol.local_candidate)
    connection._protocols += protocols
    if connection.stun_server is not None:
        asking = [
            asyncio.ensure_future(ice.server_reflexive_candidate(protocol, connection.stun_server))
            for protocol in protocols
            if ":" not in protocol.local_candidate.host
        ]
        done, late = await asyncio.wait(asking, timeout=STUN_S) if asking else (set(), set())
        for task in late:
            task.cancel()
        found += [task.result()[0] for task in done if task.exception() is None]
    return found


async def _bound(connection: Any, address: str, ports: range) -> Any:
    """aioice's end of a socket on a free port of the range; None when there is none."""
    loop = asyncio.get_running_loop()
    first = secrets.randbelow(len(ports))
    for number in range(len(ports)):
        at = (address, ports[(first + number) % len(ports)])
        try:
            _, protocol = await loop.create_datagram_endpoint(
                lambda: ice.StunProtocol(connection), local_addr=at
            )
        except OSError as exc:
            if exc.errno != errno.EADDRINUSE:
                return None  # the address has gone
        else:
            return protocol
    return None


def remote_ufrag(sender: RTCRtpSender) -> str:
    """The viewer's ICE user name fragment."""
    return str(_ice(sender).remote_username or "")


async def add_candidates(sender: RTCRtpSender, candidates: Iterable[str]) -> None:
    """More addresses of the viewer's, as in SDP; those that cannot be read are left out."""
    connection = _ice(sender)
    for text in candidates:
        with contextlib.suppress(ValueError):
            await connection.add_remote_candidate(aioice.Candidate.from_sdp(text))


def restart_ice(sender: RTCRtpSender, ufrag: str, password: str) -> tuple[str, str, list[str]]:
    """Begin ICE anew on the same sockets (RFC 8445, 9): our new ufrag and password, and our candidates.

    The viewer's way of until now stays in use until the viewer, who decides, nominates a new one.
    """
    connection = _ice(sender)
    for pair in connection._check_list:
        if pair.task is not None:
            pair.task.cancel()
    connection._check_list = []
    connection._remote_candidates = []
    connection._remote_candidates_end = False
    connection.remote_username, connection.remote_password = ufrag, password
    connection._local_username, connection._local_password = secrets.token_hex(4), secrets.token_hex(16)
    ours = [candidate.to_sdp() for candidate in connection.local_candidates]
    return connection.local_username, connection.local_password, ours


def _ice(sender: RTCRtpSender) -> Any:
    """aioice's connection."""
    return sender.transport.transport.iceGatherer._connection


class Listener(Protocol):
    """What a viewer tells of what it gets."""

    def reported(self, lost: float) -> None:
        """A receiver report: the share of packets lost since the one before."""

    def packets_lost(self, sequence_numbers: list[int]) -> None:
        """NACK: these did not arrive (modulo 2^16)."""

    def picture_lost(self) -> None:
        """PLI or FIR: it cannot go on without a keyframe."""


class Secured:
    """One viewer's SRTP session and the addresses that ICE found, with what was agreed on for its video."""

    def __init__(self, sender: RTCRtpSender, parameters: RTCRtpSendParameters) -> None:
        edge: Any = sender
        dtls: Any = sender.transport
        session = dtls._tx_srtp
        chosen = parameters.codecs[0].payloadType
        assert chosen is not None
        self.ssrc: int = edge._ssrc
        self.payload_type = chosen
        self.rtx_ssrc: int = edge._rtx_ssrc
        self.rtx_payload_type: int | None = next(
            (
                codec.payloadType
                for codec in parameters.codecs
                if codec.name.lower() == "rtx" and codec.parameters.get("apt") == self.payload_type
            ),
            None,
        )
        self.cname = (parameters.rtcp.cname or "").encode()[:255]
        self._dtls = dtls
        self._nominated: dict[int, Any] = dtls.transport._connection._nominated
        self._session = session
        self._srtp = session._srtp[0]

    def route(self) -> Any:
        """The candidate pair in use, None when there is none (any more). It may change at any time."""
        return self._nominated.get(1)

    def encrypt(self, slot: int, size: int) -> int:
        """Encrypt the RTP packet that lies in a slot of `SLOTS`, in its place; how long it is then.

        The same packet may be encrypted again: for another try to send it. Raises ValueError for what is
        no RTP packet.
        """
        _SIZE[0] = size
        if lib.srtp_protect(self._srtp, _POINTERS[slot], _SIZE) != lib.srtp_err_status_ok:
            raise ValueError("libsrtp did not encrypt a packet")
        return int(_SIZE[0])

    def encrypted_rtcp(self, data: bytes) -> bytes:
        return bytes(self._session.protect_rtcp(data))


def take_over(sender: RTCRtpSender, listener: Listener, secured: Callable[[Secured], None]) -> None:
    """Send in aiortc's place: `secured` is called once, when the viewer is connected.

    aiortc's own sender, which would encode, keep, log and count each packet, does not start.
    """
    edge: Any = sender
    if any(not hasattr(edge, name) for name in ("_ssrc", "_rtx_ssrc", "_handle_rtcp_packet", "send")):
        raise RuntimeError("this version of aiortc sends in another way; see live/peer.py")

    class Recipient:
        _ssrc = edge._ssrc

        async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
            _tell(listener, packet, self._ssrc)

    recipient, begun = Recipient(), False

    async def send(parameters: RTCRtpSendParameters) -> None:
        nonlocal begun
        if not begun:
            begun = True
            edge.transport._register_rtp_sender(recipient, parameters)
            secured(Secured(sender, parameters))

    edge.send = send


def _tell(listener: Listener, packet: AnyRtcpPacket, ssrc: int) -> None:
    match packet:
        case RtcpRrPacket(reports=reports) | RtcpSrPacket(reports=reports):
            for report in reports:
                if report.ssrc == ssrc:
                    listener.reported(report.fraction_lost / 256)
        case RtcpRtpfbPacket(fmt=rtp.RTCP_RTPFB_NACK, lost=lost):
            listener.packets_lost(lost)
        case RtcpPsfbPacket(fmt=rtp.RTCP_PSFB_PLI | rtp.RTCP_PSFB_FIR):
            listener.picture_lost()
