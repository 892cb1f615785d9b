"""Which events somebody must see, and how people are told. The dashboard's rules have the same words."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field, SecretStr, ValidationInfo, field_validator

from camera_hub.config.errors import Loc
from camera_hub.config.proxy import Proxy
from camera_hub.config.section import (
    Fraction,
    Id,
    Port,
    Section,
    ShortText,
    beside_config,
    entries,
    look,
    twice,
    wrong,
)

CAMERA_ID = r"^[a-z0-9-]{1,64}\.[a-z0-9-]{1,64}$"
_HOURS = r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$"

# Strict, since these stand in requests too, and what the API's description calls a number is one.
Seconds = Annotated[float, Field(strict=True, ge=0, le=30 * 86_400, allow_inf_nan=False)]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
AlertAbout = Literal["motion", "tamper", "camera-away", "site-away", "disk", "clock", "flood"]
HoursText = Annotated[str, Field(pattern=_HOURS)]
CameraId = Annotated[str, Field(pattern=CAMERA_ID)]


class CrossesConfig(Section):
    """A line that somebody goes over."""

    line: ShortText = Field(description="The line's name, as in the camera's configuration.")
    to: Literal["left", "right"] | None = Field(
        default=None,
        description="To which side, seen along the line from its first point; without: to either.",
    )


class CountConfig(Section):
    """Only when so many come within so long."""

    at_least: int = Field(strict=True, ge=2, le=1000, description="So many of them.")
    within_s: Annotated[float, Field(strict=True, gt=0, le=86_400, allow_inf_nan=False)] = Field(
        description="Within so many seconds."
    )


class QuietConfig(Section):
    """A time in which the rule does not hold, such as a feast."""

    since: AwareDatetime = Field(alias="from", description="From when on. Example: 2026-02-16T18:00+07:00")
    until: AwareDatetime = Field(description="Until when.")

    @field_validator("since", "until", mode="before")
    @classmethod
    def _is_written(cls, value: Any) -> Any:
        # pydantic would take a number for seconds since 1970.
        if isinstance(value, int | float) or (isinstance(value, str) and "T" not in value.upper()[1:]):
            raise wrong("is no instant; write it as 2026-02-16T18:00+07:00")
        return value

    @field_validator("until")
    @classmethod
    def _is_later(cls, until: datetime, info: Any) -> datetime:
        since = info.data.get("since")
        if since is not None and until <= since:
            raise wrong("is not later than `from`")
        return until


class TellConfig(Section):
    """Whom to tell, and after how long without an answer."""

    after_s: Seconds = Field(
        default=0, description="So many seconds after the alert, if nobody has acknowledged it by then."
    )
    to: tuple[Id, ...] = Field(min_length=1, description="The ids of channels.")


class RuleConfig(Section):
    """Which events somebody must see. What is not given does not matter to the rule."""

    id: Id = Field(description="A short name for machines. Example: nguoi-ban-dem")
    name: ShortText = Field(description="What people call it. Example: Người vào xóm ban đêm")
    enabled: bool = Field(strict=True, default=True, description="false: it is kept, and does nothing.")
    about: tuple[AlertAbout, ...] = Field(
        default=("motion",),
        min_length=1,
        description="What it is about: motion, tamper, camera-away, site-away, "
        "disk (nothing can be recorded), clock (it is wrong) or flood (a hamlet sends far too much).",
    )
    sites: tuple[Id, ...] = Field(default=(), description="The hamlets, by their ids.")
    cameras: tuple[CameraId, ...] = Field(
        default=(), description="The cameras, as SITE.CAMERA. Example: khe-coc.cong-xom"
    )
    zones: tuple[ShortText, ...] = Field(default=(), description="Names of zones; it is enough to be in one.")
    lines: tuple[CrossesConfig, ...] = Field(default=(), description="Lines; it is enough to go over one.")
    hours: tuple[HoursText, ...] = Field(
        default=(), description='Hours of the day; over midnight, too. Example: ["22:00-05:00"]'
    )
    days: tuple[Day, ...] = Field(
        default=(),
        description="Days of the week: mon tue wed thu fri sat sun. A night belongs to its evening.",
    )
    holidays: Literal["as-usual", "never", "only"] = Field(
        default="as-usual", description="On public holidays: as on other days, never, or only on them."
    )
    quiet: tuple[QuietConfig, ...] = Field(default=(), description="Times in which it does not hold.")
    lasts_s: Seconds = Field(default=0, description="At least so long.")
    stays_s: Seconds = Field(default=0, description="Somebody stays at least so long in a zone (loitering).")
    taller_than: Fraction = Field(
        strict=True,
        default=0,
        description="The mover is at least so tall, in fractions of the picture's height.",
    )
    count: CountConfig | None = Field(default=None, description="Only when so many come within so long.")
    join_s: Seconds = Field(
        default=120,
        description="What comes within so long at neighbouring cameras belongs to the same alert.",
    )
    cooldown_s: Seconds = Field(default=0, description="No other alert so soon after one.")
    urgency: Literal["notice", "normal", "urgent"] = Field(
        default="normal", description="How it is put to people."
    )
    tell: tuple[TellConfig, ...] = Field(
        default=(), max_length=10, description="Whom to tell at once, and whom next when nobody answers."
    )

    @field_validator("tell")
    @classmethod
    def _in_order(cls, tell: tuple[TellConfig, ...]) -> tuple[TellConfig, ...]:
        return tuple(sorted(tell, key=lambda step: step.after_s))

    @property
    def minutes(self) -> tuple[tuple[int, int], ...]:
        """The hours as minutes of the day."""
        return tuple((_minute(text[:5]), _minute(text[6:])) for text in self.hours)


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


class ChannelConfig(Section):
    """A way to tell people, or a machine."""

    id: Id = Field(description="A short name for machines. Example: truc-ban")
    name: ShortText = Field(description="What people call it. Example: Trực ban công an xã")
    kind: Literal["push", "apprise", "webhook"] = Field(
        description="push: the dashboard on phones that asked for it. apprise: mail, Telegram, SMS and a "
        "hundred others, by an Apprise URL. webhook: a machine, by signed HTTP (Standard Webhooks)."
    )
    url: SecretStr | None = Field(
        default=None, description="Where to: an Apprise URL, or the webhook's https address; best as ${NAME}."
    )
    secret: SecretStr | None = Field(
        default=None, description="Of a webhook: what its calls are signed with, whsec_…; best as ${NAME}."
    )
    users: tuple[ShortText, ...] = Field(
        default=(), description="Of push: the accounts whose phones are told; none: all that asked for it."
    )
    language: Literal["vi", "en"] = Field(default="vi", description="The language of its texts.")
    inside: bool = Field(
        strict=True, default=False, description="Of a webhook: true lets it be an address of the own network."
    )
    enabled: bool = Field(strict=True, default=True, description="false: nothing is sent by it.")

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        kind, url = data.get("kind"), data.get("url")
        found: list[tuple[Loc, str]] = []
        if kind in ("apprise", "webhook") and not url:
            found.append((("url",), f"is missing, and a channel of kind {kind} needs it"))
        if kind == "webhook" and isinstance(url, str) and urlsplit(url).scheme not in ("http", "https"):
            found.append((("url",), "is no web address; it begins with https://"))
        if kind == "push" and url:
            found.append((("url",), "is of no use to push; take it out"))
        return data, found

    def secret_values(self) -> tuple[str, ...]:
        return tuple(value.get_secret_value() for value in (self.url, self.secret) if value is not None)


class MqttConfig(Section):
    """An MQTT 5 broker that is told what happens, for home and control systems."""

    host: ShortText = Field(description="Where it is. Example: 192.168.1.20")
    port: Port = Field(default=1883, description="Its port; with TLS mostly 8883.")
    username: str = Field(default="", max_length=200, description="The account there; empty for none.")
    password: SecretStr | None = Field(default=None, description="Its password; best as ${NAME}.")
    tls: bool = Field(default=False, description="true: the connection is encrypted.")
    ca_file: Path | None = Field(
        default=None, description="A certificate file (PEM) to trust, where it is of no public authority."
    )
    prefix: str = Field(
        default="camera_hub",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        description="What the topics begin with; a second hub at one broker needs another.",
    )
    discovery_prefix: str = Field(
        default="homeassistant",
        pattern=r"^[A-Za-z0-9_/-]{1,64}$",
        description="Where Home Assistant looks for devices.",
    )
    switches: bool = Field(
        strict=True,
        default=False,
        description="true: whoever may write to the broker may switch cameras' detection and recording. Read "
        "docs/operator.md first.",
    )

    @field_validator("ca_file")
    @classmethod
    def _beside_the_file(cls, path: Path | None, info: ValidationInfo) -> Path | None:
        return None if path is None else beside_config(path, info)


class AlertsConfig(Section):
    """Which events somebody must see, and how people are told."""

    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] = Field(
        default="VN", description="Whose public holidays count, by the two letters of ISO 3166."
    )
    neighbours: tuple[tuple[CameraId, ...], ...] = Field(
        default=(),
        description="Groups of cameras between which a mover may go. One in no group has its whole site.",
    )
    channels: tuple[ChannelConfig, ...] = Field(default=(), description="Ways to tell people and machines.")
    rules: tuple[RuleConfig, ...] = Field(default=(), description="Which events make alerts.")
    mqtt: MqttConfig | None = Field(default=None, description="An MQTT broker that is told what happens.")
    proxy: Proxy | None = Field(
        default=None,
        description="The HTTP proxy on the way to webhooks and push services: http://HOST:PORT; else "
        "HTTPS_PROXY of the environment.",
    )

    def proxy_url(self) -> str | None:
        return None if self.proxy is None else self.proxy.get_secret_value()

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        found = twice(data.get("rules"), "id", "rules", "give each rule its own id")
        found += twice(data.get("channels"), "id", "channels", "give each channel its own id")
        for number, channel in enumerate(entries(data.get("channels"))):
            if look(channel, "kind") == "webhook" and not look(channel, "secret"):
                text = "is missing; make one: echo whsec_$(head -c 32 /dev/urandom | base64)"
                found.append((("channels", number, "secret"), text))
        known = {look(channel, "id") for channel in entries(data.get("channels"))}
        for number, rule in enumerate(entries(data.get("rules"))):
            for at, step in enumerate(entries(look(rule, "tell"))):
                for name in entries(look(step, "to")):
                    if isinstance(name, str) and name not in known:
                        text = f"names the channel {name!r}, which is not under alerts.channels"
                        found.append((("rules", number, "tell", at, "to"), text))
        return data, found
