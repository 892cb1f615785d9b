"""Chromium plays a camera by WHEP: at once, from the cached group of pictures, and lets go when told."""

import asyncio
from collections.abc import Callable
from itertools import pairwise

from camera_hub.live.whep import WhepSessions
from tests.support import needs
from tests.support.bad_network import bad_network
from tests.support.live import encode, fat
from tests.support.networks import join, networks
from tests.support.waiting import until
from tests.support.webrtc import receiver
from tests.support.whep_page import Relayed, Site, site


async def test_chromium_plays_and_loses_nothing() -> None:
    """Which streams it plays is shown by `test_live_streams`."""
    needs.chromium()
    encoded = encode(profile="high", gop=20, slices=3, delimiters=True)
    async with site(encoded) as here:
        result = await here.play()
        assert result["status"] == 201, result
        print(f"first picture after {result['first_ms']:.0f} ms")
        before = await here.look()
        await asyncio.sleep(3)
        after = await here.look()
        print(after)
        assert after["width"] == 320
        assert after["time"] > before["time"] + 1
        assert after["framesDecoded"] >= before["framesDecoded"] + 15
        assert after["packetsLost"] == 0


async def test_a_late_viewer_starts_at_the_cached_group_and_is_at_the_live_edge() -> None:
    needs.chromium()
    async with site(encode(gop=100)) as here:
        await here.play()
        before = 0
        while not 50 < before % 100 < 75:  # a reload may take so long that the next keyframe comes
            await until(lambda: 50 < here.camera.sent % 100 < 60)
            await here.page.reload()
            before = here.camera.sent
        result = await here.play()
        assert here.camera.sent - before < 30, "the picture waited for the next keyframe"
        print(f"late: first picture after {result['first_ms']:.0f} ms")
        await until(lambda: here.camera.sent - before >= 20)
        seen = await here.look()
        # All of the group since its keyframe was sent, not only what came after the viewer.
        assert seen["framesReceived"] > 50
        assert seen["keyFramesDecoded"] == 1
        behind = []
        for _ in range(5):
            place = await here.page.evaluate("see()")
            newest = (here.camera.sent - 1) % len(here.camera.encoded.packets)
            behind.append(min(range(40), key=lambda back: abs((newest - back) % 100 * 7 % 280 - place)))
            await asyncio.sleep(0.13)
        print(f"late: {behind} pictures behind the camera")
        assert min(behind) <= 5, "the viewer stays behind the live edge"


async def test_ice_begins_anew_and_the_picture_goes_on() -> None:
    needs.chromium()
    async with site(encode()) as here:
        await here.play()
        before = await here.page.evaluate("way()")
        result = await here.page.evaluate("restart()")
        assert result["status"] == 200
        assert result["tag"]
        for _ in range(100):
            after = await here.page.evaluate("way()")
            if after["ufrag"] and after["ufrag"] != before["ufrag"]:
                break
            await asyncio.sleep(0.1)
        assert after["ufrag"] != before["ufrag"], "the way is still the old one"
        seen = (await here.look())["framesDecoded"]
        # Longer than the browser's patience with a way on which nobody answers it.
        await asyncio.sleep(8)
        assert (await here.look())["framesDecoded"] >= seen + 60
        assert (await here.page.evaluate("way()"))["state"] in ("connected", "completed")
        assert len(here.sessions) == 1


async def check_bad_network(here: Site, lost: Callable[[], int]) -> None:
    """What is lost is found again, nothing is left out."""
    result = await here.play()
    assert result["status"] == 201, result
    before = lost()
    gaps = await here.page.evaluate("gaps(10)")
    seen = await here.look()
    print(f"bad network: {len(gaps)} pictures in 10 s, the longest stood for {max(gaps):.0f} ms, {seen}")
    assert lost() - before > 10
    assert max(gaps) < 2000
    assert seen["framesDecoded"] > 10 * here.camera.encoded.fps * 0.8
    assert set(map(here.sessions.shown, here.sessions._sessions)) == {"sub"}


async def test_a_bad_network_holds_no_picture_for_two_seconds() -> None:
    """Five percent lost each way and 200 ms there and back, by a relay, which goes on every machine."""
    needs.chromium()
    async with (
        bad_network(0.1, 0.05) as relays,
        site(fat(encode(fps=25, gop=50), 2_000), Relayed(relays)) as here,
    ):
        await check_bad_network(here, lambda: relays.network.lost)


async def test_a_bad_network_by_the_kernel_and_a_good_viewer_beside_it() -> None:
    """The same, with the kernel's loss; and 2 s after a second in which nothing came all is well."""
    needs.chromium()
    with networks("server", "bad") as (server, bad), server.inside():
        join(server, ("10.9.2.1/24",), bad, ("10.9.2.2/24",), "bad")
        async with (
            bad_network(0.1, host="10.9.2.1") as relays,
            site(fat(encode(fps=25, gop=50), 2_000), Relayed(relays), "10.9.2.1", bad) as here,
            receiver() as fine,
        ):
            channel = here.camera.hub.channel("here.lane", "sub")
            _, answer = await WhepSessions.create(here.sessions, await fine.offer(), channel)
            await fine.answered(answer)
            bad.loses(0.05)
            server.loses(0.05, "-i", "bad")
            await check_bad_network(here, bad.lost)
            looking = asyncio.create_task(here.page.evaluate("gaps(6)"))
            await asyncio.sleep(0.5)
            bad.loses(1)
            await asyncio.sleep(1)
            bad.loses(0.05)
            gaps = await looking
            print(f"with an outage of 1 s: the longest stood for {max(gaps):.0f} ms")
            assert max(gaps) < 1000 + 2000
            assert all((b - a) % 100 == 1 for a, b in pairwise(fine.numbers))


async def test_leaving_ends_the_session_and_the_stream() -> None:
    needs.chromium()
    async with site(encode()) as here:
        await here.play()
        assert len(here.sessions) == 1
        assert await here.page.evaluate("leave()") == 204
        assert len(here.sessions) == 0
        await until(lambda: [ask[0] for ask in here.camera.asks] == ["start", "stop"])
        assert await here.page.evaluate("leave()") == 404
