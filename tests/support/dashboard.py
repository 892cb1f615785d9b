"""A whole server with a hand-made hamlet behind it, for tests of the dashboard: all but the link is real.

The hamlet says what a test tells it to say, and sends each camera's stream while it is watched.
"""

import asyncio
import contextlib
import io
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import av
import cv2
import uvicorn
from ulid import ULID

from camera_hub import __version__
from camera_hub.alerts.rule import Rule
from camera_hub.clock import SYSTEM_CLOCK
from camera_hub.link.messages import (
    PROTOCOL_VERSION,
    WORKER_SKILLS,
    Configured,
    EventClip,
    EventNews,
    EventPicture,
    Health,
    Hello,
    Skill,
    Still,
)
from camera_hub.live.hub import LiveHub
from camera_hub.live.ice import IceServers
from camera_hub.live.limits import Limits
from camera_hub.live.mse import MseStreams
from camera_hub.live.whep import WhepSessions
from camera_hub.model import (
    Answer,
    CameraHealth,
    CameraInfo,
    CameraState,
    Cause,
    Event,
    Packet,
    StreamHealth,
    StreamInfo,
    StreamName,
    WhyNot,
    Wish,
    WishOutcome,
)
from camera_hub.server.alert_desk import AlertDesk
from camera_hub.server.app import create_app
from camera_hub.server.broadcast import Updates
from camera_hub.server.commune import Watchable, watchable
from camera_hub.server.live import live_router
from camera_hub.server.live_mse import mse_router
from camera_hub.server.mjpeg import Kiosks, mjpeg_router
from camera_hub.server.parts import Parts
from camera_hub.server.people import sync_config_users
from camera_hub.server.rights import Right, needs
from camera_hub.server.serve import listen
from camera_hub.server.settings import ConfigUser, KnownSite, ServerSettings
from camera_hub.server.shapes import global_id
from camera_hub.server.sites_state import SitesState
from camera_hub.server.wire import SharedFrames
from camera_hub.store import SessionRecord, Store
from tests.support.server import quick_passwords

SITE = KnownSite("khe-coc", "Xóm Khe Cốc", "")
ADMIN = ConfigUser("quan-tri", "Quản trị", "admin", "mat-khau-quan-tri")
USER = ConfigUser("canh-sat", "Nguyễn Văn An", "police", "mat-khau-thu")


class Film:
    """A camera's stream over and over: its packets, and any of its pictures as JPEG."""

    def __init__(self, info: StreamInfo, packets: list[Packet], duration_us: int) -> None:
        self.info = info
        self.packets = packets
        self.duration_us = duration_us

    def packet(self, number: int) -> Packet:
        packet = self.packets[number % len(self.packets)]
        shift_us = number // len(self.packets) * self.duration_us
        return Packet(
            data=packet.data,
            pts_us=packet.pts_us + shift_us,
            dts_us=packet.dts_us + shift_us,
            wall_us=SYSTEM_CLOCK.wall_us(),
            keyframe=packet.keyframe,
        )

    def jpeg(self, share: float = 0.0) -> bytes:
        """The first picture of the group that lies at a share of the film's length."""
        keyframes = [packet for packet in self.packets if packet.keyframe]
        keyframe = keyframes[min(int(share * len(keyframes)), len(keyframes) - 1)]
        decoder = av.CodecContext.create(self.info.codec, "r")
        assert isinstance(decoder, av.VideoCodecContext)
        frame = [
            *decoder.decode(av.Packet(self.info.extradata + keyframe.data)),
            *decoder.decode(None),
        ][0]
        return _jpeg(frame)

    def mp4(self, seconds: float = 6.0) -> bytes:
        """Its beginning as a clip."""
        file = io.BytesIO()
        with av.open(file, "w", format="mp4", options={"movflags": "frag_keyframe+empty_moov"}) as container:
            stream = container.add_stream("h264", rate=round(self.info.fps or 10))
            stream.width, stream.height = self.info.width, self.info.height
            stream.pix_fmt = "yuv420p"
            decoder = av.CodecContext.create("h264", "r")
            for packet in self.packets:
                if packet.pts_us > seconds * 1e6:
                    break
                data = self.info.extradata + packet.data if packet.keyframe else packet.data
                for frame in decoder.decode(av.Packet(data)):
                    frame.pts = None
                    container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return file.getvalue()


def _jpeg(frame: av.VideoFrame) -> bytes:
    return cv2.imencode(".jpg", frame.to_ndarray(format="bgr24"))[1].tobytes()


