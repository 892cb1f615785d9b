"""WHEP as the draft has it: what is answered to whom, and what is refused in words."""

import contextlib
import re
import socket
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import Depends, FastAPI, Header

from camera_hub.live.feed import CannotCarryError, NotLiveError
from camera_hub.live.hub import LiveHub
from camera_hub.live.ice import IceServers
from camera_hub.live.limits import TooManyViewersError
from camera_hub.live.offer import OfferError
from camera_hub.model import NotLive, StreamName
from camera_hub.server import problems
from camera_hub.server.commune import Watchable
from camera_hub.server.live import live_router
from tests.support.live import camera, encode, fake_packet, info
from tests.support.waiting import until
from tests.support.webrtc import LANE, receiver, whep_sessions


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
