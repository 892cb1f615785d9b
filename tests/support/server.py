"""What the tests of store and server share: a clock by hand, small events, and a server in this process."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import FastAPI
from pwdlib.hashers.argon2 import Argon2Hasher

from camera_hub.link.messages import Hello, Still
from camera_hub.model import CameraInfo, Crossing, Event, EventKind, Line, TamperCause, Zone
from camera_hub.server.app import create_app
from camera_hub.server.broadcast import Updates
from camera_hub.server.passwords import Passwords
from camera_hub.server.people import sync_config_users
from camera_hub.server.settings import ConfigUser, KnownSite, ServerSettings
from camera_hub.server.sites_state import SitesState
from camera_hub.store import Store
from tests.support import clocks

START_US = clocks.START_US
SECOND_US = 1_000_000
SITE = "khe-coc"
JPEG = bytes.fromhex(  # grey, 8 by 8 px
    "ffd8ffe000104a46494600010100000100010000ffdb0043000201010101010201010102020202020403020202020504"
    "040304060506060605060606070908060709070606080b08090a0a0a0a0a06080b0c0b0a0c090a0a0affc0000b080008"
    "000801011100ffc40014000100000000000000000000000000000000ffc4001410010000000000000000000000000000"
    "0000ffda0008010100003f003fffd9"
)
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def ulid(number: int) -> str:
    """A ULID for tests: the greater the number, the later it sorts."""
    digits = ""
    for _ in range(26):
        number, digit = divmod(number, 32)
        digits = _CROCKFORD[digit] + digits
    return digits


def event(
    number: int = 1,
    *,
    camera: str = "cong-lang",
    start_us: int = START_US,
    end_us: int | None = None,
    revision: int = 1,
    zones: tuple[str, ...] = (),
    kind: EventKind = EventKind.MOTION,
    cause: TamperCause | None = None,
) -> Event:
    return Event(
        id=ulid(number),
        camera=camera,
        kind=kind,
        start_us=start_us,
        end_us=end_us,
        revision=revision,
        zones=zones,
        score=0.75,
        box=(0.25, 0.5, 0.125, 0.25),
        path=((0, 0.25, 0.75), (500_000, 0.5, 0.75)),
        stays=tuple((zone, 3_500_000) for zone in zones),
        crossings=(Crossing("Cổng xóm", "right", 1_250_000, "vào xóm"),),
        entry="top",
        exit=None if end_us is None else "bottom",
        mean_speed=0.125,
        peak_speed=0.25,
        cause=cause,
    )


CAMERAS = (
    CameraInfo(
        id="cong-lang",
        name="Cổng làng",
        place="Đầu đường vào xóm",
        zones=(Zone(name="Lòng đường", polygon=((0.0, 0.5), (1.0, 0.5), (0.5, 1.0))),),
        streams=("main", "sub"),
        lines=(Line("Cổng xóm", ((0.25, 0.5), (0.75, 0.5)), left_is="ra", right_is="vào xóm"),),
    ),
    CameraInfo(id="nha-van-hoa", name="Nhà văn hoá"),
)


def hello(site: str = SITE, cameras: tuple[CameraInfo, ...] = CAMERAS) -> Hello:
    return Hello(version=1, site=site, name="Xóm Khe Cốc", software="0.1.0", signature=b"", cameras=cameras)


def quick_passwords() -> Passwords:
    """Argon2 at its lowest cost: the tests are not about how long it takes."""
    return Passwords(Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1))


@dataclass
class FakeLinks:
    """Sites whose pictures are made here; `asked` counts how often one was asked for."""

    linked: set[str] = field(default_factory=set)
    asked: int = 0
    error: str = ""

    def connected(self, site: str) -> bool:
        return site in self.linked

    async def still(self, site: str, camera: str, height: int | None) -> Still:
        self.asked += 1
        if self.error:
            return Still(request=1, jpeg=None, at_us=0, error=self.error)
        return Still(request=1, jpeg=JPEG, at_us=START_US)


@dataclass
class Server:
    """A server in this process, without a socket; `client` is a browser that is not signed in."""

    app: FastAPI
    store: Store
    state: SitesState
    updates: Updates
    links: FakeLinks
    clock: clocks.HandClock
    client: httpx.AsyncClient

    async def sign_in(self, name: str = "admin", password: str = "chè xanh Khe Cốc") -> httpx.Response:
        return await self.client.post("/api/login", json={"username": name, "password": password})


USERS = (
    ConfigUser("admin", "Quản trị", "admin", "chè xanh Khe Cốc"),
    ConfigUser("to-tuan-tra", "Tổ tuần tra", "viewer", "đi tuần ban đêm"),
    ConfigUser("cong-an", "Công an xã", "police", "giữ yên thôn xóm"),
)


@contextlib.asynccontextmanager
async def running_app(folder: Path, dashboard: Path | None = None) -> AsyncIterator[Server]:
    """A server with three users and one site that is not linked."""
    clock = clocks.HandClock()
    sites = (KnownSite(SITE, "Xóm Khe Cốc", "key"),)
    settings = ServerSettings(folder, sites=sites, users=USERS, metrics_token="mã đo")
    links, updates, passwords = FakeLinks(), Updates(), quick_passwords()
    async with Store(folder, clock=clock) as store:
        state = SitesState(store, updates, sites, clock)
        await sync_config_users(store, USERS, passwords)
        await state.load()
        app = create_app(
            settings,
            store,
            state,
            updates,
            links,
            passwords=passwords,
            dashboard=dashboard or folder / "no-dashboard",
            clock=clock,
        )
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=("192.0.2.7", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://hub.test") as client:
            yield Server(app, store, state, updates, links, clock, client)
        passwords.close()
