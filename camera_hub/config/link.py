"""Whom a site's worker tells: the servers that it dials, the way to them, how long it keeps what waits."""

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from camera_hub.config.address import network_problem, split_credentials
from camera_hub.config.errors import Loc
from camera_hub.config.proxy import Proxy
from camera_hub.config.section import Id, Section, beside_config, twice, wrong
from camera_hub.config.uplink import UplinkConfig

_GB = 1_000_000_000

SettingName = Literal["detect", "record", "name", "zones", "masks", "lines"]
"""A `model.Setting`."""


class LinkServerConfig(Section):
    """A server that this site's worker dials."""

    name: Id = Field(description="Our short name for it; the outbox is kept under it. Example: tuc-tranh")
    url: str = Field(
        description="Where it answers: wss://HOST/api/link (ws:// only on a network of one's own)."
    )
    ca_file: Path | None = Field(
        default=None,
        description="A certificate file (PEM) to trust, where the server's is not of a public authority.",
    )
    certificate_sha256: str = Field(
        default="",
        description="Trust this one certificate alone: its SHA-256 in hexadecimal, with or without colons.",
    )

    local: bool = Field(
        default=False,
        description="true: it is on the site's own network, and what goes there is not counted as uplink.",
    )
    may_change: tuple[SettingName, ...] | None = Field(
        default=None,
        description="What it may change on this site's cameras; not given: what `link.may_change` says.",
    )

    @field_validator("certificate_sha256")
    @classmethod
    def _is_a_fingerprint(cls, text: str) -> str:
        digits = text.replace(":", "").strip().lower()
        if digits and not re.fullmatch(r"[0-9a-f]{64}", digits):
            raise wrong(
                "is no SHA-256; it has 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` prints"
            )
        return digits

    @field_validator("url")
    @classmethod
    def _can_be_dialled(cls, url: str) -> str:
        if split_credentials(url).username is not None:
            raise wrong("has a user name in it; take it out, the worker proves itself by its key")
        problem = network_problem(url, ("ws", "wss"), "wss://hub.example.vn/api/link")
        if problem:
            raise wrong(problem)
        return url

    @field_validator("ca_file")
    @classmethod
    def _is_there(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        path = None if path is None else beside_config(path, info)
        if path is not None and not path.is_file():
            raise wrong("is no file; put the certificate (PEM) there, or take the key out")
        return path


class LinkConfig(Section):
    """Whom this site's worker tells, and over what."""

    servers: tuple[LinkServerConfig, ...] = Field(
        default=(),
        description="The servers that hear of every event. With `camera-hub run` its own comes by itself, "
        "and `camera-hub enrol` adds others.",
    )
    proxy: Proxy | None = Field(
        default=None,
        description="The HTTP proxy on the way to servers: http://HOST:PORT; else HTTPS_PROXY of the "
        "environment.",
    )

    may_change: tuple[SettingName, ...] = Field(
        default=("detect", "name", "zones", "masks", "lines"),
        description="What servers may change on this site's cameras: detect (look for what moves, or not), "
        "record (keep it on disk, or not), name, zones, masks, lines. []: nothing. It holds for those that "
        "`camera-hub enrol` added, too.",
    )
    own_may_change: tuple[SettingName, ...] = Field(
        default=("detect", "record", "name", "zones", "masks", "lines"),
        description="The same for this machine's own server, with `camera-hub run`.",
    )
    uplink: UplinkConfig = Field(
        default=UplinkConfig(), description="What the way to the servers may carry, all together."
    )
    keep_days: float = Field(
        default=30,
        ge=1,
        le=365,
        description="What a server has not taken after so many days is let go, events too.",
    )
    keep_gb: float = Field(
        default=2,
        gt=0,
        allow_inf_nan=False,
        description="What waits for servers grows to this (GB of 10^9 bytes); then long clips go first, "
        "short ones and pictures next, events never.",
    )

    def proxy_url(self) -> str | None:
        return None if self.proxy is None else self.proxy.get_secret_value()

    @property
    def keep_bytes(self) -> int:
        return round(self.keep_gb * _GB)

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        return data, twice(data.get("servers"), "name", "servers", "give each server its own name")
