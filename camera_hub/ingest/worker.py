"""The worker of a hamlet: its cameras' keepers, the outbox, and a link to every server.

What a camera finds is kept in the outbox first and told afterwards; live packets pass through
while a server watches. This is all there is between a camera's process and the link.
"""

import asyncio
import contextlib
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

import structlog

from camera_hub import __version__
from camera_hub.clock import SYSTEM_CLOCK, Clock
from camera_hub.config import CameraConfig, Config, LinkServerConfig, UplinkConfig
from camera_hub.folder import hold_folder
from camera_hub.ingest.async_outbox import AsyncOutbox
from camera_hub.ingest.camera_process import CameraSpec
from camera_hub.ingest.clips import ClipCutter
from camera_hub.ingest.enrolled import EnrolledServers
from camera_hub.ingest.keeper import CameraKeeper, News, forkserver
from camera_hub.ingest.keeping import EventKeeper
from camera_hub.ingest.lookback import Lookback
from camera_hub.ingest.messages import EventFound, TapOpened, TapPackets, TapSound
from camera_hub.ingest.outbox import Outbox
from camera_hub.ingest.taps import Taps
from camera_hub.ingest.wishes import Wishes
from camera_hub.link.handshake import SiteKey
from camera_hub.link.messages import (
    Configure,
    Configured,
    Health,
    LiveOpened,
    LivePackets,
    LiveSound,
    Still,
    StillRequest,
)
from camera_hub.link.worker.budget import Budget, Limits
from camera_hub.link.worker.end import Outbox as WaitingMessages
from camera_hub.link.worker.end import WorkerEnd
from camera_hub.model import CameraInfo, Setting, StreamName
from camera_hub.recording import Catalogue, Retention

log = structlog.get_logger(__name__)

RETAIN_S = 20.0
SERVERS_SEEN_EVERY_S = 3.0
TEND_S = 60.0
ROOM_BYTES = 16 * 1024 * 1024
START_APART_S = 0.05  # seven decoders need not start in one instant


async def ingest(config: Config, own_server: LinkServerConfig | None = None) -> None:
    """Run the worker until cancelled. `own_server` is a server on this machine beside the config's."""
    config.require_worker()
    own = []
    if own_server is not None:
        own = [own_server.model_copy(update={"may_change": config.link.own_may_change})]
    with hold_folder(config.storage.path, "ingest"):
        enrolled = EnrolledServers(config.storage.path)
        while True:
            stamp = enrolled.stamp()
            servers = [*own, *config.link.servers, *enrolled.links(config.link.servers)]
            if await _until_other_servers(Worker(config, servers), enrolled, stamp):
                return


async def _until_other_servers(
    worker: "Worker", enrolled: EnrolledServers, stamp: frozenset[tuple[str, int]]
) -> bool:
    """Run the worker; False when it ended because it was enrolled at other servers meanwhile."""
    running = asyncio.create_task(worker.run())
    try:
        while not (await asyncio.wait([running], timeout=SERVERS_SEEN_EVERY_S))[0]:
            if enrolled.stamp() != stamp:
                log.info("the servers changed; the worker starts anew")
                return False
        await running
        return True
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


