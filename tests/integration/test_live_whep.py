"""A WebRTC viewer that is no browser gets the camera's own pictures, and is let go without a trace."""

import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace
from typing import Any

import av
import httpx
import psutil
import pytest
from aiortc import MediaStreamTrack, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from fastapi import Depends, FastAPI, Header

from camera_hub.live import ladder, path, sender, whep
from camera_hub.live.feed import CannotCarryError, NotLiveError
from camera_hub.live.hub import LiveHub
from camera_hub.live.ice import IceServers
from camera_hub.live.limits import Limits, TooManyViewersError
from camera_hub.live.offer import OfferError
from camera_hub.live.whep import WhepSessions
from camera_hub.model import NotLive, StreamName
from camera_hub.server import problems
from camera_hub.server.commune import Watchable
from camera_hub.server.live import live_router
from tests.support.live import Camera, Encoded, brightness, camera, encode, fake_packet, info
from tests.support.waiting import until

LANE: tuple[str, StreamName] = ("here.lane", "sub")


class Receiver:
    """aiortc at the viewer's end: its pictures as fingerprints, with their RTP times in seconds."""

    def __init__(self) -> None:
        self.pictures: list[list[int]] = []
        self.times: list[float] = []
        self.peer = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.peer.addTransceiver("video", direction="recvonly")
        self.peer.on("track", self._track)
        self._task: asyncio.Task[None] | None = None

    def _track(self, track: MediaStreamTrack) -> None:
        self._task = asyncio.create_task(self._receive(track))

    async def _receive(self, track: MediaStreamTrack) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                assert isinstance(frame, av.VideoFrame)
                assert frame.pts is not None
                self.times.append(frame.pts / 90_000)
                self.pictures.append(brightness(frame))

    async def offer(self) -> str:
        await self.peer.setLocalDescription(await self.peer.createOffer())
        return self.peer.localDescription.sdp

    async def answered(self, sdp: str) -> None:
        await self.peer.setRemoteDescription(RTCSessionDescription(sdp=sdp, type="answer"))

    async def close(self) -> None:
        await self.peer.close()
        if self._task is not None:
            await self._task


@contextlib.asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    try:
        yield made
    finally:
        await made.close()


@contextlib.asynccontextmanager
async def whep_sessions(
    max_sessions: int = 8, ready_s: float = 6.0, ports: range | None = None
) -> AsyncIterator[WhepSessions]:
    made = WhepSessions(Limits(max_sessions), ready_s=ready_s, ports=ports)
    try:
        yield made
    finally:
        await made.close()


def pictures_of(encoded: Encoded) -> list[list[int]]:
    codec = av.CodecContext.create("h264", "r")
    assert isinstance(codec, av.VideoCodecContext)
    codec.extradata = encoded.info.extradata
    frames = [frame for packet in encoded.packets for frame in codec.decode(av.Packet(packet.data))]
    frames += codec.decode(None)
    return [brightness(frame) for frame in frames]


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


class Lossy:
    """Drops some of the RTP that comes to a receiver, before it sees it."""

    def __init__(self, viewer: Receiver, drops: Callable[[int], bool]) -> None:
        self.dropped = 0
        self._drops = drops
        self._ssrc: bytes | None = None
        self._count = 0
        ice: Any = viewer.peer.getTransceivers()[0].receiver.transport.transport
        for protocol in ice._connection._protocols:
            protocol.datagram_received = self._through(protocol.datagram_received)

    def _through(self, received: Callable[[bytes, Any], None]) -> Callable[[bytes, Any], None]:
        def through(data: bytes, address: Any) -> None:
            media = 128 <= data[0] < 192 and not 64 <= data[1] & 0x7F < 96
            if media:
                self._ssrc = self._ssrc or data[8:12]  # what is sent again by RTX has another
            if media and data[8:12] == self._ssrc:
                self._count += 1
                if self._drops(self._count):
                    self.dropped += 1
                    return
            received(data, address)

        return through


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
    for name, value in (("SETTLE_US", 300_000), ("PATIENCE_US", 1_500_000), ("KEPT", 0.0), ("ENOUGH", 1)):
        monkeypatch.setattr(ladder, name, value)
    main = encode(fps=25, gop=25)
    bad = True
    async with (
        camera(main, encode(fps=10, gop=10, frames=50)) as practice,
        whep_sessions() as sessions,
        receiver() as viewer,
    ):
        session, answer = await sessions.create(
            await viewer.offer(),
            practice.hub.channel("here.lane", "main"),
            lesser=lambda: practice.hub.channel("here.lane", "sub"),
        )
        await viewer.answered(answer)
        await until(lambda: len(viewer.pictures) >= 5)
        Lossy(viewer, lambda number: bad and number % 3 > 0)
        shown = sessions.shown(session)
        await until(lambda: sessions.shown(session) == "sub", 20)
        await until(lambda: sessions.shown(session) == "sub keyframes", 20)
        assert shown == "main"
        bad = False
        await until(lambda: sessions.shown(session) == "main", 30)
        viewer.pictures.clear()
        sent = pictures_of(main)
        await until(lambda: any(picture in sent for picture in viewer.pictures))


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


