"""Runs the server: folder, store, people, link, live and HTTP, from the first to the last second.

`serve` returns when it is cancelled, within three seconds: streams that never end by themselves
(updates, live, links) are ended first. Run it on uvloop.
"""

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial

import structlog
import uvicorn
from fastapi import FastAPI

from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.config.live import LiveConfig, TranscodeConfig
from camera_hub.folder import hold_folder
from camera_hub.link.messages import MAX_MESSAGE_BYTES
from camera_hub.link.server.end import ServerEnd
from camera_hub.live.hub import LiveHub
from camera_hub.live.ice import IceServers
from camera_hub.live.limits import Limits
from camera_hub.live.mse import MseStreams
from camera_hub.live.transcode import Transcodes
from camera_hub.live.transcode_wire import Shape
from camera_hub.live.whep import WhepSessions
from camera_hub.model import HubError, StreamName
from camera_hub.server import link
from camera_hub.server.alert_rules import keep_config_rules
from camera_hub.server.app import create_app
from camera_hub.server.broadcast import Updates
from camera_hub.server.certificate import check_tls
from camera_hub.server.commune import Commune, Watchable, watchable
from camera_hub.server.enrolments import Enrolments
from camera_hub.server.for_ever import for_ever
from camera_hub.server.live import live_router
from camera_hub.server.live_mse import mse_router
from camera_hub.server.mjpeg import Kiosks, mjpeg_router
from camera_hub.server.passwords import Passwords
from camera_hub.server.people import FirstLogin, first_login, sync_config_users
from camera_hub.server.recordings import recordings_router
from camera_hub.server.rehearsal import rehearsal_site
from camera_hub.server.rights import Right, needs
from camera_hub.server.settings import ServerSettings
from camera_hub.server.sites_state import SitesState
from camera_hub.server.tidying import keep_room, keep_tidy
from camera_hub.server.troubles import Troubles
from camera_hub.server.wire import SharedFrames
from camera_hub.store import SessionRecord, Store

log = structlog.get_logger(__name__)

END_S = 1.5  # for live views to say goodbye
GRACE_S = 1  # for answers that are on their way when we end
UNSENT_BYTES = 64 * 1024  # of an answer, in the kernel
TICK_S = 1.0  # how old the `Date` of an answer may be


@dataclass(frozen=True)
class Started:
    """The server listens. `first_login` is there until its password is changed."""

    host: str
    port: int
    first_login: FirstLogin | None
    tls: bool = False

    @property
    def url(self) -> str:
        """An address that a browser on this machine can open."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.host, self.host)  # noqa: S104
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{self.port}"


async def serve(
    settings: ServerSettings,
    *,
    started: Callable[[Started], None] = lambda _: None,
    clock: Clock = SYSTEM_CLOCK,
) -> None:
    """The server, until it is cancelled. `started` is called once, when it listens.

    Raises HubError in words when it cannot start: the port is taken, the folder is in use or not
    writable, the database is newer, damaged or locked.
    """
    check_tls(settings.certificate, settings.tls_key)
    with (
        hold_folder(settings.data, "serve"),
        contextlib.closing(listen(settings.host, settings.port)) as sock,
    ):
        async with (
            Store(settings.data, url=settings.database, clock=clock) as store,
            assembled(settings, store, clock) as hub,
        ):
            login = await first_login(store, hub.passwords)
            port = sock.getsockname()[1]
            server = _Server(
                hub,
                lambda: started(Started(settings.host, port, login, settings.tls_key is not None)),
                settings,
            )
            await _until_cancelled(server, sock)


@dataclass(frozen=True)
class Assembled:
    """A server's parts that have to be ended."""

    app: FastAPI
    state: SitesState
    updates: Updates
    live: LiveHub
    whep: WhepSessions
    mse: MseStreams
    kiosks: Kiosks
    passwords: Passwords

    async def end_streams(self) -> None:
        """Ends what would not end by itself."""
        self.updates.close()
        self.mse.close()
        self.kiosks.close()
        try:
            async with asyncio.timeout(END_S):
                await self.whep.close()
                await self.live.close()
        except TimeoutError:
            log.warning("some live views did not end in time")


@contextlib.asynccontextmanager
async def assembled(
    settings: ServerSettings, store: Store, clock: Clock = SYSTEM_CLOCK
) -> AsyncIterator[Assembled]:
    """The app with everything behind it, over an open store: ready to answer, and ended afterwards."""
    made = assemble(settings, store, clock)
    watching: list[asyncio.Task[None]] = []
    try:
        await sync_config_users(store, settings.users, made.passwords)
        await made.state.load()
        await keep_config_rules(store.alerts, settings.alerts.rules, clock.wall_us())
        parts = made.app.state.parts
        troubles = Troubles(made.state, store.alerts, clock, parts.desk.trouble, settings.data)
        works = {"alerts": parts.desk.run, "troubles": troubles.run, "deliveries": parts.deliverer.run}
        works |= {"room": partial(keep_room, settings, store), "tidying": partial(keep_tidy, settings, store)}
        if settings.alerts.mqtt is not None:
            from camera_hub.server.mqtt import Mqtt

            mqtt = Mqtt(settings.alerts.mqtt, made.state, store, clock)
            made.updates.listen(mqtt.heard)
            works["mqtt"] = mqtt.run
        watching = [asyncio.create_task(for_ever(name, work)) for name, work in works.items()]
        yield made
    finally:
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await made.end_streams()
        made.passwords.close()


