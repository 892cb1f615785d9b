"""Viewers in networks of their own: a narrow line, a dead one, IPv6, NAT. Nobody else notices.

Loss and delay are in the browser's `test_live_whep`: aiortc asks only once for a packet that it has lost, so
it is no measure of how fast a picture recovers. What goes without namespaces is in `test_live_whep_viewers`.
"""

import contextlib
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import aioice.ice
import psutil
import pytest

from camera_hub.live import ladder
from camera_hub.live.channel import MAX_WAITING_BYTES
from camera_hub.live.whep import WhepSessions
from camera_hub.model import StreamName
from tests.support.coturn import coturn
from tests.support.live import Camera, camera, encode, fat
from tests.support.networks import Network, join, networks
from tests.support.waiting import until
from tests.support.webrtc import Receiver, receiver, whep_sessions

PICTURES = 400  # of the practice streams, before they begin again


@contextlib.asynccontextmanager
async def watching(
    network: Network, practice: Camera, sessions: WhepSessions, stream: StreamName = "sub"
) -> AsyncIterator[tuple[Receiver, str]]:
    """A viewer in a network who has the first picture, and the session."""
    async with receiver() as viewer:
        with network.inside():
            offer = await viewer.offer()
        session, answer = await sessions.create(
            offer,
            practice.hub.channel("here.lane", stream),
            lesser=lambda: practice.hub.channel("here.lane", "sub"),
        )
        await viewer.answered(answer)
        await until(lambda: viewer.numbers)
        yield viewer, session


def missing(numbers: list[int]) -> int:
    """How many pictures are missing between the first and the last that came."""
    return sum((b - a - 1) % PICTURES for a, b in pairwise(numbers))


async def test_a_narrow_line_gets_less_then_all_again_and_another_loses_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in (("SETTLE_US", 1_000_000), ("PATIENCE_US", 1_500_000), ("KEPT", 0.5), ("ENOUGH", 1)):
        monkeypatch.setattr(ladder, name, value)
    main = fat(encode(fps=25, gop=25, frames=PICTURES), 6_000)  # 1.3 Mbit/s
    sub = fat(encode(fps=10, gop=10), 3_000)  # 0.3 Mbit/s
    with networks("server", "good", "slow") as (server, good, slow), server.inside():
        join(server, ("10.9.1.1/24",), good, ("10.9.1.2/24",), "good")
        join(server, ("10.9.2.1/24",), slow, ("10.9.2.2/24",), "slow")
        async with (
            camera(main, sub) as practice,
            whep_sessions() as sessions,
            watching(good, practice, sessions, "main") as (fine, _),
            watching(slow, practice, sessions, "main") as (_, session),
        ):
            sending = sessions._sessions[session].sender
            most = 0

            async def shown(what: str) -> None:
                def come() -> bool:
                    nonlocal most
                    held = {id(one.picture): one.picture.size for one in sending._history}
                    most = max(most, sending._backlog_bytes + sum(held.values()))
                    return sessions.shown(session) == what

                await until(come, 40)

            assert sessions.shown(session) == "main"
            server.sends(600, "slow")
            await shown("sub")
            server.sends(60, "slow")
            await shown("sub keyframes")
            server.sends(None, "slow")
            await shown("main")
            print(f"narrow: {most} bytes held at most, of which most are all viewers'")
            # 1.5 s of the stream to send again, and hardly any queue of its own
            assert most < 2 * 1_300_000 / 8 * 1.5 < MAX_WAITING_BYTES
            assert missing(fine.numbers) == 0


async def test_a_viewer_whose_network_is_gone_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aioice.ice, "CONSENT_INTERVAL", 0.2)
    encoded = encode(fps=25, gop=25, frames=PICTURES)
    with networks("server", "good", "dead") as (server, good, dead), server.inside():
        join(server, ("10.9.1.1/24",), good, ("10.9.1.2/24",), "good")
        join(server, ("10.9.2.1/24",), dead, ("10.9.2.2/24",), "dead")
        async with (
            camera(encoded) as practice,
            whep_sessions() as sessions,
            watching(good, practice, sessions) as (fine, other),
        ):
            files = psutil.Process().num_fds()
            async with watching(dead, practice, sessions) as (_, session):
                dead.cut("dead")
                await until(lambda: sessions.tag(session) is None)
            assert sessions.tag(other) is not None
            await until(lambda: psutil.Process().num_fds() <= files)
            seen = len(fine.numbers)
            await until(lambda: len(fine.numbers) > seen + 25)
            assert missing(fine.numbers) == 0


async def test_a_viewer_over_ipv6() -> None:
    with networks("server", "far") as (server, far), server.inside():
        join(server, ("fd00:9::1/64",), far, ("fd00:9::2/64",), "six")
        async with (
            camera(encode(fps=25, gop=25)) as practice,
            whep_sessions() as sessions,
            watching(far, practice, sessions) as (viewer, _),
        ):
            await until(lambda: len(viewer.numbers) > 20)
            assert viewer.peer.remoteDescription.sdp.count("typ host") == 1
            assert "fd00:9::1" in viewer.peer.remoteDescription.sdp


async def test_a_server_behind_nat_learns_its_address_by_stun_and_is_reached(tmp_path: Path) -> None:
    """As docs/live.md has it: the ports forwarded one for one, and a STUN server named."""
    ports = range(50_000, 50_008)
    with networks("server", "router", "world") as (server, router, world), server.inside():
        join(server, ("10.9.1.2/24",), router, ("10.9.1.1/24",), "home")
        join(router, ("192.0.2.1/24",), world, ("192.0.2.10/24",), "world")
        server.run("ip", "route", "add", "default", "via", "10.9.1.1")
        router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        nat = ("iptables", "-t", "nat", "-A")
        router.run(*nat, "POSTROUTING", "-o", "world", "-j", "MASQUERADE")
        forwarded = f"PREROUTING -i world -p udp --dport {ports[0]}:{ports[-1]} -j DNAT --to-destination"
        router.run(*nat, *forwarded.split(), "10.9.1.2")
        async with contextlib.AsyncExitStack() as stack:
            with world.inside():
                port = await stack.enter_async_context(coturn(tmp_path, "192.0.2.10"))
            practice = await stack.enter_async_context(camera(encode(fps=25, gop=25)))
            sessions = WhepSessions(ports=ports, stun=(f"stun:192.0.2.10:{port}",))
            stack.push_async_callback(sessions.close)
            viewer, _ = await stack.enter_async_context(watching(world, practice, sessions))
            await until(lambda: len(viewer.numbers) > 20)
            assert "192.0.2.1" in viewer.peer.remoteDescription.sdp
