"""What the configuration says of a camera: where its streams are, and what to make of them."""

from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, SecretStr, ValidationInfo, field_validator

from camera_hub.config.address import scheme, split_credentials, stream_problem
from camera_hub.config.errors import Loc
from camera_hub.config.geometry import LineConfig, ZoneConfig
from camera_hub.config.motion import MotionConfig
from camera_hub.config.section import (
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
from camera_hub.model import CameraInfo, StreamName, Zone

_STREAMS: tuple[StreamName, StreamName] = ("main", "sub")


class StreamsConfig(Section):
    """Where a camera's packets come from."""

    main: str = Field(
        description="The full picture, recorded and shown large: an rtsp:// address, or the path of a clip "
        "(mp4, mkv, avi). A relative path counts from this file's folder."
    )
    sub: str | None = Field(
        default=None,
        description="The camera's small picture, for the wall and for motion (about 640x360). Without it "
        "motion has to decode the main stream, which costs several times the work.",
    )

    @field_validator("main", "sub")
    @classmethod
    def _can_be_opened(cls, address: str | None, info: ValidationInfo) -> str | None:
        if address is None:
            return None
        problem = stream_problem(split_credentials(address).address)
        if problem:
            raise wrong(problem)
        return address if scheme(address) else str(beside_config(Path(address), info))


class ClipConfig(Section):
    """How a clip plays as a camera."""

    loop: bool = Field(default=False, description="true starts again at its end; false ends there.")
    pace: Literal["real-time", "full-speed"] = Field(
        default="real-time",
        description="real-time plays as a camera would; full-speed as fast as it can be read.",
    )


class OnvifConfig(Section):
    """Where a camera that tells its own streams is found."""

    host: ShortText = Field(description="The camera's IP address or name. Example: 192.168.1.20")
    port: Port = Field(default=80, description="The port of its ONVIF service, mostly 80, 8000 or 8080.")

    @field_validator("host")
    @classmethod
    def _is_only_a_host(cls, host: str) -> str:
        if "://" in host or "/" in host or "@" in host or any(sign.isspace() for sign in host):
            raise wrong("is not a bare address; give the IP address or name alone, such as 192.168.1.20")
        return host


class CameraConfig(Section):
    """One camera."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["streams"]}, {"required": ["onvif"]}]},
    )

    id: Id = Field(
        description="Its short name for machines, for ever: small letters, digits and hyphens. Files and "
        "events bear it. Example: cong-lang"
    )
    name: ShortText = Field(description="What people call it. Example: Cổng làng")
    place: str = Field(default="", max_length=200, description="Where it hangs, in words.")
    streams: StreamsConfig | None = Field(
        default=None, description="Its streams. Give either these or `onvif`."
    )
    onvif: OnvifConfig | None = Field(
        default=None, description="In place of `streams`: ask the camera itself (ONVIF) for its streams."
    )
    transport: Literal["tcp", "udp"] = Field(
        default="tcp",
        description="How RTSP brings the video. tcp loses nothing; udp only where a camera needs it.",
    )
    username: str | None = Field(
        default=None, max_length=200, description="The user name that the camera asks for."
    )
    password: SecretStr | None = Field(
        default=None,
        description="The password that the camera asks for; best as ${NAME}, from the secrets file.",
    )
    audio: bool = Field(
        default=False,
        description="true lets those who may watch the camera listen to it too, live; nothing of it is kept. "
        "false: its sound is not even fetched, since people's talk is theirs. Read docs/operator.md first.",
    )
    clip: ClipConfig = Field(
        default=ClipConfig(), description="How a clip plays; only where the streams are clips."
    )
    record: tuple[StreamName, ...] | None = Field(
        default=None, description="Which streams to keep on disk. Not given: all there are. []: none."
    )
    motion: MotionConfig = Field(default=MotionConfig(), description="Looking for what moves.")
    zones: tuple[ZoneConfig, ...] = Field(
        default=(),
        max_length=50,
        description="Named parts of the picture: an event says in which of them it was.",
    )
    masks: tuple[ZoneConfig, ...] = Field(
        default=(), max_length=50, description="Parts of the picture in which nothing is ever seen as motion."
    )
    lines: tuple[LineConfig, ...] = Field(
        default=(),
        max_length=20,
        description="Lines across a way: an event says who crossed which, and to which side.",
    )

    @classmethod
    def _examine(cls, data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
        found = _sources_problems(data)
        found += twice(data.get("zones"), "name", "zones", "give each zone its own name")
        found += twice(data.get("masks"), "name", "masks", "give each mask its own name")
        found += twice(data.get("lines"), "name", "lines", "give each line its own name")
        found += _record_problems(data)
        data, more = _credentials_apart(data)
        return data, found + more

    @property
    def is_clip(self) -> bool:
        """Whether its streams are files."""
        return self.streams is not None and not scheme(self.streams.main)

    @property
    def stream_names(self) -> tuple[StreamName, ...]:
        """The streams that it has; of an ONVIF camera, those that it may turn out to have."""
        if self.streams is not None and self.streams.sub is None:
            return ("main",)
        return _STREAMS

    @property
    def recorded_streams(self) -> tuple[StreamName, ...]:
        """The streams to keep on disk."""
        return self.stream_names if self.record is None else self.record

    @property
    def motion_stream(self) -> StreamName:
        """The stream that motion decodes: the smallest there is."""
        return self.stream_names[-1]

    def info(self) -> CameraInfo:
        """What may be told of it: nothing secret."""
        zones = tuple(zone.zone() for zone in self.zones)
        return CameraInfo(
            id=self.id,
            name=self.name,
            place=self.place,
            zones=zones,
            streams=self.stream_names,
            lines=tuple(line.line() for line in self.lines),
        )

    def mask_zones(self) -> tuple[Zone, ...]:
        """The masks as the model's type."""
        return tuple(mask.zone() for mask in self.masks)

    def secret_values(self) -> tuple[str, ...]:
        """What must never be seen in a log."""
        return (self.password.get_secret_value(),) if self.password is not None else ()


def _sources_problems(data: dict[str, Any]) -> list[tuple[Loc, str]]:
    """Streams or ONVIF; clips or RTSP; and what goes with which."""
    streams, onvif = data.get("streams"), data.get("onvif")
    if streams is None and onvif is None:
        return [
            (
                (),
                "has neither `streams` nor `onvif`; give the streams' addresses, or the ONVIF host",
            )
        ]
    found: list[tuple[Loc, str]] = []
    if streams is not None and onvif is not None:
        found.append((("onvif",), "stands beside `streams`; keep only one of the two"))
    kinds = {name: _is_clip(look(streams, name)) for name in _STREAMS if isinstance(look(streams, name), str)}
    if len(set(kinds.values())) == 2:
        found.append(
            (("streams", "sub"), "and main are of two kinds; give two rtsp:// addresses or two clips")
        )
    elif kinds and all(kinds.values()):
        given = (key for key in ("username", "password") if data.get(key) is not None)
        found += [((key,), "is given, but a clip asks for none; take it out") for key in given]
        if data.get("audio") is True:
            found.append((("audio",), "is only for cameras, since clips play without sound; take it out"))
    elif data.get("clip") is not None and (kinds or onvif is not None):
        found.append((("clip",), "is only for clips, and this camera has none; take it out"))
    return found


def _is_clip(address: str) -> bool:
    return not scheme(address)


def _record_problems(data: dict[str, Any]) -> list[tuple[Loc, str]]:
    record = entries(data.get("record"))
    found: list[tuple[Loc, str]] = []
    for index, name in enumerate(record):
        if name in record[:index]:
            found.append((("record", index), "is there twice; name each stream once"))
        elif name == "sub" and data.get("streams") is not None and look(data, "streams", "sub") is None:
            found.append(
                (
                    ("record", index),
                    "cannot be kept: the camera has no sub stream; give one, or record only main",
                )
            )
    return found


def _credentials_apart(data: dict[str, Any]) -> tuple[dict[str, Any], list[tuple[Loc, str]]]:
    """Move the credentials out of the streams' addresses, so that nobody prints them."""
    streams = data.get("streams")
    found: list[tuple[Loc, str]] = []
    username, password = data.get("username"), data.get("password")
    if isinstance(password, SecretStr):
        password = password.get_secret_value()
    bare: dict[str, str] = {}
    for name in _STREAMS:
        address = look(streams, name)
        if not isinstance(address, str):
            continue
        split = split_credentials(address)
        bare[name] = split.address
        if split.username is None:
            continue
        if _differ(username, split.username) or _differ(password, split.password):
            text = (
                "has another user name or password than the camera has elsewhere; write them once, as "
                "`username` and `password`"
            )
            found.append((("streams", name), text))
        username = username or split.username
        password = password if password is not None else split.password
    if bare:
        kept = streams.model_dump() if isinstance(streams, Section) else dict(streams or {})
        data = data | {"streams": kept | bare}
        given = {"username": username, "password": password}
        data |= {key: value for key, value in given.items() if value is not None}
    return data, found


def _differ(known: Any, other: str | None) -> bool:
    return known is not None and other is not None and known != other
