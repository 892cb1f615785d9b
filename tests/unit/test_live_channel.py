"""One stream, many viewers: each starts at a keyframe, none delays another, what waits is bounded."""

import asyncio

import pytest

from camera_hub.annexb import START_CODE
from camera_hub.live import channel as channels
from camera_hub.live import gop
from camera_hub.live.channel import LiveChannel, LiveItem, Opened, Paused, Viewer
from camera_hub.live.offer import h264_profile
from camera_hub.model import Packet
from tests.support.clocks import HandClock
from tests.support.live import fake_packet, info


async def take(viewer: Viewer, count: int) -> list[LiveItem]:
    return [await asyncio.wait_for(anext(viewer), 5) for _ in range(count)]


def numbers(items: list[LiveItem]) -> list[int]:
    return [item.pts_us // 100_000 for item in items if isinstance(item, Packet)]


def opened_channel(clock: HandClock | None = None) -> LiveChannel:
    channel = LiveChannel("here.lane", "sub", clock=clock or HandClock())
    channel.opened(info())
    return channel


async def test_a_viewer_starts_from_the_cached_group() -> None:
    channel = opened_channel()
    channel.feed(fake_packet(number, keyframe=number in (0, 3)) for number in range(6))
    async with channel.subscribe() as viewer:
        items = await take(viewer, 4)
        assert items[0] == Opened(info())
        assert numbers(items) == [3, 4, 5]
        channel.feed([fake_packet(6)])
        assert numbers(await take(viewer, 1)) == [6]


async def test_a_viewer_without_a_cached_group_waits_for_the_next_keyframe() -> None:
    channel = opened_channel()
    async with channel.subscribe() as viewer:
        channel.feed([fake_packet(1), fake_packet(2, keyframe=True), fake_packet(3)])
        assert numbers(await take(viewer, 3)) == [2, 3]


async def test_the_same_packet_goes_to_all_without_a_copy() -> None:
    channel = opened_channel()
    async with channel.subscribe() as one, channel.subscribe() as other:
        channel.feed([fake_packet(0, keyframe=True)])
        assert (await take(one, 2))[1] is (await take(other, 2))[1]


async def test_a_slow_viewer_loses_its_own_oldest_and_nobody_elses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "SLOW_PACKETS", 20)
    channel = opened_channel()
    async with channel.subscribe() as slow, channel.subscribe() as quick:
        seen: list[int] = []
        for number in range(100):
            channel.feed([fake_packet(number, keyframe=number % 5 == 0)])
            seen += numbers(await take(quick, 1 if number else 2))
            assert slow.waiting <= 25
        assert seen == list(range(100))
        assert quick.dropped == 0
        left = numbers(await take(slow, slow.waiting))
        assert left[0] % 5 == 0
        assert left == list(range(left[0], 100))
        assert slow.skips > 0
        assert slow.dropped == 100 - len(left)


async def test_a_slow_viewer_of_a_long_group_waits_for_the_next_keyframe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(channels, "MAX_WAITING_PACKETS", 20)
    channel = opened_channel()
    async with channel.subscribe() as slow:
        channel.feed(fake_packet(number, keyframe=number in (0, 30)) for number in range(33))
        assert numbers(await take(slow, slow.waiting)) == [30, 31, 32]


async def test_a_long_cached_group_reaches_a_new_viewer_whole() -> None:
    channel = opened_channel()
    channel.feed(fake_packet(number, keyframe=number == 0) for number in range(gop.MAX_PACKETS))
    async with channel.subscribe() as viewer:
        assert viewer.waiting == 1 + gop.MAX_PACKETS
        channel.feed(fake_packet(gop.MAX_PACKETS + number) for number in range(100))
        assert viewer.dropped == 0


async def test_what_waits_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "MAX_WAITING_BYTES", 10_000)
    channel = opened_channel()
    async with channel.subscribe() as slow:
        channel.feed(fake_packet(number, keyframe=number == 0, size=1000) for number in range(50))
        assert slow.waiting <= 11
        assert slow.dropped > 0


