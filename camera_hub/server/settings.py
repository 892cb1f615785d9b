"""What the server is told when it starts. Frozen; a change is a new one."""

from dataclasses import dataclass
from pathlib import Path


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

    def __repr__(self) -> str:
        return f"ServerSettings({self.host}:{self.port}, data={str(self.data)!r})"
