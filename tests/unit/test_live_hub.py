"""A stream is asked for when somebody watches, let go a little after the last has left, and no sooner."""

import asyncio

import msgspec

from camera_hub.live.channel import Opened, Paused
from camera_hub.live.hub import LiveHub
from camera_hub.model import SoundInfo, SoundPacket, StreamName
from tests.support.live import fake_packet, info
from tests.support.waiting import until

LANE: tuple[str, StreamName] = ("khe-coc.lane", "sub")


class Site:
    """Writes down what it is asked for."""

    def __init__(self, linger_s: float = 0.05) -> None:
        self.asks: list[str] = []
        self.slow = asyncio.Event()
        self.slow.set()
        self.hub = LiveHub(self._start, self._stop, linger_s=linger_s, listen=self._listen)

    async def _start(self, camera: str, stream: StreamName) -> None:
        await self.slow.wait()
        self.asks.append(f"start {camera} {stream}")

    async def _stop(self, camera: str, stream: StreamName) -> None:
        await self.slow.wait()
        self.asks.append(f"stop {camera} {stream}")

    async def _listen(self, camera: str, stream: StreamName, on: bool) -> None:
        self.asks.append(f"{'listen to' if on else 'leave'} {camera} {stream}")


async def test_a_stream_flows_only_while_it_is_watched() -> None:
    site = Site()
    assert site.hub.wanted() == set()
    async with site.hub.channel(*LANE).subscribe():
        assert site.hub.wanted() == {LANE}
        await until(lambda: site.asks == ["start khe-coc.lane sub"])
        async with site.hub.channel(*LANE).subscribe():
            pass
        assert len(site.asks) == 1
    await until(lambda: site.asks[1:] == ["stop khe-coc.lane sub"])
    assert site.hub.wanted() == set()


async def test_one_who_comes_back_within_the_linger_time_keeps_the_stream() -> None:
    site = Site(linger_s=30)
    for _ in range(3):
        async with site.hub.channel(*LANE).subscribe():
            await asyncio.sleep(0.01)
    assert site.asks == ["start khe-coc.lane sub"]
    assert site.hub.wanted() == {LANE}
    await site.hub.close()


async def test_asks_for_one_stream_are_made_in_order_though_the_site_is_slow() -> None:
    site = Site(linger_s=0.01)
    site.slow.clear()
    async with site.hub.channel(*LANE).subscribe():
        await asyncio.sleep(0.02)
    await until(lambda: site.hub.wanted() == set())
    async with site.hub.channel(*LANE).subscribe():
        site.slow.set()
        await asyncio.sleep(0.1)
        assert site.asks[-1] == "start khe-coc.lane sub"
    await until(lambda: site.asks[-1] == "stop khe-coc.lane sub")
    assert [ask.split()[0] for ask in site.asks] == ["start", "stop"] * (len(site.asks) // 2)


async def test_a_site_that_fails_to_answer_does_not_break_the_hub() -> None:
    async def fail(camera: str, stream: StreamName) -> None:
        raise OSError("no route")

    hub = LiveHub(fail, fail, linger_s=0.01)
    async with hub.channel(*LANE).subscribe():
        await asyncio.sleep(0.02)
        assert hub.wanted() == {LANE}
    await until(lambda: hub.wanted() == set())


async def test_packets_reach_their_own_channel_alone() -> None:
    site = Site()
    async with (
        site.hub.channel(*LANE).subscribe() as lane,
        site.hub.channel("khe-coc.lane", "main").subscribe() as main,
    ):
        site.hub.opened(*LANE, info())
        site.hub.feed(*LANE, [fake_packet(0, keyframe=True)])
        assert lane.waiting == 2
        assert main.waiting == 0
    site.hub.feed("khe-coc.nobody", "sub", [fake_packet(0, keyframe=True)])
    await site.hub.close()


async def test_a_site_that_goes_pauses_its_own_cameras_and_goes_on_when_it_is_back() -> None:
    site = Site()
    async with (
        site.hub.channel(*LANE).subscribe() as lane,
        site.hub.channel("khe-coc-2.lane", "sub").subscribe() as other,
    ):
        site.hub.site_gone("khe-coc", "the site is not connected")
        assert await anext(lane) == Paused("the site is not connected")
        assert other.waiting == 0
        assert LANE in site.hub.wanted()
        site.hub.opened(*LANE, info())
        assert await anext(lane) == Opened(info())
    await site.hub.close()


async def test_a_channel_that_was_let_go_shows_no_old_picture_to_the_next() -> None:
    site = Site()
    async with site.hub.channel(*LANE).subscribe():
        site.hub.opened(*LANE, info())
        site.hub.feed(*LANE, [fake_packet(0, keyframe=True)])
    await until(lambda: site.hub.wanted() == set())
    async with site.hub.channel(*LANE).subscribe() as viewer:
        assert viewer.waiting == 0
    await site.hub.close()


async def test_a_channel_that_nobody_ever_watched_is_let_go() -> None:
    site = Site()
    first = site.hub.channel(*LANE)
    await until(lambda: site.hub.channel(*LANE) is not first)
    assert site.asks == []
    await site.hub.close()


async def test_closing_sends_viewers_away_and_leaves_nothing() -> None:
    site = Site()
    before = asyncio.all_tasks()
    async with site.hub.channel(*LANE).subscribe() as viewer:
        await site.hub.close()
        assert [item async for item in viewer] == []
        assert viewer.reason == "the server stops"
    assert asyncio.all_tasks() == before


async def test_sound_is_asked_for_while_somebody_listens_and_each_time_the_stream_is_opened() -> None:
    site, heard = Site(linger_s=30), list[tuple[SoundPacket, ...]]()
    about = msgspec.structs.replace(info(), sound=SoundInfo("pcm_alaw", 8000, 1))
    channel = site.hub.channel(*LANE)
    async with channel.subscribe():
        await until(lambda: len(site.asks) == 1)
        channel.listen(heard.append)
        site.hub.feed_sound(*LANE, (SoundPacket(b"a", 1),))
        site.hub.opened(*LANE, info())  # it tells of no sound, as older workers do
        await asyncio.sleep(0.01)
        assert len(site.asks) == 1
        site.hub.opened(*LANE, about)
        site.hub.opened(*LANE, about)
        await until(lambda: site.asks[1:] == ["listen to khe-coc.lane sub"] * 2)
        channel.unlisten(heard.append)
        channel.unlisten(heard.append)
        await until(lambda: site.asks[3:] == ["leave khe-coc.lane sub"])
        site.hub.feed_sound(*LANE, (SoundPacket(b"b", 2),))
        site.hub.opened(*LANE, about)
        await asyncio.sleep(0.01)
    assert len(site.asks) == 4
    assert heard == [(SoundPacket(b"a", 1),)]
    await site.hub.close()
