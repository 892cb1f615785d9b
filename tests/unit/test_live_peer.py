"""What we need of aiortc that it has no setting for still works with the version that is installed."""

import aioice.ice
import pytest
from aiortc.rtp import (
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
)

from camera_hub.live import peer
from tests.support.waiting import until


async def gathered(ours: bool) -> list[str]:
    connection = peer.new_peer()
    try:
        sender = connection.addTransceiver("video", direction="sendonly").sender
        if ours:
            peer.gather_on(sender)
        gatherer = sender.transport.transport.iceGatherer
        await gatherer.gather()
        return [candidate.ip for candidate in gatherer.getLocalCandidates()]
    finally:
        await connection.close()


async def test_a_machine_without_a_network_uses_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: [])
    assert await gathered(ours=False) == []
    assert await gathered(ours=True) == ["127.0.0.1"]


async def test_a_machine_with_a_network_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.2"])
    assert await gathered(ours=True) == ["127.0.0.2"]


async def test_no_stranger_is_asked_for_our_address() -> None:
    connection = peer.new_peer()
    try:
        sender = connection.addTransceiver("video", direction="sendonly").sender
        ice = sender.transport.transport.iceGatherer._connection
        assert ice.stun_server is None
        assert ice.turn_server is None
    finally:
        await connection.close()


class Heard:
    """What a viewer told."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def reported(self, lost: float) -> None:
        self.told.append(lost)

    def packets_lost(self, sequence_numbers: list[int]) -> None:
        self.told.append(sequence_numbers)

    def picture_lost(self) -> None:
        self.told.append("picture")


async def test_what_a_viewer_tells_reaches_us_and_aiortc_sends_nothing_itself() -> None:
    offering, answering = peer.new_peer(), peer.new_peer()
    heard: Heard = Heard()
    ways: list[peer.Secured] = []
    try:
        offering.addTransceiver("video", direction="recvonly")
        sender = answering.addTransceiver("video", direction="sendonly").sender
        peer.take_over(sender, heard, ways.append)
        await offering.setLocalDescription(await offering.createOffer())
        await answering.setRemoteDescription(offering.localDescription)
        await answering.setLocalDescription(await answering.createAnswer())
        await offering.setRemoteDescription(answering.localDescription)
        await until(lambda: ways)
        (way,) = ways
        assert way.route() is not None
        assert way.payload_type in range(96, 128)
        assert way.rtx_payload_type in range(96, 128)
        assert f"a=ssrc-group:FID {way.ssrc} {way.rtx_ssrc}" in answering.localDescription.sdp

        info = RtcpReceiverInfo(way.ssrc, 64, 9, 9, 0, 0, 0)
        others = RtcpReceiverInfo(way.ssrc ^ 1, 255, 9, 9, 0, 0, 0)
        dtls = offering.getTransceivers()[0].receiver.transport
        for packet in (
            RtcpRrPacket(ssrc=1, reports=[others, info]),
            RtcpRtpfbPacket(fmt=RTCP_RTPFB_NACK, ssrc=1, media_ssrc=way.ssrc, lost=[5, 6, 9]),
            RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=way.ssrc),
        ):
            await dtls._send_rtp(bytes(packet))
        await until(lambda: len(heard.told) >= 3)
        assert heard.told == [0.25, [5, 6, 9], "picture"]
        assert vars(sender)["_RTCRtpSender__rtp_task"] is None
    finally:
        await offering.close()
        await answering.close()
