"""Who may link: a worker's first message on a new connection, looked at before anything else is taken.

Whoever is refused is told why, by name. Of two that run with one key the copy is refused (see `copies`).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import Protocol

import structlog

from camera_hub.link import handshake
from camera_hub.link.messages import (
    Challenge,
    Enrol,
    Enrolled,
    Hello,
    LinkError,
    Refused,
    WorkerMessage,
    decode_from_worker,
    encode,
)
from camera_hub.link.server.copies import Copies
from camera_hub.link.server.site import SEND_S, LinkedSite, Socket

log = structlog.get_logger(__name__)

HANDSHAKE_S = 10.0
MAX_FIRST_BYTES = 1024 * 1024  # of somebody who has not proved yet who they are
MAX_SITE = 64  # signs of a site's id


class Guests(Protocol):
    """Who knows the sites and their keys."""

    def site_key(self, site: str) -> str | None: ...

    def barred(self, site: str) -> Refused | None:
        """Why a site may not link though its key is the right one; None when it may."""

    async def enrol(self, asked: Challenge, told: Enrol, address: str) -> Enrolled | Refused: ...

    async def copy_noticed(self, site: str, addresses: tuple[str, str]) -> None:
        """Two workers with this site's key are running, at these addresses: the linked one, the other."""


class Door:
    """`linked` gives the worker that is linked as a site."""

    def __init__(self, guests: Guests, linked: Callable[[str], LinkedSite | None]) -> None:
        self._guests = guests
        self._linked = linked
        self._copies: dict[str, Copies] = defaultdict(Copies)
        self._noticing: set[asyncio.Task[None]] = set()

    def forget(self, site: str) -> None:
        """What was seen of a site's runs no longer counts: it is cut off."""
        self._copies.pop(site, None)

    async def let_in(self, socket: Socket, address: str) -> Hello | None:
        """Who comes; None for whoever has been refused, or enrolled.

        Between the judgement and the return nothing is awaited: what is cut off stays out.
        """
        asked = handshake.challenge()
        try:
            async with asyncio.timeout(HANDSHAKE_S):
                await socket.send(encode(asked))
                answer = _first_message(await socket.receive())
        except (EOFError, TimeoutError):
            await socket.close()
            return None
        except LinkError as exc:
            await say_last(socket, Refused(code="not-understood", reason=str(exc)))
            return None
        if isinstance(answer, Enrol):
            await say_last(socket, await self._guests.enrol(asked, answer, address))
            return None
        if not isinstance(answer, Hello):
            await say_last(socket, Refused(code="not-understood", reason="the link begins with a Hello"))
            return None
        refused = handshake.refusal(asked, answer, self._guests.site_key(answer.site))
        refused = refused or self._guests.barred(answer.site)
        if refused is not None:
            log.warning("worker refused", site=answer.site, address=address, reason=refused.reason)
        else:
            refused = self._as_a_copy(answer, address)
        if refused is None:
            return answer
        await say_last(socket, refused)
        return None

    def _as_a_copy(self, hello: Hello, address: str) -> Refused | None:
        """Why it is refused, where another worker with its key is linked and ran before it."""
        linked = self._linked(hello.site)
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
            self._noticing.add(task := asyncio.create_task(self._guests.copy_noticed(hello.site, addresses)))
            task.add_done_callback(self._noticing.discard)
        if let_in:
            return None
        return Refused(
            code="copy",
            reason=f"another worker with this key is linked as {hello.site!r}: this one is a copy of "
            "it, or its successor. Switch off the one that should not run; to give this machine a key "
            "of its own, make a new code on the dashboard's page of hamlets and run `camera-hub enrol`",
        )


async def say_last(socket: Socket, last: Refused | Enrolled) -> None:
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
