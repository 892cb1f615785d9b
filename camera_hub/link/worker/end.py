"""The worker's end of the link: it dials one server, for ever, and carries what the worker has.

Relies on an `Outbox` for what must not be lost, a `Hamlet` for what can be asked of the worker, and a
`Dialler` that knows the server. Promises: durable messages are sent until acknowledged; a server that is
away costs nothing but delay; live packets flow only while watched; little is under way on a narrow line, so
that a fresh event is soon there. What goes first is `sending`'s to say, how much the budget's and `pace`'s.
"""

import asyncio
import random
import secrets
from datetime import UTC
from pathlib import Path

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.first_to_end import first_to_end
from camera_hub.link import handshake
from camera_hub.link.messages import (
    SERVER_SKILLS,
    Ack,
    CamerasChanged,
    Challenge,
    ClipWanted,
    Configured,
    Health,
    KeyTaken,
    Lane,
    LinkError,
    LinkHealth,
    Listen,
    LiveOpened,
    LivePackets,
    LiveSize,
    LiveSound,
    NewKeyWanted,
    NotTaken,
    NotTakenError,
    Refused,
    ServerMessage,
    Skill,
    TimeAsked,
    TimeTold,
    Watch,
    Welcome,
    WorkerMessage,
    decode_from_server,
    encode,
)
from camera_hub.link.worker.answering import Answering
from camera_hub.link.worker.apart import Apart
from camera_hub.link.worker.budget import Budget, Limits
from camera_hub.link.worker.dialling import FAILURES, Address, Dialler
from camera_hub.link.worker.keys import WorkerKey
from camera_hub.link.worker.outflow import flow
from camera_hub.link.worker.pace import Pace
from camera_hub.link.worker.protocols import Hamlet, Outbox
from camera_hub.link.worker.ranges import RangesOut
from camera_hub.link.worker.sending import Sending
from camera_hub.link.worker.watched import Watched
from camera_hub.model import CameraInfo, HubError

__all__ = ["Hamlet", "Outbox", "WorkerEnd"]

