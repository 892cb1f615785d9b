"""What we need of aiortc that it has no setting for still works with the version that is installed."""

import aioice.ice
import pytest

from camera_hub.live import peer
from tests.support.waiting import until


async def gathered(loopback: bool) -> list[str]:
    connection = peer.new_peer()
    try:
        sender = connection.addTransceiver("video", direction="sendonly").sender
        if loopback:
            peer.allow_loopback(sender)
        gatherer = sender.transport.transport.iceGatherer
        await gatherer.gather()
        return [candidate.ip for candidate in gatherer.getLocalCandidates()]
    finally:
        await connection.close()


async def test_a_machine_without_a_network_uses_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: [])
    assert await gathered(loopback=False) == []
    assert await gathered(loopback=True) == ["127.0.0.1"]


async def test_a_machine_with_a_network_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: ["127.0.0.2"])
    assert await gathered(loopback=True) == ["127.0.0.2"]


async def test_no_stranger_is_asked_for_our_address() -> None:
    connection = peer.new_peer()
    try:
        sender = connection.addTransceiver("video", direction="sendonly").sender
        ice = sender.transport.transport.iceGatherer._connection
        assert ice.stun_server is None
        assert ice.turn_server is None
    finally:
        await connection.close()


async def test_picture_loss_reaches_us() -> None:
    from aiortc.rtp import RTCP_PSFB_PLI, RtcpPsfbPacket

    connection = peer.new_peer()
    lost: list[int] = []
    try:
        sender = connection.addTransceiver("video", direction="sendonly").sender
        peer.on_picture_loss(sender, lambda: lost.append(1))
        packet = RtcpPsfbPacket(fmt=RTCP_PSFB_PLI, ssrc=1, media_ssrc=sender._ssrc)
        await sender._handle_rtcp_packet(packet)
        await until(lambda: lost == [1])
    finally:
        await connection.close()
