"""Pictures of cameras as they are now: asked of the site, shared for a second by all who look.

What a site sends as one is looked at before anybody gets it: no picture is handed on that is none.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol

import msgspec

from camera_hub import jpeg
from camera_hub.clock import Clock
from camera_hub.link.messages import Still

FRESH_US = 1_000_000
MAX_KEPT = 256


class LinkedSites(Protocol):
    """The link's server end, as far as people's requests need it."""

    def connected(self, site: str) -> bool: ...

    async def still(self, site: str, camera: str, height: int | None) -> Still: ...


@dataclass
class _Kept:
    asked_us: int
    answer: "asyncio.Task[Still]"


class Stills:
    """A camera's picture, asked at most once a second for each height."""

    def __init__(self, linked: LinkedSites, clock: Clock) -> None:
        self._linked = linked
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str, int | None], _Kept] = OrderedDict()

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        """The picture, or in its `error` why there is none. `height` in px, None for the stream's own."""
        if not self._linked.connected(site):
            return Still(request=0, jpeg=None, at_us=0, error="the site is not connected")
        key = (site, camera, height)
        now_us = self._clock.monotonic_us()
        kept = self._kept.get(key)
        if kept is None or (kept.answer.done() and now_us - kept.asked_us > FRESH_US):
            kept = _Kept(now_us, asyncio.create_task(self._ask(site, camera, height)))
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        # One viewer who leaves must not take the picture from the others.
        return await asyncio.shield(kept.answer)

    async def _ask(self, site: str, camera: str, height: int | None) -> Still:
        still = await self._linked.still(site, camera, height)
        if still.jpeg is not None:
            try:
                jpeg.size(still.jpeg)
            except jpeg.NoPictureError as exc:
                return msgspec.structs.replace(still, jpeg=None, error=f"the site sent no picture: {exc}")
        return still
