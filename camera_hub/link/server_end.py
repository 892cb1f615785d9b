"""The server's end of the link: it lets workers in by their keys and takes what they bring.

Relies on a `Commune` for keeping what arrives; `taking` is how. Promises: one connection a site, the newest
wins; what is watched is asked for again when a site comes back.
"""

import asyncio
import itertools
from functools import partial
from typing import Protocol

import structlog

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.link import handshake
from camera_hub.link.messages import (
    Hello,
    LinkError,
    Refused,
    ServerMessage,
    Still,
    StillRequest,
    Watch,
    Welcome,
    WorkerMessage,
    decode_from_worker,
    encode,
)
from camera_hub.link.taking import Keeps, Taking
from camera_hub.model import HubError, StreamName

log = structlog.get_logger(__name__)

HANDSHAKE_S = 10.0
SEND_S = 20.0  # a worker that takes nothing for so long is gone
STILL_S = 5.0


class Socket(Protocol):
    """A WebSocket that carries bytes; `receive` raises EOFError when the other end has gone."""

    async def receive(self) -> bytes: ...

    async def send(self, data: bytes) -> None: ...

    async def close(self) -> None: ...


class Commune(Keeps, Protocol):
    """Who knows the sites, and keeps what their workers bring."""

    def site_key(self, site: str) -> str | None: ...

    async def site_connected(self, hello: Hello) -> None: ...

    async def site_gone(self, site: str) -> None: ...


class _Site:
    """One linked worker."""

    def __init__(self, name: str, socket: Socket) -> None:
        self.name = name
        self._socket = socket
        self._lock = asyncio.Lock()
        self.stills: dict[int, asyncio.Future[Still]] = {}

    async def send(self, message: ServerMessage) -> None:
        """Raises TimeoutError or EOFError when the worker no longer takes anything."""
        async with self._lock, asyncio.timeout(SEND_S):
            await self._socket.send(encode(message))

    async def close(self) -> None:
        for waiting in self.stills.values():
            waiting.cancel()
        await self._socket.close()


class ServerEnd:
    """All linked sites."""

    def __init__(self, commune: Commune, clock: Clock = SYSTEM_CLOCK) -> None:
        self._commune = commune
        self._clock = clock
        self._sites: dict[str, _Site] = {}
        self._watched: set[tuple[str, str, StreamName]] = set()
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

    async def watch(self, site: str, camera: str, stream: StreamName, on: bool) -> None:
        """Have a stream's packets sent, or stop them; holds over reconnects."""
        key = (site, camera, stream)
        self._watched.add(key) if on else self._watched.discard(key)
        linked = self._sites.get(site)
        if linked is not None:
            await self._send_or_drop(linked, Watch(camera=camera, stream=stream, on=on))

    async def serve(self, socket: Socket) -> None:
        """One worker's connection, from the challenge to its end."""
        hello = await self._let_in(socket)
        if hello is None:
            return
        site = _Site(hello.site, socket)
        previous = self._sites.get(site.name)
        self._sites[site.name] = site
        if previous is not None:
            log.warning("site linked again; the older link is closed", site=site.name)
            await previous.close()
        try:
            await self._commune.site_connected(hello)
            await site.send(Welcome(server_time_us=self._clock.wall_us()))
            log.info("site linked", site=site.name, software=hello.software, cameras=len(hello.cameras))
            for name, camera, stream in self._watched.copy():
                if name == site.name:
                    await site.send(Watch(camera=camera, stream=stream, on=True))
            await Taking(site.name, self._commune, site.send, partial(self._hear, site)).run(socket.receive)
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

    async def _let_in(self, socket: Socket) -> Hello | None:
        asked = handshake.challenge()
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await socket.send(encode(asked))
                answer = decode_from_worker(await socket.receive())
        except (EOFError, TimeoutError):
            await socket.close()
            return None
        except LinkError as exc:
            await self._refuse(socket, Refused(code="not-understood", reason=str(exc)))
            return None
        if not isinstance(answer, Hello):
            await self._refuse(socket, Refused(code="not-understood", reason="the link begins with a Hello"))
            return None
        refused = handshake.refusal(asked, answer, self._commune.site_key(answer.site))
        if refused is not None:
            log.warning("worker refused", site=answer.site, reason=refused.reason)
            await self._refuse(socket, refused)
            return None
        return answer

    async def _hear(self, site: _Site, message: WorkerMessage) -> None:
        """What is not to be kept."""
        match message:
            case Still(request=request):
                waiting = site.stills.get(request)
                if waiting is not None and not waiting.done():
                    waiting.set_result(message)
            case _:
                raise LinkError(f"a {type(message).__name__} has no place here")

    async def _send_or_drop(self, site: _Site, message: ServerMessage) -> None:
        try:
            await site.send(message)
        except (EOFError, TimeoutError):
            await site.close()

    async def _refuse(self, socket: Socket, refused: Refused) -> None:
        try:
            async with asyncio.timeout(SEND_S):
                await socket.send(encode(refused))
        except (EOFError, TimeoutError):
            pass
        await socket.close()
