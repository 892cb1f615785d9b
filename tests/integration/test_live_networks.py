"""Viewers in networks of their own: loss and delay, a narrow line, a dead one, IPv6, NAT; and nobody else notices.

How late one viewer is, another tells, by the numbers in the pictures: no clock of this machine's load. The
same without namespaces, as far as that goes: `test_live_whep_viewers`, and `bad_network` in the browser.
"""

import contextlib
import re
from collections.abc import AsyncIterator
from itertools import pairwise

from camera_hub.live.whep import WhepSessions
from camera_hub.model import StreamName
from tests.support.bad_network import bad_network
from tests.support.live import Camera, camera, encode
from tests.support.networks import Network, join, networks
from tests.support.waiting import until
from tests.support.webrtc import Receiver, receiver, whep_sessions

PICTURES = 400  # of the practice streams, before they begin again
TWO_SECONDS = 50  # pictures


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


async def test_who_loses_packets_goes_on_within_2_s_and_another_loses_nothing() -> None:
    """5 % lost each way, 200 ms there and back, and once nothing comes through at all."""
    encoded = encode(fps=25, gop=100, frames=PICTURES)
    with networks("server", "good", "bad") as (server, good, bad), server.inside():
        join(server, ("10.9.1.1/24",), good, ("10.9.1.2/24",), "good")
        join(server, ("10.9.2.1/24",), bad, ("10.9.2.2/24",), "bad")
        async with (
            bad_network(0.1, host="10.9.2.1") as relays,
            camera(encoded) as practice,
            whep_sessions() as sessions,
            watching(good, practice, sessions) as (fine, _),
            receiver() as poor,
        ):
            with bad.inside():
                offer = await poor.offer()
            offer = re.sub(r"a=candidate:.*\r\n", "", offer)  # so that the only way is the relay
            _, answer = await sessions.create(offer, practice.hub.channel("here.lane", "sub"))
            await poor.answered(await relays.through(answer))
            await until(lambda: len(poor.numbers) > 20)
            behind: list[int] = []
            stood: list[int] = []
            last = len(fine.numbers)

            def heard(number: int) -> None:
                nonlocal last
                behind.append((fine.numbers[-1] - number) % PICTURES)
                stood.append(len(fine.numbers) - last)
                last = len(fine.numbers)

            poor.heard = heard
            bad.loses(0.05)
            server.loses(0.05, "-i", "bad")
            await until(lambda: len(stood) > 150)
            print(f"loss: stood for {max(stood)} pictures at most, {max(behind)} behind, {bad.lost()} lost")
            assert bad.lost() > 5
            assert max(stood) < TWO_SECONDS
            bad.loses(1)
            await until(lambda seen=len(fine.numbers): len(fine.numbers) > seen + 25)
            bad.loses(0.05)
            back, seen = len(fine.numbers), len(poor.numbers)
            await until(lambda: len(poor.numbers) > seen)
            print(f"outage: a picture after {len(fine.numbers) - back} pictures")
            assert len(fine.numbers) - back < TWO_SECONDS
            assert missing(fine.numbers) == 0
