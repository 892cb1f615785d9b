"""The server's end of the link: it lets workers in by their keys and takes what they bring.

Relies on a `Commune` for keeping what arrives; `taking` is how. Promises: one connection a site, the
newest wins, but not a copy of a worker that is linked (see `copies`); a site that is cut off brings nothing
more from that moment; what is watched is asked for again when a site comes back.
"""

import asyncio
import contextlib
import itertools
import secrets
from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.link import handshake
from camera_hub.link.copies import Copies
from camera_hub.link.flood import LIMITS, Amount, Flood, Limits
from camera_hub.link.messages import (
    CamerasChanged,
    Challenge,
    Configure,
    Configured,
    Enrol,
    Enrolled,
    Hello,
    KeyTaken,
    LinkError,
    Listen,
    NewKey,
    NewKeyWanted,
    NotRecordedError,
    NotTaken,
    NotTakenError,
    RangeBegins,
    RangeEnded,
    RangePiece,
    Refused,
    ServerMessage,
    Skill,
    Spans,
    Still,
    StillRequest,
    TimeAsked,
    TimeTold,
    Watch,
    Welcome,
    WorkerMessage,
    decode_from_worker,
    encode,
)
from camera_hub.link.ranges_in import RangesIn
from camera_hub.link.taking import Keeps, Taking
from camera_hub.model import HubError, NotRecorded, StreamName, Wish

log = structlog.get_logger(__name__)

HANDSHAKE_S = 10.0
SEND_S = 20.0  # a worker that takes nothing for so long is gone
STILL_S = 5.0
CUT_S = 2.0  # for the reason to reach who is cut off
MAX_NAMES = 32
MAX_FIRST_BYTES = 1024 * 1024  # of somebody who has not proved yet who they are
MAX_SITE = 64  # signs of a site's id


