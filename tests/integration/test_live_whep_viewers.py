"""WebRTC viewers who lose packets, are slow, vanish or never come.

They get what they can, nothing is left of them, and nobody else notices.
"""

import asyncio
import contextlib
import re
from itertools import pairwise

import psutil
import pytest

from camera_hub.live import ladder, limits, whep
from camera_hub.live.feed import NotLiveError
from camera_hub.live.limits import TooManyViewersError
from tests.support.bad_network import bad_network
from tests.support.live import camera, encode, fat, pictures_of
from tests.support.waiting import until
from tests.support.webrtc import LANE, Lossy, receiver, whep_sessions


def without_rtx(offer: str) -> str:
    types = re.findall(r"a=rtpmap:(\d+) rtx/90000\r\n", offer)
    return "".join(
        line
        for line in offer.splitlines(keepends=True)
        if not re.match(rf"a=(rtpmap|fmtp|rtcp-fb):({'|'.join(types)}) ", line)
    )


@pytest.mark.parametrize("rtx", [True, False])
async def test_what_a_viewer_loses_is_sent_again(rtx: bool) -> None:
    """One packet in sixteen is lost; every picture arrives all the same."""
    encoded = encode(fps=25, gop=100)
    sent = pictures_of(encoded)
    async with camera(encoded) as practice, whep_sessions() as sessions, receiver() as viewer:
        offer = await viewer.offer()
        _, answer = await sessions.create(offer if rtx else without_rtx(offer), practice.hub.channel(*LANE))
        assert ("rtx/90000" in answer) == rtx
        await viewer.answered(answer)
        lossy = Lossy(viewer, lambda number: number % 16 == 5)
        await until(lambda: len(viewer.pictures) >= 150)
        first = sent.index(viewer.pictures[0])
        assert viewer.pictures[:150] == [sent[(first + number) % len(sent)] for number in range(150)]
        assert lossy.dropped > 5


async def test_one_who_cannot_keep_up_gets_less_and_then_all_again(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("SETTLE_US", 1_000_000), ("PATIENCE_US", 1_500_000), ("KEPT", 0.5), ("ENOUGH", 1)):
        monkeypatch.setattr(ladder, name, value)
    main = fat(encode(fps=25, gop=25), 6_000)  # 1.3 Mbit/s
    sub = fat(encode(fps=10, gop=10), 3_000)  # 0.3 Mbit/s
    async with (
        bad_network(0.05) as relays,
        camera(main, sub) as practice,
        whep_sessions() as sessions,
        receiver() as viewer,
    ):
        offer = re.sub(r"a=candidate:.*\r\n", "", await viewer.offer())  # so that the only way is the relay
        session, answer = await sessions.create(
            offer,
            practice.hub.channel("here.lane", "main"),
            lesser=lambda: practice.hub.channel("here.lane", "sub"),
        )
        await viewer.answered(await relays.through(answer))
        await until(lambda: len(viewer.pictures) >= 5)
        assert sessions.shown(session) == "main"
        relays.network.kbit_s = 600
        await until(lambda: sessions.shown(session) == "sub", 20)
        relays.network.kbit_s = 60
        await until(lambda: sessions.shown(session) == "sub keyframes", 20)
        relays.network.kbit_s = None
        await until(lambda: sessions.shown(session) == "main", 30)
        viewer.pictures.clear()
        sent = pictures_of(main)
        await until(lambda: any(picture in sent for picture in viewer.pictures))


async def test_one_who_vanishes_or_never_comes_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whep, "CONNECT_S", 0.5)
    async with camera(encode()) as practice, whep_sessions() as sessions:
        async with receiver() as viewer:
            await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
            await until(lambda: len(sessions) == 0)
        async with receiver() as viewer:
            _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
            await viewer.answered(answer)
            await until(lambda: len(viewer.pictures) >= 3)
            await asyncio.sleep(0.6)
            assert len(sessions) == 1
        await until(lambda: len(sessions) == 0)
        await until(lambda: practice.asks[-1][0] == "stop")


async def test_a_hundred_who_never_connect_cost_nobody_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whep, "CONNECT_S", 1.0)
    process = psutil.Process()
    async with (
        camera(encode(fps=25, gop=25)) as practice,
        whep_sessions(max_sessions=200) as sessions,
        receiver() as fine,
    ):
        channel = practice.hub.channel(*LANE)
        _, answer = await sessions.create(await fine.offer(), channel)
        await fine.answered(answer)
        await until(lambda: fine.numbers)
        async with receiver() as nobody:
            offer = re.sub(r"a=candidate:.*\r\n", "", await nobody.offer())
        tasks, files = len(asyncio.all_tasks()), process.num_fds()
        held, most = [], 0
        for _ in range(3):
            for _ in range(100):
                with contextlib.suppress(TooManyViewersError):
                    await sessions.create(offer, channel, "nobody")
                most = max(most, len(sessions))
            held.append(process.memory_info().rss)
            await until(lambda: len(sessions) == 1)
            await until(lambda: len(asyncio.all_tasks()) <= tasks and process.num_fds() <= files)
        print(f"held with a hundred who never connect: {[one // 2**20 for one in held]} MB")
        assert 1 < most <= 1 + limits.PER_USER
        assert held[2] - held[1] < 10 * 2**20
        seen = len(fine.numbers)
        await until(lambda: len(fine.numbers) > seen + 25)
        assert all((b - a) % 100 == 1 for a, b in pairwise(fine.numbers))


async def test_nothing_is_left_when_all_is_closed() -> None:
    before, files = asyncio.all_tasks(), psutil.Process().num_fds()
    async with camera(encode()) as practice, whep_sessions() as sessions, receiver() as viewer:
        session, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE), "lan")
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 3)
        assert not await sessions.delete(session, "another")
        assert await sessions.delete(session, "lan")
        assert not await sessions.delete(session, "lan")
        # Another that is in the middle of connecting when the server stops.
        async with receiver() as late:
            await sessions.create(await late.offer(), practice.hub.channel(*LANE))
            await sessions.close()
        with pytest.raises(NotLiveError):
            await sessions.create("v=0", practice.hub.channel(*LANE))
    await until(lambda: asyncio.all_tasks() <= before)
    await until(lambda: psutil.Process().num_fds() <= files)
