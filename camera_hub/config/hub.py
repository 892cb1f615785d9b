"""The whole configuration: one file for a worker, a server, or both on one machine."""

import base64
import binascii
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, PrivateAttr, SecretStr, ValidationInfo, field_validator

from camera_hub.config.address import split_credentials
from camera_hub.config.alerts import AlertsConfig
from camera_hub.config.camera import CameraConfig
from camera_hub.config.errors import ConfigError, Loc
from camera_hub.config.link import LinkConfig, LinkServerConfig
from camera_hub.config.live import LiveConfig
from camera_hub.config.section import Id, Port, Section, ShortText, beside_config, twice, wrong

_GB = 1_000_000_000
_KEY_BYTES = 32  # an Ed25519 public key (RFC 8032)


class SiteConfig(Section):
    """The place that this machine serves: a hamlet, or for a server the commune."""

    id: Id = Field(
        description="Its short name for machines: small letters, digits and hyphens. Example: khe-coc"
    )
    name: ShortText = Field(description="What people call it. Example: Xóm Khe Cốc")
    timezone: str = Field(
        default="Asia/Ho_Chi_Minh", description="Its time zone, as the IANA database names it."
    )

    @field_validator("timezone")
    @classmethod
    def _is_known(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (KeyError, ValueError, OSError):
            raise wrong("is not a time zone; use a name such as Asia/Ho_Chi_Minh") from None
        return timezone


class StorageConfig(Section):
    """Where everything is kept on disk, and how much of it."""

    path: Path = Field(
        default=Path("data"),
        validate_default=True,
        description="The folder of recordings and databases. A relative path counts from this file's folder.",
    )
    max_gb: float = Field(
        default=200,
        gt=0,
        allow_inf_nan=False,
        description="Recordings grow to this (GB of 10^9 bytes); then the oldest go.",
    )
    keep_free_gb: float = Field(
        default=2,
        ge=0,
        allow_inf_nan=False,
        description="This much of the disk always stays free (GB); the oldest go for it.",
    )
    segment_s: float = Field(
        default=60,
        ge=1,
        le=3600,
        description="The length of a recorded file in seconds; it is cut at the next keyframe.",
    )

    @field_validator("path")
    @classmethod
    def _beside_the_file(cls, path: Path, info: ValidationInfo) -> Path:
        return beside_config(path, info)

    @property
    def max_bytes(self) -> int:
        return round(self.max_gb * _GB)

    @property
    def keep_free_bytes(self) -> int:
        return round(self.keep_free_gb * _GB)


class ServerSiteConfig(Section):
    """A site whose worker this server lets in."""

    id: Id = Field(description="The site's id, as in its own file. Example: khe-coc")
    name: ShortText = Field(description="What people call it. Example: Xóm Khe Cốc")
    key: str = Field(
        description="The worker's public key; `camera-hub key CONFIG` prints it on the worker's machine."
    )

    @field_validator("key")
    @classmethod
    def _is_a_key(cls, key: str) -> str:
        try:
            size = len(base64.b64decode(key.strip(), validate=True))
        except (binascii.Error, ValueError):
            raise wrong(
                "is not a key; copy the line that `camera-hub key` prints on the worker, all of it"
            ) from None
        if size != _KEY_BYTES:
            raise wrong(
                f"has {size} bytes, and a key has {_KEY_BYTES}; copy all of what `camera-hub key` prints"
            )
        return key.strip()

    @property
    def public_key(self) -> bytes:
        """The Ed25519 public key, 32 bytes."""
        return base64.b64decode(self.key)


class TlsConfig(Section):
    """The certificate that people and workers see of this server."""

    certificate: Path = Field(description="Its file (PEM), the server's own certificate first.")
    key: Path | None = Field(
        default=None,
        description="Its key (PEM): the hub does TLS itself. Without one, a web server before it does, and "
        "the hub only knows what workers must see.",
    )

    @field_validator("certificate", "key")
    @classmethod
    def _is_there(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        path = None if path is None else beside_config(path, info)
        if path is not None and not path.is_file():
            raise wrong("is no file; put the certificate or its key (PEM) there, or take the section out")
        return path


class ServerConfig(Section):
    """The dashboard, and whom it serves."""

    host: ShortText = Field(
        default="127.0.0.1",
        description="The address to listen on: 127.0.0.1 for this machine alone, 0.0.0.0 for the network.",
    )
    port: Port = Field(default=8787, description="The port of the dashboard and of the link.")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s?#]+)?$",
        description="Where browsers elsewhere reach the dashboard; messages link there. Example: "
        "https://camera.tuc-tranh.example",
    )
    sites: tuple[ServerSiteConfig, ...] = Field(
        default=(),
        description="The sites that may link, besides those that an administrator makes on the dashboard. "
        "With `camera-hub run` its own comes by itself.",
    )
    database: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL database in place of the file: postgresql://NAME:PASSWORD@HOST/DATABASE; "
        "best as ${NAME}.",
    )
    tls: TlsConfig | None = Field(default=None, description="The certificate of this server.")
    keep_events_days: int = Field(
        default=90, ge=1, le=3650, description="Events are kept this long, with their pictures and clips."
    )
    keep_media_gb: float = Field(
        default=20,
        gt=0,
        allow_inf_nan=False,
        description="Events' pictures and clips grow to this (GB of 10^9 bytes); then the oldest go.",
    )
    metrics_token: SecretStr | None = Field(
        default=None,
        description="Prometheus may read /metrics with this as its bearer token; best as ${NAME}.",
    )

    @field_validator("database")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("postgresql", "postgres"):
            raise wrong("is no PostgreSQL database; write postgresql://NAME:PASSWORD@HOST/DATABASE")
        return url

    def link_url(self) -> str:
        """Where a worker on this machine links."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        scheme = "wss" if self.does_tls else "ws"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}/api/link"

    @property
    def does_tls(self) -> bool:
        return self.tls is not None and self.tls.key is not None

    def own_link(self, certificate_sha256: str = "") -> LinkServerConfig:
        """This server as a worker on its machine dials it, under a name that none in a file can have."""
        return LinkServerConfig.model_construct(
            name="this machine",
            url=self.link_url(),
            ca_file=None,
            certificate_sha256=certificate_sha256,
            local=True,
        )

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        return data, twice(data.get("sites"), "id", "sites", "each site has its own id")


class UserConfig(Section):
    """Somebody who may sign in to the dashboard."""

    name: str = Field(
        min_length=1,
        max_length=63,
        pattern=r"^[a-z0-9]+([._-][a-z0-9]+)*$",
        description="What they type to sign in: small letters, digits, and . _ - between them.",
    )
    display_name: str = Field(
        default="", max_length=200, description="What the dashboard calls them. Example: Công an xã"
    )
    role: Literal["viewer", "police", "admin"] = Field(
        default="viewer",
        description="viewer watches; police also works on alerts and exports; admin also manages.",
    )
    password: SecretStr = Field(
        min_length=8,
        description="Their first password, at least 8 signs; best as ${NAME}. They may change it later.",
    )


class PracticeConfig(Section):
    """The practice hamlet: rendered scenes, served as RTSP cameras, to try the hub without one."""

    seed: int = Field(default=1, ge=0, description="Another number makes other scenes.")
    port: Port = Field(default=18554, description="The port of its RTSP cameras, on this machine alone.")


class LogConfig(Section):
    """What the hub tells of itself, on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="The least important lines to show."
    )
    format: Literal["auto", "human", "json"] = Field(
        default="auto",
        description="human to be read, json to be collected; auto: human on a terminal, json otherwise.",
    )


