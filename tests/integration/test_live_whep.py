"""A WebRTC viewer that is no browser gets the camera's own pictures."""

import asyncio

import pytest

from camera_hub.live import path, sender
from camera_hub.live.feed import NotLiveError
from camera_hub.live.whep import WhepSessions
from tests.support.live import Camera, camera, encode, pictures_of
from tests.support.waiting import until
from tests.support.webrtc import LANE, receiver, whep_sessions


@pytest.mark.parametrize(("profile", "slices", "delimiters"), [("baseline", 1, False), ("high", 4, True)])
async def test_the_cameras_own_pictures_arrive(profile: str, slices: int, delimiters: bool) -> None:
    encoded = encode(profile=profile, slices=slices, delimiters=delimiters, fps=25, gop=25)
    sent = pictures_of(encoded)
    async with camera(encoded) as practice, whep_sessions() as sessions, receiver() as viewer:
        _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 60)
        first = sent.index(viewer.pictures[0])
        expected = [sent[(first + number) % len(sent)] for number in range(60)]
        assert viewer.pictures[:60] == expected
        steps = [b - a for a, b in zip(viewer.times, viewer.times[1:], strict=False)]
        assert all(step > 0 for step in steps)


async def test_a_viewer_starts_with_the_whole_cached_group_at_once() -> None:
    encoded = encode(fps=10, gop=100)
    async with (
        camera(encoded) as practice,
        whep_sessions() as sessions,
        practice.hub.channel(*LANE).subscribe(),
        receiver() as viewer,
    ):
        await until(lambda: practice.sent >= 30)
        _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 35)
        assert practice.sent < 100, "it waited for the next keyframe"
        # Three seconds of video took the time that the burst took to send.
        assert viewer.times[25] - viewer.times[0] < 1.0


async def test_one_who_lost_a_picture_gets_the_cached_group_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender, "RESTART_US", 100_000)
    encoded = encode(fps=10, gop=100)
    sent = pictures_of(encoded)
    async with camera(encoded) as practice, whep_sessions() as sessions, receiver() as viewer:
        _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 5)
        before = len(viewer.pictures)
        receiving = viewer.peer.getReceivers()[0]
        (ssrc,) = {source.source for source in receiving.getSynchronizationSources()}
        await receiving._send_rtcp_pli(ssrc)
        await until(lambda: sent[0] in viewer.pictures[before:])
        assert practice.sent < 100
        assert viewer.times == sorted(viewer.times)


async def test_a_kernel_that_cannot_cut_packets_gets_them_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(path, "_UDP_SEGMENT", 29_999)  # no kernel knows it
    encoded = encode(fps=25, gop=25)
    sent = pictures_of(encoded)
    async with camera(encoded) as practice, whep_sessions() as sessions, receiver() as viewer:
        _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 30)
        first = sent.index(viewer.pictures[0])
        assert viewer.pictures[:30] == [sent[(first + number) % len(sent)] for number in range(30)]


async def test_a_stream_that_comes_back_plays_on_in_the_same_session() -> None:
    async with camera(encode()) as practice, whep_sessions() as sessions, receiver() as viewer:
        _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 3)
        await practice.silence()
        practice.hub.site_gone("here", "the site is not connected")
        await asyncio.sleep(0.3)
        seen = len(viewer.pictures)
        await practice.come_back(*LANE)
        await until(lambda: len(viewer.pictures) > seen + 3)
        assert len(sessions) == 1


async def refused(practice: Camera, sessions: WhepSessions) -> str:
    async with receiver() as viewer:
        with pytest.raises(NotLiveError) as refusal:
            await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
    return str(refusal.value)


async def test_b_frames_are_refused_in_words_and_end_a_session_that_began() -> None:
    encoded = encode(profile="main", b_frames=2, fps=25)
    async with camera(encoded) as practice, whep_sessions() as sessions:
        async with receiver() as viewer:
            await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
            await until(lambda: practice.hub.channel(*LANE).reordered)
        assert "B-frames" in await refused(practice, sessions)
    async with camera(encoded) as practice, whep_sessions() as sessions, receiver() as viewer:
        _, answer = await sessions.create(await viewer.offer(), practice.hub.channel(*LANE))
        await viewer.answered(answer)
        await until(lambda: len(sessions) == 0)
