"""The server's end of the link: the workers that are linked, and what can be asked of each.

`door` lets them in; `taking` is how what they bring is kept, by a `Commune`. Promises: one connection a site,
the newest wins, but not a copy of a worker that is linked; a site that is cut off brings nothing more from
that moment; what is watched is asked for again when a site comes back.
"""

import asyncio
import contextlib
import secrets
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.link import handshake
from camera_hub.link.messages import (
    CamerasChanged,
    Configure,
    Configured,
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
    Skill,
    Spans,
    Still,
    TimeAsked,
    TimeTold,
    Watch,
    Welcome,
    WorkerMessage,
)
from camera_hub.link.server.door import Door, Guests, say_last
from camera_hub.link.server.flood import LIMITS, Amount, Flood, Limits
from camera_hub.link.server.ranges import RangesIn
from camera_hub.link.server.site import LinkedSite, Socket, no_still
from camera_hub.link.server.taking import Keeps, Taking
from camera_hub.model import HubError, NotRecorded, StreamName, Wish

log = structlog.get_logger(__name__)

CUT_S = 2.0  # for the reason to reach who is cut off
MAX_NAMES = 32


class Commune(Keeps, Guests, Protocol):
    """Who knows the sites, and keeps what their workers bring."""

    async def new_key(self, site: str, key: bytes) -> bool:
        """The site's worker has changed its key; False when that cannot be."""

    async def site_connected(self, hello: Hello) -> None: ...

    async def site_gone(self, site: str) -> None: ...

    def flooding(self, site: str, on: bool) -> None:
        """The site has begun to bring more than it may and is held back, or has stopped."""

    async def site_listens(self, site: str) -> None:
        """From now on the site can be told things, such as by `configure`."""

    async def configured(self, site: str, message: Configured) -> None: ...

    async def cameras_changed(self, site: str, message: CamerasChanged) -> None: ...


class ServerEnd:
    """All linked sites."""

    def __init__(self, commune: Commune, clock: Clock = SYSTEM_CLOCK, limits: Limits = LIMITS) -> None:
        """`limits` are each site's."""
        self._commune = commune
        self._clock = clock
        self._limits = limits
        self._floods: dict[str, Flood] = {}
        self._sites: dict[str, LinkedSite] = {}
        self._door = Door(commune, self._sites.get)
        self._watched: set[tuple[str, str, StreamName]] = set()

    def connected(self, site: str) -> bool:
        return site in self._sites

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        """One picture of a camera as it is now; its `error` says in words why there is none."""
        linked = self._sites.get(site)
        return no_still("the site is not connected") if linked is None else await linked.still(camera, height)

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
            await linked.send_or_close(Watch(camera=camera, stream=stream, on=on))

    async def cut_off(self, site: str, refused: Refused) -> None:
        """Ends a site's link now: what it sends from here on is not taken."""
        linked = self._sites.get(site)
        self._door.forget(site)
        if linked is not None:
            linked.cut = True
            log.warning("site cut off", site=site, reason=refused.reason)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CUT_S):
                    await linked.send_or_close(refused)
                    await linked.close()

    async def want_new_key(self, site: str) -> bool:
        """Asks a linked site for another key; False when it is not linked or too old for it."""
        linked = self._sites.get(site)
        if linked is None or Skill.NEW_KEY not in linked.can:
            return False
        linked.key_nonce = secrets.token_bytes(handshake.NONCE_BYTES)
        await linked.send_or_close(NewKeyWanted(nonce=linked.key_nonce))
        return True

    async def listen(self, site: str, camera: str, stream: StreamName, on: bool) -> None:
        """Have a watched stream's sound sent too, until it is opened anew; or stop it."""
        linked = self._sites.get(site)
        if linked is not None:
            await linked.send_or_close(Listen(camera=camera, stream=stream, on=on))

    async def configure(self, site: str, wishes: Sequence[Wish]) -> None:
        """Has a linked site's worker take what is wanted, if it is not too old; at each link it hears all."""
        linked = self._sites.get(site)
        if linked is not None and Skill.CONFIGURE in linked.can:
            await linked.send_or_close(Configure(wishes=tuple(wishes)))

    async def serve(self, socket: Socket, address: str = "") -> None:
        """One worker's connection, from the challenge to its end; `address` is where it comes from."""
        hello = await self._door.let_in(socket, address)
        if hello is None:
            return
        site = LinkedSite(hello, socket, address)
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
            await say_last(socket, Refused(code="not-understood", reason=str(exc)))
        except HubError as exc:
            # Not kept, so not acknowledged: the worker keeps it and comes again.
            log.error("cannot keep what a site sent", site=site.name, error=str(exc))
        finally:
            await site.close()
            if self._sites.get(site.name) is site:
                del self._sites[site.name]
                await self._commune.site_gone(site.name)
                log.info("site gone", site=site.name)

    def _pace_us(self, site: LinkedSite, amount: Amount) -> int:
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

    async def _hear(self, site: LinkedSite, message: WorkerMessage) -> None:
        """What is not to be kept."""
        match message:
            case Still():
                site.hear_still(message)
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

    async def _not_taken(self, site: LinkedSite, error: NotTakenError) -> None:
        if error.name not in site.not_taken and len(site.not_taken) < MAX_NAMES:
            site.not_taken.add(error.name)
            log.warning("a site sent what is not taken", site=site.name, message=error.name, why=str(error))
        if Skill.NOT_TAKEN in site.can:
            await site.send(NotTaken(name=error.name, id=error.id))

    async def _new_key(self, site: LinkedSite, message: NewKey) -> None:
        nonce, site.key_nonce = site.key_nonce, None
        known = self._commune.site_key(site.name)
        if nonce is None or known is None or not handshake.is_new_key(nonce, site.name, known, message):
            raise LinkError("a NewKey that was not asked for, or is not signed as it must be")
        if await self._commune.new_key(site.name, message.key):
            await site.send(KeyTaken(key=message.key))
