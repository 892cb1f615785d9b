"""The worker's end of the link: it dials one server, for ever, and carries what the worker has.

Relies on an `Outbox` for what must not be lost, a `Hamlet` for what can be asked of the
worker, and a `Dialler` that knows the server. Promises: durable messages are sent in the outbox's
order until acknowledged; a server that is away costs nothing but delay; live packets flow only while
watched.
"""

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import structlog
from websockets.asyncio.client import ClientConnection

from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.link import handshake
from camera_hub.link.dialling import FAILURES, Address, Dialler
from camera_hub.link.keys import WorkerKey
from camera_hub.link.messages import (
    SERVER_SKILLS,
    Ack,
    Challenge,
    Durable,
    Health,
    KeyTaken,
    LinkError,
    Listen,
    LiveOpened,
    LivePackets,
    LiveSound,
    NewKeyWanted,
    NotTaken,
    Refused,
    ServerMessage,
    Skill,
    Still,
    StillRequest,
    UnknownMessageError,
    Watch,
    Welcome,
    WorkerMessage,
    decode_from_server,
    encode,
)
from camera_hub.link.outgoing import LiveBuffer
from camera_hub.model import CameraInfo, HubError, StreamName

log = structlog.get_logger(__name__)

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
REFUSED_PAUSE_S = 30.0  # a refusal is mended by people: asking more often helps nobody
SLOW_PAUSE_S = {"revoked": 300.0, "copy": 60.0}  # by the refusal's code
HANDSHAKE_S = 10.0
CLOCK_APART_US = 60_000_000  # more than that between server and worker is worth a warning
STEADY_S = 10.0  # a link that stood so long begins its backoff anew
HEALTH_S = 5.0
WINDOW = 16  # durable messages on the wire and not yet acknowledged


class Outbox(Protocol):
    """Durable messages for one server, oldest first within the most urgent lane. May raise HubError."""

    async def unacknowledged(self, skip: frozenset[str], limit: int) -> Sequence[Durable]: ...

    async def acknowledge(self, ids: Sequence[str]) -> None: ...


class Hamlet(Protocol):
    """What a server may ask of the worker."""

    def cameras(self) -> tuple[CameraInfo, ...]: ...

    def health(self) -> Health: ...

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None: ...

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None: ...

    def unwatch_all(self, server: str) -> None: ...

    async def still(self, request: StillRequest) -> Still: ...