log = structlog.get_logger(__name__)

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
REFUSED_PAUSE_S = 30.0  # a refusal is mended by people: asking more often helps nobody
SLOW_PAUSE_S = {"revoked": 300.0, "copy": 60.0}  # by the refusal's code
HANDSHAKE_S = 10.0
CLOCK_APART_US = 60_000_000  # more than that between server and worker is worth a warning
STEADY_S = 10.0  # a link that stood so long begins its backoff anew
HEALTH_S = 5.0
JUDGE_S = 0.5  # so often is looked whether what is watched goes through


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
        budget: Budget | None = None,
        clock: Clock = SYSTEM_CLOCK,
    ) -> None:
        """`key_file`: where `key` lies, when the server may have it changed.

        `budget` is shared by all that use one uplink; None where there is no bound.
        """
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
        self._clock = clock
        self._budget = budget or Budget(Limits(), UTC, clock)
        self._wake = asyncio.Event()
        self._watched = Watched(server, hamlet, clock)
        self._ranges = RangesOut(hamlet.recordings, self._budget, self._wake.set)
        self._pace = Pace(clock.monotonic_us())
        self._apart = Apart()
        self._sending: Sending | None = None  # of this connection
        self._told_cameras: tuple[CameraInfo, ...] = ()  # on this connection

    # -- what the worker calls -------------------------------------------------------------

    def outbox_changed(self) -> None:
        """New durable messages wait."""
        if self._sending is not None:
            self._sending.outbox_changed()
            self._wake.set()

    def health_changed(self) -> None:
        """A camera's state changed: tell it now, not at the next beat."""
        if self._sending is not None:
            self._say(self._health())

    def cameras_changed(self) -> None:
        """The worker's cameras are others than they were."""
        if self._sending is not None and self._hamlet.cameras() != self._told_cameras:
            self._told_cameras = self._hamlet.cameras()
            if Skill.CAMERAS_CHANGED in self.server_can:
                self._say(CamerasChanged(cameras=self._told_cameras))

    def wishes_answered(self, message: Configured) -> None:
        """What became of the server's wishes is something else now."""
        self._say(message)

    def _say(self, message: WorkerMessage) -> None:
        if self._sending is not None:
            self._sending.control.append(message)
            self._wake.set()

    def live_opened(self, message: LiveOpened) -> None:
        self._watched.opened(message)
        self._wake.set()

    def live_packets(self, message: LivePackets) -> None:
        self._watched.packets(message)
        self._wake.set()

    def live_sound(self, message: LiveSound) -> None:
        self._watched.sound(message)
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
            self._pace = Pace(self._clock.monotonic_us())
            sending = self._sending = Sending(
                self.server,
                self._outbox,
                await self._outbox.newest(),
                self.server_can,
                self._budget,
                lambda: self._watched.buffers,
                self._ranges,
            )
            self.connected, self.error, self._told = True, "", ""
            log.info("link up", server=self.server)
            sending.control.append(self._health())
            self.cameras_changed()  # since the Hello
            await first_to_end(
                self._receive(socket, sending),
                flow(socket, sending, self._pace, self._wake, self._clock),
                self._beat(sending),
                self._judge(sending),
            )

    async def _shake_hands(self, socket: ClientConnection) -> None:
        asked = decode_from_server(_binary(await socket.recv()))
        if not isinstance(asked, Challenge):
            raise LinkError(f"the server at {self._url} did not begin as a Camera Hub server does")
        self._told_cameras = self._hamlet.cameras()
        answer = handshake.hello(
            asked,
            self._key.to_show(),
            self._site,
            self._site_name,
            self._software,
            self._told_cameras,
            self._run,
        )
        asked_us = self._clock.monotonic_us()
        await socket.send(encode(answer))
        verdict = decode_from_server(_binary(await socket.recv()))
        if isinstance(verdict, Refused):
            raise LinkError(f"the server refused us: {verdict.reason}", code=verdict.code)
        if not isinstance(verdict, Welcome):
            raise LinkError(f"the server at {self._url} answered with a {type(verdict).__name__}")
        self._key.accepted()
        self.server_can = frozenset(asked.can)
        self._apart = Apart()
        self._time_told(asked_us, verdict.server_time_us)
        self._compare()

    def _time_told(self, asked_us: int, server_time_us: int) -> None:
        took_us = self._clock.monotonic_us() - asked_us
        self._apart.answered(server_time_us, self._clock.wall_us(), took_us)

    def _compare(self) -> None:
        """Says in the log what the server lacks, and when the two clocks are far apart."""
        lacks = sorted(SERVER_SKILLS - self.server_can)
        if lacks:
            log.warning("the server is older and lacks some things", server=self.server, lacks=lacks)
        apart_us = self._apart.offset_us or 0
        if abs(apart_us) > CLOCK_APART_US:
            log.warning(
                "the clocks of server and worker are apart; set this machine's (timedatectl)",
                server=self.server,
                apart_s=round(apart_us / 1e6),
            )

    async def _receive(self, socket: ClientConnection, sending: Sending) -> None:
        answering = Answering(self.server, self._hamlet, self._ranges, sending, self._wake.set)
        try:
            async for data in socket:
                try:
                    message = decode_from_server(_binary(data))
                except NotTakenError as exc:
                    self._not_understood(exc, sending)
                    continue
                match message:
                    case Ack(ids=ids):
                        await self._outbox.acknowledge(ids)
                        sending.acknowledged(ids)
                    case ClipWanted():
                        sending.wanted(message)
                    case TimeTold(asked_us=asked_us, server_time_us=server_time_us):
                        self._time_told(asked_us, server_time_us)
                    case Watch(camera=camera, stream=stream, on=on):
                        self._watched.watch(camera, stream, on)
                    case Listen(camera=camera, stream=stream, on=on):
                        self._watched.listen(camera, stream, on)
                    case _:
                        if not answering.ask(message):
                            self._hear(message, sending)
                self._wake.set()
        finally:
            answering.close()

    def _hear(self, message: ServerMessage, sending: Sending) -> None:
        """What the server says of us and of our messages."""
        match message:
            case NewKeyWanted(nonce=nonce):
                self._change_key(nonce, sending)
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

    def _not_understood(self, error: NotTakenError, sending: Sending) -> None:
        log.warning("the server sent what is not taken", server=self.server, why=str(error))
        if Skill.NOT_TAKEN in self.server_can:
            sending.control.append(NotTaken(name=error.name, id=error.id))
            self._wake.set()

    def _change_key(self, nonce: bytes, sending: Sending) -> None:
        if not self._key.may_change:
            log.warning("the server wants another key, but this one stands in its config", server=self.server)
            return
        key = self._key
        sending.control.append(handshake.new_key(nonce, self._site, key.to_show(), key.next_key()))

    async def _beat(self, sending: Sending) -> None:
        while True:
            await asyncio.sleep(HEALTH_S)
            if Skill.CLOCK in self.server_can:
                sending.control.append(TimeAsked(asked_us=self._clock.monotonic_us()))
            sending.control.append(self._health())
            self._wake.set()

    async def _judge(self, sending: Sending) -> None:
        while True:
            await asyncio.sleep(JUDGE_S)
            sending.control.extend(self._ranges.shut())
            if self._watched.judge():
                log.info(
                    "what is watched was fitted to the line", server=self.server, size=self._watched.size
                )
                self.health_changed()

    def _health(self) -> Health:
        waiting = self._outbox.depth()
        pace, limits = self._pace.bytes_per_s, self._budget.limits
        size = self._watched.size if self._budget.is_open(Lane.LIVE) else LiveSize.NOTHING
        link = LinkHealth(
            waiting=waiting,
            live=size,
            day_bytes=self._budget.today()[1],
            day_limit_bytes=limits.day_bytes,
            limit_kbit=limits.kbit,
            line_kbit=None if pace is None else round(pace / 125),
            shed=tuple(self._outbox.shed()),
            clock_offset_us=self._apart.offset_us,
        )
        return msgspec.structs.replace(self._hamlet.health(), outbox_depth=waiting, link=link)

    def _forget_connection(self) -> None:
        self._sending = None
        self._budget.withdraw(self.server)
        self._watched.clear()
        self._ranges.clear()

    def _failed(self, error: str, first: bool = False) -> None:
        """`first`: a first attempt that failed, as when worker and server start together."""
        if first and not self.connected:
            log.info("link not up yet", server=self.server, error=error)
        elif error != self._told or self.connected:
            # Once per new reason: a server away for days must not fill the log.
            log.warning("link down", server=self.server, error=error)
            self._told = error
        self.error = error


def _binary(data: str | bytes) -> bytes:
    if isinstance(data, str):
        raise LinkError("the server sent text where the link is binary")
    return data