async def test_viewers_are_told_when_the_site_goes_and_go_on_when_it_is_back() -> None:
    channel = opened_channel()
    channel.feed([fake_packet(0, keyframe=True)])
    async with channel.subscribe() as viewer:
        await take(viewer, 2)
        channel.pause("the site is not connected")
        channel.feed([fake_packet(1)])  # of the past
        channel.opened(info(fps=5))
        channel.feed([fake_packet(2), fake_packet(3, keyframe=True)])
        items = await take(viewer, 2)
        assert items[0] == Opened(info(fps=5))
        assert numbers(items) == [3]


async def test_one_who_comes_while_the_site_is_away_is_told_so() -> None:
    channel = opened_channel()
    channel.feed([fake_packet(0, keyframe=True)])
    channel.pause("the site is not connected")
    async with channel.subscribe() as viewer:
        assert await take(viewer, 1) == [Paused("the site is not connected")]
        assert viewer.waiting == 0


async def test_a_site_that_flaps_fills_no_memory() -> None:
    channel = opened_channel()
    async with channel.subscribe() as viewer:
        for _ in range(1000):
            channel.pause("away")
            channel.opened(info())
        assert viewer.waiting == 1


async def test_an_old_picture_is_not_shown_as_if_it_were_live() -> None:
    clock = HandClock()
    channel = opened_channel(clock)
    channel.feed([fake_packet(0, keyframe=True)])
    clock.now_us += channels.STALE_US + 1
    async with channel.subscribe() as viewer:
        assert viewer.waiting == 1
        channel.feed([fake_packet(1), fake_packet(2, keyframe=True)])
        assert numbers(await take(viewer, 2)) == [2]


async def test_restart_begins_again_at_the_newest_keyframe() -> None:
    channel = opened_channel()
    channel.feed(fake_packet(number, keyframe=number == 0) for number in range(3))
    async with channel.subscribe() as viewer:
        assert numbers(await take(viewer, 4)) == [0, 1, 2]
        viewer.restart()
        assert numbers(await take(viewer, 3)) == [0, 1, 2]


async def test_the_end_is_told_with_its_reason_after_what_waits() -> None:
    channel = opened_channel()
    channel.feed([fake_packet(0, keyframe=True)])
    async with channel.subscribe() as viewer:
        channel.end("the server stops")
        items = [item async for item in viewer]
        assert len(items) == 2
        assert viewer.reason == "the server stops"


async def test_leaving_ends_the_iteration_and_the_count() -> None:
    changes: list[int] = []
    channel = LiveChannel("here.lane", "sub", changed=lambda one: changes.append(one.viewers))
    async with channel.subscribe() as viewer:
        waiting = asyncio.create_task(anext(viewer, None))
        await asyncio.sleep(0)
        viewer.leave()
        assert await asyncio.wait_for(waiting, 5) is None
    assert changes == [1, 0]


async def test_keyframes_get_the_parameter_sets_of_the_stream() -> None:
    channel = LiveChannel("here.lane", "sub")
    sets = START_CODE + b"\x67\x64\x00\x28\xac" + START_CODE + b"\x68\xee"
    channel.opened(info(extradata=sets))
    bare = Packet(data=START_CODE + b"\x65\x11", pts_us=0, dts_us=0, wall_us=0, keyframe=True)
    channel.feed([bare])
    async with channel.subscribe() as viewer:
        _, packet = await take(viewer, 2)
        assert isinstance(packet, Packet)
        assert packet.data == sets + bare.data
        assert h264_profile(packet.data) == b"\x64\x00\x28"


async def test_b_frames_are_recognised() -> None:
    channel = opened_channel()
    channel.feed(fake_packet(number, keyframe=number == 0) for number in (0, 3, 1, 2, 6, 4, 5))
    assert channel.reordered


async def test_a_clock_that_jumps_is_not_taken_for_b_frames() -> None:
    channel = opened_channel()
    channel.feed(fake_packet(number, keyframe=True) for number in (100, 101, 0, 1, 2, 100, 0, 1))
    assert not channel.reordered