class WorkerEnd:
    """One server's link, from the worker's side."""

    def __init__(
        self,
        server: str,
        url: str,
        key: handshake.SiteKey,
        site: str,
        site_name: str,
        software: str,
        hamlet: Hamlet,
        outbox: Outbox,
        ca_file: Path | None = None,
        *,
        certificate_sha256: str = "",
        proxy: str | None = None,
        key_file: Path | None = None,
    ) -> None:
        """`key_file`: where `key` lies, when the server may have it changed."""
        self.server = server
        self.connected = False
        self.error = ""
        self._told = ""  # the error that the log has
        self.server_can: frozenset[str] = frozenset()
        """What the server that is linked can do beyond version 1 (`messages.Skill`)."""
        self._url = url
        self._key = WorkerKey(key, key_file)
        self._run = secrets.token_hex(8)
        self._site = site
        self._site_name = site_name
        self._software = software
        self._hamlet = hamlet
        self._outbox = outbox
        self._dialler = Dialler(Address(url, ca_file, certificate_sha256, proxy))
        self._wake = asyncio.Event()
        self._control: deque[WorkerMessage] = deque(maxlen=256)
        self._live: dict[tuple[str, StreamName], LiveBuffer] = {}
        self._in_flight: set[str] = set()

    # -- what the worker calls -------------------------------------------------------------

    def outbox_changed(self) -> None:
        """New durable messages wait."""
        self._wake.set()

    def health_changed(self) -> None:
        """A camera's state changed: tell it now, not at the next beat."""
        if self.connected:
            self._control.append(self._hamlet.health())
            self._wake.set()

    def live_opened(self, message: LiveOpened) -> None:
        buffer = self._live.get((message.camera, message.stream))
        if buffer is not None:
            buffer.open(message)
            self._wake.set()

    def live_packets(self, message: LivePackets) -> None:
        buffer = self._live.get((message.camera, message.stream))
        if buffer is not None:
            buffer.add(message.packets)
            self._wake.set()

    def live_sound(self, message: LiveSound) -> None:
        buffer = self._live.get((message.camera, message.stream))
        if buffer is not None:
            buffer.add_sound(message.packets)
            self._wake.set()

    async def run(self) -> None:
        """Dial, serve, and dial again, until cancelled."""
        failures = 0
        while True:
            pause: float | None = None
            began = asyncio.get_running_loop().time()
            try:
                await self._connection()
            except LinkError as exc:
                self._failed(str(exc))
                pause = SLOW_PAUSE_S.get(exc.code, REFUSED_PAUSE_S)
                if exc.code == "wrong-key":
                    self._key.refused()
            except HubError as exc:  # of the outbox: the disk is full, and will not be for ever
                self._failed(str(exc))
            except FAILURES as exc:
                self._failed(self._dialler.in_words(exc), first=failures == 0)
            self.connected = False
            self._forget_connection()
            lasted_s = asyncio.get_running_loop().time() - began
            failures = 0 if lasted_s > STEADY_S else failures + 1
            if pause is None:
                pause = BACKOFF_S[min(failures, len(BACKOFF_S)) - 1] if failures else BACKOFF_S[0]
            await asyncio.sleep(pause * random.uniform(0.7, 1.0))  # noqa: S311 - jitter, no secret

    # -- one connection --------------------------------------------------------------------

    async def _connection(self) -> None:
        async with self._dialler.connection() as socket:
            async with asyncio.timeout(HANDSHAKE_S):
                await self._shake_hands(socket)
            self.connected, self.error, self._told = True, "", ""
            log.info("link up", server=self.server)
            self._control.append(self._hamlet.health())
            await _first_to_end(self._receive(socket), self._send(socket), self._beat())

    async def _shake_hands(self, socket: ClientConnection) -> None:
        asked = decode_from_server(_binary(await socket.recv()))
        if not isinstance(asked, Challenge):
            raise LinkError(f"the server at {self._url} did not begin as a Camera Hub server does")
        answer = handshake.hello(
            asked,
            self._key.to_show(),
            self._site,
            self._site_name,
            self._software,
            self._hamlet.cameras(),
            self._run,
        )
        await socket.send(encode(answer))
        verdict = decode_from_server(_binary(await socket.recv()))
        if isinstance(verdict, Refused):
            raise LinkError(f"the server refused us: {verdict.reason}", code=verdict.code)
        if not isinstance(verdict, Welcome):
            raise LinkError(f"the server at {self._url} answered with a {type(verdict).__name__}")
        self._key.accepted()
        self.server_can = frozenset(asked.can)
        self._compare(verdict)

    def _compare(self, welcome: Welcome) -> None:
        """Says in the log what the server lacks, and when the two clocks are far apart."""
        lacks = sorted(SERVER_SKILLS - self.server_can)
        if lacks:
            log.warning(
                "the server is of an older release and lacks some things", server=self.server, lacks=lacks
            )
        apart_us = SYSTEM_CLOCK.wall_us() - welcome.server_time_us
        if abs(apart_us) > CLOCK_APART_US:
            log.warning(
                "the clocks of server and worker are apart; set this machine's (timedatectl)",
                server=self.server,
                apart_s=round(apart_us / 1e6),
            )

    async def _receive(self, socket: ClientConnection) -> None:
        answers: set[asyncio.Task[None]] = set()
        try:
            async for data in socket:
                try:
                    message = decode_from_server(_binary(data))
                except UnknownMessageError as exc:
                    self._not_understood(exc)
                    continue
                match message:
                    case Ack(ids=ids):
                        await self._outbox.acknowledge(ids)
                        self._in_flight.difference_update(ids)
                        self._wake.set()
                    case Watch(camera=camera, stream=stream, on=on):
                        self._watch(camera, stream, on)
                    case Listen(camera=camera, stream=stream, on=on):
                        self._hamlet.listen(self.server, camera, stream, on)
                    case StillRequest():
                        task = asyncio.create_task(self._answer(message))
                        answers.add(task)
                        task.add_done_callback(answers.discard)
                    case _:
                        self._hear(message)
        finally:
            for task in answers:
                task.cancel()

    def _hear(self, message: ServerMessage) -> None:
        """What the server says of us and of our messages."""
        match message:
            case NewKeyWanted(nonce=nonce):
                self._change_key(nonce)
            case KeyTaken(key=public):
                if self._key.taken(public):
                    log.info("the site has a new key", server=self.server)
            case NotTaken(name=name):
                # What it belongs to stays in the outbox; on this connection it is not sent again.
                log.error("the server did not understand a message", server=self.server, message=name)
            case Refused(code=code, reason=reason):
                raise LinkError(f"the server ended the link: {reason}", code=code)
            case _:
                raise LinkError(f"the server sent a {type(message).__name__} out of turn")

    def _not_understood(self, error: UnknownMessageError) -> None:
        log.warning("the server sent what this release does not know", server=self.server, message=error.name)
        if Skill.NOT_TAKEN in self.server_can:
            self._control.append(NotTaken(name=error.name, id=error.id))
            self._wake.set()

    def _change_key(self, nonce: bytes) -> None:
        if not self._key.may_change:
            log.warning("the server wants another key, but this one stands in its config", server=self.server)
            return
        key = self._key
        self._control.append(handshake.new_key(nonce, self._site, key.to_show(), key.next_key()))
        self._wake.set()

    def _watch(self, camera: str, stream: StreamName, on: bool) -> None:
        # A second Watch starts the stream anew: the server lost what it had.
        self._live.pop((camera, stream), None)
        if on:
            self._live[camera, stream] = LiveBuffer(camera, stream)
        self._hamlet.watch(self.server, camera, stream, on)

    async def _answer(self, request: StillRequest) -> None:
        self._control.append(await self._hamlet.still(request))
        self._wake.set()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEALTH_S)
            self._control.append(self._hamlet.health())
            self._wake.set()

    async def _send(self, socket: ClientConnection) -> None:
        while True:
            self._wake.clear()
            while self._control:
                await socket.send(encode(self._control.popleft()))
            if await self._send_durable(socket) or await self._send_live(socket):
                continue
            await self._wake.wait()

    async def _send_durable(self, socket: ClientConnection) -> bool:
        """Send the next durable message; False when none waits or the window is full."""
        if len(self._in_flight) >= WINDOW:
            return False
        waiting = await self._outbox.unacknowledged(frozenset(self._in_flight), limit=1)
        for message in waiting:
            self._in_flight.add(message.id)
            await socket.send(encode(message))
        return bool(waiting)

    async def _send_live(self, socket: ClientConnection) -> bool:
        sent = False
        for buffer in list(self._live.values()):
            message = buffer.take()
            if message is not None:
                await socket.send(encode(message))
                sent = True
        return sent

    def _forget_connection(self) -> None:
        self._in_flight.clear()
        self._control.clear()
        self._live.clear()
        self._hamlet.unwatch_all(self.server)

    def _failed(self, error: str, first: bool = False) -> None:
        """`first`: a first attempt that failed, as when worker and server start together."""
        if first and not self.connected:
            log.info("link not up yet", server=self.server, error=error)
        elif error != self._told or self.connected:
            # Once per new reason: a server away for days must not fill the log.
            log.warning("link down", server=self.server, error=error)
            self._told = error
        self.error = error


async def _first_to_end(*coroutines: object) -> None:
    """Run all until one ends; the others are cancelled, and what the first raised is raised."""
    tasks = [asyncio.ensure_future(c) for c in coroutines]  # type: ignore[call-overload]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _binary(data: str | bytes) -> bytes:
    if isinstance(data, str):
        raise LinkError("the server sent text where the link is binary")
    return data
