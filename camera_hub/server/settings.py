"""What the server is told when it starts. Frozen; a change is a new one."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pydantic import SecretStr

from camera_hub.config import Config
from camera_hub.config.alerts import AlertsConfig
from camera_hub.config.live import LiveConfig


@dataclass(frozen=True)
class KnownSite:
    """A site whose worker may link: `key` is its Ed25519 public key in base64."""

    id: str
    name: str
    key: str


@dataclass(frozen=True)
class ConfigUser:
    """A user that the config names; the config is the truth for them."""

    name: str
    display_name: str
    role: str
    password: str

    def __repr__(self) -> str:
        return f"ConfigUser({self.name!r}, role={self.role!r})"


def _with_driver(url: SecretStr | None) -> str | None:
    """The URL as SQLAlchemy wants it, with the driver that we use."""
    if url is None:
        return None
    return f"postgresql+asyncpg://{url.get_secret_value().partition('://')[2]}"


@dataclass(frozen=True)
class ServerSettings:
    """`metrics_token` None: only a session reads /metrics."""

    data: Path
    host: str = "127.0.0.1"
    port: int = 8787
    sites: tuple[KnownSite, ...] = ()
    users: tuple[ConfigUser, ...] = ()
    metrics_token: str | None = None
    keep_events_days: int = 90
    keep_media_gb: float = 20.0
    keep_free_bytes: int = 0
    live: LiveConfig = field(default_factory=LiveConfig)
    alerts: AlertsConfig = field(default_factory=AlertsConfig)
    timezone: str = "Asia/Ho_Chi_Minh"
    public_url: str = ""
    database: str | None = None
    """A SQLAlchemy URL; None: the file in `data`."""
    id: str = "server"
    """What workers call us."""
    certificate: Path | None = None
    """The file of the certificate that people see of us; `tls_key` None: another program does TLS for us."""
    tls_key: Path | None = None

    @classmethod
    def of(cls, config: Config, *more_sites: KnownSite) -> Self:
        """From the configuration. `more_sites`: those that the file does not name, such as our own worker's.

        Raises ConfigError when the file has no part for a server.
        """
        server = config.require_server()
        named = tuple(KnownSite(site.id, site.name, site.key) for site in server.sites)
        token = server.metrics_token
        return cls(
            data=config.storage.path,
            host=server.host,
            port=server.port,
            sites=named + tuple(site for site in more_sites if site.id not in {one.id for one in named}),
            users=tuple(
                ConfigUser(user.name, user.display_name, user.role, user.password.get_secret_value())
                for user in config.users
            ),
            metrics_token=None if token is None else token.get_secret_value(),
            keep_events_days=server.keep_events_days,
            keep_media_gb=server.keep_media_gb,
            keep_free_bytes=config.storage.keep_free_bytes,
            live=config.live,
            alerts=config.alerts,
            timezone=config.site.timezone,
            public_url=server.public_url,
            database=_with_driver(server.database),
            id=config.site.id,
            certificate=None if server.tls is None else server.tls.certificate,
            tls_key=None if server.tls is None else server.tls.key,
        )

    def __repr__(self) -> str:
        return f"ServerSettings({self.host}:{self.port}, data={str(self.data)!r})"
