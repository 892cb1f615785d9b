"""How the server takes what one site sends: in order, in batches, and nothing before it is kept.

Promises: a durable message is acknowledged only after the commune kept it; facts of events that have come
together are kept together, in their order; live packets and answers pass at once, whatever is being kept;
what waits is bounded, and then the line waits. What comes in parts is put together first. Of a site that is
cut off nothing more is taken, nor is kept what waits.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from camera_hub.first_to_end import first_to_end
from camera_hub.link.messages import (
    MAX_CLIP_BYTES,
    MAX_MESSAGE_BYTES,
    Ack,
    ClipOffer,
    ClipPiece,
    ClipWanted,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Lane,
    LinkError,
    LiveOpened,
    LivePackets,
    LiveSound,
    NotTakenError,
    Part,
    ServerMessage,
    WorkerMessage,
    decode_from_worker,
)
from camera_hub.link.server.flood import Amount

BATCH = 256  # facts that are kept together
MAX_WAITING_BYTES = 8 * 1024 * 1024
MAX_OFFERED = 16  # clips that are on their way at once

_Kept = EventNews | EventPicture | EventClip | ClipOffer | ClipPiece | Health


async def _pause(wait_us: int) -> None:
    await asyncio.sleep(wait_us / 1e6)


class Keeps(Protocol):
    """Who keeps what a site brings. What these raise is HubError, and then nothing was kept."""

    async def health(self, site: str, health: Health) -> None: ...

    async def deliver_events(self, site: str, told: Sequence[EventNews]) -> None: ...

    async def deliver(self, site: str, message: EventPicture | EventClip) -> None: ...

    async def clip_offered(self, site: str, offer: ClipOffer) -> int | None:
        """The byte from which it is wanted; None where it is not, and may be acknowledged."""

    async def clip_piece(self, site: str, offer: ClipOffer, piece: ClipPiece) -> int | None:
        """The byte that is wanted next; None where all is there and kept."""

    def live_opened(self, site: str, message: LiveOpened) -> None: ...

    def live_packets(self, site: str, message: LivePackets) -> None: ...

    def live_sound(self, site: str, message: LiveSound) -> None: ...


class Taking:
    """One connection's."""

    def __init__(
        self,
        site: str,
        commune: Keeps,
        send: Callable[[ServerMessage], Awaitable[None]],
        hear: Callable[[WorkerMessage], Awaitable[None]],
        *,
        unknown: Callable[[NotTakenError], Awaitable[None]],
        is_cut: Callable[[], bool] = lambda: False,
        pace_us: Callable[[Amount], int] = lambda _: 0,
    ) -> None:
        """`send` answers the site; `hear` gets, at once, what is neither to be kept nor live, `unknown` what
        is refused by its name; `is_cut` says whether the site has been cut off meanwhile, `pace_us` how long
        to read nothing more after so much.
        """
        self._site = site
        self._commune = commune
        self._send = send
        self._hear = hear
        self._unknown = unknown
        self._is_cut = is_cut
        self._pace_us = pace_us
        self._waiting: deque[tuple[_Kept, int]] = deque()
        self._bytes = 0
        self._changed = asyncio.Condition()
        self._parts: dict[Lane, bytearray] = {}
        self._offers: dict[str, ClipOffer] = {}

    async def run(self, receive: Callable[[], Awaitable[bytes]]) -> None:
        """Until one of the two fails; raises what it failed with. EOFError: the site has gone."""
        await first_to_end(self._keep(), self._read(receive))

    # -- the one who reads -----------------------------------------------------------------

    async def _read(self, receive: Callable[[], Awaitable[bytes]]) -> None:
        while True:
            wait_us = self._pace_us(await self.take(await receive()))
            if wait_us:
                await _pause(wait_us)

    async def take(self, data: bytes) -> Amount:
        """What the site sent next, and how much it was. Raises LinkError for what was not understood, or has
        no place here; EOFError when the site has been cut off.
        """
        self._go_on()
        amount = Amount(messages=1, bytes=len(data))
        try:
            message = decode_from_worker(data)
            if isinstance(message, Part):
                whole = self._joined(message)
                if whole is None:
                    return amount
                data, message = whole, decode_from_worker(whole)
        except NotTakenError as exc:
            await self._unknown(exc)
        else:
            await self._take(message, len(data))
            match message:
                case EventNews():
                    return amount._replace(facts=1)
                case EventPicture() | EventClip() | ClipPiece():
                    return amount._replace(kept_bytes=len(data))
        return amount

    def _go_on(self) -> None:
        if self._is_cut():
            raise EOFError

    def _joined(self, part: Part) -> bytes | None:
        """The message that is whole with this part."""
        so_far = self._parts.setdefault(part.lane, bytearray())
        so_far += part.data
        if len(so_far) > MAX_MESSAGE_BYTES:
            raise LinkError(f"a message in parts has over {MAX_MESSAGE_BYTES} bytes")
        return bytes(self._parts.pop(part.lane)) if part.last else None

    async def _take(self, message: WorkerMessage, size: int) -> None:
        match message:
            case LivePackets():
                self._commune.live_packets(self._site, message)
            case LiveSound():
                self._commune.live_sound(self._site, message)
            case LiveOpened():
                self._commune.live_opened(self._site, message)
            case EventNews() | EventPicture() | EventClip() | ClipOffer() | ClipPiece() | Health():
                async with self._changed:
                    await self._changed.wait_for(lambda: self._bytes < MAX_WAITING_BYTES)
                    self._waiting.append((message, size))
                    self._bytes += size
                    self._changed.notify_all()
            case _:
                await self._hear(message)

    # -- the one who keeps -----------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits to be kept."""
        return not self._waiting

    async def _keep(self) -> None:
        while True:
            await self.keep_next()

    async def keep_next(self) -> None:
        """Keep and answer what came first, with the facts that came right behind facts."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting)
            self._go_on()
            message = self._next()
            told = [message] if isinstance(message, EventNews) else []
            while told and len(told) < BATCH and self._waiting:
                following = self._waiting[0][0]
                if not isinstance(following, EventNews):
                    break
                self._next()
                told.append(following)
            self._changed.notify_all()
        if told:
            await self._commune.deliver_events(self._site, told)
            await self._send(Ack(ids=tuple(news.id for news in told)))
        else:
            await self._keep_one(message)

    def _next(self) -> _Kept:
        message, size = self._waiting.popleft()
        self._bytes -= size
        return message

    async def _keep_one(self, message: _Kept) -> None:
        match message:
            case EventPicture() | EventClip():
                await self._commune.deliver(self._site, message)
                await self._send(Ack(ids=(message.id,)))
            case ClipOffer():
                await self._offered(message)
            case ClipPiece():
                await self._piece(message)
            case Health():
                await self._commune.health(self._site, message)

    async def _offered(self, offer: ClipOffer) -> None:
        if len(self._offers) >= MAX_OFFERED:
            raise LinkError(f"more than {MAX_OFFERED} clips were offered at once")
        at = None
        if 0 < offer.size <= MAX_CLIP_BYTES:
            at = await self._commune.clip_offered(self._site, offer)
        self._offers[offer.id] = offer
        await self._answer(offer.id, at)

    async def _piece(self, piece: ClipPiece) -> None:
        offer = self._offers.get(piece.id)
        if offer is None:
            return  # it has been acknowledged meanwhile
        if not 0 <= piece.at < piece.at + len(piece.data) <= offer.size:
            raise LinkError("a piece has no place in the clip that was offered")
        following = piece.at + len(piece.data)
        at = await self._commune.clip_piece(self._site, offer, piece)
        if at is None or at < following:  # what is there already, and comes again, needs no word
            await self._answer(offer.id, at)

    async def _answer(self, clip_id: str, at: int | None) -> None:
        if at is None:
            del self._offers[clip_id]
            await self._send(Ack(ids=(clip_id,)))
        else:
            await self._send(ClipWanted(id=clip_id, at=at))