class Hamlet:
    """The site `khe-coc`: its cameras, their states, and the events that a test makes there."""

    def __init__(self, state: SitesState, films: Mapping[str, Film], infos: tuple[CameraInfo, ...]) -> None:
        self.films = films
        self.infos = infos
        self.state = state
        self.hub: LiveHub
        self.store: Store
        self.desk: AlertDesk
        self.parts: Parts
        self.states = dict.fromkeys(films, CameraState.ONLINE)
        self.errors: dict[str, tuple[str, Cause | None, str]] = {}
        self.since_us = dict.fromkeys(films, SYSTEM_CLOCK.wall_us())
        self.outbox_depth = 0
        self.can = frozenset(WORKER_SKILLS)
        self.off: set[tuple[str, str]] = set()  # (camera, setting): detect or record, where it is not done
        self.asked: list[Wish] = []  # that is wanted and not answered
        self.linked = False
        self.sent = 0  # how many packets of the newest stream that is watched
        self.taken_us: list[int] = []  # when each of these was taken
        self._sending: dict[tuple[str, StreamName], asyncio.Task[None]] = {}
        self._message = (f"m{number}" for number in itertools.count())

    # -- what the server's end of a link would do ---------------------------------------------

    def connected(self, site: str) -> bool:
        return self.linked

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        return Still(request=0, jpeg=self.films[camera].jpeg(), at_us=SYSTEM_CLOCK.wall_us())

    async def watch(self, camera_id: str, stream: StreamName) -> None:
        await self.unwatch(camera_id, stream)
        if self.linked:
            self.hub.opened(camera_id, stream, self.films[camera_id.partition(".")[2]].info)
            self._sending[camera_id, stream] = asyncio.create_task(self._send(camera_id, stream))

    async def unwatch(self, camera_id: str, stream: StreamName) -> None:
        task = self._sending.pop((camera_id, stream), None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _send(self, camera_id: str, stream: StreamName) -> None:
        camera = camera_id.partition(".")[2]
        film, loop = self.films[camera], asyncio.get_running_loop()
        began = loop.time()
        self.taken_us = []
        for number in itertools.count():
            packet = film.packet(number)
            await asyncio.sleep(max(0.0, began + packet.dts_us / 1e6 - loop.time()))
            if self.states[camera] is CameraState.ONLINE and self.linked:
                self.hub.feed(camera_id, stream, [packet])
                self.sent = number + 1
            self.taken_us.append(packet.wall_us)

    async def configure(self, site: str, wishes: Sequence[Wish]) -> None:
        if self.linked and Skill.CONFIGURE in self.can:
            self.asked += wishes

    # -- what a test does ---------------------------------------------------------------------

    async def link(self) -> None:
        self.linked = True
        await self.state.site_connected(
            Hello(
                PROTOCOL_VERSION,
                SITE.id,
                SITE.name,
                __version__,
                b"",
                self.infos,
                can=tuple(sorted(self.can)),
            )
        )
        await self.state.wishes.site_linked(SITE.id)
        for camera_id, stream in self.hub.wanted():
            await self.watch(camera_id, stream)
        await self.tell()

    async def unlink(self) -> None:
        self.linked = False
        for camera_id, stream in list(self._sending):
            await self.unwatch(camera_id, stream)
        self.hub.site_gone(SITE.id, "the site is not connected")
        await self.state.site_gone(SITE.id)

    async def answer(self, outcome: WishOutcome, why: WhyNot | None = None, detail: str = "") -> None:
        """Answers the oldest wish, and does it where that says so."""
        wish = self.asked.pop(0)
        if outcome is WishOutcome.APPLIED:
            done = {(wish.camera, wish.key)}
            self.off = self.off | done if wish.value == "false" else self.off - done
            await self.tell()
        answer = Answer(wish.camera, wish.key, wish.version, outcome, why, detail)
        await self.state.wishes.answered(SITE.id, Configured((answer,)))

    async def say(
        self, camera: str, state: CameraState, error: str = "", cause: Cause | None = None, detail: str = ""
    ) -> None:
        """A camera comes into a state."""
        self.states[camera], self.errors[camera] = state, (error, cause, detail)
        self.since_us[camera] = SYSTEM_CLOCK.wall_us()
        await self.tell()

    async def tell(self) -> None:
        cameras = tuple(self._health(info) for info in self.infos)
        await self.state.health(
            SITE.id,
            Health(
                at_us=SYSTEM_CLOCK.wall_us(),
                cameras=cameras,
                outbox_depth=self.outbox_depth,
                disk_free_bytes=412_000_000_000,
                disk_total_bytes=1_000_000_000_000,
                recorded_bytes=186_400_000_000,
            ),
        )

    def _health(self, info: CameraInfo) -> CameraHealth:
        error, cause, detail = self.errors.get(info.id, ("", None, ""))
        return CameraHealth(
            camera=info.id,
            state=self.states[info.id],
            since_us=self.since_us[info.id],
            error=error,
            streams=tuple(self._measure(info.id, stream) for stream in info.streams),
            cause=cause,
            cause_detail=detail,
            detects=(info.id, "detect") not in self.off,
            records=(info.id, "record") not in self.off,
        )

    def _measure(self, camera: str, stream: StreamName) -> StreamHealth:
        info = self.films[camera].info
        return StreamHealth(
            stream=stream,
            codec=info.codec,
            width=info.width,
            height=info.height,
            fps=info.fps or 10.0,
            kbit_s=512.0,
            keyframe_interval_s=2.0,
            last_packet_us=SYSTEM_CLOCK.wall_us(),
            dropped=0,
        )

    async def rule(self, rule: Rule) -> None:
        await self.store.alerts.put_rule(rule)
        self.desk.rules_changed()

    async def event(self, event: Event) -> None:
        await self.state.deliver(SITE.id, EventNews(next(self._message), event))

    async def picture(self, event: Event, share: float = 0.0) -> None:
        jpeg = self.films[event.camera].jpeg(share)
        message = EventPicture(next(self._message), event.id, event.camera, event.start_us, jpeg)
        await self.state.deliver(SITE.id, message)

    async def clip(self, event: Event) -> None:
        mp4 = self.films[event.camera].mp4()
        message = EventClip(next(self._message), event.id, event.camera, event.start_us, 6_000_000, mp4)
        await self.state.deliver(SITE.id, message)

    async def close(self) -> None:
        for camera_id, stream in list(self._sending):
            await self.unwatch(camera_id, stream)


def event_id(start_us: int) -> str:
    return str(ULID.from_timestamp(start_us / 1e6))


@contextlib.asynccontextmanager
async def served(
    folder: Path,
    films: Mapping[str, Film],
    infos: tuple[CameraInfo, ...],
    port: int = 0,
    ice: IceServers | None = None,
    sessions: WhepSessions | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[tuple[Hamlet, str]]:
    """The server with the hamlet linked, and its address; `USER` and `ADMIN` may sign in."""
    settings = ServerSettings(data=folder, sites=(SITE,), users=(USER, ADMIN))
    updates, passwords, limits = Updates(), quick_passwords(), Limits()
    sessions = WhepSessions() if sessions is None else sessions
    mse, kiosks = MseStreams(limits), Kiosks(limits)
    async with Store(folder) as store:
        state = SitesState(store, updates, settings.sites, on_event=lambda: app.state.parts.desk.wake())
        hamlet = Hamlet(state, films, infos)
        hamlet.store = store
        state.wishes.links = hamlet
        hamlet.hub = LiveHub(hamlet.watch, hamlet.unwatch, linger_s=0.5)

        async def still_good(session: SessionRecord) -> bool:
            return await app.state.parts.sessions.still_good(session) is True

        def find(camera: str) -> Watchable | None:
            return watchable(state, camera)

        live = live_router(hamlet.hub, sessions, find, needs(Right.LIVE), ice)
        by_mse = mse_router(hamlet.hub, mse, find, needs(Right.LIVE), still_good)
        app = create_app(
            settings,
            store,
            state,
            updates,
            hamlet,
            passwords=passwords,
            routers=(live, by_mse, mjpeg_router(kiosks)),
        )
        await sync_config_users(store, settings.users, passwords)
        hamlet.parts = app.state.parts
        hamlet.desk = hamlet.parts.desk
        await hamlet.link()
        judging = asyncio.create_task(app.state.parts.desk.run())
        with listen(host, port) as listening:
            config = uvicorn.Config(
                app, log_config=None, lifespan="off", timeout_graceful_shutdown=2, ws=SharedFrames
            )
            server = uvicorn.Server(config)
            serving = asyncio.create_task(server.serve([listening]))
            try:
                yield hamlet, f"http://{host}:{listening.getsockname()[1]}"
            finally:
                updates.close()
                mse.close()
                kiosks.close()
                await sessions.close()
                await hamlet.hub.close()
                await hamlet.close()
                server.should_exit = True
                await serving
                judging.cancel()
                await asyncio.gather(judging, return_exceptions=True)
                passwords.close()


def camera_id(camera: str) -> str:
    return global_id(SITE.id, camera)