async def nothing(camera: str, stream: StreamName) -> None:
    pass


async def test_what_cannot_be_shown_is_refused_in_words() -> None:
    hub = LiveHub(nothing, nothing)
    async with whep_sessions(max_sessions=1, ready_s=0.2) as sessions, receiver() as viewer:
        offer = await viewer.offer()
        with pytest.raises(NotLiveError, match=r"no picture came .* within 0\.2 s"):
            await sessions.create(offer, hub.channel(*LANE))
        hub.opened(*LANE, info("hevc"))
        with pytest.raises(CannotCarryError, match=r"H\.265") as hevc:
            await sessions.create(offer, hub.channel(*LANE))
        assert hevc.value.code is NotLive.CODEC
        hub.site_gone("here", "the site is not connected")
        with pytest.raises(NotLiveError, match="the site is not connected"):
            await sessions.create(offer, hub.channel(*LANE))
        hub.opened(*LANE, info())
        hub.feed(*LANE, [fake_packet(0, keyframe=True)])
        with pytest.raises(OfferError):
            await sessions.create(offer.replace("a=ice-pwd", "a=other"), hub.channel(*LANE))
        with pytest.raises(OfferError):
            await sessions.create(offer.replace("a=setup:actpass", "a=setup:perhaps"), hub.channel(*LANE))
        await sessions.create(offer, hub.channel(*LANE))
        with pytest.raises(TooManyViewersError, match="1 live views"):
            await sessions.create(offer, hub.channel(*LANE))
    await hub.close()


async def test_only_the_ports_of_the_range_are_used() -> None:
    ports = two_free_ports()
    async with (
        camera(encode()) as practice,
        whep_sessions(ports=ports) as sessions,
        receiver() as one,
        receiver() as another,
        receiver() as late,
    ):
        channel = practice.hub.channel(*LANE)
        session, answer = await sessions.create(await one.offer(), channel)
        _, second = await sessions.create(await another.offer(), channel)
        used = re.findall(r"a=candidate:\S+ 1 udp \d+ \S+ (\d+) typ host", answer + second)
        assert {int(port) for port in used} == set(ports)
        await one.answered(answer)
        await another.answered(second)
        await until(lambda: one.pictures and another.pictures)
        with pytest.raises(TooManyViewersError, match=r"live\.udp_ports"):
            await sessions.create(await late.offer(), channel)
        assert len(sessions) == 2
        await sessions.delete(session)
        _, third = await sessions.create(await late.offer(), channel)
        await late.answered(third)
        await until(lambda: late.pictures)


def two_free_ports() -> range:
    """Two UDP ports side by side that nobody uses on any address."""
    for first in range(42_000, 60_000, 2):
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError):
            for port in (first, first + 1):
                sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sock.bind(("", port))
            return range(first, first + 2)
    raise AssertionError("all ports are taken")


def signed_in(who: str = Header("lan")) -> SimpleNamespace:
    return SimpleNamespace(user=SimpleNamespace(name=who))


