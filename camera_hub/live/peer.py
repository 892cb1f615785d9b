"""Our edge to aiortc and aioice: what we need of them that they have no setting for.

Each function reaches for something that is not promised to stay, so all of it is here, and the tests
`test_live_peer` and `test_live_whep` fail when a new version moves it.
"""

from collections.abc import Callable
from typing import Any, Protocol

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, rtp
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import AnyRtcpPacket, RtcpPsfbPacket, RtcpRrPacket, RtcpRtpfbPacket, RtcpSrPacket
from pylibsrtp._binding import ffi, lib  # type: ignore[import-not-found]

_LOOPBACK = "127.0.0.1"

SLOTS = 32
SLOT_BYTES = 1504  # so that each begins where libsrtp wants it, at a multiple of 4
_MEMORY = ffi.new("char[]", SLOTS * SLOT_BYTES)
_POINTERS = [_MEMORY + number * SLOT_BYTES for number in range(SLOTS)]
_SIZE = ffi.new("int *")
MEMORY = memoryview(ffi.buffer(_MEMORY))
"""Where RTP packets are put together and encrypted, `SLOTS` of them: one memory for all viewers, who are
served one after the other by one event loop."""


def new_peer() -> RTCPeerConnection:
    """A connection that asks no server of anybody's for its address: aiortc's default is a public one."""
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


def allow_loopback(sender: RTCRtpSender) -> None:
    """Have a machine that has no network up still reach its own browser.

    aioice leaves 127.0.0.1 out of its addresses. Where no other is left, it is used. To be called before
    candidates are gathered.
    """
    connection: Any = sender.transport.transport.iceGatherer._connection
    gather = connection.get_component_candidates

    async def gather_or_loopback(component: int, addresses: list[str], timeout: int = 5) -> Any:  # noqa: ASYNC109
        return await gather(component=component, addresses=addresses or [_LOOPBACK], timeout=timeout)

    connection.get_component_candidates = gather_or_loopback


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
