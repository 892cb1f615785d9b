"""A camera's picture is asked for once a second, however many look and leave."""

import asyncio
import contextlib

from camera_hub.link.messages import Still
from camera_hub.server import stills
from camera_hub.server.stills import Stills
from tests.support.clocks import HandClock
from tests.support.server import JPEG, SITE, START_US, FakeLinks


class SlowLinks(FakeLinks):
    """Answers when it is let."""

    def __init__(self) -> None:
        super().__init__({SITE})
        self.may_answer = asyncio.Event()

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        self.asked += 1
        await self.may_answer.wait()
        return Still(request=1, jpeg=JPEG, at_us=START_US)


async def test_many_viewers_cost_one_question() -> None:
    links = SlowLinks()
    pictures = Stills(links, HandClock())
    viewers = [asyncio.create_task(pictures.still(SITE, "cong-lang", 360)) for _ in range(20)]
    await asyncio.sleep(0)
    links.may_answer.set()
    assert {still.jpeg for still in await asyncio.gather(*viewers)} == {JPEG}
    assert links.asked == 1


async def test_after_a_second_it_is_asked_again() -> None:
    links, clock = FakeLinks({SITE}), HandClock()
    pictures = Stills(links, clock)
    for seconds, asked in ((0, 1), (0.9, 1), (0.2, 2)):
        clock.go(seconds)
        await pictures.still(SITE, "cong-lang", None)
        assert links.asked == asked


async def test_another_height_is_another_picture() -> None:
    links = FakeLinks({SITE})
    pictures = Stills(links, HandClock())
    for height in (None, 360, 720):
        await pictures.still(SITE, "cong-lang", height)
    assert links.asked == 3


async def test_a_viewer_who_leaves_does_not_take_it_from_the_others() -> None:
    links = SlowLinks()
    pictures = Stills(links, HandClock())
    leaver = asyncio.create_task(pictures.still(SITE, "cong-lang", None))
    stayer = asyncio.create_task(pictures.still(SITE, "cong-lang", None))
    await asyncio.sleep(0)
    leaver.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await leaver
    links.may_answer.set()
    assert (await stayer).jpeg == JPEG


async def test_a_site_that_is_away_is_not_asked() -> None:
    links = FakeLinks()
    still = await Stills(links, HandClock()).still(SITE, "cong-lang", None)
    assert still.jpeg is None
    assert still.error
    assert links.asked == 0


async def test_memory_is_bounded() -> None:
    pictures = Stills(FakeLinks({SITE}), HandClock())
    for number in range(stills.MAX_KEPT + 50):
        await pictures.still(SITE, f"camera-{number}", None)
    assert len(pictures._kept) == stills.MAX_KEPT


async def test_what_is_no_picture_is_handed_to_nobody() -> None:
    class Lying(FakeLinks):
        async def still(self, site: str, camera: str, height: int | None) -> Still:
            return Still(request=1, jpeg=b"<script>alert(1)</script>", at_us=START_US)

    still = await Stills(Lying({SITE}), HandClock()).still(SITE, "cong-lang", None)
    assert still.jpeg is None
    assert "no picture: it is no JPEG" in still.error