async def check_patches(http: httpx.AsyncClient, session: str) -> None:
    """What PATCH answers, by RFC 9725, 4.3 (which WHEP takes over)."""
    tag = f'"{session.rpartition("/")[2]}"'
    fragment = "a=ice-ufrag:{}\r\na=ice-pwd:0123456789abcdefghijklmn\r\nm=video 9 RTP/AVP 0\r\na=mid:0\r\n"
    candidate = "a=candidate:1 1 udp 2130706431 127.0.0.1 9 typ host\r\na=end-of-candidates\r\n"

    async def patch(body: str, match: str | None, kind: str = "application/trickle-ice-sdpfrag") -> Any:
        headers = {"Content-Type": kind, **({} if match is None else {"If-Match": match})}
        return await http.patch(session, content=body, headers=headers)

    assert (await patch(candidate, None)).status_code == 428
    assert (await patch(candidate, '"another"')).status_code == 412
    assert (await patch(candidate, tag, "application/sdp")).status_code == 415
    assert (await patch("", tag)).status_code == 400
    assert (await patch("a=ice-ufrag:new1", tag)).status_code == 400
    assert (await patch("x" * 70_000, tag)).status_code == 413
    assert (await patch(candidate, tag)).status_code == 204
    assert (await patch(candidate, f'"another", {tag}')).status_code == 204
    again = await patch(fragment.format("anew") + candidate, "*")
    assert again.status_code == 200
    assert again.headers["content-type"] == "application/trickle-ice-sdpfrag"
    assert re.search(r"a=ice-ufrag:\w{4,}\r\na=ice-pwd:\w{22,}\r\na=candidate:", again.text)
    assert again.text.endswith("a=end-of-candidates\r\n")
    assert again.headers["etag"] not in ("", tag)
    assert (await patch(candidate, tag)).status_code == 412
    assert (await patch(candidate, again.headers["etag"])).status_code == 204
    elsewhere = await http.patch(session, content=candidate, headers={"If-Match": "*", "who": "another"})
    assert elsewhere.status_code == 404


async def test_the_routes() -> None:
    async with camera(encode()) as practice, whep_sessions(max_sessions=1) as sessions:
        app = FastAPI()
        problems.install(app)
        cameras = {
            "here.lane": Watchable(("main",)),
            "here.away": Watchable(("main",), "The site is not connected.", NotLive.AWAY),
        }
        servers = IceServers(("stun:a.vn",), ("turn:b.vn",), "a shared secret")
        app.include_router(live_router(practice.hub, sessions, cameras.get, Depends(signed_in), servers))
        transport = httpx.ASGITransport(app)
        sdp = {"Content-Type": "application/sdp"}
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://hub") as http,
            receiver() as viewer,
        ):
            offer = await viewer.offer()

            async def refusal(path: str, body: str | bytes, headers: dict[str, str] = sdp) -> tuple[int, str]:
                answer = await http.post(path, content=body, headers=headers)
                assert answer.headers["content-type"] == "application/problem+json"
                assert answer.json()["status"] == answer.status_code
                return answer.status_code, answer.json()["detail"]

            lane = "/api/cameras/here.lane/whep"
            assert (await refusal("/api/cameras/here.none/whep", offer))[0] == 404
            assert (await refusal(lane, offer, {"Content-Type": "application/json"}))[0] == 415
            assert (await refusal(lane, ""))[0] == 400
            assert (await refusal(lane, b"\xff\xfe"))[0] == 400
            assert (await refusal(lane, "v=0\r\n"))[0] == 422
            assert (await refusal(f"{lane}?stream=other", offer))[0] == 422
            assert (await refusal(lane, "v=0" + "x" * 70_000))[0] == 413
            assert await refusal("/api/cameras/here.away/whep", offer) == (503, "The site is not connected.")
            away = await http.post("/api/cameras/here.away/whep", content=offer, headers=sdp)
            assert away.json()["code"] == "away"

            made = await http.post(f"{lane}?stream=sub", content=offer, headers=sdp)
            assert made.status_code == 201
            assert made.headers["content-type"] == "application/sdp"
            assert made.headers["accept-patch"] == "application/trickle-ice-sdpfrag"
            stun, turn = made.headers.get_list("link")
            assert stun == '<stun:a.vn>; rel="ice-server"'
            assert re.match(r'<turn:b\.vn>; rel="ice-server"; username="\d+:lan"; credential="', turn)
            session = made.headers["location"]
            assert made.headers["etag"] == f'"{session.rpartition("/")[2]}"'
            assert practice.asks[0] == ("start", "here.lane", "main"), "a missing stream is replaced"
            await viewer.answered(made.text)
            await until(lambda: len(viewer.pictures) >= 2)

            status, words = await refusal(lane, offer)
            assert status == 503
            assert "limit" in words
            assert (await http.post(lane, content=offer, headers=sdp)).json()["code"] == "too-many"
            options = await http.options(lane)
            assert options.headers["accept-post"] == "application/sdp"
            assert len(options.headers.get_list("link")) == 2
            await check_patches(http, session)
            assert (await http.delete(session, headers={"who": "another"})).status_code == 404
            assert (await http.delete(session)).status_code == 204
            assert (await http.delete(session)).status_code == 404