class Config(Section):
    """The configuration of Camera Hub."""

    site: SiteConfig = Field(description="The place that this machine serves.")
    secrets: Path | None = Field(
        default=None,
        description="A file of lines `NAME: value`, mode 600, for each ${NAME} that the environment lacks.",
    )
    storage: StorageConfig = Field(default_factory=StorageConfig, description="What is kept on disk.")
    cameras: tuple[CameraConfig, ...] = Field(default=(), description="The cameras; a worker needs them.")
    link: LinkConfig = Field(default=LinkConfig(), description="Whom the worker tells.")
    server: ServerConfig | None = Field(default=None, description="The dashboard; a server needs it.")
    live: LiveConfig = Field(default=LiveConfig(), description="Live views of the server.")
    alerts: AlertsConfig = Field(
        default=AlertsConfig(), description="What somebody must see, and how they are told."
    )
    users: tuple[UserConfig, ...] = Field(default=(), description="Who may sign in to the dashboard.")
    practice: PracticeConfig | None = Field(default=None, description="Serve the practice hamlet's cameras.")
    log: LogConfig = Field(default=LogConfig(), description="What is logged, and how.")

    _file: Path = PrivateAttr(default=Path("the configuration"))

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        data.setdefault("storage", {})  # so that its relative path is made whole too
        found = twice(data.get("cameras"), "id", "cameras", "give each camera its own id")
        found += twice(data.get("users"), "name", "users", "give each user their own name")
        return data, found

    @field_validator("secrets")
    @classmethod
    def _beside_the_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else beside_config(path, info)

    def came_from(self, file: Path) -> "Config":
        """Remember the file, to name it in errors."""
        self._file = file
        return self

    def camera(self, camera_id: str) -> CameraConfig | None:
        """The camera of that id, if there is one."""
        return next((camera for camera in self.cameras if camera.id == camera_id), None)

    def require_worker(self) -> tuple[CameraConfig, ...]:
        """The cameras. Raises ConfigError where there are none, since a worker has nothing to do then."""
        if not self.cameras:
            text = "there are none, and a worker needs at least one; add a camera with id, name and streams"
            raise ConfigError.of(self._file, text, key="cameras")
        return self.cameras

    def require_server(self) -> ServerConfig:
        """The server's part. Raises ConfigError where there is none."""
        if self.server is None:
            text = "is missing, and a server needs it; add `server: {host: 127.0.0.1, port: 8787}`"
            raise ConfigError.of(self._file, text, key="server")
        return self.server

    def secret_values(self) -> tuple[str, ...]:
        """What must never be seen in a log: every password and token."""
        values = [value for camera in self.cameras for value in camera.secret_values()]
        values += [user.password.get_secret_value() for user in self.users]
        if self.server is not None and self.server.database is not None:
            values.append(self.server.database.get_secret_value())
        if self.server is not None and self.server.metrics_token is not None:
            values.append(self.server.metrics_token.get_secret_value())
        values += [value for channel in self.alerts.channels for value in channel.secret_values()]
        if self.alerts.mqtt is not None and self.alerts.mqtt.password is not None:
            values.append(self.alerts.mqtt.password.get_secret_value())
        for proxy in (self.link.proxy_url(), self.alerts.proxy_url()):
            password = split_credentials(proxy or "").password
            if password:
                values.append(password)
        if self.live.turn is not None:
            values.append(self.live.turn.secret.get_secret_value())
        return tuple(value for value in values if value)