class Worker:
    """Implements `link.worker.protocols.Hamlet`."""

    def __init__(
        self,
        config: Config,
        servers: list[LinkServerConfig],
        clock: Clock = SYSTEM_CLOCK,
        heard: Callable[[WaitingMessages], WaitingMessages] = lambda waiting: waiting,
    ) -> None:
        """`heard` may put itself between a link and what waits for it, to see what is acknowledged."""
        self._config = config
        self._clock = clock
        self._closing: set[asyncio.Task[None]] = set()
        self._playing: list[asyncio.Task[None]] = []
        self._taps = Taps(self._tap, self._send_live, clock)
        self._listeners: dict[tuple[str, StreamName], set[str]] = defaultdict(set)
        folder = config.storage.path
        self._recordings = folder / "recordings"
        catalogue_path = self._recordings / "catalogue.db"
        self._catalogue = Catalogue(catalogue_path)
        max_bytes, keep_free_bytes = config.storage.max_bytes, config.storage.keep_free_bytes
        self._retention = Retention(self._recordings, self._catalogue, max_bytes, keep_free_bytes)
        self._recorded_bytes = 0
        streams = {camera.id: camera.stream_names for camera in config.cameras}
        self.recordings = Lookback(self._recordings, self._catalogue, streams)
        names = [server.name for server in servers]
        link = config.link
        may_change = {
            server.name: frozenset(
                map(Setting, link.may_change if server.may_change is None else server.may_change)
            )
            for server in servers
        }
        self._wishes = Wishes(folder, config.cameras, may_change, clock)
        self._infos: tuple[CameraInfo, ...] = ()
        self._ends: dict[str, WorkerEnd] = {}
        outbox = Outbox(folder / "worker.db", names, link.keep_bytes, link.keep_days, clock)
        self._outbox = AsyncOutbox(outbox)
        self._budget = Budget(_limits(link.uplink), ZoneInfo(config.site.timezone), clock)
        self._budget.resume(*outbox.spent())
        clip_streams = {camera.id: smallest(recordable(camera)) for camera in config.cameras}
        self._clips = ClipCutter(
            self._outbox,
            self._recordings,
            self._catalogue,
            clip_streams.get,
            self._outbox_changed,
            clock,
        )
        self._events = EventKeeper(
            self._outbox,
            has_clip=self._records,
            make_room=lambda: self._retention.make_room(ROOM_BYTES),
            on_kept=self._outbox_changed,
        )
        context, starting = forkserver(), asyncio.Lock()
        self._keepers = {
            camera.id: CameraKeeper(
                self._spec(camera),
                context,
                starting,
                clock,
                on_news=self._news,
                on_health=self._health_changed,
                on_death=self._process_died,
            )
            for camera in config.cameras
        }
        self._use_wishes()
        key = SiteKey.load_or_make(folder / "site.key")
        self._ends.update({server.name: self._end(server, key, heard) for server in servers})

    def _spec(self, in_file: CameraConfig) -> CameraSpec:
        """What its process is to do, as the configuration and the servers want it now."""
        camera = self._wishes.camera(in_file.id)
        storage = self._config.storage
        return CameraSpec(
            camera=camera.model_copy(update={"record": recordable(in_file)}),
            recordings=self._recordings,
            catalogue=self._recordings / "catalogue.db",
            segment_s=round(storage.segment_s),
            max_bytes=storage.max_bytes,
            keep_free_bytes=storage.keep_free_bytes,
            log=self._config.log,
            detect=camera.motion.enabled,
            record=bool(camera.recorded_streams),
        )

    def _records(self, camera: str) -> bool:
        return camera in self._keepers and self._keepers[camera].spec.record

    def _use_wishes(self) -> None:
        """Has the cameras do what is wanted now, and tells the servers what is different then."""
        for camera in self._config.cameras:
            self._keepers[camera.id].use(self._spec(camera))
        infos = tuple(keeper.spec.camera.info() for keeper in self._keepers.values())
        if infos != self._infos:
            self._infos = infos
            for end in self._ends.values():
                end.cameras_changed()

    def _end(
        self,
        server: LinkServerConfig,
        key: SiteKey,
        heard: Callable[[WaitingMessages], WaitingMessages],
    ) -> WorkerEnd:
        key_file = EnrolledServers(self._config.storage.path).key_file(server.name)
        return WorkerEnd(
            server=server.name,
            url=server.url,
            key=key if key_file is None else SiteKey.load_or_make(key_file),
            site=self._config.site.id,
            site_name=self._config.site.name,
            software=__version__,
            hamlet=self,
            outbox=heard(self._outbox.for_server(server.name)),
            ca_file=server.ca_file,
            certificate_sha256=server.certificate_sha256,
            proxy=self._config.link.proxy_url(),
            key_file=key_file,
            budget=None if server.local else self._budget,
            clock=self._clock,
        )

    async def run(self) -> None:
        """Until cancelled; every camera's process is gone and every event kept when it returns."""
        log.info(
            "worker running", site=self._config.site.id, cameras=len(self._keepers), servers=len(self._ends)
        )
        keeping = asyncio.create_task(self._events.run())
        try:
            await asyncio.to_thread(self._catalogue.salvage, self._recordings)
            await self._events.close_left_open()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_same_end(keeping))
                for end in self._ends.values():
                    tasks.create_task(end.run())
                tasks.create_task(self._clips.run())
                tasks.create_task(self._retain())
                tasks.create_task(self._tend_outbox())
                for keeper in self._keepers.values():
                    self._playing.append(tasks.create_task(keeper.run()))
                    await asyncio.sleep(START_APART_S)
        finally:
            # The cameras' last words (closing events) are kept before the outbox closes.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await self._events.all_kept()
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            self._outbox.close()
            log.info("worker stopped", site=self._config.site.id)

    @property
    def links(self) -> Sequence[WorkerEnd]:
        """One for each server."""
        return list(self._ends.values())

    async def end_cameras(self) -> None:
        """No camera sends any more, and what they saw has ended; the links go on."""
        for task in self._playing:
            task.cancel()
        await asyncio.gather(*self._playing, return_exceptions=True)
        await self._events.close_left_open()

    async def all_told(self, clips: bool = True) -> bool:
        """Whether no event is open and every server has acknowledged everything.

        `clips`: and no event's video is still to be cut.
        """
        await self._events.all_kept()
        return await self._outbox.call(self._outbox.file.is_empty, clips)

    # -- what the link asks (Hamlet) -------------------------------------------------------

    def cameras(self) -> tuple[CameraInfo, ...]:
        return self._infos

    def health(self) -> Health:
        disk = shutil.disk_usage(self._config.storage.path)
        return Health(
            at_us=self._clock.wall_us(),
            cameras=tuple(keeper.health for keeper in self._keepers.values()),
            outbox_depth=self._outbox.file.depth,
            disk_free_bytes=disk.free,
            disk_total_bytes=disk.total,
            recorded_bytes=self._recorded_bytes,
        )

    def watch(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        if camera in self._keepers:
            self.listen(server, camera, stream, on=False)  # it asks again once the stream is open
            self._taps.watch(server, camera, stream, on)

    def listen(self, server: str, camera: str, stream: StreamName, on: bool) -> None:
        keeper, listeners = self._keepers.get(camera), self._listeners[camera, stream]
        if keeper is None or (server in listeners, on) == (False, False):
            return
        listeners.add(server) if on else listeners.discard(server)
        keeper.listen(stream, bool(listeners))

    def unwatch_all(self, server: str) -> None:
        for camera, stream in [key for key, servers in self._listeners.items() if server in servers]:
            self.listen(server, camera, stream, on=False)
        self._taps.unwatch_all(server)

    async def still(self, request: StillRequest) -> Still:
        keeper = self._keepers.get(request.camera)
        if keeper is None:
            return Still(request=request.request, jpeg=None, at_us=0, error="the site has no such camera")
        made = await keeper.still(request.height)
        return Still(request=request.request, jpeg=made.jpeg, at_us=made.at_us, error=made.error)

    async def configure(self, server: str, wanted: Configure) -> Configured:
        doing = asyncio.create_task(self._configure(server, wanted))
        try:
            return await asyncio.shield(doing)
        except asyncio.CancelledError:
            await asyncio.wait([doing])  # what is kept is done, too, whether somebody hears of it or not
            raise

    async def _configure(self, server: str, wanted: Configure) -> Configured:
        answers = await self._wishes.take(server, wanted.wishes)
        self._use_wishes()
        for name, changed in self._wishes.other_answers().items():
            self._ends[name].wishes_answered(changed)
        return answers

    # -- what the cameras tell -------------------------------------------------------------

    def _news(self, camera: str, news: News) -> None:
        match news:
            case EventFound():
                self._events.put(news)
            case TapOpened(stream=stream, info=info):
                self._taps.opened(camera, stream, info)
            case TapPackets(stream=stream, packets=packets):
                self._taps.packets(camera, stream, packets)
            case TapSound(stream=stream, packets=packets):
                for server in self._listeners[camera, stream]:
                    self._ends[server].live_sound(LiveSound(camera=camera, stream=stream, packets=packets))

    def _tap(self, camera: str, stream: StreamName, on: bool) -> None:
        self._keepers[camera].tap(stream, on)

    def _send_live(self, server: str, message: LiveOpened | LivePackets) -> None:
        end = self._ends[server]
        if isinstance(message, LiveOpened):
            end.live_opened(message)
        else:
            end.live_packets(message)

    def _health_changed(self) -> None:
        for end in self._ends.values():
            end.health_changed()

    def _outbox_changed(self) -> None:
        for end in self._ends.values():
            end.outbox_changed()

    def _process_died(self, camera: str) -> None:
        task = asyncio.create_task(self._events.close_left_open(camera))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _retain(self) -> None:
        while True:
            try:
                await asyncio.to_thread(self._retention.enforce)
                self._recorded_bytes = await asyncio.to_thread(self._retention.recorded_bytes)
            except (OSError, sqlite3.OperationalError) as exc:
                # A damaged catalogue is no OperationalError: the worker ends, and heals it at its next start.
                log.error("retention failed; trying again", error=str(exc))
            await asyncio.sleep(RETAIN_S)

    async def _tend_outbox(self) -> None:
        while True:
            await asyncio.sleep(TEND_S)
            try:
                await self._outbox.call(self._outbox.file.shed_old)
                await self._outbox.call(self._outbox.file.spend, *self._budget.today())
            except sqlite3.OperationalError as exc:
                log.error("the outbox cannot be tidied; trying again", error=str(exc))


def _limits(uplink: UplinkConfig) -> Limits:
    day_bytes = None if uplink.per_day_mb is None else uplink.per_day_mb * 1_000_000
    return Limits(uplink.limit_kbit, day_bytes, uplink.times)


async def _same_end(task: "asyncio.Task[None]") -> None:
    """Ends as `task` does, but does not end it: it has to outlive the others."""
    await asyncio.shield(task)


def recordable(camera: CameraConfig) -> tuple[StreamName, ...]:
    """The streams that are kept while recording is on: those of the file, or all where it has none."""
    return camera.recorded_streams or camera.stream_names


def smallest(streams: Sequence[StreamName]) -> StreamName:
    """The stream that an event's video is cut from: enough to see what happened, and soon sent."""
    return "sub" if "sub" in streams else "main"