def assemble(settings: ServerSettings, store: Store, clock: Clock = SYSTEM_CLOCK) -> Assembled:
    """The parts, put together; nothing has been asked of the store yet."""
    updates = Updates()
    passwords = Passwords()
    enrolments = Enrolments(
        store,
        clock,
        server=settings.id,
        in_config=frozenset(site.id for site in settings.sites),
        certificate=settings.certificate,
    )

    def heard() -> None:
        app.state.parts.desk.wake()

    state = SitesState(
        store,
        updates,
        settings.sites,
        clock,
        lambda: rehearsal_site(settings.data),
        enrolments,
        on_event=heard,
    )

    async def start(camera_id: str, stream: StreamName) -> None:
        await _watch(end, camera_id, stream, on=True)

    async def stop(camera_id: str, stream: StreamName) -> None:
        await _watch(end, camera_id, stream, on=False)

    async def listen(camera_id: str, stream: StreamName, on: bool) -> None:
        site, _, camera = camera_id.partition(".")
        await end.listen(site, camera, stream, on)

    chosen = settings.live
    transcodes = _transcodes(chosen.transcode, clock)
    live = LiveHub(start, stop, clock=clock, transcodes=transcodes, listen=listen)
    end = ServerEnd(Commune(state, live), clock)
    enrolments.links = end
    state.wishes.links = end
    limits = Limits(chosen.max_viewers, chosen.max_viewers_per_camera, chosen.max_viewers_per_user)
    whep = WhepSessions(limits, clock=clock, ports=chosen.ports, stun=chosen.stun)
    mse, kiosks = MseStreams(limits, clock=clock), Kiosks(limits)

    async def still_good(session: SessionRecord) -> bool:
        return await app.state.parts.sessions.still_good(session) is True

    def find_camera(camera: str) -> Watchable | None:
        return watchable(state, camera)

    live_routes = live_router(live, whep, find_camera, needs(Right.LIVE), _ice_servers(chosen), clock)
    mse_routes = mse_router(live, mse, find_camera, needs(Right.LIVE), still_good)
    app = create_app(
        settings,
        store,
        state,
        updates,
        end,
        passwords=passwords,
        routers=(link.router(end), live_routes, mse_routes, mjpeg_router(kiosks), recordings_router(end)),
        transcodes=transcodes,
        clock=clock,
    )
    return Assembled(app, state, updates, live, whep, mse, kiosks, passwords)


def _transcodes(chosen: TranscodeConfig, clock: Clock) -> Transcodes:
    return Transcodes(chosen.max, Shape(chosen.height, chosen.fps, chosen.kbit), clock=clock)


def _ice_servers(live: LiveConfig) -> IceServers:
    if live.turn is None:
        return IceServers(live.stun)
    return IceServers(live.stun, live.turn.urls, live.turn.secret.get_secret_value(), live.turn.valid_s)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises HubError in words when the port cannot be had."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as exc:
        raise HubError(f"server.host {host!r} is no address of this machine ({exc.strerror})") from exc
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        _wait_little(sock)
        sock.bind(address)
        sock.listen(512)
    except OSError as exc:
        sock.close()
        raise HubError(_no_port(host, port, exc)) from exc
    return sock


def _wait_little(sock: socket.socket) -> None:
    """Keep the kernel from taking megabytes for one who reads slowly (tcp(7)); connections inherit it."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if option is not None:
        with contextlib.suppress(OSError):  # not over TCP
            sock.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)


def _no_port(host: str, port: int, exc: OSError) -> str:
    if exc.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by another program; end that one, or set another server.port"
    if exc.errno == errno.EACCES:
        return f"port {port} needs rights that camera-hub has not; set server.port to one above 1023"
    if exc.errno == errno.EADDRNOTAVAIL:
        return f"server.host {host} is no address of this machine; 0.0.0.0 means all that it has"
    return f"cannot listen on {host}, port {port} ({exc.strerror}); set server.host and server.port anew"


class _Server(uvicorn.Server):
    """uvicorn, but signals are our caller's, and what never ends is ended before it waits."""

    def __init__(self, hub: Assembled, started: Callable[[], None], settings: ServerSettings) -> None:
        tls = settings.tls_key is not None
        super().__init__(
            uvicorn.Config(
                hub.app,
                log_config=None,
                access_log=False,
                server_header=False,
                lifespan="off",
                ws=SharedFrames,
                ws_max_size=MAX_MESSAGE_BYTES + 1024,
                ws_per_message_deflate=False,  # pictures and video are compressed already
                timeout_graceful_shutdown=GRACE_S,
                ssl_certfile=settings.certificate if tls else None,
                ssl_keyfile=settings.tls_key,
            )
        )
        self._hub = hub
        self._tell_started = started
        self._ending = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self):  # type: ignore[no-untyped-def]
        yield

    def end(self) -> None:
        self.should_exit = True
        self._ending.set()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it is to end: most of what an idle server costs.
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_S):
                    await self._ending.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._tell_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._hub.end_streams()
        await super().shutdown(sockets)


async def _until_cancelled(server: _Server, sock: socket.socket) -> None:
    running = asyncio.create_task(server.serve(sockets=[sock]))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        server.end()
        await running
        raise


async def _watch(end: ServerEnd, camera_id: str, stream: StreamName, *, on: bool) -> None:
    site, _, camera = camera_id.partition(".")
    await end.watch(site, camera, stream, on)