class Socket(Protocol):
    """A WebSocket that carries bytes; `receive` raises EOFError when the other end has gone."""

    async def receive(self) -> bytes: ...

    async def send(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class Commune(Keeps, Protocol):
    """Who knows the sites, and keeps what their workers bring."""

    def site_key(self, site: str) -> str | None: ...

    def barred(self, site: str) -> Refused | None:
        """Why a site may not link though its key is the right one; None when it may."""

    async def enrol(self, asked: Challenge, told: Enrol, address: str) -> Enrolled | Refused: ...

    async def new_key(self, site: str, key: bytes) -> bool:
        """The site's worker has changed its key; False when that cannot be."""

    async def copy_noticed(self, site: str, addresses: tuple[str, str]) -> None:
        """Two workers with this site's key are running, at these addresses: the linked one, the other."""

    async def site_connected(self, hello: Hello) -> None: ...

    async def site_gone(self, site: str) -> None: ...

    def flooding(self, site: str, on: bool) -> None:
        """The site has begun to bring more than it may and is held back, or has stopped."""

    async def site_listens(self, site: str) -> None:
        """From now on the site can be told things, such as by `configure`."""

    async def configured(self, site: str, message: Configured) -> None: ...

    async def cameras_changed(self, site: str, message: CamerasChanged) -> None: ...


class _Site:
    """One linked worker."""

    def __init__(self, hello: Hello, socket: Socket, address: str) -> None:
        self.name = hello.site
        self.run = hello.run
        self.can = frozenset(hello.can)
        self.address = address
        self.cut = False
        self.key_nonce: bytes | None = None  # of the NewKeyWanted that waits for its answer
        self.floods = False
        self.not_taken: set[str] = set()  # names of messages that the log has
        self._socket = socket
        self._lock = asyncio.Lock()
        self.stills: dict[int, asyncio.Future[Still]] = {}
        self.ranges = RangesIn(self.send)

    async def send(self, message: ServerMessage) -> None:
        """Raises TimeoutError or EOFError when the worker no longer takes anything."""
        async with self._lock, asyncio.timeout(SEND_S):
            await self._socket.send(encode(message))

    async def close(self) -> None:
        for waiting in self.stills.values():
            waiting.cancel()
        self.ranges.close()
        await self._socket.close()


class ServerEnd:
    """All linked sites."""

    def __init__(self, commune: Commune, clock: Clock = SYSTEM_CLOCK, limits: Limits = LIMITS) -> None:
        """`limits` are each site's."""
        self._commune = commune
        self._clock = clock
        self._limits = limits
        self._floods: dict[str, Flood] = {}
        self._sites: dict[str, _Site] = {}
        self._copies: dict[str, Copies] = defaultdict(Copies)
        self._watched: set[tuple[str, str, StreamName]] = set()
        self._noticing: set[asyncio.Task[None]] = set()
        self._requests = itertools.count(1)

    def connected(self, site: str) -> bool:
        return site in self._sites

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        """One picture of a camera as it is now; its `error` says in words why there is none."""
        linked = self._sites.get(site)
        request = next(self._requests)
        if linked is None:
            return Still(request=request, jpeg=None, at_us=0, error="the site is not connected")
        answer: asyncio.Future[Still] = asyncio.get_running_loop().create_future()
        linked.stills[request] = answer
        try:
            async with asyncio.timeout(STILL_S):
                await linked.send(StillRequest(request=request, camera=camera, height=height))
                return await answer
        except (TimeoutError, EOFError):
            return Still(request=request, jpeg=None, at_us=0, error="the site did not answer in time")
        except asyncio.CancelledError:
            if answer.cancelled():
                return Still(request=request, jpeg=None, at_us=0, error="the site has just gone")
            raise
        finally:
            linked.stills.pop(request, None)

    def recordings(self, site: str) -> RangesIn:
        """What can be asked of a site's recordings. Raises NotRecordedError where it cannot be asked."""
        linked = self._sites.get(site)
        if linked is None:
            raise NotRecordedError(
                "the hamlet is not connected; its recordings can be seen when it is back",
                NotRecorded.SITE_AWAY,
            )
        if Skill.RECORDINGS not in linked.can:
            raise NotRecordedError(
                "the hamlet's worker is of an older release that does not send recordings; update it there",
                NotRecorded.SITE_TOO_OLD,
            )
        return linked.ranges

    async def watch(self, site: str, camera: str, stream: StreamName, on: bool) -> None:
        """Have a stream's packets sent, or stop them; holds over reconnects."""
        key = (site, camera, stream)
        self._watched.add(key) if on else self._watched.discard(key)
        linked = self._sites.get(site)
        if linked is not None:
            await self._send_or_drop(linked, Watch(camera=camera, stream=stream, on=on))

    async def cut_off(self, site: str, refused: Refused) -> None:
        """Ends a site's link now: what it sends from here on is not taken."""
        linked = self._sites.get(site)
        self._copies.pop(site, None)
        if linked is not None:
            linked.cut = True
            log.warning("site cut off", site=site, reason=refused.reason)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CUT_S):
                    await self._send_or_drop(linked, refused)
                    await linked.close()

    async def want_new_key(self, site: str) -> bool:
        """Asks a linked site for another key; False when it is not linked or too old for it."""
        linked = self._sites.get(site)
        if linked is None or Skill.NEW_KEY not in linked.can:
            return False
        linked.key_nonce = secrets.token_bytes(handshake.NONCE_BYTES)
        await self._send_or_drop(linked, NewKeyWanted(nonce=linked.key_nonce))
        return True

    async def listen(self, site: str, camera: str, stream: StreamName, on: bool) -> None:
        """Have a watched stream's sound sent too, until it is opened anew; or stop it."""
        linked = self._sites.get(site)
        if linked is not None:
            await self._send_or_drop(linked, Listen(camera=camera, stream=stream, on=on))

    async def configure(self, site: str, wishes: Sequence[Wish]) -> None:
        """Has a linked site's worker take what is wanted, if it is not too old; at each link it hears all."""
        linked = self._sites.get(site)
        if linked is not None and Skill.CONFIGURE in linked.can:
            await self._send_or_drop(linked, Configure(wishes=tuple(wishes)))

    async def serve(self, socket: Socket, address: str = "") -> None:
        """One worker's connection, from the challenge to its end; `address` is where it comes from."""
        hello = await self._let_in(socket, address)
        if hello is None:
            return
        site = _Site(hello, socket, address)
        previous = self._sites.get(site.name)
        self._sites[site.name] = site
        if previous is not None:
            log.warning("site linked again; the older link is closed", site=site.name)
            previous.cut = True
            await previous.close()
        try:
            await self._commune.site_connected(hello)
            await site.send(Welcome(server_time_us=self._clock.wall_us()))
            log.info("site linked", site=site.name, software=hello.software, cameras=len(hello.cameras))
            for name, camera, stream in self._watched.copy():
                if name == site.name:
                    await site.send(Watch(camera=camera, stream=stream, on=True))
            await self._commune.site_listens(site.name)
            taking = Taking(
                site.name,
                self._commune,
                site.send,
                partial(self._hear, site),
                unknown=partial(self._not_taken, site),
                is_cut=lambda: site.cut,
                pace_us=partial(self._pace_us, site),
            )
            await taking.run(socket.receive)
        except (EOFError, TimeoutError):
            pass
        except LinkError as exc:
            log.warning("link refused", site=site.name, reason=str(exc))
            await self._refuse(socket, Refused(code="not-understood", reason=str(exc)))
        except HubError as exc:
            # Not kept, so not acknowledged: the worker keeps it and comes again.
            log.error("cannot keep what a site sent", site=site.name, error=str(exc))
        finally:
            await site.close()
            if self._sites.get(site.name) is site:
                del self._sites[site.name]
                await self._commune.site_gone(site.name)
                log.info("site gone", site=site.name)

    async def _let_in(self, socket: Socket, address: str) -> Hello | None:
        asked = handshake.challenge()
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await socket.send(encode(asked))
                answer = _first_message(await socket.receive())
        except (EOFError, TimeoutError):
            await socket.close()
            return None
        except LinkError as exc:
            await self._refuse(socket, Refused(code="not-understood", reason=str(exc)))
            return None
        if isinstance(answer, Enrol):
            await self._answer(socket, await self._commune.enrol(asked, answer, address))
            return None
        if not isinstance(answer, Hello):
            await self._refuse(socket, Refused(code="not-understood", reason="the link begins with a Hello"))
            return None
        # From here to the site's place in `_sites` nothing is awaited: what is cut off stays out.
        refused = handshake.refusal(asked, answer, self._commune.site_key(answer.site))
        refused = refused or self._commune.barred(answer.site)
        if refused is None:
            return await self._unless_a_copy(socket, answer, address)
        log.warning("worker refused", site=answer.site, address=address, reason=refused.reason)
        await self._refuse(socket, refused)
        return None

    async def _unless_a_copy(self, socket: Socket, hello: Hello, address: str) -> Hello | None:
        linked = self._sites.get(hello.site)
        let_in, noticed = self._copies[hello.site].arrives(hello.run, linked.run if linked else None)
        if noticed:
            here = linked.address if linked else ""
            addresses = (address, here) if let_in else (here, address)
            log.error(
                "two workers run with one key: a copied disk, or a replaced machine that still runs",
                site=hello.site,
                linked=addresses[0],
                other=addresses[1],
            )
            self._noticing.add(task := asyncio.create_task(self._commune.copy_noticed(hello.site, addresses)))
            task.add_done_callback(self._noticing.discard)
        if let_in:
            return hello
        await self._refuse(
            socket,
            Refused(
                code="copy",
                reason=f"another worker with this key is linked as {hello.site!r}: this one is a copy of "
                "it, or its successor. Switch off the one that should not run; to give this machine a key "
                "of its own, make a new code on the dashboard's page of hamlets and run `camera-hub enrol`",
            ),
        )
        return None

    def _pace_us(self, site: _Site, amount: Amount) -> int:
        """How long a site is held back after so much."""
        now_us = self._clock.monotonic_us()
        flood = self._floods.setdefault(site.name, Flood(self._limits, now_us))
        wait_us = flood.wait_us(amount, now_us)
        if flood.floods(now_us) != site.floods:
            site.floods = not site.floods
            log.warning(
                "a site brings more than it may" if site.floods else "a site no longer floods", site=site.name
            )
            self._commune.flooding(site.name, site.floods)
        return wait_us

    async def _hear(self, site: _Site, message: WorkerMessage) -> None:
        """What is not to be kept."""
        match message:
            case Still(request=request):
                waiting = site.stills.get(request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case TimeAsked(asked_us=asked_us):
                await site.send(TimeTold(asked_us=asked_us, server_time_us=self._clock.wall_us()))
            case Spans() | RangeBegins() | RangePiece() | RangeEnded():
                site.ranges.hear(message)
            case Configured():
                await self._commune.configured(site.name, message)
            case CamerasChanged():
                await self._commune.cameras_changed(site.name, message)
            case NewKey():
                await self._new_key(site, message)
            case NotTaken(name=name):
                log.warning("the worker did not understand a message", site=site.name, message=name[:64])
            case _:
                raise LinkError(f"a {type(message).__name__} has no place here")

    async def _not_taken(self, site: _Site, error: NotTakenError) -> None:
        if error.name not in site.not_taken and len(site.not_taken) < MAX_NAMES:
            site.not_taken.add(error.name)
            log.warning("a site sent what is not taken", site=site.name, message=error.name, why=str(error))
        if Skill.NOT_TAKEN in site.can:
            await site.send(NotTaken(name=error.name, id=error.id))

    async def _new_key(self, site: _Site, message: NewKey) -> None:
        nonce, site.key_nonce = site.key_nonce, None
        known = self._commune.site_key(site.name)
        if nonce is None or known is None or not handshake.is_new_key(nonce, site.name, known, message):
            raise LinkError("a NewKey that was not asked for, or is not signed as it must be")
        if await self._commune.new_key(site.name, message.key):
            await site.send(KeyTaken(key=message.key))

    async def _send_or_drop(self, site: _Site, message: ServerMessage) -> None:
        try:
            await site.send(message)
        except (EOFError, TimeoutError):
            await site.close()

    async def _refuse(self, socket: Socket, refused: Refused) -> None:
        await self._answer(socket, refused)

    async def _answer(self, socket: Socket, last: Refused | Enrolled) -> None:
        """The last message of a connection."""
        try:
            async with asyncio.timeout(SEND_S):
                await socket.send(encode(last))
        except (EOFError, TimeoutError):
            pass
        await socket.close()


def _first_message(data: bytes) -> WorkerMessage:
    """Small, and with a name that can go into a log. Raises LinkError."""
    if len(data) > MAX_FIRST_BYTES:
        raise LinkError(f"a first message of {len(data)} bytes is larger than any Hello")
    message = decode_from_worker(data)
    if isinstance(message, Hello | Enrol) and len(message.site) > MAX_SITE:
        raise LinkError("that is no site's id: it is longer than any")
    return message
