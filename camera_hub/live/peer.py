"""Our edge to aiortc and aioice: what we need of them that they have no setting for.

Each function reaches for something that is not promised to stay, so all of it is here, and the tests
`test_live_peer` and `test_live_whep` fail when a new version moves it.
"""

from collections.abc import Callable
from typing import Any

from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender

_LOOPBACK = "127.0.0.1"


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


def on_picture_loss(sender: RTCRtpSender, call: Callable[[], None]) -> None:
    """Call when the viewer asks for a whole picture (RTCP PLI or FIR).

    aiortc would tell its encoder; there is none here.
    """
    edge: Any = sender
    if not hasattr(edge, "_send_keyframe"):
        raise RuntimeError("this version of aiortc handles picture loss in another way; see live/peer.py")
    edge._send_keyframe = call
